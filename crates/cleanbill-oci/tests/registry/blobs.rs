//! Blobs: broken downloads go on where they broke, and answers that are not what was asked for.

use cleanbill_oci::content::{Content, Descriptor, Role};

use crate::server::{Answer, Request, Server, digest};
use crate::{image, registry};

/// A blob's bytes: long enough for several reads.
fn blob() -> Vec<u8> {
    (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect()
}

/// Downloads the blob from a server; gives what was read or the error, and the requests.
fn download(
    answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
) -> (Result<Vec<u8>, String>, Vec<Request>) {
    download_from(0, answer)
}

/// The same from this byte on.
fn download_from(
    from: u64,
    answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
) -> (Result<Vec<u8>, String>, Vec<Request>) {
    let server = Server::start(answer);
    let blob = blob();
    let descriptor =
        Descriptor { media_type: String::new(), digest: digest(&blob), size: blob.len() as u64 };
    let registry = registry(&[server.host()]);
    let content = registry.repository(&image(&server.host(), "a:1")).unwrap();
    let read = |content: &dyn Content| {
        let mut bytes = Vec::new();
        let reader = content.open_from(Role::Blob, &descriptor, from);
        let mut reader = reader.map_err(|e| e.to_string())?;
        reader.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        Ok(bytes)
    };
    (read(&*content), server.requests())
}

/// Serves a range as a registry does, but breaks off after `most` bytes.
fn range(request: &Request, most: usize) -> Answer {
    let blob = blob();
    let from = request.header("range").map_or(0, |r| {
        r.trim_start_matches("bytes=").trim_end_matches('-').parse::<usize>().unwrap()
    });
    let rest = &blob[from..];
    let sent = &rest[..most.min(rest.len())];
    let stated = format!("bytes {from}-{}/{}", blob.len() - 1, blob.len());
    let (status, headers) = match from {
        0 => ("200 OK", vec![]),
        _ => ("206 Partial Content", vec![("Content-Range", stated.as_str())]),
    };
    Answer::with_length(status, &headers, sent, rest.len())
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let (got, requests) = download(|request, _| range(request, 400_000));
    assert!(got.unwrap() == blob());
    let ranges: Vec<_> = requests.iter().map(|r| r.header("range")).collect();
    assert_eq!(ranges, [None, Some("bytes=400000-"), Some("bytes=800000-")]);
}

#[test]
fn a_download_begins_in_the_middle_where_it_is_told_to() {
    type Script = fn(&Request, usize) -> Answer;
    let table: [(u64, Script, &[Option<&str>]); 6] = [
        (500_000, |request, _| range(request, usize::MAX), &[Some("bytes=500000-")]),
        (
            500_000,
            |request, _| range(request, 400_000),
            &[Some("bytes=500000-"), Some("bytes=900000-")],
        ),
        // Without ranges it begins anew, and what is here is left out.
        (500_000, |_, _| Answer::ok(&blob()), &[Some("bytes=500000-")]),
        (
            500_000,
            |_, before| match before {
                0 => Answer::new("416 Range Not Satisfiable", &[], b""),
                _ => Answer::ok(&blob()),
            },
            &[Some("bytes=500000-"), None],
        ),
        (1_199_999, |request, _| range(request, usize::MAX), &[Some("bytes=1199999-")]),
        (0, |request, _| range(request, usize::MAX), &[None]),
    ];
    for (from, script, asked) in table {
        let (got, requests) = download_from(from, script);
        let start = usize::try_from(from).unwrap();
        assert!(got.unwrap() == blob()[start..], "{from} {asked:?}");
        let ranges: Vec<_> = requests.iter().map(|r| r.header("range")).collect();
        assert_eq!(ranges, *asked, "{from}");
    }
}

#[test]
fn a_server_without_ranges_is_read_again_from_the_start() {
    let (got, requests) = download(|_, before| {
        let blob = blob();
        match before {
            0 => Answer::with_length("200 OK", &[], &blob[..100_000], blob.len()),
            _ => Answer::ok(&blob),
        }
    });
    assert!(got.unwrap() == blob());
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_download_that_never_ends_well_is_an_error() {
    let (got, requests) = download(|request, _| range(request, 1000));
    let text = got.unwrap_err();
    assert!(text.contains("the download broke off after 9000 of 1200000 bytes"), "{text}");
    assert_eq!(requests.len(), 9);
}

#[test]
fn answers_that_are_not_what_was_asked_for_are_errors() {
    type Script = fn(&Request, usize) -> Answer;
    let size = blob().len();
    let table: [(Script, String); 6] = [
        (
            |_, _| Answer::ok(&blob()[1..]),
            format!("it has {} bytes, and its descriptor says {size}", size - 1),
        ),
        (
            |_, _| Answer::ok(&[blob(), vec![0]].concat()),
            format!("it has {} bytes, and its descriptor says {size}", size + 1),
        ),
        (
            |_, _| Answer::chunked(&[], &[blob(), vec![0]].concat()),
            format!("it has more than the {size} bytes of its descriptor"),
        ),
        (
            |request, before| match before {
                0 => range(request, 1000),
                _ => Answer::new(
                    "206 Partial Content",
                    &[("Content-Range", "bytes 0-1199999/1200000")],
                    &blob(),
                ),
            },
            format!("asked for bytes 1000- of {size}, the registry sends bytes 0-1199999/1200000"),
        ),
        (
            |request, before| match before {
                0 => range(request, 1000),
                _ => Answer::new("206 Partial Content", &[], &blob()),
            },
            format!("asked for bytes 1000- of {size}, the registry sends none"),
        ),
        (|_, _| Answer::not_found(), "answers 404 Not Found".to_owned()),
    ];
    for (script, want) in table {
        let text = download(script).0.unwrap_err();
        assert!(text.contains(&want), "{text:?} should contain {want:?}");
    }
    // A short chunked body is resumed like any other.
    let (got, _) = download(|request, before| match before {
        0 => Answer::chunked(&[], &blob()[..1000]),
        _ => range(request, usize::MAX),
    });
    assert!(got.unwrap() == blob());
}

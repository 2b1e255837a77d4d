//! Every kind of bucket: in which stream its advisories are found, and what they say.

use super::{imported, show, tree};

mod distributions;
mod languages;

/// Platform, package, id and JSON of an entry; then the stream it is found in, and the advisories.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

#[test]
fn every_kind_of_bucket_is_read() {
    let table = [distributions::ROWS, languages::ROWS].concat();
    for (platform, package, id, json, stream, wanted) in table {
        let gathered = imported(&tree(&[(platform, package, id, json)])).unwrap();
        let found: Vec<_> = gathered.advisories.iter().filter(|((s, _), _)| s == stream).collect();
        let [((_, name), advisories)] = found.as_slice() else {
            panic!("{platform}: {gathered:?}")
        };
        let (parsed, plain): (cleanbill_core::ecosystem::Stream, _) =
            (stream.parse().unwrap(), package.rsplit("::").next().unwrap());
        assert_eq!(*name, parsed.package_name(plain), "{platform}");
        assert_eq!(
            advisories.iter().map(show).collect::<Vec<_>>(),
            *wanted,
            "{platform} {package}"
        );
        let feed = gathered.feeds.iter().find(|f| f.streams.contains(&parsed)).unwrap();
        assert_eq!((feed.advisories, feed.not_understood), (1, 0), "{platform}");
        assert!(feed.licence.ends_with("by way of Trivy's database"), "{}", feed.licence);
    }
}

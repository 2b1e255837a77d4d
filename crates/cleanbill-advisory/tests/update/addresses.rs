//! Addresses: every one that can be asked for, and those that nobody should ask twice.

use std::io::Write as _;

use cleanbill_advisory::update::{Sources, update};
use cleanbill_core::ecosystem::Ecosystem;

use super::osv_zip;
use super::repository::play_others;
use super::server::Server;

#[test]
fn every_ecosystem_of_osv_can_be_asked_for() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    for ecosystem in Ecosystem::ALL {
        server.put(&format!("/{ecosystem}/all.zip"), "\"o1\"", osv_zip("PYSEC-1", "1.2"));
    }
    server.also_at("/", "/osv-vulnerabilities.storage.googleapis.com/");
    play_others(&server);
    for sources in [Sources::mirror(&server.base), Sources::through(&server.base)] {
        let mut plan = server.plan(dir.path());
        plan.sources = sources.unwrap();
        plan.ecosystems = Ecosystem::ALL.to_vec();
        let report = update(&plan, &mut |_| ()).unwrap().report;
        for ecosystem in Ecosystem::ALL {
            let id = format!("osv:{ecosystem}");
            assert!(report.feeds.iter().any(|feed| feed.id == id), "{id}");
        }
    }
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    // Who speaks plain HTTP where TLS is expected.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let mut plan = server.plan(dir.path());
    plan.bounds.backoff = std::time::Duration::from_secs(600);
    let over_tls = "not reached over TLS (if a private authority vouches for it: --cacert): ";
    for (address, wanted) in [
        (format!("https://{plain}"), over_tls),
        (format!("{}/a b", server.base), "not reached: http: invalid uri character"),
    ] {
        plan.sources.osv.clone_from(&address);
        let error = update(&plan, &mut |_| ()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{address}/PyPI/all.zip: {wanted}")), "{error}");
    }
}

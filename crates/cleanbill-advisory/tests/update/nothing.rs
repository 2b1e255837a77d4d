//! Files with nothing in them, which the copy of before stands in for.

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::update::update;
use cleanbill_core::advisory::Advisories;

use super::server::Server;
use super::{fixed_in, zip_of};

#[test]
fn a_file_with_nothing_in_it_is_told_and_the_copy_of_before_kept() {
    let elsewhere =
        br#"{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1"]}]}"#;
    let kev = "/kev/known_exploited_vulnerabilities.json";
    let none = r#"{"dateReleased":"2026-08-20T00:00:00Z","vulnerabilities":[]}"#;
    let table: [(&str, Vec<u8>, &str); 4] = [
        ("/PyPI/all.zip", zip_of(&[]), "osv:PyPI: no entry in it names PyPI"),
        ("/PyPI/all.zip", zip_of(&[("a.json", elsewhere)]), "osv:PyPI: no entry in it names PyPI"),
        (kev, none.into(), "kev: there is nothing in it"),
        ("/eol/debian.json", "[]".into(), "no release in it"),
    ];
    for (path, body, want) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        let plan = server.plan(dir.path());
        update(&plan, &mut |_| ()).unwrap();
        server.put(path, "\"empty\"", body);
        let updated = update(&plan, &mut |_| ()).unwrap();
        let [kept] = &updated.kept[..] else { panic!("{path}: {:?}", updated.kept) };
        assert!(kept.ends_with(want), "{kept}");
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
        let snapshot = Snapshot::open(&plan.out).unwrap();
        assert!(snapshot.flaw("CVE-2021-44228").unwrap().exploited);
        assert!(snapshot.release_life("debian", "3.19").unwrap().is_some());
    }
}

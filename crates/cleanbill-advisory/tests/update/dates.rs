//! How old a feed is, by its entries and by what its server says of its file.

use cleanbill_advisory::update::update;

use super::server::Server;
use super::zip_of;

#[test]
fn a_feed_is_as_old_as_the_later_of_its_newest_entry_and_its_file() {
    // The server says of each file that it is of August 1.
    let table = [
        ("2020-01-01T00:00:00Z", "2026-08-01"),
        ("2026-08-10T00:00:00Z", "2026-08-10"),
        ("2098-01-01T00:00:00Z", "2026-08-01"),
        ("", "2026-08-01"),
    ];
    for (modified, want) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        let plan = server.plan(dir.path());
        let entry = format!(
            r#"{{"id":"X","modified":"{modified}","affected":[{{"package":{{"ecosystem":"PyPI","name":"a"}},"versions":["1"]}}]}}"#
        );
        server.put("/PyPI/all.zip", "\"p2\"", zip_of(&[("a.json", entry.as_bytes())]));
        for _ in 0..2 {
            let feeds = update(&plan, &mut |_| ()).unwrap().report.feeds;
            let date = feeds.iter().find(|f| f.id == "osv:PyPI").unwrap().as_of.unwrap();
            assert_eq!(date.strftime("%F").to_string(), want, "{modified}");
        }
    }
}

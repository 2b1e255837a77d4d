//! Zips as OSV publishes them.

use std::io::Write as _;

/// A zip with one stored entry, made by hand: local header, central directory, end.
pub fn osv_zip(id: &str, fixed: &str) -> Vec<u8> {
    osv_zip_of("PyPI", id, fixed)
}

/// The same of another ecosystem.
pub fn osv_zip_of(ecosystem: &str, id: &str, fixed: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"id":"{id}","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"Some_Package"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    );
    zip_of(&[("a.json", json.as_bytes())])
}

pub fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut out);
    for (name, body) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap();
    out.into_inner()
}

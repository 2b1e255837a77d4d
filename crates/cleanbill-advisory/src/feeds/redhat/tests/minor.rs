//! Products of documents since 2026, one for each minor release: where what is said of them is kept.

use super::{document, read_one, status};

#[test]
fn where_fixes_are_kept_and_what_is_not_fixed() {
    // the product's id and CPE → where its fixes are kept, and what is not fixed
    let table = [
        ("rhel-9.7.z::appstream", "a:redhat:enterprise_linux:9::appstream", "9", "9.7"),
        ("rhel-br-9.2.0.z::baseos", "o:redhat:enterprise_linux:9::baseos", "9", "9.2"),
        ("rhel-8.10.z", "a:redhat:enterprise_linux:8", "8", "8.10"),
        ("rhel-9.8", "a:redhat:enterprise_linux:9", "9", "9.8"),
        ("rhel-10.1.z", "o:redhat:enterprise_linux:10.1", "10", "10.1"),
        // Longer support is of one minor release in any case.
        ("rhel-8.6.0.z", "a:redhat:rhel_eus:8.6", "eus:8.6", "eus:8.6"),
        ("rhel-8.6.0.z::appstream", "a:redhat:rhel_eus:8.6::appstream", "eus:8.6", "eus:8.6"),
        ("rhel-10.0.z", "o:redhat:enterprise_linux_eus:10.0", "eus:10.0", "eus:10.0"),
        // No minor release is told, or one that cannot be.
        ("rhel-9", "o:redhat:enterprise_linux:9", "9", "9"),
        ("rhel-9.x", "o:redhat:enterprise_linux:9", "9", "9"),
        ("rhel-9.16", "o:redhat:enterprise_linux:9", "9", "9"),
        ("rhel-9.99999999999", "o:redhat:enterprise_linux:9", "9", "9"),
        ("rhel-8.6", "o:redhat:enterprise_linux:9", "9", "9"),
        // As products were called before.
        ("BaseOS-9.7.0.Z.MAIN", "o:redhat:enterprise_linux:9::baseos", "9::baseos", "9::baseos"),
        ("red_hat_enterprise_linux_9", "o:redhat:enterprise_linux:9", "9", "9"),
        ("10Base", "o:redhat:enterprise_linux:10.1", "10", "10.1"),
    ];
    for (id, cpe, fixes, open) in table {
        let product = format!("{id}=cpe:/{cpe}");
        let part = format!("{id}|a");
        let said = |list: &str| {
            let component = match list {
                "fixed" => "a=pkg:rpm/redhat/a@1-1.el9?arch=src&epoch=0",
                _ => "a=pkg:rpm/redhat/a?arch=src",
            };
            let rest = status(list, &[&part.replace('|', ":")]);
            let said = read_one(&document(&[&product], &[component], &[&part], &rest));
            let said = said.replace("Red Hat:rhel_", "").replace("Red Hat:enterprise_linux_", "");
            said.split(' ').next().unwrap().to_owned()
        };
        assert_eq!(
            (said("fixed").as_str(), said("known_affected").as_str()),
            (fixes, open),
            "{id}"
        );
    }
}

//! What package URLs mean, and which packages they cover.

use super::PackageUrl;
use proptest::prelude::*;

/// The URL as it was understood, or why it was not.
fn read(text: &str) -> String {
    match text.parse::<PackageUrl>() {
        Ok(url) => url.to_string(),
        Err(e) => e.to_string().rsplit(": ").next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn urls_are_read_as_their_type_says() {
    for (text, understood) in [
        ("pkg:pypi/Django_Ext@3.2", "pkg:pypi/django-ext@3.2"),
        ("PKG://npm/%40babel/core@7.0.0", "pkg:npm/@babel/core@7.0.0"),
        ("pkg:npm/@babel/core@7.0.0", "pkg:npm/@babel/core@7.0.0"),
        ("pkg:npm/@babel/core", "pkg:npm/@babel/core"),
        ("pkg:golang/github.com/Azure/x@v1%2Bi#/a/./b", "pkg:golang/github.com/azure/x@v1+i#a/b"),
        ("pkg:deb/debian/g%2B%2B@4:12.2-3", "pkg:deb/debian/g++@12.2-3?epoch=4"),
        ("pkg:deb/debian/x@0:1?arch=amd64", "pkg:deb/debian/x@1?arch=amd64&epoch=0"),
        ("pkg:deb/debian/x@1?epoch=2&arch=", "pkg:deb/debian/x@1?epoch=2"),
        ("pkg:oci/app@sha256%3Aab?tag=1&arch=x", "pkg:oci/app@sha256:ab?arch=x&tag=1"),
        ("pkg:npm/Lodash@", "pkg:npm/Lodash"),
        ("django", "it does not begin with pkg:"),
        ("", "it does not begin with pkg:"),
        ("pkg:", "it has no name"),
        ("pkg:npm", "it has no name"),
        ("pkg:npm/@1", "it has no name"),
        ("pkg:n pm/x", "its type may have letters, digits, and . + - only"),
        ("pkg:npm/x%4", "two hexadecimal digits must follow a %"),
        ("pkg:npm/x%zz", "two hexadecimal digits must follow a %"),
        ("pkg:npm/x%ff", "it is not UTF-8"),
        ("pkg:npm/x?a", "a qualifier has no value"),
        ("pkg:npm/x?a=1&A=2", "a qualifier is there twice"),
        ("ü", "it does not begin with pkg:"),
    ] {
        assert_eq!(read(text), understood, "{text}");
    }
    assert_eq!(read(&format!("pkg:npm/{}", "x".repeat(5000))), "it is longer than 4096 bytes");
    let many: String = (0..70).map(|n| format!("&q{n}=1")).collect();
    assert_eq!(read(&format!("pkg:npm/x?{many}")), "it has more than 64 qualifiers");
}

#[test]
fn what_a_url_gives_must_be_there_and_what_it_leaves_open_may_be_anything() {
    let deb = "pkg:deb/debian/g%2B%2B@12.2.0-3?arch=amd64&distro=debian-12.11&epoch=4";
    let go = "pkg:golang/golang.org/x/net@v0.1.0";
    for (wanted, found, covers) in [
        (deb, deb, true),
        ("pkg:deb/debian/g++", deb, true),
        ("pkg:deb/debian/g++@12.2.0-3", deb, true),
        ("pkg:deb/debian/g++@4:12.2.0-3", deb, true),
        ("pkg:deb/debian/g++@5:12.2.0-3", deb, false),
        ("pkg:deb/debian/g++@0:12.2.0-3", deb, false),
        ("pkg:deb/debian/x@0:1", "pkg:deb/debian/x@1", true),
        ("pkg:deb/debian/g++?arch=arm64", deb, false),
        ("pkg:deb/debian/g++?arch=amd64", deb, true),
        ("pkg:deb/debian/g++?vendor=x", deb, false),
        ("pkg:deb/ubuntu/g++", deb, false),
        ("pkg:deb/g++", deb, false),
        ("pkg:rpm/debian/g++", deb, false),
        ("pkg:pypi/Typing_Extensions", "pkg:pypi/typing-extensions@4.15.0", true),
        ("pkg:golang/golang.org/x/net", go, true),
        ("pkg:golang/golang.org/x", go, false),
        ("pkg:golang/golang.org/x/net#http2", go, false),
        ("pkg:golang/golang.org/x/net@0.1.0", go, false),
        ("pkg:npm/a@1", "pkg:npm/a", false),
    ] {
        let [wanted, found] = [wanted, found].map(|t| t.parse::<PackageUrl>().unwrap());
        assert_eq!(wanted.covers(&found), covers, "{wanted} {found}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(pkg:)?[a-z%@?#&=/:.+0-9A-Fé-]{0,60}") {
        if let Ok(url) = text.parse::<PackageUrl>() {
            prop_assert!(url.covers(&url));
            prop_assert!(!url.name().is_empty());
        }
    }
}

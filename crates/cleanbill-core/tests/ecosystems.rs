//! Names of ecosystems, streams and packages.

use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::version::Scheme;

#[test]
fn every_ecosystem_is_found_by_its_name() {
    for ecosystem in Ecosystem::ALL {
        assert_eq!(Ecosystem::named(ecosystem.as_str()), Some(ecosystem));
        assert_eq!(ecosystem.to_string().parse(), Ok(Stream::of(ecosystem)));
    }
    assert_eq!(Ecosystem::named("PyPi"), None);
    assert_eq!(Ecosystem::named(""), None);
}

#[test]
fn streams_are_written_as_osv_writes_them() {
    // Text, ecosystem, what follows, order.
    let table = [
        ("Alpine:v3.19", Ecosystem::Alpine, "v3.19", Some(Scheme::Apk)),
        ("Ubuntu:Pro:18.04:LTS", Ecosystem::Ubuntu, "Pro:18.04:LTS", Some(Scheme::Deb)),
        (
            "Red Hat:rhel_eus:9.2::baseos",
            Ecosystem::RedHat,
            "rhel_eus:9.2::baseos",
            Some(Scheme::Rpm),
        ),
        ("Rocky Linux:9", Ecosystem::RockyLinux, "9", Some(Scheme::Rpm)),
        (
            "SUSE:Linux Enterprise Server 15 SP5",
            Ecosystem::Suse,
            "Linux Enterprise Server 15 SP5",
            Some(Scheme::Rpm),
        ),
        ("Echo", Ecosystem::Echo, "", Some(Scheme::Deb)),
        ("Echo:PyPI", Ecosystem::Echo, "PyPI", Some(Scheme::Pep440)),
        ("Root:Alpine:3.18", Ecosystem::Root, "Alpine:3.18", Some(Scheme::Apk)),
        ("Root", Ecosystem::Root, "", None),
        // `5.3.18.rhlw-00010`, `1.2.3+rhlw.1`: in the order of what is rebuilt.
        ("Red Hat Lightwell:Maven", Ecosystem::RedHatLightwell, "Maven", Some(Scheme::Maven)),
        ("Red Hat Lightwell:PyPI", Ecosystem::RedHatLightwell, "PyPI", Some(Scheme::Pep440)),
        ("Red Hat Lightwell", Ecosystem::RedHatLightwell, "", None),
        ("TuxCare:Red Hat", Ecosystem::TuxCare, "Red Hat", Some(Scheme::Rpm)),
        ("TuxCare:TuxCare:npm", Ecosystem::TuxCare, "TuxCare:npm", None),
        ("TuxCare:nothing", Ecosystem::TuxCare, "nothing", None),
    ];
    for (text, ecosystem, release, scheme) in table {
        let stream: Stream = text.parse().unwrap();
        assert_eq!(stream, Stream::release(ecosystem, release), "{text}");
        assert_eq!(stream.to_string(), text);
        assert_eq!(stream.scheme(), scheme, "{text}");
    }
    assert_eq!("alpine:v3.19".parse::<Stream>(), Err("unknown ecosystem \"alpine\"".to_owned()));
}

#[test]
fn names_are_compared_as_their_ecosystem_does() {
    let table = [
        ("PyPI", "Foo.Bar__baz", "foo-bar-baz"),
        ("TuxCare:PyPI", "Foo_Bar", "foo-bar"),
        ("Red Hat Lightwell:PyPI", "Foo_Bar", "foo-bar"),
        ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
        ("Packagist", "Symfony/HTTP-kernel", "symfony/http-kernel"),
        ("GitHub Actions", "Actions/Checkout", "actions/checkout"),
        ("VSCode", "Publisher.Name", "publisher.name"),
        ("SwiftURL", "https://GitHub.com/apple/Swift-NIO.git", "github.com/apple/swift-nio"),
        ("SwiftURL", "github.com/apple/swift-nio/", "github.com/apple/swift-nio"),
        ("npm", "@Scope/Name", "@Scope/Name"),
        ("Maven", "org.Group:Artifact", "org.Group:Artifact"),
        ("Debian:12", "libfoo_bar", "libfoo_bar"),
    ];
    for (stream, name, wanted) in table {
        let stream: Stream = stream.parse().unwrap();
        assert_eq!(stream.package_name(name), wanted, "{stream} {name}");
    }
}

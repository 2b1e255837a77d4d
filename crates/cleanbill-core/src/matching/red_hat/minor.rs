//! Minor releases of Red Hat Enterprise Linux, of which what is not fixed is said one by one.

use std::borrow::Cow;

use crate::distribution::Distribution;
use crate::ecosystem::{Ecosystem, Stream};

use super::{LINUX, product, stream, whole};

/// The last minor release that is looked for; releases end with their tenth.
pub(super) const LAST: u32 = 15;

/// The product that a minor release's fixes are kept in: a fix of one is one for all that come after
/// it, so that of `enterprise_linux:10.1` is one of `enterprise_linux:10`. Products with longer
/// support, and others, are themselves.
pub fn main_product(product: &str) -> Cow<'_, str> {
    let Some((major, _, part)) = split(product) else { return Cow::Borrowed(product) };
    match part {
        None => Cow::Owned(whole(major)),
        Some(part) => Cow::Owned(format!("{}::{part}", whole(major))),
    }
}

/// The stream of what is not fixed in this minor release; `None`: none like it is looked for.
pub fn minor_stream(major: &str, minor: u32) -> Option<Stream> {
    (minor <= LAST).then(|| stream(format!("{}.{minor}", whole(major))))
}

/// Whether a stream is that of a minor release.
pub(super) fn is_minor(of: &Stream) -> bool {
    of.ecosystem == Ecosystem::RedHat && split(&of.release).is_some()
}

/// Whether two streams are of one product, whatever its part or minor release; of others, whether
/// they are one.
pub(in crate::matching) fn are_one_product(a: &Stream, b: &Stream) -> bool {
    let is_red_hat = a.ecosystem == Ecosystem::RedHat && b.ecosystem == a.ecosystem;
    let plain = |stream: &Stream| match split(&stream.release) {
        Some((major, ..)) => whole(major),
        None => product(stream).0.to_owned(),
    };
    a == b || is_red_hat && plain(a) == plain(b)
}

/// The minor releases of an image's release, those of which something is said: its own, where it
/// names one, and the others. The first is `None` where it names none.
pub(super) fn minors(
    named: &Distribution,
    is_covered: impl Fn(&Stream) -> bool,
) -> (Option<Option<Stream>>, Vec<Stream>) {
    let release = named.release.as_str();
    let own = named.version.strip_prefix(release).and_then(|rest| rest.strip_prefix('.'));
    let own: Option<u32> = own.and_then(|minor| minor.parse().ok());
    let at = |minor| minor_stream(release, minor).filter(&is_covered);
    let others = (0..=LAST).filter(|minor| Some(*minor) != own).filter_map(at).collect();
    (own.map(at), others)
}

/// The parts of a minor release's name: `enterprise_linux:10.1::x` is `10`, `1` and `x`.
fn split(product: &str) -> Option<(&str, &str, Option<&str>)> {
    let (name, rest) = product.split_once(':')?;
    let (version, part) = match rest.split_once("::") {
        Some((version, part)) => (version, Some(part)),
        None => (rest, None),
    };
    let (major, minor) = version.split_once('.')?;
    (name == LINUX).then_some((major, minor, part))
}

#[cfg(test)]
mod tests {
    use super::{LAST, is_minor, main_product, minor_stream, minors};
    use crate::distribution::Distribution;

    #[test]
    fn the_product_that_a_minor_release_is_of() {
        let table = [
            ("enterprise_linux:10.1", "enterprise_linux:10"),
            ("enterprise_linux:9.8::appstream", "enterprise_linux:9::appstream"),
            ("enterprise_linux:9::appstream", "enterprise_linux:9::appstream"),
            ("enterprise_linux:9", "enterprise_linux:9"),
            ("enterprise_linux_eus:10.0", "enterprise_linux_eus:10.0"),
            ("rhel_eus:9.2::baseos", "rhel_eus:9.2::baseos"),
            ("openshift:4.16::el9", "openshift:4.16::el9"),
            ("", ""),
        ];
        for (product, want) in table {
            assert_eq!(main_product(product), want, "{product}");
            let stream = format!("Red Hat:{product}").parse().unwrap();
            assert_eq!(is_minor(&stream), product != want, "{product}");
        }
    }

    #[test]
    fn an_images_own_minor_release_and_the_others() {
        let covered = ["9.0", "9.8", "9.10", "10.1"].map(|v| format!("enterprise_linux:{v}"));
        let table = [
            ("9.8", "9", "own 9.8, others 9.0 9.10"),
            ("9.1", "9", "own -, others 9.0 9.8 9.10"),
            ("9", "9", "unknown, others 9.0 9.8 9.10"),
            ("9.x", "9", "unknown, others 9.0 9.8 9.10"),
            ("10.1", "10", "own 10.1, others "),
            ("8.10", "8", "own -, others "),
        ];
        for (version, release, want) in table {
            let named = Distribution {
                id: "rhel".into(),
                version: version.into(),
                release: release.into(),
                pretty_name: String::new(),
                evidence: String::new(),
                content_sets: Vec::new(),
            };
            let (own, others) = minors(&named, |stream| covered.contains(&stream.release));
            let short = |s: &crate::ecosystem::Stream| s.release.replace("enterprise_linux:", "");
            let own = match own {
                None => "unknown".to_owned(),
                Some(own) => format!("own {}", own.as_ref().map_or("-".into(), short)),
            };
            let others: Vec<String> = others.iter().map(short).collect();
            assert_eq!(format!("{own}, others {}", others.join(" ")), want, "{version}");
        }
        assert!(minor_stream("9", LAST + 1).is_none());
    }
}

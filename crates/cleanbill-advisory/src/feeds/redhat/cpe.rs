//! Products of Red Hat's by their CPEs
//! (<https://redhatproductsecurity.github.io/security-data-guidelines/cpe/>), in the names that OSV
//! gives their streams: `cpe:/o:redhat:rhel_eus:9.2::baseos` is `rhel_eus:9.2::baseos`.

use cleanbill_core::matching::{red_hat_main, red_hat_release};

/// What Red Hat Enterprise Linux is called.
const LINUX: &str = "enterprise_linux";

/// The product of a CPE; that of a minor release of Red Hat Enterprise Linux itself is the release's
/// ([`red_hat_main`]). `None`: it is no CPE of a product of Red Hat's.
pub(super) fn product(cpe: &str) -> Option<String> {
    let rest = cpe.strip_prefix("cpe:/a:").or_else(|| cpe.strip_prefix("cpe:/o:"))?;
    let mut parts = rest.strip_prefix("redhat:")?.split(':');
    let (name, version) = (parts.next()?, parts.next().unwrap_or_default());
    let (update, edition) = (parts.next(), parts.next().unwrap_or_default());
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_-.+%".contains(&b);
    let plain = |text: &str| text.bytes().all(good);
    if parts.next().is_some()
        || update.is_some_and(|update| !update.is_empty())
        || name.is_empty()
        || rest.len() > 150
        || ![name, version, edition].into_iter().all(plain)
    {
        return None;
    }
    let mut product = match version.is_empty() {
        true => name.to_owned(),
        false => format!("{name}:{version}"),
    };
    if !edition.is_empty() {
        product.push_str("::");
        product.push_str(edition);
    }
    let known = name != LINUX || red_hat_release(&product).is_some();
    known.then(|| red_hat_main(&product).into_owned())
}

#[cfg(test)]
mod tests {
    use cleanbill_core::matching::red_hat_release;

    use super::product;

    #[test]
    fn the_product_of_a_cpe_and_the_release_that_it_is_of() {
        let table = [
            ("cpe:/o:redhat:enterprise_linux:9::baseos", "enterprise_linux:9::baseos 9"),
            ("cpe:/a:redhat:enterprise_linux:9::appstream", "enterprise_linux:9::appstream 9"),
            ("cpe:/o:redhat:enterprise_linux:9", "enterprise_linux:9 9"),
            ("cpe:/a:redhat:enterprise_linux:8", "enterprise_linux:8 8"),
            ("cpe:/o:redhat:enterprise_linux:10.1", "enterprise_linux:10 10"),
            ("cpe:/a:redhat:enterprise_linux:10.0::appstream", "enterprise_linux:10::appstream 10"),
            ("cpe:/o:redhat:enterprise_linux:7::server", "enterprise_linux:7::server 7"),
            ("cpe:/a:redhat:rhel_eus:9.2::appstream", "rhel_eus:9.2::appstream 9"),
            ("cpe:/o:redhat:rhel_aus:8.6::baseos", "rhel_aus:8.6::baseos 8"),
            (
                "cpe:/a:redhat:rhel_eus_long_life:8.4::appstream",
                "rhel_eus_long_life:8.4::appstream 8",
            ),
            ("cpe:/o:redhat:rhel_els:7", "rhel_els:7 7"),
            ("cpe:/o:redhat:enterprise_linux_eus:10.0", "enterprise_linux_eus:10.0 10"),
            (
                "cpe:/o:redhat:enterprise_linux_nvidia:10::el10",
                "enterprise_linux_nvidia:10::el10 -",
            ),
            (
                "cpe:/a:redhat:rhel_software_collections:3::el7",
                "rhel_software_collections:3::el7 -",
            ),
            ("cpe:/a:redhat:openshift:4.16::el9", "openshift:4.16::el9 -"),
            ("cpe:/a:redhat:quay", "quay -"),
            ("cpe:/a:redhat:rhel_eus:x", "rhel_eus:x -"),
            ("cpe:/a:redhat:enterprise_linux:x", "-"),
            ("cpe:/a:redhat:enterprise_linux:", "-"),
            ("cpe:/a:redhat:enterprise_linux", "-"),
            ("cpe:/a:redhat:enterprise_linux:9::a:b", "-"),
            ("cpe:/a:redhat:openshift:4.16:beta", "-"),
            ("cpe:/a:redhat::4", "-"),
            ("cpe:/a:redhat:a b:4", "-"),
            ("cpe:/a:other:openshift:4.16::el9", "-"),
            ("cpe:2.3:o:redhat:enterprise_linux:9:*:*:*:*:*:*:*", "-"),
            ("", "-"),
        ];
        for (cpe, want) in table {
            let said = product(cpe).map_or("-".to_owned(), |product| {
                format!("{product} {}", red_hat_release(&product).unwrap_or("-"))
            });
            assert_eq!(said, want, "{cpe}");
        }
    }
}

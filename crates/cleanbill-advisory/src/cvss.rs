//! Base scores of CVSS vectors, computed: what a feed says the score is, is not read.
//!
//! Version 3.0 and 3.1 (FIRST, "CVSS v3.1 Specification Document", section 7; the base score is
//! the same in both but for rounding, where 3.1's is used) and version 2 ("A Complete Guide to
//! CVSS 2.0", section 3.2.1). Version 4 (FIRST, "CVSS v4.0 Specification Document", section 8) is a
//! table of 270 macro vectors, which a library holds; it is given the base metrics alone. All of
//! the 104,976 base vectors have the score there that FIRST's own calculator gives, with its later
//! rounding of what lies half-way between two tenths.

/// The base score, from 0 to 10 with one decimal, or `None` for what is no full base vector of
/// version 2, 3 or 4. Metrics other than base metrics do not count and are not checked.
pub fn base_score(vector: &str) -> Option<f64> {
    match vector.strip_prefix("CVSS:3.0/").or_else(|| vector.strip_prefix("CVSS:3.1/")) {
        Some(rest) => v3(rest),
        None if vector.starts_with("CVSS:4.0/") => v4(vector),
        None if vector.starts_with("CVSS:") => None,
        None => v2(vector.trim_start_matches('(').trim_end_matches(')')),
    }
}

/// The value of one metric; given twice, it has none.
fn metric<'a>(vector: &'a str, name: &str) -> Option<&'a str> {
    let mut found = vector.split('/').filter_map(|m| m.split_once(':')).filter(|(n, _)| *n == name);
    let value = found.next()?.1;
    found.next().is_none().then_some(value)
}

fn weight(vector: &str, name: &str, values: &[(&str, f64)]) -> Option<f64> {
    let value = metric(vector, name)?;
    values.iter().find(|(v, _)| *v == value).map(|(_, w)| *w)
}

fn v3(vector: &str) -> Option<f64> {
    let changed = match metric(vector, "S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let (low, high) = if changed { (0.68, 0.5) } else { (0.62, 0.27) };
    let av = weight(vector, "AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let ac = weight(vector, "AC", &[("L", 0.77), ("H", 0.44)])?;
    let pr = weight(vector, "PR", &[("N", 0.85), ("L", low), ("H", high)])?;
    let ui = weight(vector, "UI", &[("N", 0.85), ("R", 0.62)])?;
    let impact = |name| weight(vector, name, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let iss = 1.0 - (1.0 - impact("C")?) * (1.0 - impact("I")?) * (1.0 - impact("A")?);
    let impact =
        if changed { 7.52 * (iss - 0.029) - 3.25 * (iss - 0.02).powi(15) } else { 6.42 * iss };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let sum = impact + 8.22 * av * ac * pr * ui;
    Some(round_up(if changed { 1.08 * sum } else { sum }.min(10.0)))
}

/// Section 7, appendix A of the 3.1 specification: up to one decimal, in whole numbers, so that
/// floating point does not decide.
fn round_up(score: f64) -> f64 {
    let whole = (score * 100_000.0).round() as u64;
    if whole.is_multiple_of(10_000) {
        whole as f64 / 100_000.0
    } else {
        (whole / 10_000 + 1) as f64 / 10.0
    }
}

fn v4(vector: &str) -> Option<f64> {
    const BASE: [&str; 11] = ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];
    let mut base = String::from("CVSS:4.0");
    for name in BASE {
        base += &format!("/{name}:{}", metric(vector, name)?);
    }
    base.parse::<cvss::v4::Vector>().ok().map(|vector| vector.score().value())
}

fn v2(vector: &str) -> Option<f64> {
    let av = weight(vector, "AV", &[("L", 0.395), ("A", 0.646), ("N", 1.0)])?;
    let ac = weight(vector, "AC", &[("H", 0.35), ("M", 0.61), ("L", 0.71)])?;
    let au = weight(vector, "Au", &[("M", 0.45), ("S", 0.56), ("N", 0.704)])?;
    let impact = |name| weight(vector, name, &[("N", 0.0), ("P", 0.275), ("C", 0.66)]);
    let iss = 1.0 - (1.0 - impact("C")?) * (1.0 - impact("I")?) * (1.0 - impact("A")?);
    let impact = 10.41 * iss;
    let exploitability = 20.0 * av * ac * au;
    let f = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = (0.6 * impact + 0.4 * exploitability - 1.5) * f;
    Some((score * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::base_score;

    #[test]
    fn scores_are_those_of_the_published_examples() {
        // NVD and the examples of FIRST's specification documents.
        let table: &[(&str, Option<f64>)] = &[
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(9.8)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Some(10.0)),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Some(6.1)),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", Some(6.4)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Some(7.5)),
            ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", Some(3.1)),
            ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", Some(7.8)),
            ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P", Some(6.8)),
            ("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:C/C:H/I:N/A:N", Some(5.6)),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some(0.0)),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", Some(7.8)),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Some(10.0)),
            ("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", Some(6.2)),
            ("AV:N/AC:M/Au:N/C:N/I:P/A:N", Some(4.3)),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:N", Some(0.0)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Some(9.3)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", Some(10.0)),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Some(7.3)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", Some(8.7)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", Some(5.3)),
            ("CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", Some(0.0)),
            // Threat and environment are no part of the base score.
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:U/CR:L", Some(8.7)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N", None),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:S", None),
            ("CVSS:4.0/AV:N/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", None),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", None),
            ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
            ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
            ("HIGH", None),
            ("", None),
        ];
        for (vector, score) in table {
            assert_eq!(base_score(vector), *score, "{vector}");
        }
    }
}

//! Numbers of the three types on one line, and conversions between them.

use std::cmp::Ordering;

/// A number of any type. Two are equal when they are the same point, whatever their types.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Uint(u64),
    Double(f64),
}

/// 2^63 and 2^64: the first doubles past the ranges of `int` and `uint`.
const INT_END: f64 = 9_223_372_036_854_775_808.0;
const UINT_END: f64 = 18_446_744_073_709_551_616.0;

impl Number {
    /// The order on the number line; `None` with a NaN.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Double(a), b) => with_integer(a, b.integer()),
            (a, Self::Double(b)) => with_integer(b, a.integer()).map(Ordering::reverse),
            (a, b) => Some(a.integer().cmp(&b.integer())),
        }
    }

    /// The number as an `int`, if it is exactly one.
    pub fn whole(self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(n),
            Self::Uint(n) => i64::try_from(n).ok(),
            Self::Double(d) if d.fract() == 0.0 => to_int(d),
            Self::Double(_) => None,
        }
    }

    /// Zero for doubles, which no caller asks for.
    fn integer(self) -> i128 {
        match self {
            Self::Int(n) => i128::from(n),
            Self::Uint(n) => i128::from(n),
            Self::Double(_) => 0,
        }
    }
}

fn with_integer(a: f64, b: i128) -> Option<Ordering> {
    if a.is_nan() {
        return None;
    }
    if a >= UINT_END {
        return Some(Ordering::Greater);
    }
    if a < -INT_END {
        return Some(Ordering::Less);
    }
    // In range: the cast is exact for the whole part.
    #[allow(clippy::cast_possible_truncation)]
    let whole = a.trunc() as i128;
    Some(whole.cmp(&b).then_with(|| a.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
}

/// The `int` towards zero; both ends of the range are left out, as the definition has it.
pub(crate) fn to_int(d: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation)]
    (d > -INT_END && d < INT_END).then_some(d as i64)
}

/// The `uint` towards zero.
pub(crate) fn to_uint(d: f64) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (d > -1.0 && d < UINT_END).then_some(d as u64)
}

/// The nearest `double`.
pub(crate) fn to_double(n: i128) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let d = n as f64;
    d
}

/// The shortest text that reads back as the same number; exponents below -4 and from 6 on.
pub(crate) fn show_double(d: f64) -> String {
    if d.is_nan() {
        return "NaN".into();
    }
    if d.is_infinite() {
        return if d > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let scientific = format!("{d:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    format!("{d}")
}

#[cfg(test)]
mod tests {
    use super::{Number, show_double};
    use std::cmp::Ordering::{Equal, Greater, Less};

    #[test]
    fn numbers_of_all_types_are_on_one_line() {
        let (i, u, d) = (Number::Int, Number::Uint, Number::Double);
        for (a, b, expected) in [
            (i(1), u(1), Some(Equal)),
            (i(-1), u(u64::MAX), Some(Less)),
            (i(1), d(1.5), Some(Less)),
            (i(-1), d(-1.5), Some(Greater)),
            (d(f64::NAN), i(0), None),
            (d(f64::INFINITY), u(u64::MAX), Some(Greater)),
            (d(f64::NEG_INFINITY), i(i64::MIN), Some(Less)),
            (d(9_223_372_036_854_775_808.0), i(i64::MAX), Some(Greater)),
            (d(-9_223_372_036_854_775_808.0), i(i64::MIN), Some(Equal)),
            (u(u64::MAX), d(18_446_744_073_709_551_616.0), Some(Less)),
            (i(9_007_199_254_740_993), d(9_007_199_254_740_992.0), Some(Greater)),
        ] {
            assert_eq!(a.compare(b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn doubles_are_shown_shortest() {
        for (d, expected) in [
            (1.0, "1"),
            (-4.5e-3, "-0.0045"),
            (123.456, "123.456"),
            (6.022_14e23, "6.02214e+23"),
            (1e-7, "1e-07"),
            (0.0, "0"),
        ] {
            assert_eq!(show_double(d), expected);
        }
    }
}

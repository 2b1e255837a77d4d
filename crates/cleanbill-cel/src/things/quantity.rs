//! Kubernetes quantities: a decimal number with a suffix, such as `1.5`, `200m`, `4Gi`, `1e3`.
//! Exact: a count of billionths. What is finer is rounded away from zero, as Kubernetes does.

use std::fmt;

/// A quantity. Two are equal when they are the same number, however they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
}

const NANO: i128 = 1_000_000_000;

/// The largest magnitude that is read: that of Kubernetes, 2^63 - 1.
const MOST: i128 = 9_223_372_036_854_775_807;

/// The longest text that is read, in bytes.
const LONGEST: usize = 64;

impl Quantity {
    /// Reads a number and its suffix. Magnitudes from 2^63 on are not read, where Kubernetes
    /// takes its largest number instead.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at_checked(end)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (factor, exponent) = suffix_of(suffix)?;
        let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
        let digits = digits.trim_start_matches('0');
        let places = i32::try_from(fraction.trim_end_matches('0').len()).ok()?;
        let nanos = scaled(digits, factor, exponent.checked_sub(places)?.checked_add(9)?)?;
        (nanos <= MOST.checked_mul(NANO)?)
            .then_some(Self { nanos: if negative { -nanos } else { nanos } })
    }

    /// A whole number.
    pub(crate) fn of(n: i64) -> Self {
        Self { nanos: i128::from(n) * NANO }
    }

    /// The number as an integer, if it is one that fits.
    #[must_use]
    pub fn integer(self) -> Option<i64> {
        if self.nanos % NANO != 0 {
            return None;
        }
        i64::try_from(self.nanos / NANO).ok()
    }

    /// The nearest floating-point number.
    pub(crate) fn approximate(self) -> f64 {
        crate::numbers::to_double(self.nanos) / 1e9
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn sign(self) -> i64 {
        i64::try_from(self.nanos.signum()).unwrap_or_default()
    }

    pub(crate) fn add(self, other: Self) -> Option<Self> {
        self.nanos.checked_add(other.nanos).map(|nanos| Self { nanos })
    }

    pub(crate) fn subtract(self, other: Self) -> Option<Self> {
        self.nanos.checked_sub(other.nanos).map(|nanos| Self { nanos })
    }
}

/// What a suffix multiplies by: a factor, and a power of ten.
fn suffix_of(suffix: &str) -> Option<(i128, i32)> {
    Some(match suffix {
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "" => (1, 0),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let plain = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let digits = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
            (1, exponent.parse().ok().filter(|e: &i32| digits && e.abs() <= 1000)?)
        }
    })
}

/// `digits × factor × 10^exponent`, rounded up; `None` when it is too large.
fn scaled(digits: &str, factor: i128, exponent: i32) -> Option<i128> {
    if digits.is_empty() {
        return Some(0);
    }
    // Digits that only rounding can see are counted, not kept.
    let keep = digits.len().min(36);
    let (kept, lost) = digits.split_at_checked(keep)?;
    let exponent = exponent.checked_add(i32::try_from(lost.len()).ok()?)?;
    let mut value: i128 = kept.parse().ok()?;
    let mut inexact = lost.bytes().any(|b| b != b'0');
    let mut factor = factor;
    for _ in 0..exponent.unsigned_abs() {
        if exponent > 0 {
            value = value.checked_mul(10)?;
        } else if value == 0 {
            break;
        } else if factor % 2 == 0 && value.checked_mul(factor).is_some() {
            // A binary suffix is applied before digits are dropped, where that fits.
            value = value.checked_mul(factor)?;
            factor = 1;
            inexact |= value % 10 != 0;
            value /= 10;
        } else {
            inexact |= value % 10 != 0;
            value /= 10;
        }
    }
    value.checked_mul(factor)?.checked_add(i128::from(inexact))
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.unsigned_abs();
        let (whole, rest) = (nanos / NANO.unsigned_abs(), nanos % NANO.unsigned_abs());
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{rest:09}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_exact_numbers() {
        for (text, expected) in [
            ("0", Some("0")),
            ("1.5", Some("1.5")),
            ("200m", Some("0.2")),
            ("4Gi", Some("4294967296")),
            ("1.5Ki", Some("1536")),
            ("0.0000000001Ki", Some("0.000000103")),
            ("1e3", Some("1000")),
            ("1E-3", Some("0.001")),
            ("1E", Some("1000000000000000000")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("-12k", Some("-12000")),
            ("+1n", Some("0.000000001")),
            ("0.1n", Some("0.000000001")),
            ("-0.1n", Some("-0.000000001")),
            ("8Ei", None),
            ("9223372036854775807", Some("9223372036854775807")),
            ("1e1000", None),
            ("1e-1000", Some("0.000000001")),
            ("0e1000", Some("0")),
            ("0.1234567891234567891234567891234567891234567", Some("0.123456790")),
            ("1K", None),
            ("1e", None),
            ("1e+", None),
            ("1e1001", None),
            (".", None),
            ("", None),
            ("-", None),
            ("1.2.3", None),
            ("1 Gi", None),
        ] {
            let read = Quantity::parse(text).map(|q| q.to_string());
            let expected = expected.map(|e| match e.contains('.') {
                true => e.trim_end_matches('0').to_owned(),
                false => e.to_owned(),
            });
            assert_eq!(read, expected, "{text}");
        }
    }
}

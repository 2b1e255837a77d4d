//! Instants and lengths of time. Time zones are UTC or fixed offsets: names of zones would need
//! a database that this crate must not read.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::call::Arguments;
use super::operators::{duration, instant};
use super::signature::Ty::{Duration, Int, String, Timestamp};
use super::signature::{Function, Outcome, Style, Ty};
use crate::fault::Fault;
use crate::value::Value;

const fn method(name: &'static str, takes: &'static [Ty], run: Run) -> Function {
    Function::new(name, Style::Method, takes, Int, run)
}

type Run = fn(&mut Arguments<'_>) -> Outcome;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("timestamp", Style::Global, &[String], Timestamp, |a| {
        let text = a.text(0)?;
        let nanos = parse_instant(text).ok_or_else(|| {
            Fault::unreadable("a time as of RFC 3339, such as 2026-01-31T12:00:00Z", text)
        })?;
        instant(nanos)
    }),
    Function::new("timestamp", Style::Global, &[Timestamp], Timestamp, |a| a.value(0).cloned()),
    Function::new("timestamp", Style::Global, &[Int], Timestamp, |a| {
        instant(i128::from(*a.int(0)?) * SECOND)
    }),
    Function::new("duration", Style::Global, &[String], Duration, |a| {
        let text = a.text(0)?;
        let nanos = parse_duration(text)
            .ok_or_else(|| Fault::unreadable("a duration, such as 1h30m", text))?;
        duration(nanos)
    }),
    Function::new("duration", Style::Global, &[Duration], Duration, |a| a.value(0).cloned()),
    method("getFullYear", &[Timestamp], |a| part(a, year)),
    method("getFullYear", &[Timestamp, String], |a| part(a, year)),
    method("getMonth", &[Timestamp], |a| part(a, month)),
    method("getMonth", &[Timestamp, String], |a| part(a, month)),
    method("getDate", &[Timestamp], |a| part(a, date)),
    method("getDate", &[Timestamp, String], |a| part(a, date)),
    method("getDayOfMonth", &[Timestamp], |a| part(a, day_of_month)),
    method("getDayOfMonth", &[Timestamp, String], |a| part(a, day_of_month)),
    method("getDayOfWeek", &[Timestamp], |a| part(a, day_of_week)),
    method("getDayOfWeek", &[Timestamp, String], |a| part(a, day_of_week)),
    method("getDayOfYear", &[Timestamp], |a| part(a, day_of_year)),
    method("getDayOfYear", &[Timestamp, String], |a| part(a, day_of_year)),
    method("getHours", &[Timestamp], |a| part(a, |t| t.hour().into())),
    method("getHours", &[Timestamp, String], |a| part(a, |t| t.hour().into())),
    method("getHours", &[Duration], |a| whole(a, 3600 * SECOND)),
    method("getMinutes", &[Timestamp], |a| part(a, |t| t.minute().into())),
    method("getMinutes", &[Timestamp, String], |a| part(a, |t| t.minute().into())),
    method("getMinutes", &[Duration], |a| whole(a, 60 * SECOND)),
    method("getSeconds", &[Timestamp], |a| part(a, |t| t.second().into())),
    method("getSeconds", &[Timestamp, String], |a| part(a, |t| t.second().into())),
    method("getSeconds", &[Duration], |a| whole(a, SECOND)),
    method("getMilliseconds", &[Timestamp], |a| part(a, |t| t.millisecond().into())),
    method("getMilliseconds", &[Timestamp, String], |a| part(a, |t| t.millisecond().into())),
    method("getMilliseconds", &[Duration], |a| {
        Ok(Value::Int(i64::from(a.duration(0)?.subsec_millis())))
    }),
];

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

fn year(t: DateTime) -> i64 {
    t.year().into()
}

/// From 0.
fn month(t: DateTime) -> i64 {
    i64::from(t.month()) - 1
}

/// From 1.
fn date(t: DateTime) -> i64 {
    t.day().into()
}

/// From 0.
fn day_of_month(t: DateTime) -> i64 {
    i64::from(t.day()) - 1
}

/// From 0, which is Sunday.
fn day_of_week(t: DateTime) -> i64 {
    t.weekday().to_sunday_zero_offset().into()
}

/// From 0.
fn day_of_year(t: DateTime) -> i64 {
    i64::from(t.day_of_year()) - 1
}

/// A part of an instant in UTC or in the zone of the second argument.
fn part(a: &mut Arguments<'_>, of: fn(DateTime) -> i64) -> Outcome {
    let offset = match a.values.get(1) {
        None => Offset::UTC,
        Some(_) => {
            let zone = a.text(1)?;
            offset(zone).ok_or_else(|| {
                Fault::unreadable("UTC or an offset, such as +02:00 (no names of zones)", zone)
            })?
        }
    };
    Ok(Value::Int(of(offset.to_datetime(*a.timestamp(0)?))))
}

/// `UTC`, or hours and minutes with a sign; Kubernetes takes them without one, too.
fn offset(zone: &str) -> Option<Offset> {
    if zone == "UTC" || zone == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'-' => (-1, zone.get(1..)?),
        b'+' => (1, zone.get(1..)?),
        _ => (1, zone),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = two(hours, 23)? * 3600 + two(minutes, 59)? * 60;
    Offset::from_seconds(sign * i32::try_from(seconds).ok()?).ok()
}

/// Exactly two digits, up to a maximum.
fn two(text: &str, most: i64) -> Option<i64> {
    digits(text).filter(|n| text.len() == 2 && *n <= most)
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// How often a unit goes into a duration, towards zero.
fn whole(a: &mut Arguments<'_>, unit: i128) -> Outcome {
    let nanos = a.duration(0)?.as_nanos();
    i64::try_from(nanos / unit).map(Value::Int).map_err(|_| Fault::Overflow)
}

/// RFC 3339, in nanoseconds since 1970.
fn parse_instant(text: &str) -> Option<i128> {
    let (day, clock) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes().get(10)?, b'T' | b't') {
        return None;
    }
    let zone_at = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(zone_at)?;
    let zone = match zone {
        "Z" | "z" => 0,
        zone => i128::from(offset(zone)?.seconds()),
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, billionths(fraction)?),
        None => (clock, 0),
    };
    let mut day = day.split('-');
    let (year, month, date) = (day.next()?, day.next()?, day.next()?);
    let mut clock = clock.split(':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    if year.len() != 4 || day.next().is_some() || clock.next().is_some() {
        return None;
    }
    let at = DateTime::new(
        digits(year)?.try_into().ok()?,
        two(month, 12)?.try_into().ok()?,
        two(date, 31)?.try_into().ok()?,
        two(hour, 23)?.try_into().ok()?,
        two(minute, 59)?.try_into().ok()?,
        two(second, 59)?.try_into().ok()?,
        fraction.try_into().ok()?,
    );
    let at = Offset::UTC.to_timestamp(at.ok()?).ok()?;
    Some(at.as_nanosecond() - zone * SECOND)
}

/// Up to nine digits behind a point, in billionths.
fn billionths(text: &str) -> Option<i64> {
    let padded = format!("{text:0<9}");
    digits(text).filter(|_| text.len() <= 9)?;
    digits(&padded)
}

/// Numbers with units, such as `-1h30m0.5s`; `0` needs none. In nanoseconds.
fn parse_duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos: i128 = 0;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        let (unit, used) = unit(after)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.is_empty() {
            nanos = nanos.checked_add(i128::from(digits(whole)?).checked_mul(unit)?)?;
        }
        if !fraction.is_empty() {
            // What is finer than a nanosecond is dropped.
            let kept = fraction.get(..15.min(fraction.len()))?;
            digits(fraction.get(kept.len()..).filter(|f| !f.is_empty()).unwrap_or("0"))?;
            let scale = 10_i128.pow(u32::try_from(kept.len()).ok()?);
            nanos = nanos.checked_add(i128::from(digits(kept)?).checked_mul(unit)? / scale)?;
        }
        rest = after.get(used..)?;
        if rest.is_empty() {
            return Some(sign * nanos);
        }
    }
}

/// The unit that a text begins with, in nanoseconds, and its length in bytes.
fn unit(text: &str) -> Option<(i128, usize)> {
    const UNITS: &[(&str, i128)] = &[
        ("ns", 1),
        ("us", 1000),
        ("µs", 1000),
        ("μs", 1000),
        ("ms", 1_000_000),
        ("h", 3600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
    ];
    let (name, nanos) = UNITS.iter().find(|(name, _)| text.starts_with(name))?;
    Some((*nanos, name.len()))
}

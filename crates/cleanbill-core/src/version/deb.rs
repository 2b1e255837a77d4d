//! Debian's order (deb-version(7), Debian Policy 5.6.12), as `dpkg --compare-versions` has it.
//! Ubuntu uses the same. A missing epoch is nought, a missing revision counts as `0`.

use std::cmp::Ordering;

use super::number::{Number, compare_digits, take_digits};

/// A parsed version.
#[derive(Clone, Debug)]
pub(super) struct Deb {
    epoch: Number,
    upstream: String,
    revision: String,
}

pub(super) fn parse(text: &str) -> Result<Deb, &'static str> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => {
            if epoch.is_empty() || !epoch.bytes().all(|b| b.is_ascii_digit()) {
                return Err("its epoch is no number");
            }
            (Number::new(epoch), rest)
        }
        None => (Number::default(), text),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return Err("nothing follows the last hyphen"),
        Some(parts) => parts,
        None => (rest, ""),
    };
    if upstream.is_empty() {
        return Err("it has no upstream version");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".+~".contains(&b);
    if !upstream.bytes().all(|b| allowed(b) || b"-:".contains(&b)) || !revision.bytes().all(allowed)
    {
        return Err("only letters, digits and . + ~ - : may stand in it");
    }
    Ok(Deb { epoch, upstream: upstream.to_owned(), revision: revision.to_owned() })
}

impl Ord for Deb {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(&self.upstream, &other.upstream))
            .then_with(|| compare_part(&self.revision, &other.revision))
    }
}

impl PartialOrd for Deb {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Deb {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Deb {}

/// Runs of other signs and runs of digits in turn: signs by [`weight`], digits by number.
pub(super) fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (signs_a, signs_b) = (take_signs(&mut a), take_signs(&mut b));
        for at in 0..signs_a.len().max(signs_b.len()) {
            let (x, y) = (weight(signs_a.get(at)), weight(signs_b.get(at)));
            if x != y {
                return x.cmp(&y);
            }
        }
        let order = compare_digits(take_digits(&mut a), take_digits(&mut b));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn take_signs<'t>(text: &mut &'t str) -> &'t [u8] {
    let end = text.bytes().position(|b| b.is_ascii_digit()).unwrap_or(text.len());
    let (signs, rest) = text.split_at(end);
    *text = rest;
    signs.as_bytes()
}

/// A tilde comes before the end of the run, the end before letters, letters before the rest.
fn weight(sign: Option<&u8>) -> i32 {
    match sign {
        Some(b'~') => -1,
        None => 0,
        Some(sign) if sign.is_ascii_alphabetic() => i32::from(*sign),
        Some(sign) => i32::from(*sign) + 256,
    }
}

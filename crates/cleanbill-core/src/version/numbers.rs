//! Versions that are nothing but numbers, with dots or hyphens between them: R's
//! (`numeric_version`, for CRAN and Bioconductor) and Haskell's (`Data.Version`, for Hackage,
//! which has no hyphens). The first number that differs decides; of two that begin alike the
//! longer is the higher, so `1.0` is not `1.0.0`.

use super::number::{Number, take_digits};

/// A parsed version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Numbers(Vec<Number>);

pub(super) fn parse(text: &str) -> Result<Numbers, &'static str> {
    text.split(['.', '-'])
        .map(|mut part| match take_digits(&mut part) {
            "" => Err("a number is missing"),
            digits if part.is_empty() => Ok(Number::new(digits)),
            _ => Err("only digits, dots and hyphens may stand in it"),
        })
        .collect::<Result<_, _>>()
        .map(Numbers)
}

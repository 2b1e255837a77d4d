//! Checksums of files, as package managers list them and as their content has them: whether a file
//! is still the one that its package brought.
//!
//! Only the first eight bytes of a checksum are compared and kept. They tell a file that was
//! replaced or edited, which is all that can be told: whoever writes an image writes its lists too,
//! so no longer checksum would prove more.

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The algorithms that package managers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
}

/// Letters of a checksum that are compared, in hexadecimal.
const LETTERS: usize = 16;
/// What stands in a list for a file without a checksum.
const NONE: &str = "----------------";

/// The checksums of one file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sums {
    md5: String,
    sha1: String,
    sha256: String,
}

impl Sums {
    /// The checksums of these bytes.
    pub(crate) fn of(content: &[u8]) -> Self {
        let mut summing = Summing::default();
        summing.data(content);
        summing.finish()
    }

    /// Memory that they take besides themselves, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.md5.len() + self.sha1.len() + self.sha256.len()
    }

    fn by(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha1 => &self.sha1,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

/// Sums content up, chunk by chunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summing {
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
}

impl Summing {
    /// Takes the next bytes.
    pub(crate) fn data(&mut self, chunk: &[u8]) {
        self.md5.update(chunk);
        self.sha1.update(chunk);
        self.sha256.update(chunk);
    }

    /// What all of them have.
    pub(crate) fn finish(self) -> Sums {
        Sums {
            md5: letters(&self.md5.finalize()),
            sha1: letters(&self.sha1.finalize()),
            sha256: letters(&self.sha256.finalize()),
        }
    }
}

/// The beginning of a checksum in the form in which it is kept; shorter ones give fewer letters.
fn letters(sum: &[u8]) -> String {
    sum.iter().take(LETTERS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// The checksums of the files of one package, in the order of their paths. All are of the algorithm
/// of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<Algorithm>,
    /// [`LETTERS`] for each file, those of [`NONE`] included.
    text: String,
}

impl Listed {
    /// Notes the checksum of the next file as raw bytes, where it has one.
    pub(crate) fn push(&mut self, sum: Option<(Algorithm, &[u8])>) {
        let own = sum.filter(|(by, _)| self.algorithm.is_none_or(|first| first == *by));
        let text = own.map(|(_, sum)| letters(sum)).filter(|text| text.len() == LETTERS);
        if text.is_some() {
            self.algorithm = own.map(|(by, _)| by);
        }
        self.text.push_str(text.as_deref().unwrap_or(NONE));
    }

    /// As [`Listed::push`], of a checksum that is written in hexadecimal.
    pub(crate) fn push_hex(&mut self, by: Algorithm, sum: &str) {
        let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        };
        let digits = sum.as_bytes().get(..LETTERS).unwrap_or_default();
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        self.push(bytes.as_deref().map(|bytes| (by, bytes)));
    }

    /// Gives back spare memory when no more is pushed.
    pub(crate) fn seal(&mut self) {
        self.text.shrink_to_fit();
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity()
    }

    /// Whether the file of this number is listed with a checksum.
    pub(crate) fn has(&self, file: usize) -> bool {
        self.at(file).is_some()
    }

    /// Whether the file of this number is listed with the checksum that this content has.
    pub(crate) fn fits(&self, file: usize, content: &Sums) -> bool {
        self.at(file).is_some_and(|(by, sum)| content.by(by) == sum)
    }

    fn at(&self, file: usize) -> Option<(Algorithm, &str)> {
        let start = file.checked_mul(LETTERS)?;
        let text = self.text.get(start..start.checked_add(LETTERS)?)?;
        self.algorithm.filter(|_| text != NONE).map(|by| (by, text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Listed, Sums};

    /// Checksums of `a\n` that `md5sum`, `sha1sum` and `sha256sum` print.
    const MD5: &str = "60b725f10c9c85c70d97880dfe8191b3";
    const SHA1: &str = "3f786850e387550fdab836ed7e6dc881de23001b";
    const SHA256: &str = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";

    #[test]
    fn a_file_fits_the_checksum_that_its_package_lists() {
        use Algorithm::{Md5, Sha1, Sha256};
        let table: &[(Algorithm, &str, bool, bool)] = &[
            (Md5, MD5, true, true),
            (Sha1, SHA1, true, true),
            (Sha256, SHA256, true, true),
            (Sha256, &SHA256.to_uppercase(), true, true),
            (Md5, SHA1, true, false),
            (Sha256, MD5, true, false),
            (Md5, &"0".repeat(32), true, false),
            (Md5, "", false, false),
            (Md5, "60b725f10c9c85c", false, false),
            (Md5, "60b725f10c9c85cx0d97880dfe8191b3", false, false),
            (Md5, "+0b725f10c9c85c70d97880dfe8191b3", false, false),
            (Md5, "----------------", false, false),
            (Md5, "ä60b725f10c9c85c7", false, false),
        ];
        let content = Sums::of(b"a\n");
        for (by, sum, has, fits) in table {
            let mut listed = Listed::default();
            listed.push(None);
            listed.push_hex(*by, sum);
            assert_eq!(listed.has(1), *has, "{by:?} {sum}");
            assert_eq!(listed.fits(1, &content), *fits, "{by:?} {sum}");
            for other in [0, 2, usize::MAX] {
                assert!(!listed.has(other) && !listed.fits(other, &content), "{by:?} {sum}");
            }
        }
    }

    #[test]
    fn a_list_has_one_algorithm() {
        let mut listed = Listed::default();
        for (by, sum) in [(Algorithm::Sha1, SHA1), (Algorithm::Md5, MD5), (Algorithm::Sha1, SHA1)] {
            listed.push_hex(by, sum);
        }
        let fits = [0, 1, 2].map(|file| listed.fits(file, &Sums::of(b"a\n")));
        assert_eq!(fits, [true, false, true]);
    }
}

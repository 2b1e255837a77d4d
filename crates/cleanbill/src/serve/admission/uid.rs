//! The `uid` of a request whose body cannot be read whole: cut off, too large, no JSON further on.
//!
//! An answer without the request's `uid` counts as none, and then `failurePolicy` decides. The API
//! server writes `kind`, `apiVersion` and `request.uid` before everything that a pod's author has
//! a say in, so a look at the front is enough to answer with a denial. It reads one way, without
//! recursion, within [`FRONT`] bytes; keys of the same name that stand deeper, or in texts, are
//! not taken. A `uid` that was found is good for a denial only.

use super::{API_VERSION, KIND};

/// Bytes from the front in which it is looked for.
pub const FRONT: usize = 64 << 10;
/// Longest `uid`, in bytes. The API server's are UUIDs of 36.
pub const UID_MAX: usize = 256;
/// Objects and lists within each other that are passed over.
const DEPTH: usize = 128;

/// The `uid`, where it stands at the front of an `AdmissionReview` of our version.
pub fn early_uid(body: &[u8]) -> Option<String> {
    let mut scan = Scan { rest: body.get(..FRONT).unwrap_or(body) };
    let (mut kind, mut version) = (false, false);
    scan.byte(b'{')?;
    loop {
        match scan.key()?.as_str() {
            "kind" if scan.text()? == KIND => kind = true,
            "apiVersion" if scan.text()? == API_VERSION => version = true,
            "kind" | "apiVersion" => return None,
            "request" if kind && version => break,
            // Nobody knows yet whether our answer would be understood.
            "request" => return None,
            _ => scan.skip()?,
        }
        scan.byte(b',')?;
    }
    scan.byte(b'{')?;
    loop {
        if scan.key()? == "uid" {
            return scan.text().filter(|uid| !uid.is_empty() && uid.len() <= UID_MAX);
        }
        scan.skip()?;
        scan.byte(b',')?;
    }
}

/// JSON from the front on. Each step gives `None` where it is none, or ends.
struct Scan<'b> {
    rest: &'b [u8],
}

impl Scan<'_> {
    /// The next byte that is no white space, which has to be this one.
    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        let at = self.rest.iter().position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'))?;
        let byte = *self.rest.get(at)?;
        self.rest = self.rest.get(at + 1..)?;
        Some(byte)
    }

    /// A key and its colon.
    fn key(&mut self) -> Option<String> {
        let key = self.text()?;
        self.byte(b':')?;
        Some(key)
    }

    /// A text, with its escapes read.
    fn text(&mut self) -> Option<String> {
        self.byte(b'"')?;
        let inner = self.rest.get(..self.to_quote()?)?;
        let quoted = [b"\"", inner, b"\""].concat();
        self.rest = self.rest.get(inner.len() + 1..)?;
        serde_json::from_slice(&quoted).ok()
    }

    /// Bytes up to the quote that ends a text.
    fn to_quote(&self) -> Option<usize> {
        let mut escaped = false;
        self.rest.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })
    }

    /// Passes over a value: a text, a list, an object, or what stands before the next comma or
    /// bracket.
    fn skip(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            match self.next()? {
                b'"' => self.rest = self.rest.get(self.to_quote()? + 1..)?,
                b'{' if open.len() < DEPTH => open.push(b'}'),
                b'[' if open.len() < DEPTH => open.push(b']'),
                closes @ (b'}' | b']') if open.last() == Some(&closes) => _ = open.pop(),
                b',' | b':' if !open.is_empty() => {}
                b'{' | b'[' | b'}' | b']' | b',' | b':' => return None,
                _ => {
                    let of_word = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
                    let ends = self.rest.iter().position(|b| !of_word(b))?;
                    self.rest = self.rest.get(ends..)?;
                }
            }
            if open.is_empty() {
                return Some(());
            }
        }
    }
}

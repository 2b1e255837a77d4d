//! One 512-byte header block: V7, ustar, star and GNU (POSIX.1-1988; GNU tar manual, "Basic Tar
//! Format"). Read as Go's `archive/tar` does, because that is what runtimes unpack with.

/// Bytes of a block.
pub(crate) const BLOCK: usize = 512;
/// A block.
pub(crate) type Block = [u8; BLOCK];

/// What a header block says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    pub(crate) kind: u8,
    pub(crate) gnu: bool,
}

/// Whether a block is all zeros.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |all, b| all | b) == 0
}

impl Header {
    /// Reads a block whose checksum it verifies (as unsigned or, by old tars, signed bytes).
    pub(crate) fn parse(block: &Block) -> Result<Self, &'static str> {
        let stated = number(&block[148..156]).ok_or("the header's checksum is no number")?;
        let (mut unsigned, mut signed) = (0_u64, 0_i64);
        for (at, byte) in block.iter().enumerate() {
            let byte = if (148..156).contains(&at) { b' ' } else { *byte };
            unsigned += u64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        if stated != unsigned && i64::try_from(stated) != Ok(signed) {
            return Err("the header's checksum is wrong");
        }
        let mode = number(&block[100..108]).ok_or("the header's mode is no number")?;
        let size = number(&block[124..136]).ok_or("the header's size is no number")?;
        if size > i64::MAX.cast_unsigned() {
            return Err("the header's size is too large");
        }
        let magic = &block[257..265];
        let gnu = magic == b"ustar  \0";
        let prefix: &[u8] = match magic.get(..6) {
            Some(b"ustar\0") if &block[508..512] == b"tar\0" => &block[345..476],
            Some(b"ustar\0") => &block[345..500],
            _ if gnu && wrote_prefix(block) => &block[345..500],
            _ => &[],
        };
        let mut name = text(prefix).to_vec();
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(text(&block[0..100]));
        Ok(Self {
            name,
            link: text(&block[157..257]).to_vec(),
            mode: u32::try_from(mode & 0o7777).unwrap_or(0),
            size,
            kind: block[156],
            gnu,
        })
    }
}

/// Go before 1.8 wrote a ustar prefix into GNU headers, over the times; its reader still finds
/// it by the times being no numbers, so we must as well.
fn wrote_prefix(block: &Block) -> bool {
    let broken = |field: &[u8]| field.first() != Some(&0) && number(field).is_none();
    (broken(&block[345..357]) || broken(&block[357..369])) && text(&block[345..500]).is_ascii()
}

/// A field up to its first NUL.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    field.split(|b| *b == 0).next().unwrap_or_default()
}

/// A number: octal digits, or base 256 where the first bit is set. Negative ones, which nothing
/// that we read may be, are none.
pub(crate) fn number(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        if first & 0x40 != 0 {
            return None;
        }
        let start = u64::from(first & 0x3f);
        return rest.iter().try_fold(start, |n, b| Some(n.checked_mul(256)? | u64::from(*b)));
    }
    let blank = |b: &u8| matches!(b, b' ' | 0);
    let from = field.iter().position(|b| !blank(b)).unwrap_or(field.len());
    let to = field.iter().rposition(|b| !blank(b)).map_or(from, |at| at + 1);
    text(field.get(from..to)?).iter().try_fold(0_u64, |n, b| match b {
        b'0'..=b'7' => n.checked_mul(8)?.checked_add(u64::from(b - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_octal_or_base_256() {
        let table: &[(&[u8], Option<u64>)] = &[
            (b"0000644\0", Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0", Some(0)),
            (b"", Some(0)),
            (b"77777777777", Some(0o77_777_777_777)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"6 4", None),
            (b"8", None),
            (b"-1", None),
        ];
        for (field, value) in table {
            assert_eq!(number(field), *value, "{field:?}");
        }
    }
}

//! Writing small tar archives (POSIX ustar), for the example images. Must not read any.

/// An archive that is being made.
#[derive(Debug, Default)]
pub struct Tar {
    bytes: Vec<u8>,
}

const BLOCK: usize = 512;

impl Tar {
    /// Adds a regular file. The path is at most 100 bytes, as ustar has it without a prefix.
    pub fn file(mut self, path: &str, mode: u32, content: &[u8]) -> Self {
        let mut header = [0u8; BLOCK];
        let mut put = |at: usize, text: &str| {
            for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
                *to = from;
            }
        };
        debug_assert!(path.len() <= 100, "{path}");
        put(0, path);
        put(100, &format!("{mode:07o}"));
        put(108, "0000000");
        put(116, "0000000");
        put(124, &format!("{:011o}", content.len()));
        // No file is older than time: the archive must not depend on when it was made.
        put(136, "00000000000");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar");
        put(263, "00");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        let sum = format!("{sum:06o}\0 ");
        for (to, from) in header.iter_mut().skip(148).zip(sum.bytes()) {
            *to = from;
        }
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        self
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }
}

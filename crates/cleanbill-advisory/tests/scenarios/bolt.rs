//! Databases of Trivy: bbolt files, by the writer that unit tests have.

mod meta {
    /// The sum of a meta page.
    pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

mod page {
    pub(super) const HEADER: usize = 16;
    pub(super) const ELEMENT: usize = 16;
    pub(super) const KIND_BRANCH: u16 = 0x01;
    pub(super) const KIND_LEAF: u16 = 0x02;
    pub(super) const KIND_META: u16 = 0x04;
}

#[path = "../../src/bbolt/testing.rs"]
mod testing;

pub(crate) use testing::Tree;

//! How bytes of one type become numbers: one block after the other.

/// Turns whole blocks of bytes into numbers.
pub(super) type Run = fn(&[u8], &mut [f32]);

/// Turns blocks of `B` bytes into `N` numbers each, one block after the other.
pub(super) fn by_blocks<const B: usize, const N: usize>(
    from: &[u8],
    to: &mut [f32],
    block: impl Fn(&[u8; B], &mut [f32; N]),
) {
    for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        block(from, to);
    }
}

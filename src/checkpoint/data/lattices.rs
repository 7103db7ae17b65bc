//! The blocks of llama.cpp whose numbers are entries of a code book ("I quants"), or of three values only.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a block is an array of fixed size, and every index is bounded by a loop over a part of it or by a mask"
)]

use crate::checkpoint::data::grids;
use crate::checkpoint::data::run::{Run, by_blocks};
use crate::checkpoint::data::small::{E2M1, E4M3, f16};

/// The decoder of a type of blocks by llama.cpp's name.
pub(super) fn decoder(name: &str) -> Option<Run> {
    Some(match name {
        "IQ1_S" => |from, to| by_blocks(from, to, iq1_s),
        "IQ1_M" => |from, to| by_blocks(from, to, iq1_m),
        "IQ2_XXS" => |from, to| by_blocks(from, to, iq2_xxs),
        "IQ2_XS" => |from, to| by_blocks(from, to, iq2_xs),
        "IQ2_S" => |from, to| by_blocks(from, to, iq2_s),
        "IQ3_XXS" => |from, to| by_blocks(from, to, iq3_xxs),
        "IQ3_S" => |from, to| by_blocks(from, to, iq3_s),
        "IQ4_NL" => |from, to| by_blocks(from, to, iq4_nl),
        "IQ4_XS" => |from, to| by_blocks(from, to, iq4_xs),
        "TQ1_0" => |from, to| by_blocks(from, to, tq1),
        "TQ2_0" => |from, to| by_blocks(from, to, tq2),
        "NVFP4" => |from, to| by_blocks(from, to, nvfp4),
        _ => return None,
    })
}

/// The sixteen values of the types of four bits.
const FOUR_BITS: [f32; 16] =
    [-127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0];

/// What two bits stand for in the code books of two bits, and three bits in the two of three.
const TWO_BITS: [f32; 4] = [8.0, 25.0, 43.0, 0.0];
const THREE_BITS_XXS: [f32; 8] = [4.0, 12.0, 20.0, 28.0, 36.0, 44.0, 52.0, 62.0];
const THREE_BITS: [f32; 8] = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0];
const ONE_BIT: [f32; 4] = [-1.0, 0.0, 1.0, 0.0];

/// By how much the values of one bit are off the lattice.
const DELTA: f32 = 0.125;

/// Value `at` of an entry of a code book of so many bits a value.
fn value<const N: usize>(entry: u16, bits: usize, at: usize, values: &[f32; N]) -> f32 {
    values[usize::from(entry >> (bits * at)) & (N - 1)]
}

/// Seven signs, and an eighth that makes their number even.
fn with_parity(signs: u32) -> u32 {
    let signs = signs & 127;
    signs | ((signs.count_ones() & 1) << 7)
}

/// Eight numbers of an entry of two bits, with their signs.
fn eight(to: &mut [f32], scale: f32, entry: u16, signs: u32) {
    for (at, to) in to.iter_mut().enumerate() {
        *to = signed(scale * value(entry, 2, at, &TWO_BITS), signs, at);
    }
}

fn signed(number: f32, signs: u32, at: usize) -> f32 {
    if (signs >> at) & 1 == 1 { -number } else { number }
}

fn iq2_xxs(block: &[u8; 66], to: &mut [f32; 256]) {
    let scale = half(block, 0);
    for (group, to) in to.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (entries, signs) = (word(block, 2 + group * 8), word(block, 6 + group * 8));
        let scale = scale * (0.5 + (signs >> 28) as f32) * 0.25;
        for (at, to) in to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let entry = grids::IQ2_XXS[(entries >> (8 * at)) as usize & 255];
            eight(to, scale, entry, with_parity(signs >> (7 * at)));
        }
    }
}

fn iq2_xs(block: &[u8; 74], to: &mut [f32; 256]) {
    let scale = half(block, 0);
    for (at, to) in to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let entry = pair(block, 2 + at * 2);
        let of_group = nibble(block, 66, at / 2);
        let scale = scale * (0.5 + f32::from(of_group)) * 0.25;
        eight(to, scale, grids::IQ2_XS[usize::from(entry & 511)], with_parity(u32::from(entry >> 9)));
    }
}

fn iq2_s(block: &[u8; 82], to: &mut [f32; 256]) {
    let scale = half(block, 0);
    for (at, to) in to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let high = (block[66 + at / 4] >> (at % 4 * 2)) & 3;
        let entry = usize::from(block[2 + at]) | usize::from(high) << 8;
        let scale = scale * (0.5 + f32::from(nibble(block, 74, at / 2))) * 0.25;
        eight(to, scale, grids::IQ2_S[entry], u32::from(block[34 + at]));
    }
}

fn iq3_xxs(block: &[u8; 98], to: &mut [f32; 256]) {
    let scale = half(block, 0);
    for (group, to) in to.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let signs = word(block, 66 + group * 4);
        let scale = scale * (0.5 + (signs >> 28) as f32) * 0.5;
        for (at, to) in to.iter_mut().enumerate() {
            let entry = grids::IQ3_XXS[usize::from(block[2 + group * 8 + at / 4])];
            let number = scale * value(entry, 3, at % 4, &THREE_BITS_XXS);
            *to = signed(number, with_parity(signs >> (7 * (at / 8))), at % 8);
        }
    }
}

fn iq3_s(block: &[u8; 110], to: &mut [f32; 256]) {
    let scale = half(block, 0);
    for (at, to) in to.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let ninth = (block[66 + at / 8] >> (at % 8)) & 1;
        let entry = grids::IQ3_S[usize::from(block[2 + at]) | usize::from(ninth) << 8];
        let scale = scale * (1.0 + 2.0 * f32::from(nibble(block, 106, at / 8)));
        let signs = u32::from(block[74 + at / 2]) >> (at % 2 * 4);
        for (at, to) in to.iter_mut().enumerate() {
            *to = signed(scale * value(entry, 3, at, &THREE_BITS), signs, at);
        }
    }
}

/// Eight numbers of an entry of one bit.
fn eight_of_one_bit(to: &mut [f32; 8], scale: f32, entry: usize, delta: f32) {
    for (at, to) in to.iter_mut().enumerate() {
        *to = scale * (value(grids::IQ1[entry], 2, at, &ONE_BIT) + delta);
    }
}

fn iq1_s(block: &[u8; 50], to: &mut [f32; 256]) {
    let scale = half(block, 0);
    for (at, to) in to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let high = pair(block, 34 + at / 4 * 2);
        let scale = scale * f32::from(2 * ((high >> 12) & 7) + 1);
        let delta = if high & 0x8000 == 0 { DELTA } else { -DELTA };
        let entry = usize::from(block[2 + at]) | usize::from((high >> (at % 4 * 3)) & 7) << 8;
        eight_of_one_bit(to, scale, entry, delta);
    }
}

/// The only type whose scale stands in several parts: in the upper four bits of four words.
fn iq1_m(block: &[u8; 56], to: &mut [f32; 256]) {
    let scale = f16((0..4).fold(0, |scale, at| scale | (pair(block, 48 + at * 2) >> 12) << (4 * at)));
    for (at, to) in to.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let of_group = (pair(block, 48 + at / 8 * 2) >> (at / 2 % 4 * 3)) & 7;
        let scale = scale * f32::from(2 * of_group + 1);
        let high = nibble(block, 32, at);
        let delta = if high & 8 == 0 { DELTA } else { -DELTA };
        eight_of_one_bit(to, scale, usize::from(block[at]) | usize::from(high & 7) << 8, delta);
    }
}

fn iq4_nl(block: &[u8; 18], to: &mut [f32; 32]) {
    let scale = half(block, 0);
    sixteen_and_sixteen(to, &block[2..], scale);
}

fn iq4_xs(block: &[u8; 136], to: &mut [f32; 256]) {
    let (scale, high) = (half(block, 0), pair(block, 2));
    for (group, to) in to.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let of_group = u16::from(nibble(block, 4, group)) | ((high >> (2 * group)) & 3) << 4;
        sixteen_and_sixteen(to, &block[8 + group * 16..], scale * (f32::from(of_group) - 32.0));
    }
}

/// Numbers 0 to 15 stand in the lower halves of 16 bytes, 16 to 31 in the upper ones.
fn sixteen_and_sixteen(to: &mut [f32; 32], quants: &[u8], scale: f32) {
    for (at, to) in to.iter_mut().enumerate() {
        *to = scale * FOUR_BITS[usize::from((quants[at % 16] >> (at / 16 * 4)) & 15)];
    }
}

/// Five numbers of three values in a byte: the byte is a fraction in base three.
fn tq1(block: &[u8; 54], to: &mut [f32; 256]) {
    let scale = half(block, 52);
    let parts = [(0, 32, 0..160), (32, 16, 160..240), (48, 4, 240..256)];
    for (start, width, range) in parts {
        for (at, to) in to[range].iter_mut().enumerate() {
            let digit = block[start + at % width].wrapping_mul([1, 3, 9, 27, 81][at / width]);
            *to = scale * (f32::from((u16::from(digit) * 3) >> 8) - 1.0) + 0.0;
        }
    }
}

fn tq2(block: &[u8; 66], to: &mut [f32; 256]) {
    let scale = half(block, 64);
    for (at, to) in to.iter_mut().enumerate() {
        let quant = (block[at / 128 * 32 + at % 32] >> (at % 128 / 32 * 2)) & 3;
        *to = scale * (f32::from(quant) - 1.0) + 0.0;
    }
}

/// Four groups of 16, each with a scale of eight bits; `f32` of the scale table is exact.
fn nvfp4(block: &[u8; 36], to: &mut [f32; 64]) {
    for (group, to) in to.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = if block[group] & 0x7f == 0x7f { 0.0 } else { E4M3[usize::from(block[group] & 0x7f)] };
        for (at, to) in to.iter_mut().enumerate() {
            let quant = block[4 + group * 8 + at % 8] >> (at / 8 * 4);
            *to = scale * E2M1[usize::from(quant & 15)] + 0.0;
        }
    }
}

/// Number `at` of four bits of the bytes from `start`, the lower half first.
fn nibble(block: &[u8], start: usize, at: usize) -> u8 {
    (block[start + at / 2] >> (at % 2 * 4)) & 15
}

fn half(block: &[u8], at: usize) -> f32 {
    f16(pair(block, at))
}

fn pair(block: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([block[at], block[at + 1]])
}

fn word(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::sha256;
    use crate::checkpoint::Dtype;

    /// As `tests/gguf/make_lattices.py` makes them.
    fn blocks(name: &str, size: usize, count: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state * 48_271 % 2_147_483_647;
            (state >> 8) as u8
        };
        let mut bytes: Vec<u8> = (0..size * count).map(|_| next()).collect();
        for block in bytes.chunks_mut(size) {
            match name {
                "NVFP4" => block[..4].iter_mut().for_each(|it| *it = (*it & 0x7f) - u8::from(*it & 0x7f == 0x7f)),
                "IQ1_M" => block[55] = block[55] & 0x0f | 0x20,
                _ => {
                    let at = [("TQ1_0", 53), ("TQ2_0", 65)].iter().find(|it| it.0 == name).map_or(1, |it| it.1);
                    block[at] = block[at] & 0x83 | 0x28;
                }
            }
        }
        bytes
    }

    /// Every entry of every code book is met, and all of it is what gguf's own reader makes of it.
    #[test]
    fn many_blocks_are_decoded_as_the_formats_own_library_does() {
        let digests = include_str!("../../../tests/gguf/lattices.txt");
        for (seed, line) in (1..).zip(digests.lines()) {
            let (name, digest) = line.split_once(' ').unwrap();
            let block = (0..64).map(Dtype::of_ggml).find_map(|it| match it {
                Dtype::Block(block) if block.name == name => Some(block),
                _ => None,
            });
            let block = block.unwrap();
            let stored = blocks(name, block.bytes as usize, 4_096, seed);
            let mut numbers = vec![0.0; 4_096 * block.numbers as usize];
            decoder(name).unwrap()(&stored, &mut numbers);
            let bytes: Vec<u8> = numbers.iter().flat_map(|it| (it + 0.0).to_le_bytes()).collect();
            assert_eq!(sha256(&bytes), digest, "{name}");
        }
    }
}

//! The blocks of 256 numbers of llama.cpp ("K quants"): groups of 16 or 32 with small scales of their own.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a block is an array of fixed size, and every index is bounded by a loop over a part of it"
)]

use crate::checkpoint::data::run::{Run, by_blocks};
use crate::checkpoint::data::small::f16;

/// The decoder of a type of blocks by llama.cpp's name.
pub(super) fn decoder(name: &str) -> Option<Run> {
    Some(match name {
        "Q2_K" => |from, to| by_blocks(from, to, q2),
        "Q3_K" => |from, to| by_blocks(from, to, q3),
        "Q4_K" => |from, to| by_blocks(from, to, q4),
        "Q5_K" => |from, to| by_blocks(from, to, q5),
        "Q6_K" => |from, to| by_blocks(from, to, q6),
        "Q8_K" => |from, to| by_blocks(from, to, q8),
        _ => return None,
    })
}

/// Of numbers of two bits, group `group` of 16: 32 bytes hold four runs of 32 numbers, each in two bits of every byte.
fn two_bits(quants: &[u8], group: usize, at: usize) -> u8 {
    (quants[group / 8 * 32 + group % 2 * 16 + at] >> (group % 8 / 2 * 2)) & 3
}

fn q2(block: &[u8; 84], to: &mut [f32; 256]) {
    let (scales, quants) = (&block[..16], &block[16..80]);
    let (scale, minimum) = (half(block, 80), half(block, 82));
    for (group, to) in to.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = scale * f32::from(scales[group] & 15);
        let minimum = minimum * f32::from(scales[group] >> 4);
        for (at, to) in to.iter_mut().enumerate() {
            *to = scale * f32::from(two_bits(quants, group, at)) - minimum;
        }
    }
}

fn q3(block: &[u8; 110], to: &mut [f32; 256]) {
    let (third, quants, scales) = (&block[..32], &block[32..96], &block[96..108]);
    let scale = half(block, 108);
    for (group, to) in to.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // Four bits of each scale stand in eight bytes, two in four more.
        let low = (scales[group % 8] >> (group / 8 * 4)) & 15;
        let high = (scales[8 + group % 4] >> (group / 4 * 2)) & 3;
        let scale = scale * (f32::from(low | (high << 4)) - 32.0);
        for (at, to) in to.iter_mut().enumerate() {
            let is_set = (third[group % 2 * 16 + at] >> (group / 2)) & 1 == 1;
            let offset = if is_set { 0.0 } else { 4.0 };
            *to = scale * (f32::from(two_bits(quants, group, at)) - offset);
        }
    }
}

/// The scale and the minimum of a group of 32, of six bits each, packed into 12 bytes.
fn scale_and_minimum(packed: &[u8], group: usize) -> (f32, f32) {
    if group < 4 {
        return (f32::from(packed[group] & 63), f32::from(packed[group + 4] & 63));
    }
    let (low, scale, minimum) = (packed[group + 4], packed[group - 4], packed[group]);
    (f32::from((low & 15) | ((scale >> 2) & 48)), f32::from((low >> 4) | ((minimum >> 2) & 48)))
}

/// Of numbers of four bits, group `group` of 32: 32 bytes hold two groups, in their lower and in their upper halves.
fn four_bits(quants: &[u8], group: usize, at: usize) -> u8 {
    (quants[group / 2 * 32 + at] >> (group % 2 * 4)) & 15
}

fn q4(block: &[u8; 144], to: &mut [f32; 256]) {
    with_minima(block, to, |group, at| four_bits(&block[16..], group, at));
}

fn q5(block: &[u8; 176], to: &mut [f32; 256]) {
    let (fifth, quants) = (&block[16..48], &block[48..]);
    with_minima(block, to, |group, at| four_bits(quants, group, at) | (((fifth[at] >> group) & 1) << 4));
}

/// Groups of 32 with a scale and a minimum; the block begins with the scale of both and their 12 bytes.
fn with_minima(block: &[u8], to: &mut [f32; 256], quant: impl Fn(usize, usize) -> u8) {
    let (scale, minimum, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    for (group, to) in to.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (of_scale, of_minimum) = scale_and_minimum(packed, group);
        let (scale, minimum) = (scale * of_scale, minimum * of_minimum);
        for (at, to) in to.iter_mut().enumerate() {
            *to = scale * f32::from(quant(group, at)) - minimum;
        }
    }
}

fn q6(block: &[u8; 210], to: &mut [f32; 256]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let scale = half(block, 208);
    for (group, to) in to.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (part, run) = (group / 4, group % 4);
        for (at, to) in to.iter_mut().enumerate() {
            let low = (low[part * 64 + run % 2 * 32 + at] >> (run / 2 * 4)) & 15;
            let high = (high[part * 32 + at] >> (run * 2)) & 3;
            let scale = scale * f32::from(scales[group * 2 + at / 16].cast_signed());
            *to = scale * (f32::from(low | (high << 4)) - 32.0);
        }
    }
}

fn q8(block: &[u8; 292], to: &mut [f32; 256]) {
    let scale = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
    for (quant, to) in block[4..260].iter().zip(to) {
        *to = scale * f32::from(quant.cast_signed());
    }
}

fn half(block: &[u8], at: usize) -> f32 {
    f16(u16::from_le_bytes([block[at], block[at + 1]]))
}

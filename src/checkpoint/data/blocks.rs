//! The blocks of 32 numbers of llama.cpp: a scale, sometimes a minimum, and 4, 5 or 8 bits a number.

use crate::checkpoint::data::run::{Run, by_blocks};
use crate::checkpoint::data::small::{E2M1, E8M0, f16};

/// The decoder of a type of blocks by llama.cpp's name.
pub(super) fn decoder(name: &str) -> Option<Run> {
    Some(match name {
        "Q4_0" => |from, to| by_blocks(from, to, q4_0),
        "Q4_1" => |from, to| by_blocks(from, to, q4_1),
        "Q5_0" => |from, to| by_blocks(from, to, q5_0),
        "Q5_1" => |from, to| by_blocks(from, to, q5_1),
        "Q8_0" => |from, to| by_blocks(from, to, q8_0),
        "MXFP4" => |from, to| by_blocks(from, to, mxfp4),
        "UINT4" => {
            |from, to| by_blocks(from, to, |[it]: &[u8; 1], to: &mut [f32; 2]| *to = [it & 15, it >> 4].map(f32::from))
        }
        "INT4" => |from, to| by_blocks(from, to, int4),
        _ => return None,
    })
}

/// 16 bytes hold numbers 0 to 15 in their lower halves and 16 to 31 in their upper ones.
fn halves(quants: &[u8], to: &mut [f32; 32], number: impl Fn(u8, u8) -> f32) {
    let (low, high) = to.split_at_mut(16);
    for (((at, quant), low), high) in (0..).zip(quants).zip(low).zip(high) {
        (*low, *high) = (number(quant & 15, at), number(quant >> 4, at | 16));
    }
}

/// Two whole numbers with a sign, the lower half first, as ONNX has them.
fn int4([it]: &[u8; 1], to: &mut [f32; 2]) {
    let signed = |it: u8| f32::from((it << 4).cast_signed() >> 4);
    *to = [signed(it & 15), signed(it >> 4)];
}

fn q4_0(block: &[u8; 18], to: &mut [f32; 32]) {
    let [s0, s1, quants @ ..] = block;
    let scale = half(*s0, *s1);
    halves(quants, to, |quant, _| scale * (f32::from(quant) - 8.0));
}

fn q4_1(block: &[u8; 20], to: &mut [f32; 32]) {
    let [s0, s1, m0, m1, quants @ ..] = block;
    let (scale, minimum) = (half(*s0, *s1), half(*m0, *m1));
    halves(quants, to, |quant, _| scale * f32::from(quant) + minimum);
}

fn q5_0(block: &[u8; 22], to: &mut [f32; 32]) {
    let [s0, s1, f0, f1, f2, f3, quants @ ..] = block;
    let (scale, fifth) = (half(*s0, *s1), u32::from_le_bytes([*f0, *f1, *f2, *f3]));
    halves(quants, to, |quant, at| scale * (f32::from(with_fifth(quant, fifth, at)) - 16.0));
}

fn q5_1(block: &[u8; 24], to: &mut [f32; 32]) {
    let [s0, s1, m0, m1, f0, f1, f2, f3, quants @ ..] = block;
    let (scale, minimum) = (half(*s0, *s1), half(*m0, *m1));
    let fifth = u32::from_le_bytes([*f0, *f1, *f2, *f3]);
    halves(quants, to, |quant, at| scale * f32::from(with_fifth(quant, fifth, at)) + minimum);
}

fn q8_0(block: &[u8; 34], to: &mut [f32; 32]) {
    let [s0, s1, quants @ ..] = block;
    let scale = half(*s0, *s1);
    for (quant, to) in quants.iter().zip(to) {
        *to = f32::from(quant.cast_signed()) * scale;
    }
}

fn mxfp4(block: &[u8; 17], to: &mut [f32; 32]) {
    let [exponent, quants @ ..] = block;
    let scale = E8M0.get(usize::from(*exponent)).copied().unwrap_or_default();
    // llama.cpp counts in whole numbers, which have no negative zero; adding zero makes it a positive one.
    halves(quants, to, |quant, _| scale * E2M1.get(usize::from(quant)).copied().unwrap_or_default() + 0.0);
}

/// The fifth bits of all 32 numbers stand together.
fn with_fifth(quant: u8, fifth: u32, at: u8) -> u8 {
    let is_set = fifth.wrapping_shr(u32::from(at)) & 1 == 1;
    if is_set { quant | 16 } else { quant }
}

fn half(low: u8, high: u8) -> f32 {
    f16(u16::from_le_bytes([low, high]))
}

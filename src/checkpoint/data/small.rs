//! Floats of 4, 8 and 16 bits.

/// 1 sign, 5 exponent, 10 fraction bits. Without branches, so that a loop of it is turned into wide instructions.
pub(super) fn f16(bits: u16) -> f32 {
    const INFINITE: u32 = 0x7c00 << 13;
    /// 2^-14, the smallest number that is not subnormal.
    const SMALLEST: f32 = f32::from_bits(113 << 23);
    let shifted = u32::from(bits & 0x7fff) << 13;
    let exponent = shifted & INFINITE;
    // The exponents count from 15 here and from 127 there.
    let normal = shifted.wrapping_add(112 << 23);
    let infinite = shifted | (0xff << 23);
    let subnormal = (f32::from_bits(shifted.wrapping_add(113 << 23)) - SMALLEST).to_bits();
    let magnitude = if exponent == INFINITE {
        infinite
    } else if exponent == 0 {
        subnormal
    } else {
        normal
    };
    f32::from_bits(magnitude | (u32::from(bits & 0x8000) << 16))
}

/// A type of 8 bits: how many are the exponent, what is taken off it, and what stands for infinite and no number.
struct Shape {
    exponent_bits: u32,
    bias: i32,
    special: Special,
}

enum Special {
    /// As IEEE 754 has it: the highest exponent is infinite, or no number.
    Ieee,
    /// No infinity; all bits set is no number.
    Finite,
    /// No infinity and no negative zero; that pattern is no number.
    Unsigned,
}

/// `float8_e4m3fn`.
pub(super) static E4M3: [f32; 256] = table(&Shape { exponent_bits: 4, bias: 7, special: Special::Finite });
/// `float8_e5m2`.
pub(super) static E5M2: [f32; 256] = table(&Shape { exponent_bits: 5, bias: 15, special: Special::Ieee });
/// `float8_e4m3fnuz`.
pub(super) static E4M3FNUZ: [f32; 256] = table(&Shape { exponent_bits: 4, bias: 8, special: Special::Unsigned });
/// `float8_e5m2fnuz`.
pub(super) static E5M2FNUZ: [f32; 256] = table(&Shape { exponent_bits: 5, bias: 16, special: Special::Unsigned });

/// `float8_e8m0fnu`: nothing but an exponent, for scales.
#[expect(clippy::indexing_slicing, reason = "256 patterns, gone through when the program is compiled")]
pub(super) static E8M0: [f32; 256] = {
    let mut table = [0.0; 256];
    let mut exponent = -127;
    while exponent < 128 {
        table[(exponent + 127) as usize] = power_of_two(exponent);
        exponent += 1;
    }
    table[255] = f32::NAN;
    table
};

/// The sixteen numbers of 1 sign, 2 exponent and 1 fraction bit.
pub(super) const E2M1: [f32; 16] =
    [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0];

/// Two numbers a byte, the lower half first.
pub(super) fn e2m1_pairs(from: &[u8], to: &mut [f32]) {
    let number = |it: u8| E2M1.get(usize::from(it & 15)).copied().unwrap_or_default();
    for (from, [low, high]) in from.iter().zip(to.as_chunks_mut().0) {
        (*low, *high) = (number(*from), number(from >> 4));
    }
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "256 patterns, gone through when the program is compiled"
)]
const fn table(shape: &Shape) -> [f32; 256] {
    let mut table = [0.0; 256];
    let mut bits = 0;
    while bits < 256 {
        table[bits as usize] = number(shape, bits);
        bits += 1;
    }
    table
}

#[expect(clippy::arithmetic_side_effects, clippy::cast_possible_wrap, reason = "the arguments are below 256")]
const fn number(shape: &Shape, bits: u32) -> f32 {
    let fraction_bits = 7 - shape.exponent_bits;
    let fraction = bits & ((1 << fraction_bits) - 1);
    let exponent = (bits & 0x7f) >> fraction_bits;
    let highest = (1 << shape.exponent_bits) - 1;
    let sign = if bits >= 0x80 { -1.0 } else { 1.0 };
    match shape.special {
        Special::Ieee if exponent == highest => return if fraction == 0 { sign * f32::INFINITY } else { f32::NAN },
        Special::Finite if bits & 0x7f == 0x7f => return f32::NAN,
        Special::Unsigned if bits == 0x80 => return f32::NAN,
        _ => {}
    }
    let whole = if exponent == 0 { fraction } else { fraction + (1 << fraction_bits) };
    let exponent = if exponent == 0 { 1 } else { exponent as i32 };
    sign * whole as f32 * power_of_two(exponent - shape.bias - fraction_bits as i32)
}

/// 2 to the power of -149 to 127, exactly.
#[expect(clippy::arithmetic_side_effects, clippy::cast_sign_loss, reason = "each branch keeps its numbers positive")]
const fn power_of_two(exponent: i32) -> f32 {
    if exponent < -126 {
        f32::from_bits(1 << (exponent + 149))
    } else {
        f32::from_bits(((exponent + 127) as u32) << 23)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_the_number_that_it_stands_for() {
        for bits in 0..=u16::MAX {
            let (sign, exponent, fraction) =
                (if bits >> 15 == 1 { -1.0 } else { 1.0 }, (bits >> 10) & 31, f64::from(bits & 1023));
            let expected = match exponent {
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                0 => fraction * 2_f64.powi(-24),
                _ => (fraction + 1024.0) * 2_f64.powi(i32::from(exponent) - 25),
            };
            let found = f64::from(f16(bits));
            assert!(found == sign * expected || (found.is_nan() && expected.is_nan()), "{bits:04x}: {found}");
        }
    }

    #[test]
    fn eight_bits_reach_as_far_as_the_formats_say() {
        let most = |table: &[f32; 256]| table.iter().copied().filter(|it| it.is_finite()).fold(0.0, f32::max);
        let least = |table: &[f32; 256]| table.iter().copied().filter(|it| *it > 0.0).fold(f32::INFINITY, f32::min);
        let check = |table, highest: f32, lowest: i32| {
            assert_eq!((most(table), least(table)), (highest, 2.0_f32.powi(lowest)));
        };
        check(&E4M3, 448.0, -9);
        check(&E5M2, 57344.0, -16);
        check(&E4M3FNUZ, 240.0, -10);
        check(&E5M2FNUZ, 57344.0, -17);
        check(&E8M0, 2.0_f32.powi(127), -127);
        assert_eq!((E4M3[0x38], E4M3[0xb8], E5M2[0x3c], E4M3FNUZ[0x40], E5M2FNUZ[0x40]), (1.0, -1.0, 1.0, 1.0, 1.0));
        for (table, none) in [(&E4M3, 0xff), (&E4M3FNUZ, 0x80), (&E5M2FNUZ, 0x80), (&E5M2, 0x7d), (&E8M0, 255)] {
            assert!(table[none].is_nan());
        }
    }
}

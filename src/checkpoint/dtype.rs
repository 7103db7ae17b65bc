//! Element types: those the formats know, the blocks of quantised files, and names nobody knows.

use std::fmt;

use ::safetensors::Dtype as Known;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

/// The type of a tensor's elements.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dtype {
    /// One that the `safetensors` crate knows, with its size.
    Known(Known),
    /// Numbers that are stored together with their scale, so that one of them alone has no size.
    Block(Block),
    /// One that the crate knows, each element in a varint of protobuf, which takes as many bytes as it needs.
    Varints(Known),
    /// Any other; a file that uses it is still described.
    Unknown {
        /// Name as the file has it.
        name: String,
    },
}

/// A quantised type: so many numbers in so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// Name as llama.cpp has it, e.g. `Q4_K`.
    pub name: &'static str,
    /// How many numbers are stored together.
    pub numbers: u64,
    /// How many bytes they take, scales included.
    pub bytes: u64,
}

/// Types of ggml that safetensors has too, by ggml's number.
const PLAIN: &[(u32, Known)] = &[
    (0, Known::F32),
    (1, Known::F16),
    (24, Known::I8),
    (25, Known::I16),
    (26, Known::I32),
    (27, Known::I64),
    (28, Known::F64),
    (30, Known::BF16),
];

/// Types of ggml in blocks, by ggml's number. 4, 5, 31 to 33 and 36 to 38 were taken out of ggml.
const BLOCKS: &[(u32, Block)] = &[
    (2, Block { name: "Q4_0", numbers: 32, bytes: 18 }),
    (3, Block { name: "Q4_1", numbers: 32, bytes: 20 }),
    (6, Block { name: "Q5_0", numbers: 32, bytes: 22 }),
    (7, Block { name: "Q5_1", numbers: 32, bytes: 24 }),
    (8, Block { name: "Q8_0", numbers: 32, bytes: 34 }),
    (9, Block { name: "Q8_1", numbers: 32, bytes: 36 }),
    (10, Block { name: "Q2_K", numbers: 256, bytes: 84 }),
    (11, Block { name: "Q3_K", numbers: 256, bytes: 110 }),
    (12, Block { name: "Q4_K", numbers: 256, bytes: 144 }),
    (13, Block { name: "Q5_K", numbers: 256, bytes: 176 }),
    (14, Block { name: "Q6_K", numbers: 256, bytes: 210 }),
    (15, Block { name: "Q8_K", numbers: 256, bytes: 292 }),
    (16, Block { name: "IQ2_XXS", numbers: 256, bytes: 66 }),
    (17, Block { name: "IQ2_XS", numbers: 256, bytes: 74 }),
    (18, Block { name: "IQ3_XXS", numbers: 256, bytes: 98 }),
    (19, Block { name: "IQ1_S", numbers: 256, bytes: 50 }),
    (20, Block { name: "IQ4_NL", numbers: 32, bytes: 18 }),
    (21, Block { name: "IQ3_S", numbers: 256, bytes: 110 }),
    (22, Block { name: "IQ2_S", numbers: 256, bytes: 82 }),
    (23, Block { name: "IQ4_XS", numbers: 256, bytes: 136 }),
    (29, Block { name: "IQ1_M", numbers: 256, bytes: 56 }),
    (34, Block { name: "TQ1_0", numbers: 256, bytes: 54 }),
    (35, Block { name: "TQ2_0", numbers: 256, bytes: 66 }),
    (39, Block { name: "MXFP4", numbers: 32, bytes: 17 }),
    (40, Block { name: "NVFP4", numbers: 64, bytes: 36 }),
];

/// Whole numbers of four bits in ONNX, two in a byte.
const NIBBLES: &[Block] =
    &[Block { name: "UINT4", numbers: 2, bytes: 1 }, Block { name: "INT4", numbers: 2, bytes: 1 }];

impl Dtype {
    /// The type that goes by this name in ONNX, where safetensors has none.
    pub(crate) fn of_onnx(name: &str) -> Self {
        let nibble = NIBBLES.iter().find(|it| it.name == name);
        nibble.map_or_else(|| Self::named(name), |block| Self::Block(*block))
    }

    /// The type that has this number in ggml; one nobody knows is called by the number.
    pub fn of_ggml(number: u32) -> Self {
        let plain = PLAIN.iter().find(|(it, _)| *it == number).map(|(_, known)| Self::Known(*known));
        let block = || BLOCKS.iter().find(|(it, _)| *it == number).map(|(_, block)| Self::Block(*block));
        plain.or_else(block).unwrap_or_else(|| Self::Unknown { name: format!("GGML_{number}") })
    }

    /// Bytes that so many elements take; none where that is no whole number of bytes or blocks, or is not known.
    pub fn bytes(&self, elements: u64) -> Option<u64> {
        match self {
            Self::Block(block) => {
                let whole = elements.is_multiple_of(block.numbers);
                whole.then(|| elements.checked_div(block.numbers)?.checked_mul(block.bytes)).flatten()
            }
            Self::Known(_) | Self::Varints(_) | Self::Unknown { .. } => {
                let bits = elements.checked_mul(self.bits()?)?;
                bits.is_multiple_of(8).then_some(bits / 8)
            }
        }
    }

    /// The type that goes by this name.
    pub fn named(name: &str) -> Self {
        let deserializer: StrDeserializer<'_, Error> = name.into_deserializer();
        Known::deserialize(deserializer).map_or_else(|_| Self::Unknown { name: name.to_owned() }, Self::Known)
    }

    /// Bits of one element; 4 and 6 occur. In blocks no element has bits of its own.
    pub fn bits(&self) -> Option<u64> {
        match self {
            Self::Known(known) => u64::try_from(known.bitsize()).ok(),
            Self::Block(_) | Self::Varints(_) | Self::Unknown { .. } => None,
        }
    }

    /// Whether nobody knows it.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => write!(out, "{known}"),
            Self::Block(block) => out.write_str(block.name),
            Self::Varints(known) => write!(out, "{known} in varints"),
            Self::Unknown { name } => out.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_format_is_known_and_prints_as_it_reads() {
        let sizes = [
            (4, "F4"),
            (6, "F6_E2M3 F6_E3M2"),
            (8, "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ"),
            (16, "I16 U16 F16 BF16"),
            (32, "I32 U32 F32"),
            (64, "C64 F64 I64 U64"),
        ];
        for (bits, names) in sizes {
            for name in names.split(' ') {
                let dtype = Dtype::named(name);
                assert_eq!((dtype.to_string(), dtype.bits()), (name.to_owned(), Some(bits)));
            }
        }
    }

    #[test]
    fn types_of_ggml_go_by_their_numbers() {
        let check = |number: u32, name: &str, elements: u64, bytes: Option<u64>| {
            let dtype = Dtype::of_ggml(number);
            assert_eq!((dtype.to_string().as_str(), dtype.bytes(elements)), (name, bytes));
        };
        check(0, "F32", 3, Some(12));
        check(30, "BF16", 256, Some(512));
        check(3, "Q4_1", 64, Some(40));
        check(14, "Q6_K", 512, Some(420));
        check(14, "Q6_K", 500, None);
        check(39, "MXFP4", 32, Some(17));
        check(39, "MXFP4", u64::MAX, None);
        check(12, "Q4_K", u64::MAX - 255, Some((u64::MAX / 256) * 144));
        check(4, "GGML_4", 1, None);
        check(u32::MAX, "GGML_4294967295", 1, None);
    }

    #[test]
    fn other_names_are_kept() {
        for name in ["U4", "bf16", "", "F32 "] {
            let dtype = Dtype::named(name);
            assert!(dtype.is_unknown());
            assert_eq!((dtype.to_string(), dtype.bits()), (name.to_owned(), None));
        }
    }
}

//! Element types: those the format knows, and names nobody knows.

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
    /// Any other; a file that uses it is still described.
    Unknown {
        /// Name as the file has it.
        name: String,
    },
}

impl Dtype {
    /// The type that goes by this name.
    pub fn named(name: &str) -> Self {
        let deserializer: StrDeserializer<'_, Error> = name.into_deserializer();
        Known::deserialize(deserializer).map_or_else(|_| Self::Unknown { name: name.to_owned() }, Self::Known)
    }

    /// Bits of one element; 4 and 6 occur.
    pub fn bits(&self) -> Option<u64> {
        match self {
            Self::Known(known) => u64::try_from(known.bitsize()).ok(),
            Self::Unknown { .. } => None,
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
    fn other_names_are_kept() {
        for name in ["U4", "bf16", "", "F32 "] {
            let dtype = Dtype::named(name);
            assert!(dtype.is_unknown());
            assert_eq!((dtype.to_string(), dtype.bits()), (name.to_owned(), None));
        }
    }
}

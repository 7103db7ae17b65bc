//! The layouts of packed weights: one record each.

use crate::checkpoint::packing::shapes;
use crate::checkpoint::packing::{Around, Seen, Site, Treatment};

/// One way to pack a weight.
#[derive(Debug)]
pub(crate) struct Packing {
    /// Its id in the list of all layouts, `unshell explain` knows it.
    pub(crate) layout: &'static str,
    /// How the name of the packed weight ends; what stands before is its module.
    words: &'static [&'static str],
    /// How the name of the plain weight ends.
    plain: &'static str,
    /// What must stand beside it.
    needs: &'static [&'static str],
    /// What may stand beside it.
    may: &'static [&'static str],
    /// The shape of the plain weight; none where the packed one is not of this layout.
    size: fn(&Site<'_>) -> Option<Size>,
    /// Who reads it.
    pub(crate) decode: Decode,
}

/// Whether the shape of a plain weight can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Known(Vec<u64>),
    Unknown,
}

/// Which decoder reads a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decode {
    /// Whole numbers in words along the inputs or outputs.
    Words,
    /// Rows of words with scales by group, as compressed-tensors packs them.
    Compressed,
    /// Numbers of four bits with scales of eight, low half first.
    Fp4,
    /// Blocks of four bits with exponents, as gpt-oss has them.
    Blocks,
    /// A code book of sixteen values, flat.
    CodeBook,
    /// MLX.
    Mlx,
    /// Two bits, four rows in one.
    Ternary,
    /// ExLlamaV2.
    Exl2,
    /// HQQ.
    Hqq,
    /// Two whole numbers with a sign in a byte, scales turned.
    Int4,
    /// One number an element, under another name, with scales beside it.
    Scaled,
    /// Nobody, in this version.
    Nobody,
}

/// Every layout, in the order in which they are tried.
pub(crate) const PACKINGS: &[Packing] = &[
    Packing {
        layout: "gptq",
        words: &[".qweight"],
        plain: ".weight",
        needs: &[".scales"],
        may: &[".qzeros", ".g_idx"],
        size: shapes::gptq,
        decode: Decode::Words,
    },
    Packing {
        layout: "awq",
        words: &[".qweight"],
        plain: ".weight",
        needs: &[".scales"],
        may: &[".qzeros"],
        size: shapes::awq,
        decode: Decode::Words,
    },
    Packing {
        layout: "compressed-tensors-packed",
        words: &[".weight_packed"],
        plain: ".weight",
        needs: &[".weight_scale"],
        may: &[".weight_shape", ".weight_zero_point", ".weight_g_idx", ".input_scale", ".input_zero_point"],
        size: shapes::compressed,
        decode: Decode::Compressed,
    },
    Packing {
        layout: "compressed-tensors-fp4",
        words: &[".weight_packed"],
        plain: ".weight",
        needs: &[".weight_scale"],
        may: &[".weight_global_scale", ".input_global_scale", ".input_scale"],
        size: shapes::fp4,
        decode: Decode::Fp4,
    },
    Packing {
        layout: "mxfp4-blocks",
        words: &["_blocks"],
        plain: "",
        needs: &["_scales"],
        may: &[],
        size: shapes::blocks,
        decode: Decode::Blocks,
    },
    Packing {
        layout: "bitsandbytes-4bit",
        words: &[".weight"],
        plain: ".weight",
        needs: &[".weight.absmax"],
        may: &[
            ".weight.quant_map",
            ".weight.nested_absmax",
            ".weight.nested_quant_map",
            ".weight.quant_state.bitsandbytes__nf4",
            ".weight.quant_state.bitsandbytes__fp4",
        ],
        size: shapes::stated,
        decode: Decode::CodeBook,
    },
    Packing {
        layout: "mlx",
        words: &[".weight"],
        plain: ".weight",
        needs: &[".scales"],
        may: &[".biases"],
        size: shapes::mlx,
        decode: Decode::Mlx,
    },
    Packing {
        layout: "fp4",
        words: &[".weight"],
        plain: ".weight",
        needs: &[".weight_scale"],
        may: &[".weight_scale_2"],
        size: shapes::fp4,
        decode: Decode::Fp4,
    },
    Packing {
        layout: "bitnet",
        words: &[".weight"],
        plain: ".weight",
        needs: &[".weight_scale"],
        may: &[],
        size: shapes::ternary,
        decode: Decode::Ternary,
    },
    Packing {
        layout: "exl2",
        words: &[".q_weight"],
        plain: ".weight",
        needs: &[".q_scale", ".q_scale_max", ".q_groups", ".q_invperm"],
        may: &[".q_perm", ".q_group_map"],
        size: shapes::exl2,
        decode: Decode::Exl2,
    },
    Packing {
        layout: "hqq",
        words: &[".W_q"],
        plain: ".weight",
        needs: &[".scale", ".zero"],
        may: &[
            ".nbits",
            ".group_size",
            ".shape",
            ".axis",
            ".packing",
            ".unpack_view_dtype",
            ".view_as_float",
            ".quant_scale",
            ".quant_zero",
            ".compute_dtype",
            ".offload_meta",
            ".encoded_state_dict",
            ".stores_quant_config",
            ".channel_wise",
            ".optimize",
            ".round_zero",
        ],
        size: shapes::stated,
        decode: Decode::Hqq,
    },
    Packing {
        layout: "torchao-int4",
        words: &["._weight_qdata"],
        plain: ".weight",
        needs: &["._weight_scale", "._weight_zero_point"],
        may: &["._weight_act_pre_scale"],
        size: shapes::int4,
        decode: Decode::Int4,
    },
    Packing {
        layout: "torchao",
        words: &["._weight_qdata", "._weight_int_data"],
        plain: ".weight",
        needs: &["._weight_scale"],
        may: &["._weight_zero_point", "._weight_act_quant_scale", "._weight_act_pre_scale"],
        size: shapes::same,
        decode: Decode::Scaled,
    },
    Packing {
        layout: "torchao-tiled",
        words: &["._weight_qdata"],
        plain: ".weight",
        needs: &["._weight_scale_and_zero"],
        may: &["._weight_act_pre_scale"],
        size: shapes::tiled,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "quanto",
        words: &[".weight._data"],
        plain: ".weight",
        needs: &[".weight._scale"],
        may: &[".weight._shift", ".input_scale", ".output_scale"],
        size: shapes::same,
        decode: Decode::Scaled,
    },
    Packing {
        layout: "quanto-packed",
        words: &[".weight._data", ".weight._data._data"],
        plain: ".weight",
        needs: &[".weight._scale"],
        may: &[".weight._shift"],
        size: shapes::unknown,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "eetq",
        words: &[".weight", ".qweight"],
        plain: ".weight",
        needs: &[".weight_scales"],
        may: &[],
        size: shapes::turned_bytes,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "marlin",
        words: &[".B"],
        plain: ".weight",
        needs: &[".s"],
        may: &[".workspace", ".reduce_buffer"],
        size: shapes::marlin,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "aqlm",
        words: &[".codes"],
        plain: ".weight",
        needs: &[".codebooks", ".scales"],
        may: &[],
        size: shapes::aqlm,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "quip",
        words: &[".Qidxs"],
        plain: ".weight",
        needs: &[".SU", ".SV"],
        may: &[".Wscale", ".codebook_id", ".had_left", ".had_right", ".rcp", ".tlut"],
        size: shapes::quip,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "exl3",
        words: &[".trellis"],
        plain: ".weight",
        needs: &[],
        may: &[".suh", ".svh", ".su", ".sv", ".mcg", ".mul1"],
        size: shapes::exl3,
        decode: Decode::Nobody,
    },
    Packing {
        layout: "vptq",
        words: &[".indices"],
        plain: ".weight",
        needs: &[".centroids.weight"],
        may: &[
            ".res_centroids.weight",
            ".outlier_centroids.weight",
            ".outlier_indices",
            ".res_indices",
            ".weight_scale",
            ".weight_bias",
            ".perm",
        ],
        size: shapes::unknown,
        decode: Decode::Nobody,
    },
];

/// Whether the numbers of a layout of packed weights are read.
pub(crate) fn reads_numbers(layout: &str) -> bool {
    PACKINGS.iter().any(|it| it.layout == layout && it.decode != Decode::Nobody)
}

impl Packing {
    /// What it makes of a tensor; none where that is not packed this way.
    pub(super) fn treat(&'static self, name: &str, seen: &Seen<'_>, around: &dyn Around) -> Option<Treatment> {
        let module = self.words.iter().find_map(|end| name.strip_suffix(end))?;
        let plain = format!("{module}{}", self.plain);
        Some(match self.size_at(module, &plain, seen, around)? {
            Size::Known(shape) => Treatment::Packed { name: plain, shape, packing: self },
            Size::Unknown => Treatment::Opaque { name: plain, packing: self },
        })
    }

    /// Whether a tensor stands beside one that is packed this way.
    pub(super) fn has_beside(&self, name: &str, around: &dyn Around) -> bool {
        let mut modules = self.needs.iter().chain(self.may).filter_map(|end| name.strip_suffix(end));
        modules.any(|module| {
            let mut words = self.words.iter().filter_map(|end| around.seen(&format!("{module}{end}")));
            let plain = format!("{module}{}", self.plain);
            words.any(|seen| self.size_at(module, &plain, &seen, around).is_some())
        })
    }

    fn size_at(&self, module: &str, plain: &str, seen: &Seen<'_>, around: &dyn Around) -> Option<Size> {
        if !self.needs.iter().all(|end| around.seen(&format!("{module}{end}")).is_some()) {
            return None;
        }
        // Of a name in an index nothing else is known, and a packed weight is no single number.
        if seen.shape.is_empty() {
            let has_own_name = seen.dtype.is_empty() && !self.words.contains(&self.plain);
            return has_own_name.then(|| Size::Known(Vec::new()));
        }
        (self.size)(&Site { module, plain: plain.to_owned(), words: seen, around })
    }
}

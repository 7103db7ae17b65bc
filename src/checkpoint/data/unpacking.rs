//! From the parts of a packed weight to what reads it, layout by layout.

use crate::checkpoint::data::code_book::CodeBook;
use crate::checkpoint::data::decode;
use crate::checkpoint::data::exl2::{self, Exl2};
use crate::checkpoint::data::grouped::{Bytes, Grouped, Numbers, Row, Side, Zero};
use crate::checkpoint::data::hqq::{self, Hqq};
use crate::checkpoint::data::packed::{self, Packed};
use crate::checkpoint::data::recipe::{Recipe, Tensors};
use crate::checkpoint::data::scaled::PowerScaled;
use crate::checkpoint::data::ternary::Ternary;
use crate::checkpoint::{Decode, Packing, Tensor};

/// A packed weight and everything that stands around it.
pub(super) struct Unpacking<'a> {
    pub(super) tensors: &'a Tensors<'a>,
    pub(super) packing: &'static Packing,
    /// The packed weight and its number.
    pub(super) index: usize,
    pub(super) words: &'a Tensor,
    /// Shape and name of the plain weight.
    pub(super) shape: &'a [u64],
    pub(super) plain: &'a str,
}

type Part<'a> = (usize, &'a Tensor);

impl<'a> Unpacking<'a> {
    /// What reads it, or why nothing does.
    pub(super) fn recipe(&self) -> Result<Recipe, String> {
        match self.packing.decode {
            Decode::Words => self.words_along(),
            Decode::Compressed => self.compressed(),
            Decode::Fp4 => self.fp4(),
            Decode::Blocks => self.blocks(),
            Decode::CodeBook => self.code_book(),
            Decode::Mlx => self.mlx(),
            Decode::Ternary => self.ternary(),
            Decode::Exl2 => self.exl2(),
            Decode::Hqq => self.hqq(),
            Decode::Int4 => self.int4(),
            Decode::Scaled => self.scaled(),
            Decode::Nobody => {
                Err(format!("it is packed as {}, which this version does not unpack", self.packing.layout))
            }
        }
    }

    /// The name up to the weight's own end, as all of its parts have it.
    fn module(&self) -> &str {
        self.plain.strip_suffix(".weight").unwrap_or(self.plain)
    }

    fn beside(&self, end: &str) -> Option<Part<'a>> {
        self.tensors.get(&format!("{}{end}", self.module()))
    }

    fn needed(&self, end: &str) -> Result<Part<'a>, String> {
        self.beside(end).ok_or_else(|| format!("it is packed, and its part `{end}` is not there"))
    }

    /// Rows and columns of the plain weight, all dimensions but the last counted through.
    fn matrix(&self) -> Result<(u64, u64), String> {
        let rows = |front: &[u64]| front.iter().try_fold(1_u64, |product, it| product.checked_mul(*it));
        let split = self.shape.split_last().and_then(|(columns, front)| Some((rows(front)?, *columns)));
        split.ok_or_else(|| format!("its shape {:?} has no columns", self.shape))
    }

    /// How many bytes a row of packed numbers takes.
    fn row_bytes(&self, rows: u64) -> Result<u64, String> {
        let bytes = self.words.bytes().checked_div(rows).filter(|it| it.checked_mul(rows) == Some(self.words.bytes()));
        bytes.ok_or_else(|| format!("its {} bytes are no whole number for each of {rows} rows", self.words.bytes()))
    }

    fn words_along(&self) -> Result<Recipe, String> {
        let scales = self.needed(".scales")?;
        if let Some(why) = decode::unreadable(&scales.1.dtype) {
            return Err(why);
        }
        let (zeros, order) = (self.beside(".qzeros"), self.beside(".g_idx"));
        let tensors = packed::Parts {
            words: self.words,
            zeros: zeros.map(|it| it.1),
            scales: scales.1,
            order: order.map(|it| it.1),
        };
        let parts = packed::Parts {
            words: self.index,
            zeros: zeros.map(|it| it.0),
            scales: scales.0,
            order: order.map(|it| it.0),
        };
        let is_second = self.tensors.settings.text("checkpoint_format") == Some("gptq_v2");
        Packed::new(self.shape, tensors, parts, is_second).map(|it| Recipe::Packed(Box::new(it)))
    }

    fn compressed(&self) -> Result<Recipe, String> {
        let (rows, columns) = self.matrix()?;
        let scale = self.needed(".weight_scale")?;
        let bytes = self.row_bytes(rows)?;
        let bits = self.tensors.settings.number(self.module(), "bits").or_else(|| bits_of(bytes, columns));
        let bits = bits.filter(|it| (1..=8).contains(it)).ok_or("nothing tells how many bits its numbers have")?;
        let row = Row { bytes, bits, numbers: Numbers::Whole, is_in_words: true };
        let groups = groups_of(scale.1, rows);
        let mut beside = vec![(scale.1, scale.1.elements())];
        let zero = match self.beside(".weight_zero_point") {
            // A zero point that stands for all rows, or is not packed, is that of a symmetric range.
            Some(zero) if zero.1.dtype.to_string() == "I32" => {
                let each = 32_u64.checked_div(bits).unwrap_or(1).max(1);
                beside.push((zero.1, rows.div_ceil(each).saturating_mul(groups)));
                Zero::InWords(zero.0)
            }
            _ => Zero::Fixed(1_u32.wrapping_shl(u32::try_from(bits).unwrap_or(1).saturating_sub(1))),
        };
        let order = self.beside(".weight_g_idx");
        beside.extend(order.map(|it| (it.1, columns)));
        let order = order.map(|it| it.0);
        let scales = Side { tensor: scale.0, is_turned: false, bytes: None };
        let grouped = Grouped { words: self.index, row, rows, columns, groups, scales, zero, overall: None, order };
        self.checked(grouped, &beside)
    }

    fn fp4(&self) -> Result<Recipe, String> {
        let (rows, columns) = self.matrix()?;
        let scale = self.needed(".weight_scale")?;
        let groups = groups_of(scale.1, rows);
        let bytes = if scale.1.dtype.to_string() == "U8" { Some(Bytes::E8m0) } else { None };
        let scales = Side { tensor: scale.0, is_turned: false, bytes };
        let factor = self.beside(".weight_scale_2");
        let divisor = self.beside(".weight_global_scale");
        let mut beside = vec![(scale.1, rows.saturating_mul(groups))];
        beside.extend(factor.or(divisor).map(|it| (it.1, 1)));
        let overall = factor.map(|it| (it.0, false)).or(divisor.map(|it| (it.0, true)));
        let row = Row { bytes: self.row_bytes(rows)?, bits: 4, numbers: Numbers::E2m1, is_in_words: false };
        let zero = Zero::Fixed(0);
        let grouped = Grouped { words: self.index, row, rows, columns, groups, scales, zero, overall, order: None };
        self.checked(grouped, &beside)
    }

    fn blocks(&self) -> Result<Recipe, String> {
        let (scales, tensor) = self.needed("_scales")?;
        let recipe = Recipe::PowerScaled(PowerScaled { blocks: self.index, scales });
        PowerScaled::unreadable(self.words, tensor).map_or(Ok(recipe), Err)
    }

    fn code_book(&self) -> Result<Recipe, String> {
        let (highest, book) = (self.needed(".weight.absmax")?, self.needed(".weight.quant_map")?);
        let states = ["nf4", "fp4"].map(|it| self.beside(&format!(".weight.quant_state.bitsandbytes__{it}")));
        let state = states.into_iter().flatten().next().ok_or("it is packed, and its state is not there")?;
        let nested = self.beside(".weight.nested_absmax").zip(self.beside(".weight.nested_quant_map"));
        let elements = self.shape.iter().copied().fold(1, u64::saturating_mul);
        let unreadable = CodeBook::unreadable(elements, self.words, book.1, highest.1, nested.is_some());
        let nested = nested.map(|(of_highest, book)| (of_highest.0, book.0));
        let recipe = CodeBook { words: self.index, highest: highest.0, book: book.0, state: state.0, nested };
        unreadable.map_or(Ok(Recipe::CodeBook(recipe)), Err)
    }

    fn mlx(&self) -> Result<Recipe, String> {
        let (rows, columns) = self.matrix()?;
        let scale = self.needed(".scales")?;
        let groups = groups_of(scale.1, rows);
        let bytes = self.row_bytes(rows)?;
        let bits = bits_of(bytes, columns).ok_or("its words are no whole number of bits for each number")?;
        let bias = self.beside(".biases");
        let (numbers, side_bytes) = match (bias, bits, columns.checked_div(groups)) {
            (Some(_), ..) => (Numbers::Whole, None),
            (None, 4, Some(16)) => (Numbers::E2m1, Some(Bytes::E4m3)),
            (None, 4, _) => (Numbers::E2m1, Some(Bytes::E8m0)),
            (None, 8, _) => (Numbers::E4m3, Some(Bytes::E8m0)),
            _ => return Err("it has no biases, and its numbers have neither four bits nor eight".into()),
        };
        let is_bytes = scale.1.dtype.to_string() == "U8";
        if is_bytes != side_bytes.is_some() {
            return Err(format!(
                "its part {} is {}, which is not what its biases ask for",
                scale.1.name, scale.1.dtype
            ));
        }
        let side = |tensor: usize| Side { tensor, is_turned: false, bytes: side_bytes };
        let zero = bias.map_or(Zero::Fixed(0), |it| Zero::Behind(side(it.0)));
        let all = rows.saturating_mul(groups);
        let beside: Vec<_> = std::iter::once((scale.1, all)).chain(bias.map(|it| (it.1, all))).collect();
        let row = Row { bytes, bits, numbers, is_in_words: false };
        let scales = side(scale.0);
        let grouped =
            Grouped { words: self.index, row, rows, columns, groups, scales, zero, overall: None, order: None };
        self.checked(grouped, &beside)
    }

    fn int4(&self) -> Result<Recipe, String> {
        let (rows, columns) = self.matrix()?;
        let (scale, zero) = (self.needed("._weight_scale")?, self.needed("._weight_zero_point")?);
        let groups = scale.1.shape.first().copied().unwrap_or(1);
        let side = |tensor: usize| Side { tensor, is_turned: true, bytes: None };
        let row = Row { bytes: self.row_bytes(rows)?, bits: 4, numbers: Numbers::Signed, is_in_words: false };
        let all = rows.saturating_mul(groups);
        let grouped = Grouped {
            words: self.index,
            row,
            rows,
            columns,
            groups,
            scales: side(scale.0),
            zero: Zero::Behind(side(zero.0)),
            overall: None,
            order: None,
        };
        self.checked(grouped, &[(scale.1, all), (zero.1, all)])
    }

    fn checked(&self, grouped: Grouped, beside: &[(&Tensor, u64)]) -> Result<Recipe, String> {
        let of_type = beside.iter().find_map(|it| decode::unreadable(&it.0.dtype));
        let unreadable = of_type.or_else(|| grouped.unreadable(self.words, beside));
        unreadable.map_or_else(|| Ok(Recipe::Grouped(Box::new(grouped))), Err)
    }

    fn ternary(&self) -> Result<Recipe, String> {
        let scale = self.needed(".weight_scale")?;
        let [rows, columns] = *self.shape.as_array::<2>().ok_or("it is no matrix")?;
        // The first program divided by the scale, the one that packs outside of training multiplies by it.
        let divides = self.tensors.settings.text("linear_class") != Some("autobitlinear");
        let recipe = Ternary { bytes: self.index, scale: scale.0, rows: rows / 4, columns, divides };
        Ternary::unreadable(self.words, scale.1).map_or(Ok(Recipe::Ternary(recipe)), Err)
    }

    fn exl2(&self) -> Result<Recipe, String> {
        let ends = [".q_scale", ".q_scale_max", ".q_groups", ".q_invperm"];
        let [scale, highest, groups, order] = ends.map(|end| self.needed(end));
        let (scale, highest, groups, order) = (scale?, highest?, groups?, order?);
        let tensors =
            exl2::Parts { words: self.words, scale: scale.1, highest: highest.1, groups: groups.1, order: order.1 };
        let parts =
            exl2::Parts { words: self.index, scale: scale.0, highest: highest.0, groups: groups.0, order: order.0 };
        Exl2::new(self.shape, tensors, parts).map(|it| Recipe::Exl2(Box::new(it)))
    }

    fn hqq(&self) -> Result<Recipe, String> {
        let (scale, zero) = (self.needed(".scale")?, self.needed(".zero")?);
        if let Some(why) = [scale, zero].iter().find_map(|it| decode::unreadable(&it.1.dtype)) {
            return Err(why);
        }
        let tensors = hqq::Parts { words: self.words, scale: scale.1, zero: zero.1 };
        let parts = hqq::Parts { words: self.index, scale: scale.0, zero: zero.0 };
        Hqq::new(self.shape, tensors, parts).map(|it| Recipe::Hqq(Box::new(it)))
    }

    /// One element a number under another name.
    fn scaled(&self) -> Result<Recipe, String> {
        let scales = ["._weight_scale", ".weight._scale"].iter().find_map(|end| self.beside(end));
        let scale = scales.ok_or("it is packed, and its scales are not there")?;
        let zero = self.beside("._weight_zero_point").or_else(|| self.beside(".weight._shift"));
        let scaled = self.tensors.scaled_by([self.index, scale.0], (self.words, scale.1), zero, 1.0)?;
        Ok(Recipe::Scaled(scaled))
    }
}

/// How many scales a row has; one where there are fewer than rows.
fn groups_of(scale: &Tensor, rows: u64) -> u64 {
    scale.elements().checked_div(rows).unwrap_or(1).max(1)
}

/// How many bits each of so many numbers has that fill a row of bytes.
fn bits_of(bytes: u64, columns: u64) -> Option<u64> {
    bytes.checked_mul(8)?.checked_div(columns).filter(|it| (1..=8).contains(it))
}

//! The units a claim may be given in, as people write them, and how many base units each is.

use crate::claims::About;

/// What kind of value a claim carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// A number.
    Number(&'static Measure),
    /// A day.
    Date,
    /// Yes or no.
    YesOrNo,
    /// A name of a closed list.
    Name,
}

/// How numbers about something are given.
#[derive(Debug, PartialEq)]
pub struct Measure {
    /// The base unit that values are kept in.
    pub base: &'static str,
    /// Words of the unit, in lower case, and base units in one of each. A scale (`B`, `万`) may stand before any.
    pub nouns: &'static [(&'static str, f64)],
    /// What may be left out.
    pub bare: Bare,
    /// The largest value anybody can mean, base units.
    pub most: f64,
    /// Units as a hint shows them; the first is the usual one.
    pub examples: &'static [&'static str],
}

/// What a unit may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// Nothing: the word of the unit must stand there.
    Nothing,
    /// The word, where a scale stands there (`3.1T`), or the number is written out.
    Word,
    /// Everything: it is a count.
    All,
}

/// The money a cost is stated in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Currency {
    /// US dollars.
    Dollar,
    /// Renminbi.
    Renminbi,
}

/// What the words behind a number come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tail {
    /// Base units in one (of money: dollars or yuan).
    pub(crate) factor: f64,
    /// Whether a scale stood there.
    pub(crate) is_scaled: bool,
    /// Whether the word of the unit stood there.
    pub(crate) is_named: bool,
    /// The currency of money.
    pub(crate) currency: Option<Currency>,
}

impl About {
    /// What a claim about it must state.
    pub fn expected(self) -> Expected {
        match self {
            Self::Parameters | Self::ActiveParameters => Expected::Number(&PARAMETERS),
            Self::TrainingTokens | Self::CleanTokens | Self::FineTuneTokens => Expected::Number(&TOKENS),
            Self::Vocabulary | Self::ContextLength => Expected::Number(&COUNT_OF_TOKENS),
            Self::Epochs => Expected::Number(&EPOCHS),
            Self::RawData => Expected::Number(&BYTES),
            Self::Flop => Expected::Number(&FLOP),
            Self::GpuHours | Self::FineTuneHours => Expected::Number(&HOURS),
            Self::Gpus => Expected::Number(&ACCELERATORS),
            Self::Mfu | Self::Hfu => Expected::Number(&SHARE),
            Self::TrainingDays => Expected::Number(&DAYS),
            Self::Cost => Expected::Number(&MONEY),
            Self::Energy => Expected::Number(&ENERGY),
            Self::GpuModel | Self::Precision => Expected::Name,
            Self::TrainingStart | Self::Release => Expected::Date,
            Self::FromScratch | Self::OwnWork => Expected::YesOrNo,
        }
    }
}

/// Scales, the longest first, so that 万亿 is not read as 万.
const SCALES: &[(&str, f64)] = &[
    ("thousand", 1e3),
    ("trillion", 1e12),
    ("billion", 1e9),
    ("million", 1e6),
    ("万亿", 1e12),
    ("千亿", 1e11),
    ("百亿", 1e10),
    ("十亿", 1e9),
    ("千万", 1e7),
    ("百万", 1e6),
    ("十万", 1e5),
    ("tn", 1e12),
    ("bn", 1e9),
    ("mn", 1e6),
    ("亿", 1e8),
    ("万", 1e4),
    ("千", 1e3),
    ("百", 1e2),
    ("t", 1e12),
    ("b", 1e9),
    ("m", 1e6),
    ("k", 1e3),
];

const PARAMETERS: Measure = Measure {
    base: "parameters",
    nouns: &[("parameters", 1.0), ("parameter", 1.0), ("params", 1.0), ("param", 1.0), ("参数量", 1.0), ("参数", 1.0)],
    bare: Bare::Word,
    most: 1e15,
    examples: &["B parameters", "M parameters", "T parameters", "亿参数", "万亿参数"],
};
const TOKEN_NOUNS: &[(&str, f64)] =
    &[("tokens", 1.0), ("token", 1.0), ("toks", 1.0), ("词元", 1.0), ("token数", 1.0), ("词元数", 1.0)];
const TOKENS: Measure = Measure {
    base: "tokens",
    nouns: TOKEN_NOUNS,
    bare: Bare::Word,
    most: 1e18,
    examples: &["T tokens", "B tokens", "M tokens", "万亿词元", "亿词元", "万亿 tokens", "亿 tokens"],
};
const COUNT_OF_TOKENS: Measure = Measure {
    base: "tokens",
    nouns: TOKEN_NOUNS,
    bare: Bare::All,
    most: 1e9,
    examples: &["tokens", "K tokens", "M tokens", "万词元"],
};
const EPOCHS: Measure = Measure {
    base: "epochs",
    nouns: &[("epochs", 1.0), ("epoch", 1.0), ("passes", 1.0), ("轮", 1.0), ("遍", 1.0)],
    bare: Bare::All,
    most: 1e6,
    examples: &["epochs", "轮"],
};
// Decimal and binary multiples differ by 13 % at a petabyte, so both are spelled out.
const BYTES: Measure = Measure {
    base: "bytes",
    nouns: &[
        ("eb", 1e18),
        ("pb", 1e15),
        ("tb", 1e12),
        ("gb", 1e9),
        ("mb", 1e6),
        ("eib", 1_152_921_504_606_846_976.0),
        ("pib", 1_125_899_906_842_624.0),
        ("tib", 1_099_511_627_776.0),
        ("gib", 1_073_741_824.0),
        ("petabytes", 1e15),
        ("terabytes", 1e12),
        ("gigabytes", 1e9),
        ("bytes", 1.0),
        ("字节", 1.0),
    ],
    bare: Bare::Nothing,
    most: 1e22,
    examples: &["PB", "TB", "GB", "EB", "PiB", "TiB"],
};
const FLOP: Measure = Measure {
    base: "FLOP",
    nouns: &[
        ("flop", 1.0),
        ("flops", 1.0),
        ("次浮点运算", 1.0),
        ("pflop", 1e15),
        ("eflop", 1e18),
        ("zflop", 1e21),
        ("yflop", 1e24),
        // A petaflop a second for a day.
        ("pflop/s-days", 8.64e19),
        ("petaflop/s-days", 8.64e19),
    ],
    bare: Bare::Nothing,
    most: 1e32,
    examples: &["FLOP", "ZFLOP", "PFLOP/s-days"],
};
const HOURS: Measure = Measure {
    base: "GPU-hours",
    nouns: &[
        ("gpu-hours", 1.0),
        ("gpu-hour", 1.0),
        ("gpu hours", 1.0),
        ("gpu hour", 1.0),
        ("gpu-h", 1.0),
        ("gpuh", 1.0),
        ("hours", 1.0),
        ("hour", 1.0),
        ("h", 1.0),
        ("card-hours", 1.0),
        ("npu-hours", 1.0),
        ("npu hours", 1.0),
        ("tpu-hours", 1.0),
        ("tpu hours", 1.0),
        ("chip-hours", 1.0),
        ("chip hours", 1.0),
        ("卡时", 1.0),
        ("卡·时", 1.0),
        ("卡小时", 1.0),
        ("gpu时", 1.0),
        ("gpu小时", 1.0),
        ("gpu 小时", 1.0),
        ("小时", 1.0),
        ("gpu-days", 24.0),
        ("gpu days", 24.0),
        ("gpu-day", 24.0),
        ("npu-days", 24.0),
        ("card-days", 24.0),
        ("卡天", 24.0),
        ("卡日", 24.0),
        ("gpu天", 24.0),
        ("gpu 天", 24.0),
    ],
    bare: Bare::Nothing,
    most: 1e12,
    examples: &["GPU-hours", "M GPU-hours", "GPU-days", "卡时", "万卡时", "百万卡时", "卡天"],
};
const ACCELERATORS: Measure = Measure {
    base: "accelerators",
    nouns: &[
        ("gpus", 1.0),
        ("gpu", 1.0),
        ("npus", 1.0),
        ("npu", 1.0),
        ("tpus", 1.0),
        ("tpu", 1.0),
        ("cards", 1.0),
        ("card", 1.0),
        ("chips", 1.0),
        ("chip", 1.0),
        ("accelerators", 1.0),
        ("加速卡", 1.0),
        ("张卡", 1.0),
        ("张加速卡", 1.0),
        ("块卡", 1.0),
        ("张gpu", 1.0),
        ("块gpu", 1.0),
        ("卡", 1.0),
        ("张", 1.0),
        ("块", 1.0),
        ("片", 1.0),
    ],
    bare: Bare::All,
    most: 1e8,
    examples: &["GPUs", "K GPUs", "卡", "张", "万卡"],
};
const SHARE: Measure = Measure {
    base: "of the peak",
    nouns: &[("%", 0.01), ("percent", 0.01), ("per cent", 0.01), ("share", 1.0)],
    bare: Bare::Nothing,
    most: 1.0,
    examples: &["%", "share"],
};
// A month is a twelfth of 365.25 days.
const DAYS: Measure = Measure {
    base: "days",
    nouns: &[
        ("days", 1.0),
        ("day", 1.0),
        ("d", 1.0),
        ("天", 1.0),
        ("日", 1.0),
        ("weeks", 7.0),
        ("week", 7.0),
        ("周", 7.0),
        ("months", 30.4375),
        ("month", 30.4375),
        ("月", 30.4375),
        ("hours", 1.0 / 24.0),
        ("小时", 1.0 / 24.0),
    ],
    bare: Bare::Nothing,
    most: 1e5,
    examples: &["days", "weeks", "months", "天", "个月"],
};
const DOLLARS: &[&str] = &["usd", "us$", "$", "us dollars", "dollars", "dollar", "美元", "美金"];
const YUAN: &[&str] = &["cny", "rmb", "yuan", "元", "元人民币", "人民币", "人民币元"];
const MONEY: Measure = Measure {
    base: "USD",
    nouns: &[],
    bare: Bare::Nothing,
    most: 1e14,
    examples: &["USD", "M USD", "万美元", "CNY", "万元", "亿元"],
};
const ENERGY: Measure = Measure {
    base: "MWh",
    nouns: &[
        ("mwh", 1.0),
        ("gwh", 1e3),
        ("twh", 1e6),
        ("kwh", 1e-3),
        ("兆瓦时", 1.0),
        ("吉瓦时", 1e3),
        ("千瓦时", 1e-3),
        ("度电", 1e-3),
        ("度", 1e-3),
    ],
    bare: Bare::Nothing,
    most: 1e9,
    examples: &["MWh", "GWh", "kWh", "兆瓦时", "万度"],
};

impl Measure {
    /// Whether it is money.
    pub(crate) fn is_money(&self) -> bool {
        self.base == MONEY.base
    }

    /// Reads scale and unit; none where they are not of this measure.
    pub(crate) fn tail(&self, words: &str) -> Option<Tail> {
        let words = words.trim().to_lowercase();
        let unscaled = self.noun(&words).map(|it| (1.0, false, it));
        let found = unscaled.or_else(|| {
            SCALES.iter().find_map(|(scale, factor)| {
                let rest = words.strip_prefix(scale)?;
                Some((*factor, true, self.noun(rest.trim_start_matches([' ', '-', '个']))?))
            })
        });
        let (scale, is_scaled, (factor, is_named, currency)) = found?;
        Some(Tail { factor: scale * factor, is_scaled, is_named, currency })
    }

    /// Base units in a word of the unit, whether there is one, and the currency it names.
    fn noun(&self, words: &str) -> Option<(f64, bool, Option<Currency>)> {
        let words = words.trim_start_matches('个').trim();
        if self.is_money() {
            let dollars = DOLLARS.contains(&words).then_some(Currency::Dollar);
            let currency = dollars.or_else(|| YUAN.contains(&words).then_some(Currency::Renminbi))?;
            return Some((1.0, true, Some(currency)));
        }
        if words.is_empty() {
            return (self.bare != Bare::Nothing).then_some((1.0, false, None));
        }
        self.nouns.iter().find(|(noun, _)| *noun == words).map(|(_, factor)| (*factor, true, None))
    }

    /// What was likely meant by words that are no unit of this measure.
    pub(crate) fn meant(&self, words: &str) -> Option<String> {
        let lower = words.trim().to_lowercase();
        let is_scale = SCALES.iter().any(|(scale, _)| *scale == lower);
        if self.is_money() && (is_scale || lower.contains('¥')) {
            let scale = words.replace('¥', "");
            let scale = scale.trim();
            let is_latin = scale.is_ascii();
            return Some(if is_latin {
                format!("did you mean `{}` or `{}`?", format!("{scale} USD").trim(), format!("{scale} CNY").trim())
            } else {
                format!("did you mean `{scale}元` or `{scale}美元`?")
            });
        }
        if self.base == BYTES.base && ["e", "p", "t", "g", "m"].contains(&lower.as_str()) {
            return Some(format!("did you mean `{}B`?", lower.to_uppercase()));
        }
        if self.base == SHARE.base && lower.is_empty() {
            return Some("did you mean `%`?".to_owned());
        }
        let likeness = |it: &str| strsim::jaro_winkler(&it.to_lowercase(), &lower);
        let nearest = self.examples.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
        (likeness(nearest) > 0.8).then(|| format!("did you mean `{nearest}`?"))
    }

    /// The words of the unit that other measures do not share, to tell what a number in a quote is of.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        if self.is_money() {
            return DOLLARS.iter().chain(YUAN).copied().collect();
        }
        self.nouns.iter().map(|(noun, _)| *noun).collect()
    }
}

/// Every scale word, the longest first.
pub(crate) fn scales() -> impl Iterator<Item = &'static str> {
    SCALES.iter().map(|(scale, _)| *scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(about: About) -> &'static Measure {
        let Expected::Number(measure) = about.expected() else { panic!("{about:?} has no unit") };
        measure
    }

    #[test]
    fn units_as_people_write_them() {
        for (about, words, factor) in [
            (About::TrainingTokens, "万亿", 1e12),
            (About::TrainingTokens, "万亿词元", 1e12),
            (About::TrainingTokens, "亿词元", 1e8),
            (About::TrainingTokens, "亿 tokens", 1e8),
            (About::TrainingTokens, "trillion tokens", 1e12),
            (About::TrainingTokens, "T", 1e12),
            (About::TrainingTokens, "T token", 1e12),
            (About::TrainingTokens, "B tokens", 1e9),
            (About::TrainingTokens, "tokens", 1.0),
            (About::TrainingTokens, "万亿个token", 1e12),
            (About::Parameters, "B", 1e9),
            (About::Parameters, "B params", 1e9),
            (About::Parameters, "亿", 1e8),
            (About::Parameters, "亿参数", 1e8),
            (About::Parameters, "万亿参数", 1e12),
            (About::Parameters, "billion parameters", 1e9),
            (About::Gpus, "卡", 1.0),
            (About::Gpus, "张", 1.0),
            (About::Gpus, "万卡", 1e4),
            (About::Gpus, "K GPUs", 1e3),
            (About::Gpus, "", 1.0),
            (About::GpuHours, "卡时", 1.0),
            (About::GpuHours, "万卡时", 1e4),
            (About::GpuHours, "百万卡时", 1e6),
            (About::GpuHours, "卡天", 24.0),
            (About::GpuHours, "M GPU-hours", 1e6),
            (About::GpuHours, "million GPU hours", 1e6),
            (About::Cost, "万元", 1e4),
            (About::Cost, "亿元", 1e8),
            (About::Cost, "万美元", 1e4),
            (About::Cost, "RMB", 1.0),
            (About::Cost, "M USD", 1e6),
            (About::Cost, "million dollars", 1e6),
            (About::RawData, "EB", 1e18),
            (About::RawData, "PiB", 1_125_899_906_842_624.0),
            (About::Energy, "MWh", 1.0),
            (About::Energy, "万度", 10.0),
            (About::Energy, "GWh", 1e3),
            (About::Flop, "FLOPs", 1.0),
            (About::Flop, "PFLOP/s-days", 8.64e19),
            (About::ContextLength, "K", 1e3),
            (About::TrainingDays, "个月", 30.4375),
            (About::Mfu, "%", 0.01),
            (About::Epochs, "", 1.0),
        ] {
            let tail = measure(about).tail(words).unwrap_or_else(|| panic!("{about:?} `{words}`"));
            assert!((tail.factor - factor).abs() <= 1e-12 * factor, "{about:?} `{words}`: {}", tail.factor);
        }
    }

    #[test]
    fn what_is_ambiguous_is_not_a_unit_and_says_what_was_meant() {
        for (about, words, meant) in [
            (About::Cost, "万", "`万元` or `万美元`"),
            (About::Cost, "M", "`M USD` or `M CNY`"),
            (About::Cost, "万 ¥", "`万元` or `万美元`"),
            (About::RawData, "T", "`TB`"),
            (About::Mfu, "", "`%`"),
            (About::GpuHours, "GPU-hrs", "`GPU-hours`"),
            (About::TrainingTokens, "T tokns", "`T tokens`"),
        ] {
            assert_eq!(measure(about).tail(words), None, "{about:?} `{words}`");
            let told = measure(about).meant(words).unwrap_or_default();
            assert!(told.contains(meant), "{about:?} `{words}`: {told}");
        }
        assert_eq!(measure(About::TrainingTokens).tail("PB"), None);
        assert_eq!(measure(About::Flop).tail("FLOP/s"), None);
    }

    #[test]
    fn every_example_is_a_unit() {
        for about in About::ALL {
            let Expected::Number(measure) = about.expected() else { continue };
            assert!(measure.examples.iter().all(|it| measure.tail(it).is_some()), "{about:?}");
            assert!(measure.names().iter().all(|it| *it == it.to_lowercase()));
        }
    }
}

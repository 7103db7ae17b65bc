//! A claim as the case file writes it, and what makes it valid.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claims::figure::Figure;
use crate::claims::reading::{self, Reading};
use crate::claims::unit::Expected;
use crate::claims::{About, Bands, Claim, ClaimValue, Conversion, quote};
use crate::fact::Text;

/// One number, date or statement of the company, with its words and where they were found.
///
/// Fields are looser than in [`Claim`], so that every mistake of a claim is told in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimAsWritten {
    /// Id inside the case, e.g. `CL-TOKENS`.
    pub id: String,
    /// Id of the model it is about; may be left out where the case has one model only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the claim is about.
    #[schemars(with = "About")]
    pub about: String,
    /// A number (in `unit`, or with its unit: `3.1T tokens`, `2-3`, `~3`, `at least 3`), a day (YYYY-MM-DD), true or
    /// false, or a name.
    pub value: ValueAsWritten,
    /// For numbers only: the unit, e.g. `B parameters`, `T tokens`, `万亿词元`, `PB`, `GPU-hours`, `万卡时`, `M USD`, `万元`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The company's words, exactly; plain, or by language.
    pub quote: Text,
    /// Ids of the evidence the words were taken from.
    pub source: Vec<String>,
    /// The day it was said (YYYY-MM-DD).
    #[schemars(with = "NaiveDate")]
    pub date: String,
}

/// A value as YAML gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ValueAsWritten {
    /// `true` or `false`.
    Yes(bool),
    /// A number.
    Number(f64),
    /// A day, a name, or a number with its unit.
    Words(String),
}

/// One mistake in a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The field it is in.
    pub field: &'static str,
    /// What was found and what was expected; lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A value in base units, with what it was understood from.
struct Understood {
    value: ClaimValue,
    text: String,
    conversion: Option<Conversion>,
}

impl ClaimAsWritten {
    /// The claim in base units, or everything that is wrong with it.
    ///
    /// Whether `source` names evidence and `subject` a model that exists is for the case to say: it alone knows them.
    pub fn validate(&self, bands: &Bands) -> Result<Claim, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let about = keep(read_about(&self.about), &mut mistakes);
        let date = read_date("date", &self.date);
        let day = *date.as_ref().unwrap_or(&bands.date);
        let understood = about.and_then(|it| keep(self.value_about(it, day, bands), &mut mistakes));
        let date = keep(date, &mut mistakes);
        mistakes.extend(self.gaps());
        match (about, understood, date) {
            (Some(about), Some(understood), Some(date)) if mistakes.is_empty() => {
                Ok(self.with(about, understood, date))
            }
            _ => Err(mistakes),
        }
    }

    /// What is left empty.
    fn gaps(&self) -> Vec<Mistake> {
        let mut gaps = Vec::new();
        if self.id.trim().is_empty() {
            gaps.push(mistake("id", "a claim needs an id", "for instance `CL-TOKENS`"));
        }
        if self.subject.as_ref().is_some_and(|it| it.trim().is_empty()) {
            gaps.push(mistake("subject", "the model is left empty", "name the id of a model, or take the line out"));
        }
        if self.quote.is_empty() {
            gaps.push(mistake("quote", "a claim needs the company's words", "copy them exactly, with their numbers"));
        }
        if self.source.is_empty() {
            gaps.push(mistake("source", "a claim needs a source", "name the ledger entry it was taken from"));
        }
        gaps
    }

    fn with(&self, about: About, understood: Understood, date: NaiveDate) -> Claim {
        Claim {
            id: self.id.clone(),
            subject: self.subject.as_ref().map(|it| it.trim().to_owned()),
            about,
            value: understood.value,
            unit: self.unit.clone(),
            understood: understood.text,
            conversion: understood.conversion,
            quote: self.quote.clone(),
            source: self.source.clone(),
            date,
        }
    }

    fn value_about(&self, about: About, day: NaiveDate, bands: &Bands) -> Result<Understood, Mistake> {
        let word = about.word();
        match (about.expected(), &self.value) {
            (Expected::Number(_), ValueAsWritten::Yes(_)) => {
                Err(mistake("value", format!("`{word}` takes a number"), reading::example(about)))
            }
            (Expected::Number(_), value) => {
                let written = match value {
                    ValueAsWritten::Number(number) => format!("{number}"),
                    ValueAsWritten::Words(words) => words.clone(),
                    ValueAsWritten::Yes(_) => String::new(),
                };
                let reading = reading::read(about, &written, self.unit.as_deref(), bands)?;
                self.agrees_with_its_quote(about, &reading)?;
                Ok(number(about, &reading, day, bands))
            }
            (_, _) if self.unit.is_some() => {
                Err(mistake("unit", format!("`{word}` has no unit"), "take the `unit` line out"))
            }
            (Expected::Date, ValueAsWritten::Words(day)) => {
                read_date("value", day).map(|it| plain(ClaimValue::Date(it), it.to_string()))
            }
            (Expected::Date, _) => Err(mistake("value", format!("`{word}` takes a day"), "write it as YYYY-MM-DD")),
            (Expected::YesOrNo, ValueAsWritten::Yes(yes)) => Ok(plain(ClaimValue::Yes(*yes), yes.to_string())),
            (Expected::YesOrNo, _) => Err(mistake(
                "value",
                format!("`{word}` takes `true` or `false`"),
                "write one of the two, without quotes",
            )),
            (Expected::Name, ValueAsWritten::Words(name)) => {
                known_name(about, name, bands).map(|it| plain(ClaimValue::Name(it.clone()), understood(name, &it)))
            }
            // `4090` is a number to YAML.
            (Expected::Name, ValueAsWritten::Number(number)) => known_name(about, &number.to_string(), bands)
                .map(|it| plain(ClaimValue::Name(it.clone()), understood(&number.to_string(), &it))),
            (Expected::Name, _) => Err(mistake("value", format!("`{word}` takes a name"), names_hint(about, bands))),
        }
    }

    /// A number that the quote holds at another scale is a slip of whoever copied it.
    fn agrees_with_its_quote(&self, about: About, reading: &Reading) -> Result<(), Mistake> {
        let quotes: Vec<&str> = self.quote.languages().filter_map(|it| self.quote.get(it)).collect();
        let slips: Vec<String> =
            quotes.iter().filter_map(|it| quote::other_scale(about, reading.figure, reading.currency, it)).collect();
        // Words in two languages: what fits one of them was copied from that one.
        if slips.len() < quotes.len() || slips.is_empty() {
            return Ok(());
        }
        let field = if self.unit.is_some() { "unit" } else { "value" };
        let message = format!("the quote says `{}`, and value and unit say {}", slips[0], reading.shown());
        Err(mistake(field, message, "write the number and the unit of the quote"))
    }
}

fn plain(value: ClaimValue, text: String) -> Understood {
    Understood { value, text, conversion: None }
}

fn understood(written: &str, read: &str) -> String {
    if written == read { read.to_owned() } else { format!("{written} -> {read}") }
}

/// A number in base units; yuan at the last rate by the day of the claim.
fn number(about: About, reading: &Reading, day: NaiveDate, bands: &Bands) -> Understood {
    let conversion = reading.is_yuan().then(|| bands.rate(day)).flatten().map(|rate| Conversion {
        from: "CNY".to_owned(),
        rate: rate.yuan,
        date: rate.date,
        source: rate.source.clone(),
    });
    let Figure { kind, low, high, half_digit } = reading.figure;
    let rate = conversion.as_ref().map_or(1.0, |it| it.rate);
    let scaled = |it: f64| crate::claims::worksheet::rounded(it / rate);
    let figure = Figure { kind, low: scaled(low), high: scaled(high), half_digit };
    let rate = conversion.as_ref().map(|it| format!(" at {} CNY per USD of {}", it.rate, it.date)).unwrap_or_default();
    let text = format!("{} -> {}{rate}", reading.written, reading::shown(figure, about));
    Understood { value: ClaimValue::Number(figure), text, conversion }
}

fn keep<T>(result: Result<T, Mistake>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    result.map_err(|it| mistakes.push(it)).ok()
}

pub(crate) fn mistake(field: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Mistake {
    Mistake { field, message: message.into(), hint: Some(hint.into()) }
}

fn read_about(written: &str) -> Result<About, Mistake> {
    About::ALL.into_iter().find(|it| it.word() == written).ok_or_else(|| {
        let likely = About::ALL.into_iter().max_by(|one, other| {
            strsim::jaro_winkler(one.word(), written).total_cmp(&strsim::jaro_winkler(other.word(), written))
        });
        let words = About::ALL.map(|it| format!("`{}`", it.word())).join(", ");
        let hint = match likely.filter(|it| strsim::jaro_winkler(it.word(), written) > 0.8) {
            Some(likely) => format!("did you mean `{}`?", likely.word()),
            None => format!("one of {words}"),
        };
        mistake("about", format!("a claim cannot be about `{written}`"), hint)
    })
}

fn read_date(field: &'static str, written: &str) -> Result<NaiveDate, Mistake> {
    NaiveDate::parse_from_str(written, "%Y-%m-%d")
        .ok()
        .filter(|_| written.len() == 10)
        .ok_or_else(|| mistake(field, format!("`{written}` is not a day"), "write it as YYYY-MM-DD, in ASCII digits"))
}

/// Begins the name of an accelerator that the bands file does not list.
pub(crate) const OTHER: &str = "other: ";

fn known_name(about: About, written: &str, bands: &Bands) -> Result<String, Mistake> {
    let other = written.trim().strip_prefix(OTHER.trim_end()).map(str::trim).filter(|it| !it.is_empty());
    let found = match (about, other) {
        (About::Precision, _) => bands.precision(written),
        (_, Some(other)) => Some(bands.accelerator(other).map_or(format!("{OTHER}{other}"), |it| it.name.clone())),
        (_, None) => bands.accelerator(written).map(|it| it.name.clone()),
    };
    found.ok_or_else(|| {
        mistake("value", format!("`{written}` has no published peak in the bands file"), names_hint(about, bands))
    })
}

fn names_hint(about: About, bands: &Bands) -> String {
    let quoted = |names: &[String]| names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    if about == About::Precision {
        return format!("one of {}; leave the claim out where it is another one", quoted(&bands.precisions()));
    }
    let names: Vec<String> = bands.accelerators.iter().map(|it| it.name.clone()).collect();
    format!(
        "one of {}; for another one write `\"other: NAME\"`, without a peak nothing is reckoned on it",
        quoted(&names)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(about: &str, value: &str, unit: Option<&str>) -> ClaimAsWritten {
        ClaimAsWritten {
            id: "CL-1".to_owned(),
            subject: None,
            about: about.to_owned(),
            value: serde_yaml::from_str(value).unwrap(),
            unit: unit.map(str::to_owned),
            quote: Text::plain("as they said it"),
            source: vec!["EV-001".to_owned()],
            date: "2024-03-07".to_owned(),
        }
    }

    fn check(about: &str, value: &str, unit: Option<&str>, expected: ClaimValue) {
        let claim = written(about, value, unit).validate(&Bands::shipped()).unwrap();
        assert_eq!(claim.value, expected, "{about} {value} {unit:?}");
    }

    fn check_mistake(about: &str, value: &str, unit: Option<&str>, field: &str, words: &str) {
        let mistakes = written(about, value, unit).validate(&Bands::shipped()).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].field, field);
        let told = format!("{} {}", mistakes[0].message, mistakes[0].hint.as_deref().unwrap_or_default());
        assert!(told.contains(words), "{told}");
    }

    #[track_caller]
    fn check_number(about: &str, value: &str, unit: Option<&str>, low: f64, high: f64, understood: &str) {
        let claim = written(about, value, unit).validate(&Bands::shipped()).unwrap_or_else(|it| panic!("{it:?}"));
        let ClaimValue::Number(figure) = claim.value else { panic!("{claim:?}") };
        assert_eq!((figure.low, figure.high, claim.understood.as_str()), (low, high, understood));
    }

    #[test]
    fn numbers_come_out_in_base_units_with_what_was_understood() {
        let tokens = "training_tokens";
        check_number("parameters", "34", Some("B parameters"), 3.4e10, 3.4e10, "34 B parameters -> 3.4e10 parameters");
        check_number("parameters", "340", Some("亿参数"), 3.4e10, 3.4e10, "340 亿参数 -> 3.4e10 parameters");
        check_number("parameters", "340", Some("亿"), 3.4e10, 3.4e10, "340 亿 -> 3.4e10 parameters");
        check_number("parameters", "34", Some("B"), 3.4e10, 3.4e10, "34 B -> 3.4e10 parameters");
        check_number("parameters", "7B params", None, 7e9, 7e9, "7B params -> 7e9 parameters");
        check_number(tokens, "3.1", Some("万亿"), 3.1e12, 3.1e12, "3.1 万亿 -> 3.1e12 tokens");
        check_number(tokens, "3.1", Some("trillion tokens"), 3.1e12, 3.1e12, "3.1 trillion tokens -> 3.1e12 tokens");
        check_number(tokens, "3.1T", None, 3.1e12, 3.1e12, "3.1T -> 3.1e12 tokens");
        check_number(tokens, "3.1T", Some("tokens"), 3.1e12, 3.1e12, "3.1T tokens -> 3.1e12 tokens");
        check_number(tokens, "3.1T tokens", Some("T tokens"), 3.1e12, 3.1e12, "3.1T tokens -> 3.1e12 tokens");
        check_number(tokens, "3.1万亿 tokens", None, 3.1e12, 3.1e12, "3.1万亿 tokens -> 3.1e12 tokens");
        check_number(tokens, "\"3,100\"", Some("B tokens"), 3.1e12, 3.1e12, "3,100 B tokens -> 3.1e12 tokens");
        check_number(tokens, "\"~3\"", Some("T tokens"), 3e12, 3e12, "~3 T tokens -> about 3e12 tokens");
        check_number(tokens, "2-3", Some("T tokens"), 2e12, 3e12, "2-3 T tokens -> 2e12 to 3e12 tokens");
        check_number(tokens, "at least 3", Some("T tokens"), 3e12, 3e12, "at least 3 T tokens -> at least 3e12 tokens");
        check_number(tokens, "\">3\"", Some("T tokens"), 3e12, 3e12, ">3 T tokens -> at least 3e12 tokens");
        check_number("raw_data", "1", Some("EB"), 1e18, 1e18, "1 EB -> 1e18 bytes");
        check_number(
            "gpu_hours",
            "2.664",
            Some("M GPU-hours"),
            2_664_000.0,
            2_664_000.0,
            "2.664 M GPU-hours -> 2664000 GPU-hours",
        );
        check_number(
            "gpu_hours",
            "2.788M H800 hours",
            None,
            2_788_000.0,
            2_788_000.0,
            "2.788M H800 hours -> 2788000 GPU-hours",
        );
        check_number("gpus", "1200", Some("卡"), 1200.0, 1200.0, "1200 卡 -> 1200 accelerators");
        check_number("gpus", "万卡", None, 10000.0, 10000.0, "万卡 -> 10000 accelerators");
        check_number("gpus", "2048 H800", None, 2048.0, 2048.0, "2048 H800 -> 2048 accelerators");
        check_number("mfu", "43", Some("%"), 0.43, 0.43, "43 % -> 0.43 of the peak");
        check_number("context_length", "128K", None, 128_000.0, 128_000.0, "128K -> 128000 tokens");
    }

    #[test]
    fn yuan_are_converted_at_the_last_rate_by_the_day_and_the_rate_is_kept() {
        // 30,000,000 yuan on 7 March 2024 at 7.0827 of 29 December 2023: 4,235,672.84 dollars.
        let claim = written("cost", "3000", Some("万元")).validate(&Bands::shipped()).unwrap();
        let ClaimValue::Number(figure) = claim.value else { panic!() };
        assert!((figure.low - 4_235_672.84).abs() < 0.01, "{figure:?}");
        let conversion = claim.conversion.unwrap();
        assert_eq!((conversion.from.as_str(), conversion.rate), ("CNY", 7.0827));
        assert!(claim.understood.ends_with("USD at 7.0827 CNY per USD of 2023-12-29"), "{}", claim.understood);
        let dollars = written("cost", "$5.58M", None).validate(&Bands::shipped()).unwrap();
        assert_eq!(dollars.conversion, None);
        assert_eq!(dollars.understood, "$5.58M -> 5580000 USD");
        for value in ["3000 RMB", "0.3 万元", "3000 CNY", "3000元"] {
            let ClaimValue::Number(it) = written("cost", value, None).validate(&Bands::shipped()).unwrap().value else {
                panic!()
            };
            assert!((it.low - 3000.0 / 7.0827).abs() < 1e-6, "{value}");
        }
    }

    #[test]
    fn names_days_and_statements() {
        check("gpu_model", "a100-80g", None, ClaimValue::Name("A100".to_owned()));
        check("gpu_model", "昇腾910B", None, ClaimValue::Name("Ascend 910B".to_owned()));
        check("gpu_model", "4090", None, ClaimValue::Name("RTX 4090".to_owned()));
        check("gpu_model", "\"other: MLU590\"", None, ClaimValue::Name("other: MLU590".to_owned()));
        check("gpu_model", "\"other: nvidia h20\"", None, ClaimValue::Name("H20".to_owned()));
        check("precision", "BF16", None, ClaimValue::Name("bf16".to_owned()));
        check("from_scratch", "true", None, ClaimValue::Yes(true));
        check("own_work", "true", None, ClaimValue::Yes(true));
        let day = NaiveDate::from_ymd_opt(2023, 11, 2).unwrap();
        check("release", "2023-11-02", None, ClaimValue::Date(day));
    }

    #[test]
    fn a_mistake_names_its_field_and_the_way_out() {
        check_mistake("training_token", "3", Some("T tokens"), "about", "did you mean `training_tokens`?");
        check_mistake("training_tokens", "3", Some("PB"), "unit", "one of `T tokens`, `B tokens`");
        check_mistake("training_tokens", "3", None, "unit", "a number needs its unit");
        check_mistake("training_tokens", "3e12", Some("T tokens"), "value", "3e24");
        check_mistake("training_tokens", "-3", Some("T tokens"), "value", "positive");
        check_mistake("training_tokens", ".nan", Some("T tokens"), "value", "positive");
        check_mistake("training_tokens", "\"3,1\"", Some("T tokens"), "value", "a point");
        check_mistake("training_tokens", "three", Some("T tokens"), "value", "no digits");
        check_mistake("training_tokens", "3-2", Some("T tokens"), "value", "from the smaller");
        check_mistake("training_tokens", "true", None, "value", "takes a number");
        check_mistake("training_tokens", "3T tokens", Some("PB"), "unit", "take one of them out");
        check_mistake("training_tokens", "3T tokens", Some("B tokens"), "unit", "take one of them out");
        check_mistake("cost", "3000", Some("万"), "unit", "did you mean `万元` or `万美元`?");
        check_mistake("raw_data", "3", Some("T"), "unit", "did you mean `TB`?");
        check_mistake("mfu", "43", None, "unit", "did you mean `%`?");
        check_mistake("mfu", "143", Some("%"), "value", "1.43 of the peak");
        check_mistake("release", "2023-11-31", None, "value", "YYYY-MM-DD");
        check_mistake("release", "2023-1-3", None, "value", "YYYY-MM-DD");
        check_mistake("release", "2023-11-02", Some("GPUs"), "unit", "take the `unit` line out");
        check_mistake("from_scratch", "yes, of course", None, "value", "`true` or `false`");
        check_mistake("gpu_model", "T4", None, "value", "other: NAME");
    }

    #[test]
    fn a_slip_of_scale_is_told_while_reading() {
        let mut claim = written("training_tokens", "3", Some("B tokens"));
        claim.quote = Text::plain("trained on 3 trillion tokens");
        let mistakes = claim.validate(&Bands::shipped()).unwrap_err();
        assert_eq!(mistakes[0].field, "unit");
        assert!(
            mistakes[0].message.contains("`3 trillion tokens`") && mistakes[0].message.contains("3e9 tokens"),
            "{mistakes:?}"
        );
        // A translation that counts in 万亿 and an original that fits: nothing to tell.
        claim.unit = Some("T tokens".to_owned());
        claim.quote = Text::new([("en", "on 3 trillion tokens"), ("zh-CN", "3 万亿词元")]);
        assert!(claim.validate(&Bands::shipped()).is_ok());
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mut claim = written("training_tokens", "3", Some("PB"));
        claim.date = "２０２４-03-07".to_owned();
        claim.source.clear();
        claim.quote = Text::plain(" ");
        let fields: Vec<_> = claim.validate(&Bands::shipped()).unwrap_err().iter().map(|it| it.field).collect();
        assert_eq!(fields, ["unit", "date", "quote", "source"]);
    }
}

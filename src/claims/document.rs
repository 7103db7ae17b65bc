//! A claim as the case file writes it, and what makes it valid.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::claims::unit::{Expected, Unit};
use crate::claims::{About, Bands, Claim, ClaimValue};
use crate::fact::Text;

/// One number, date or statement of the company, with its words and where they were found.
///
/// Fields are looser than in [`Claim`], so that every mistake of a claim is told in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimAsWritten {
    /// Id inside the case, e.g. `CL-TOKENS`.
    pub id: String,
    /// Id of the model it is about; asked for where a case has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the claim is about.
    #[schemars(with = "About")]
    pub about: String,
    /// A number (in `unit`), a day (YYYY-MM-DD), true or false, or a name.
    pub value: ValueAsWritten,
    /// For numbers only: the unit, e.g. `B parameters`, `T tokens`, `PB`, `GPU-hours`, `GPUs`, `M USD`.
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
    /// A day or a name.
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

impl ClaimAsWritten {
    /// The claim in base units, or everything that is wrong with it.
    ///
    /// Whether `source` names evidence that exists is for the case to say: it alone knows the ledger.
    pub fn validate(&self, bands: &Bands) -> Result<Claim, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let about = keep(read_about(&self.about), &mut mistakes);
        let value = about.and_then(|it| keep(self.value_about(it, bands), &mut mistakes));
        let date = keep(read_date("date", &self.date), &mut mistakes);
        if self.id.trim().is_empty() {
            mistakes.push(mistake("id", "a claim needs an id", "for instance `CL-TOKENS`"));
        }
        if self.quote.is_empty() {
            mistakes.push(mistake(
                "quote",
                "a claim needs the company's words",
                "copy them exactly, with their numbers",
            ));
        }
        if self.source.is_empty() {
            mistakes.push(mistake("source", "a claim needs a source", "name the ledger entry it was taken from"));
        }
        match (about, value, date) {
            (Some(about), Some(value), Some(date)) if mistakes.is_empty() => Ok(self.with(about, value, date)),
            _ => Err(mistakes),
        }
    }

    fn with(&self, about: About, value: ClaimValue, date: NaiveDate) -> Claim {
        Claim {
            id: self.id.clone(),
            subject: self.subject.clone(),
            about,
            value,
            unit: self.unit.clone(),
            quote: self.quote.clone(),
            source: self.source.clone(),
            date,
        }
    }

    fn value_about(&self, about: About, bands: &Bands) -> Result<ClaimValue, Mistake> {
        let word = about.word();
        match (about.expected(), &self.value) {
            (Expected::Number(units), ValueAsWritten::Number(number)) => {
                Ok(ClaimValue::Number(positive(*number)? * self.unit_among(units)?.factor))
            }
            (Expected::Number(_), _) => {
                Err(mistake("value", format!("`{word}` takes a number"), "write digits here and the unit under `unit`"))
            }
            (_, _) if self.unit.is_some() => {
                Err(mistake("unit", format!("`{word}` has no unit"), "take the `unit` line out"))
            }
            (Expected::Date, ValueAsWritten::Words(day)) => read_date("value", day).map(ClaimValue::Date),
            (Expected::Date, _) => Err(mistake("value", format!("`{word}` takes a day"), "write it as YYYY-MM-DD")),
            (Expected::YesOrNo, ValueAsWritten::Yes(yes)) => Ok(ClaimValue::Yes(*yes)),
            (Expected::YesOrNo, _) => Err(mistake(
                "value",
                format!("`{word}` takes `true` or `false`"),
                "write one of the two, without quotes",
            )),
            (Expected::Name, ValueAsWritten::Words(name)) => known_name(about, name, bands).map(ClaimValue::Name),
            (Expected::Name, _) => Err(mistake("value", format!("`{word}` takes a name"), names_hint(about, bands))),
        }
    }

    fn unit_among(&self, units: &'static [Unit]) -> Result<Unit, Mistake> {
        let names = units.iter().map(|it| format!("`{}`", it.name)).collect::<Vec<_>>().join(", ");
        let Some(written) = &self.unit else {
            return Err(mistake("unit", "a number needs its unit", format!("one of {names}")));
        };
        units.iter().find(|it| it.name == written).copied().ok_or_else(|| {
            let message = format!("unit `{written}` is not one of those for `{}`", self.about);
            mistake("unit", message, format!("one of {names}"))
        })
    }
}

fn keep<T>(result: Result<T, Mistake>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    result.map_err(|it| mistakes.push(it)).ok()
}

fn mistake(field: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Mistake {
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

/// The largest number anybody can mean; beyond it products would overflow.
const LARGEST: f64 = 1e18;

fn positive(number: f64) -> Result<f64, Mistake> {
    if number.is_finite() && number > 0.0 && number <= LARGEST {
        return Ok(number);
    }
    Err(mistake(
        "value",
        format!("{number} is not a positive number up to 1e18"),
        "leave the claim out if it is not known",
    ))
}

fn known_name(about: About, written: &str, bands: &Bands) -> Result<String, Mistake> {
    let found = match about {
        About::Precision => bands.precisions().into_iter().find(|it| it.eq_ignore_ascii_case(written.trim())),
        _ => bands.accelerator(written).map(|it| it.name.clone()),
    };
    found.ok_or_else(|| {
        mistake("value", format!("`{written}` has no published peak in the bands file"), names_hint(about, bands))
    })
}

fn names_hint(about: About, bands: &Bands) -> String {
    let names = match about {
        About::Precision => bands.precisions(),
        _ => bands.accelerators.iter().map(|it| it.name.clone()).collect(),
    };
    let names = names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    format!("one of {names}; leave the claim out where it is another one")
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

    #[test]
    fn values_come_out_in_base_units() {
        check("parameters", "34", Some("B parameters"), ClaimValue::Number(3.4e10));
        check("parameters", "340", Some("亿参数"), ClaimValue::Number(3.4e10));
        check("training_tokens", "3.1", Some("T tokens"), ClaimValue::Number(3.1e12));
        check("raw_data", "3", Some("PB"), ClaimValue::Number(3e15));
        check("gpu_hours", "2.664", Some("M GPU-hours"), ClaimValue::Number(2_664_000.0));
        check("gpu_model", "a100-80g", None, ClaimValue::Name("A100".to_owned()));
        check("precision", "BF16", None, ClaimValue::Name("bf16".to_owned()));
        check("from_scratch", "true", None, ClaimValue::Yes(true));
        let day = NaiveDate::from_ymd_opt(2023, 11, 2).unwrap();
        check("release", "2023-11-02", None, ClaimValue::Date(day));
    }

    #[test]
    fn a_mistake_names_its_field_and_the_way_out() {
        check_mistake("training_token", "3", Some("T tokens"), "about", "did you mean `training_tokens`?");
        check_mistake("training_tokens", "3", Some("PB"), "unit", "one of `T tokens`, `B tokens`");
        check_mistake("training_tokens", "3", None, "unit", "a number needs its unit");
        check_mistake("training_tokens", "3T", Some("T tokens"), "value", "takes a number");
        check_mistake("training_tokens", "-3", Some("T tokens"), "value", "positive");
        check_mistake("training_tokens", ".nan", Some("T tokens"), "value", "positive");
        check_mistake("release", "2023-11-31", None, "value", "YYYY-MM-DD");
        check_mistake("release", "2023-1-3", None, "value", "YYYY-MM-DD");
        check_mistake("release", "2023-11-02", Some("GPUs"), "unit", "take the `unit` line out");
        check_mistake("from_scratch", "yes, of course", None, "value", "`true` or `false`");
        check_mistake("gpu_model", "T4", None, "value", "`H800`");
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

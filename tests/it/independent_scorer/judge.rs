//! From readings and facts to a verdict: sections 7 to 11 of the guide.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::chance::Chance;
use super::readings::{self, Reading, Whose, criteria};
use super::written::{Written, evened, items, list, text};

const Z: f64 = 1.959_964;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    No,
    Maybe,
    Yes,
}

impl Truth {
    fn of(it: bool) -> Self {
        if it { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    Likely,
    Definite,
}

impl Strength {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Definite => "definite",
        }
    }
}

/// The verdict on one model, and how near it was to another.
pub(crate) struct Verdict {
    pub(crate) id: String,
    pub(crate) strength: Option<Strength>,
    /// Lowest and highest share of every verdict that comes out; none where a gate holds the case.
    pub(crate) possible: BTreeMap<String, (f64, f64)>,
    pub(crate) gates: BTreeMap<String, (Truth, bool)>,
    pub(crate) is_near: bool,
}

pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) coverage: f64,
    pub(crate) score: (f64, f64),
    /// Verdict and strength of each branch of each condition that is given.
    pub(crate) conditions: Vec<Vec<(String, Verdict)>>,
    pub(crate) stamp: String,
    pub(crate) readings: BTreeMap<String, Reading>,
}

/// One model, with what evidence.json has on it.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a> {
    pub(crate) written: &'a Written,
    pub(crate) facts: &'a Value,
    pub(crate) of_case: &'a Value,
    pub(crate) samples: usize,
}

struct World {
    derived: bool,
    words: BTreeMap<String, String>,
}

#[derive(Clone, Copy)]
struct Cell<'a> {
    world: &'a World,
    is_high: bool,
    readings: &'a BTreeMap<String, Reading>,
}

/// Bands of all axes, with how often they came out at the low and at the high end.
type Combinations = BTreeMap<Vec<(String, &'static str)>, [f64; 2]>;

impl Model<'_> {
    fn rubric(&self) -> &Value {
        &self.written.rubric
    }

    fn id(&self) -> &str {
        text(&self.facts["id"])
    }

    fn whose(&self) -> Whose {
        let it = &self.facts["whose"];
        let levels = items(&it["levels"]).iter().map(|it| it.as_u64().unwrap() as u8).collect();
        let has_order = items(&it["conditions"]).iter().any(|it| it["kind"] == "order");
        let closed = it["closed"] == true;
        let needs_admission = if closed { it["basis"] == "measured" } else { has_order };
        Whose { levels, closed, reported: it["basis"] == "reported", needs_admission }
    }

    pub(crate) fn judged(&self) -> Judged {
        let whose = self.whose();
        let readings = readings::all(self.written, self.id(), &whose);
        let combinations = self.sampled(&readings);
        let verdict = self.decided(&whose, &readings, &combinations);
        let mut conditions = Vec::new();
        if verdict.strength.is_none() || whose.reported {
            conditions
                .extend(items(&self.facts["whose"]["conditions"]).iter().map(|it| self.branches(it, &combinations)));
            conditions.retain(|it| it.iter().any(|it| it.1.strength.is_some()));
            conditions.truncate(2);
        }
        let stamp = self.stamp(&verdict);
        let (coverage, score) = (self.coverage(&readings, None), self.score(&readings));
        Judged { verdict, coverage, score, conditions, stamp, readings }
    }

    fn branches(&self, condition: &Value, combinations: &Combinations) -> Vec<(String, Verdict)> {
        let branch = |it: &Value| {
            let levels = items(&it["levels"]).iter().map(|it| it.as_u64().unwrap() as u8).collect();
            let whose = Whose { levels, closed: it["closed"] == true, reported: false, needs_admission: true };
            let readings = readings::all(self.written, self.id(), &whose);
            let mut facts = self.facts.clone();
            if let Some(distinctive) = it["distinctive"].as_bool() {
                facts["facts"]["borrowed.distinctive"]["value"] = serde_json::json!({ "yes": distinctive });
            }
            let after = Model { facts: &facts, ..*self };
            (text(&it["fact"]).to_owned(), after.decided(&whose, &readings, combinations))
        };
        items(&condition["branches"]).iter().map(branch).collect()
    }

    fn weight(&self, is: impl Fn(&Value) -> bool) -> f64 {
        criteria(self.rubric()).iter().filter(|it| is(it)).map(|it| it["weight"].as_f64().unwrap()).sum()
    }

    fn coverage(&self, readings: &BTreeMap<String, Reading>, pillar: Option<&str>) -> f64 {
        let of = |it: &Value| &readings[text(&it["id"])];
        let counts = |it: &Value| of(it).applies && pillar.is_none_or(|pillar| is_of(it, pillar));
        let all = self.weight(counts);
        if all > 0.0 {
            return self.weight(|it| counts(it) && of(it).covered) / all;
        }
        // Nothing is missing of a pillar that does not apply; nothing is known of a case of which none does.
        if pillar.is_some() { 1.0 } else { 0.0 }
    }

    fn score(&self, readings: &BTreeMap<String, Reading>) -> (f64, f64) {
        let all = self.weight(|it| readings[text(&it["id"])].applies);
        let mean = |level: &dyn Fn(&Reading) -> u8| {
            let each =
                criteria(self.rubric()).iter().map(|it| (it["weight"].as_f64().unwrap(), &readings[text(&it["id"])]));
            each.filter(|it| it.1.applies).map(|it| it.0 * f64::from(level(it.1))).sum::<f64>() / all
        };
        (mean(&|it| it.low), mean(&|it| it.high))
    }

    fn fact(&self, key: &str) -> &Value {
        let own = &self.facts["facts"][key]["value"];
        if own.is_null() { &self.of_case[key]["value"] } else { own }
    }

    fn worlds(&self, readings: &BTreeMap<String, Reading>) -> Vec<World> {
        let axes = &self.rubric()["axes"];
        let (bound, weights) = (axes["derived_at_most"].as_u64().unwrap(), &readings[text(&axes["derived_criterion"])]);
        let is_derived: BTreeSet<bool> = weights.levels.iter().map(|it| u64::from(*it) <= bound).collect();
        let mut choices: Vec<(String, BTreeSet<String>)> = items(&axes["level_facts"])
            .iter()
            .map(|it| (text(&it["fact"]).to_owned(), self.values(it, readings)))
            .collect();
        for (key, fact) in self.facts["facts"].as_object().unwrap() {
            if key.starts_with("claim.") && fact["value"]["unknown"] == "unexamined" {
                choices.push((key.clone(), ["none", "shown"].map(str::to_owned).into()));
            }
        }
        let mut worlds: Vec<World> =
            is_derived.into_iter().map(|derived| World { derived, words: BTreeMap::new() }).collect();
        for (key, values) in choices {
            let with = |world: &World, value: &String| {
                let mut words = world.words.clone();
                words.insert(key.clone(), value.clone());
                World { derived: world.derived, words }
            };
            worlds = worlds.iter().flat_map(|world| values.iter().map(move |it| with(world, it))).collect();
        }
        worlds
    }

    /// The values that the fact of a level may have.
    fn values(&self, it: &Value, readings: &BTreeMap<String, Reading>) -> BTreeSet<String> {
        let fact = text(&it["fact"]);
        if let Some(word) = self.fact(fact)["word"].as_str() {
            return BTreeSet::from([word.to_owned()]);
        }
        let reading = &readings[text(&it["criterion"])];
        let of = |level: u8| list(&it["values"][level.to_string()]).into_iter().map(str::to_owned);
        let by_answers: BTreeSet<String> = if reading.readings > 0 {
            (reading.low..=reading.high).flat_map(of).collect()
        } else {
            let unanswered = list(&it["unanswered"]).into_iter().map(str::to_owned);
            unanswered.chain(reading.unproven.iter().flat_map(|it| of(*it))).collect()
        };
        let part = fact.strip_prefix("disclosed.").unwrap();
        let stated: BTreeSet<String> =
            list(&self.facts["disclosures"][part]["values"]).into_iter().map(str::to_owned).collect();
        if stated.len() < 2 {
            return by_answers;
        }
        let both: BTreeSet<String> = stated.intersection(&by_answers).cloned().collect();
        if both.is_empty() { stated } else { both }
    }

    fn is(&self, condition: &Value, cell: Cell<'_>) -> Truth {
        let (key, it) = condition.as_object().unwrap().iter().next().unwrap();
        match key.as_str() {
            "all" => items(it).iter().map(|it| self.is(it, cell)).min().unwrap(),
            "any" => items(it).iter().map(|it| self.is(it, cell)).max().unwrap(),
            "not" => self.is(it, cell).not(),
            "level_at_most" => self.level_at_most(it, cell),
            "fact" => self.fact_is(it, cell.world),
            "coverage_below" => {
                let share = it["share"].as_f64().unwrap();
                Truth::of(self.coverage(cell.readings, it["pillar"].as_str()) < share - 1e-12)
            }
            "not_applicable_above" => {
                let left_out = self.weight(|it| !cell.readings[text(&it["id"])].applies) / self.weight(|_| true);
                Truth::of(left_out > it.as_f64().unwrap() + 1e-12)
            }
            "readers_below" => {
                let full =
                    (0..self.written.readers.len()).filter(|at| self.is_full(*at, it["share"].as_f64().unwrap()));
                Truth::of((full.count() as u64) < it["count"].as_u64().unwrap())
            }
            other => panic!("the guide knows no condition `{other}`"),
        }
    }

    fn level_at_most(&self, it: &Value, cell: Cell<'_>) -> Truth {
        let (axes, level) = (&self.rubric()["axes"], &it["level"]);
        if it["criterion"] == axes["derived_criterion"] && *level == axes["derived_at_most"] {
            return Truth::of(cell.world.derived);
        }
        let reading = &cell.readings[text(&it["criterion"])];
        let at_end = if cell.is_high { reading.high } else { reading.low };
        Truth::of(reading.applies && u64::from(at_end) <= level.as_u64().unwrap())
    }

    fn fact_is(&self, it: &Value, world: &World) -> Truth {
        let (key, is) = (text(&it["key"]), &it["is"]);
        if let Some(word) = world.words.get(key) {
            return Truth::of(is.as_str() == Some(word));
        }
        let value = self.fact(key);
        if value.is_null() || !value["unknown"].is_null() {
            return Truth::Maybe;
        }
        Truth::of(value["word"] == *is || value["yes"] == *is)
    }

    /// Section 11: who answered enough of what was not measured.
    fn is_full(&self, reader: usize, share: f64) -> bool {
        let derived = text(&self.rubric()["axes"]["derived_criterion"]);
        let has_answered = |id: &str| {
            let answers = self.written.answers(self.id(), id);
            answers[reader].as_ref().is_some_and(|it| it.word != "unknown")
        };
        let is_asked = |it: &Value| it["id"] != derived;
        let answered = self.weight(|it| is_asked(it) && has_answered(text(&it["id"]))) / self.weight(is_asked);
        answered >= share - 1e-12 && self.by_name().iter().filter(|it| **it != derived).all(|it| has_answered(it))
    }

    /// The criteria that the rubric asks by name.
    fn by_name(&self) -> BTreeSet<&str> {
        fn named<'a>(it: &'a Value, out: &mut BTreeSet<&'a str>) {
            out.extend(it["level_at_most"]["criterion"].as_str());
            let parts = [&it["all"], &it["any"]].into_iter().flat_map(items);
            parts.chain([&it["not"]]).filter(|it| !it.is_null()).for_each(|it| named(it, out));
        }
        let mut out = BTreeSet::from([text(&self.rubric()["axes"]["derived_criterion"])]);
        out.extend(items(&self.rubric()["axes"]["level_facts"]).iter().map(|it| text(&it["criterion"])));
        items(&self.rubric()["gates"]).iter().for_each(|it| named(&it["when"], &mut out));
        out
    }

    fn is_waived(&self, gate: &Value, truth: Truth) -> bool {
        let written = self.written;
        let readers: BTreeSet<String> = written.readers.iter().flat_map(names).collect();
        let holds = |it: &Value| {
            let approver = evened(text(&it["approver"]));
            let until = text(&it["expires"]).parse().unwrap();
            it["gate"] == gate["id"] && written.day() <= until && !approver.is_empty() && !readers.contains(&approver)
        };
        truth == Truth::Yes && gate["waivable"] == true && items(&written.case["waivers"]).iter().any(holds)
    }

    fn gates(&self, worlds: &[World], readings: &BTreeMap<String, Reading>) -> BTreeMap<String, (Truth, bool)> {
        let gate = |gate: &Value| {
            let all: BTreeSet<Truth> = cells(worlds, readings).map(|it| self.is(&gate["when"], it)).collect();
            let truth = if all.len() == 1 { *all.first().unwrap() } else { Truth::Maybe };
            (text(&gate["id"]).to_owned(), (truth, self.is_waived(gate, truth)))
        };
        items(&self.rubric()["gates"]).iter().map(gate).collect()
    }

    fn decided(&self, whose: &Whose, readings: &BTreeMap<String, Reading>, shares: &Combinations) -> Verdict {
        let worlds = self.worlds(readings);
        let gates = self.gates(&worlds, readings);
        let mut is_open = false;
        for gate in items(&self.rubric()["gates"]) {
            let (effect, (truth, waived)) = (&gate["effect"], gates[text(&gate["id"])]);
            if waived {
                continue;
            }
            if let (Some(id), Truth::Yes) = (effect["hold"].as_str(), truth) {
                return Verdict { id: id.to_owned(), strength: None, possible: BTreeMap::new(), gates, is_near: false };
            }
            let Some(id) = effect["veto"].as_str() else { continue };
            if truth == Truth::Yes && is_open {
                break;
            }
            if truth == Truth::Yes {
                let possible = BTreeMap::from([(id.to_owned(), (1.0, 1.0))]);
                let strength = Some(limited(whose, Strength::Definite));
                return Verdict { id: id.to_owned(), strength, possible, gates, is_near: false };
            }
            is_open |= truth == Truth::Maybe;
        }
        let cells = cells(&worlds, readings).map(|it| self.shares(it, &gates, shares)).collect::<Vec<_>>();
        self.robust(whose, &cells, gates)
    }

    /// The shares of verdicts in one world at one end.
    fn shares(
        &self,
        cell: Cell<'_>,
        gates: &BTreeMap<String, (Truth, bool)>,
        shares: &Combinations,
    ) -> BTreeMap<String, f64> {
        let all = items(&self.rubric()["gates"]).iter();
        let yes: Vec<&Value> = all
            .filter(|it| !gates[text(&it["id"])].1 && self.is(&it["when"], cell) == Truth::Yes)
            .map(|it| &it["effect"])
            .collect();
        if let Some(id) = yes.iter().find_map(|it| it["veto"].as_str().or(it["hold"].as_str())) {
            return BTreeMap::from([(id.to_owned(), 1.0)]);
        }
        let mut out = BTreeMap::new();
        for (bands, share) in shares {
            let mut verdict = self.row(cell.world.derived, bands);
            for cap in yes.iter().filter_map(|it| it["cap"].as_str()) {
                if self.rank(verdict).is_some_and(|it| Some(it) > self.rank(cap)) {
                    verdict = cap;
                }
            }
            *out.entry(verdict.to_owned()).or_insert(0.0) += share[usize::from(cell.is_high)];
        }
        out.retain(|_, share| *share > 0.0);
        out
    }

    fn row(&self, derived: bool, bands: &[(String, &'static str)]) -> &str {
        let is_in = |row: &Value| {
            let same = row["derived"].is_null() || row["derived"] == derived;
            let of = |axis: &str| list(&row["bands"][axis]);
            same && bands.iter().all(|(axis, band)| of(axis).is_empty() || of(axis).contains(band))
        };
        text(&items(&self.rubric()["decision_table"]).iter().find(|it| is_in(it)).unwrap()["then"])
    }

    fn rank(&self, verdict: &str) -> Option<u64> {
        rank(self.rubric(), verdict)
    }

    fn robust(
        &self,
        whose: &Whose,
        cells: &[BTreeMap<String, f64>],
        gates: BTreeMap<String, (Truth, bool)>,
    ) -> Verdict {
        let rules = &self.rubric()["robustness"];
        let (likely, definite) = (rules["likely"].as_f64().unwrap(), rules["definite"].as_f64().unwrap());
        let ids: BTreeSet<&String> = cells.iter().flat_map(BTreeMap::keys).collect();
        let share = |cell: &BTreeMap<String, f64>, id: &String| cell.get(id).copied().unwrap_or(0.0);
        let range = |id: &String| {
            let all = || cells.iter().map(|it| share(it, id));
            (all().fold(1.0, f64::min), all().fold(0.0, f64::max))
        };
        let possible: BTreeMap<String, (f64, f64)> = ids.into_iter().map(|it| (it.clone(), range(it))).collect();
        let is_near = possible.values().any(|it| [likely, definite].iter().any(|bound| (it.0 - bound).abs() < 0.015));
        let unranked = items(&self.rubric()["verdicts"]).iter().find(|it| it["rank"].is_null()).unwrap();
        let found = possible.iter().find(|it| wilson(it.1.0, self.samples as f64) >= likely);
        let (id, strength) = match found {
            Some((id, _)) if self.rank(id).is_none() => (id.as_str(), None),
            Some((id, it)) if wilson(it.0, self.samples as f64) >= definite => {
                (id.as_str(), Some(limited(whose, Strength::Definite)))
            }
            Some((id, _)) => (id.as_str(), Some(limited(whose, Strength::Likely))),
            None => (text(&unranked["id"]), None),
        };
        Verdict { id: id.to_owned(), strength, possible, gates, is_near }
    }

    fn stamp(&self, verdict: &Verdict) -> String {
        let stamps = items(&self.rubric()["gates"]).iter().filter(|it| verdict.gates[text(&it["id"])].0 == Truth::Yes);
        stamps.filter_map(|it| it["effect"]["stamp"].as_str()).next().unwrap_or("final").to_owned()
    }

    /// Section 9.
    fn sampled(&self, readings: &BTreeMap<String, Reading>) -> Combinations {
        let rules = &self.rubric()["robustness"];
        let number = |key: &str| rules[key].as_f64().unwrap();
        let agreement = number("exact_readings");
        let all = self.weight(|_| true);
        let shapes: Vec<f64> = criteria(self.rubric())
            .iter()
            .map(|it| number("concentration") * it["weight"].as_f64().unwrap() / all)
            .collect();
        let read: Vec<&Reading> = criteria(self.rubric()).iter().map(|it| &readings[text(&it["id"])]).collect();
        let axes = self.axes();
        let mut chance = Chance::new(0x5eed);
        let mut out = Combinations::new();
        for _ in 0..self.samples {
            let weights: Vec<f64> = shapes.iter().map(|it| chance.gamma(*it)).collect();
            let errors: Vec<Vec<f64>> =
                read.iter().map(|it| (0..it.readings).map(|_| misread(&mut chance, agreement)).collect()).collect();
            let mut cut = |key: &str| {
                number_of(&self.rubric()["axes"][key]) * (1.0 + number("cut_offs") * (2.0 * chance.unit() - 1.0))
            };
            let (one, other) = (cut("low_below"), cut("high_from"));
            let cuts = (one.min(other), one.max(other));
            for end in [0, 1] {
                let levels: Vec<f64> =
                    read.iter().zip(&errors).map(|(it, errors)| seen([it.low, it.high][end], errors)).collect();
                let bands = axes.iter().map(|(id, members)| {
                    let members: Vec<usize> = members.iter().copied().filter(|it| read[*it].applies).collect();
                    let sum: f64 = members.iter().map(|it| weights[*it]).sum();
                    let mean = members.iter().map(|it| weights[*it] * levels[*it]).sum::<f64>() / sum;
                    (id.clone(), band(if members.is_empty() { 2.0 } else { mean }, cuts))
                });
                out.entry(bands.collect()).or_default()[end] += 1.0 / self.samples as f64;
            }
        }
        out
    }

    /// Which criteria, by their place in the rubric, each mean is over.
    fn axes(&self) -> Vec<(String, Vec<usize>)> {
        let axes = &self.rubric()["axes"];
        let is_member = |axis: &Value, it: &Value| {
            let id = text(&it["id"]);
            let in_pillar = list(&axis["pillars"]).iter().any(|pillar| is_of(it, pillar));
            let is_in = in_pillar && !list(&axis["without"]).contains(&id) || list(&axis["also"]).contains(&id);
            is_in && it["id"] != axes["derived_criterion"]
        };
        let members = |axis: &Value| {
            let all = criteria(self.rubric()).iter().enumerate();
            all.filter(|it| is_member(axis, it.1)).map(|it| it.0).collect()
        };
        axes["means"].as_object().unwrap().iter().map(|(id, axis)| (id.clone(), members(axis))).collect()
    }
}

fn number_of(it: &Value) -> f64 {
    it.as_f64().unwrap()
}

/// One reader is exact, or one level off in either direction.
fn misread(chance: &mut Chance, exact: f64) -> f64 {
    let drawn = chance.unit();
    if drawn < exact {
        0.0
    } else if drawn < exact + (1.0 - exact) / 2.0 {
        1.0
    } else {
        -1.0
    }
}

fn seen(level: u8, errors: &[f64]) -> f64 {
    let level = f64::from(level);
    if errors.is_empty() {
        return level;
    }
    errors.iter().map(|it| (level + it).clamp(0.0, 4.0)).sum::<f64>() / errors.len() as f64
}

fn band(mean: f64, (low, high): (f64, f64)) -> &'static str {
    if mean < low {
        "low"
    } else if mean >= high {
        "high"
    } else {
        "medium"
    }
}

fn cells<'a>(worlds: &'a [World], readings: &'a BTreeMap<String, Reading>) -> impl Iterator<Item = Cell<'a>> {
    worlds.iter().flat_map(move |world| [false, true].map(|is_high| Cell { world, is_high, readings }))
}

/// A criterion's id is the letters of its pillar and a number.
fn is_of(criterion: &Value, pillar: &str) -> bool {
    text(&criterion["id"]).trim_end_matches(|it: char| it.is_ascii_digit()) == pillar
}

fn names(reader: &(String, Value)) -> Vec<String> {
    let name = &reader.1["name"];
    let by_language = name.as_object().into_iter().flat_map(|it| it.values()).filter_map(Value::as_str);
    by_language.chain(name.as_str()).chain([reader.0.as_str()]).map(evened).collect()
}

fn limited(whose: &Whose, strength: Strength) -> Strength {
    if whose.reported { strength.min(Strength::Likely) } else { strength }
}

pub(crate) fn rank(rubric: &Value, verdict: &str) -> Option<u64> {
    items(&rubric["verdicts"]).iter().find(|it| it["id"] == verdict).and_then(|it| it["rank"].as_u64())
}

fn wilson(p: f64, n: f64) -> f64 {
    (p + Z * Z / (2.0 * n) - Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt()) / (1.0 + Z * Z / n)
}

/// The company's verdict and its strength, from those of its models with whether each is sold; the flagship first.
pub(crate) fn company(rubric: &Value, flagship: &Verdict, others: &[&Verdict]) -> (String, Option<Strength>) {
    let own = (flagship.id.clone(), flagship.strength);
    let Some(flag_rank) = rank(rubric, &flagship.id) else { return own };
    let range = |it: &&Verdict| {
        if let Some(rank) = rank(rubric, &it.id) {
            return Some((rank + 1, rank + 1, it.strength));
        }
        let ranks: Vec<u64> = it.possible.keys().filter_map(|it| rank(rubric, it)).collect();
        Some((ranks.iter().min()? + 1, ranks.iter().max()? + 1, it.strength))
    };
    // Of models with the same highest rank the one that may be lowest limits most.
    let Some((low, high, strength)) = others.iter().filter_map(range).min_by_key(|it| (it.1, it.0)) else { return own };
    if low >= flag_rank {
        return own;
    }
    let by_rank = |rank: u64| items(&rubric["verdicts"]).iter().find(|it| it["rank"] == rank);
    match by_rank(high) {
        Some(verdict) if high <= flag_rank && high <= low => {
            (text(&verdict["id"]).to_owned(), strength.min(flagship.strength))
        }
        _ => (text(&items(&rubric["verdicts"]).iter().find(|it| it["rank"].is_null()).unwrap()["id"]).to_owned(), None),
    }
}

//! Everything a rubric promises, held against its file; every breach is told with its place.
//!
//! The checks walk the file and not the typed rubric, so that they also run where something else is wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::rubric::{FactValues, GATE_FACTS, Grade, MOST_WORLDS, decision, gates};
use crate::yaml::{Cursor, Problems};

/// Facts that may be open beside those that levels decide: whose the weights are, whether a distinctive part is
/// another's, and both statements of own work.
const OPEN_FACTS: u32 = 4;

/// Number of levels of every scale: 0 to 4.
pub(crate) const LEVELS: usize = 5;

/// The names that the parts of a rubric call each other by.
pub(crate) struct Names<'a> {
    pub(crate) languages: Vec<&'a str>,
    pub(crate) pillars: Vec<&'a str>,
    pub(crate) criteria: Vec<&'a str>,
    pub(crate) kinds: Vec<&'a str>,
    pub(crate) verdicts: Vec<&'a str>,
    pub(crate) axes: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn of(root: &Cursor<'a>) -> Self {
        let ids = |key: &str| root.field(key).items().filter_map(|it| it.field("id").text()).collect();
        let keys = |cursor: Cursor<'a>| cursor.fields().map(|(key, _)| key).collect();
        Self {
            languages: root.field("languages").items().filter_map(|it| it.text()).collect(),
            pillars: ids("pillars"),
            criteria: ids("criteria"),
            kinds: keys(root.field("evidence").field("kinds")),
            verdicts: ids("verdicts"),
            axes: keys(root.field("axes").field("means")),
        }
    }
}

/// Notes everything that is wrong with a rubric whose file has this stem.
pub(crate) fn validate(root: &Cursor<'_>, stem: &str, problems: &mut Problems) {
    let names = Names::of(root);
    let mut check = Validator { names: &names, problems };
    check.head(root, stem);
    check.evidence(&root.field("evidence"));
    check.pillars(root);
    root.field("criteria").items().for_each(|it| check.criterion(&it, root));
    check.axes(&root.field("axes"));
    check.robustness(&root.field("robustness"));
    root.field("gates").items().for_each(|it| gates::validate(&it, &mut check));
    decision::validate(root, &mut check);
}

/// Checks that share the names of one rubric.
pub(crate) struct Validator<'a> {
    pub(crate) names: &'a Names<'a>,
    pub(crate) problems: &'a mut Problems,
}

impl Validator<'_> {
    fn head(&mut self, root: &Cursor<'_>, stem: &str) {
        let id = root.field("id");
        if let Some(text) = id.text().filter(|it| *it != stem) {
            let message = format!("`id` is `{text}`, but the file is called `{stem}.yaml`");
            self.problems.push(id.problem("id-and-file", message).hint("give both the same name"));
        }
        self.version(&root.field("version"));
        self.language_tags(&root.field("languages"));
        self.text(&root.field("title"));
        self.levels(&root.field("levels"));
        for list in ["pillars", "criteria", "gates", "verdicts"] {
            self.unique_ids(&root.field(list));
            self.at_least_one(&root.field(list));
        }
    }

    /// Three numbers, so that "newer" means something.
    fn version(&mut self, at: &Cursor<'_>) {
        let is_semver = |text: &str| {
            let parts: Vec<&str> = text.split('.').collect();
            parts.len() == 3 && parts.iter().all(|it| it.parse::<u32>().is_ok())
        };
        if let Some(text) = at.text().filter(|it| !is_semver(it)) {
            let message = format!("`{}`: `{text}` is not a version", at.path());
            self.problems.push(at.problem("version", message).hint("write three numbers, e.g. `1.0.0`"));
        }
    }

    fn language_tags(&mut self, at: &Cursor<'_>) {
        let mut seen = Vec::new();
        for item in at.items() {
            let Some(tag) = item.text() else { continue };
            let is_tag = tag.len() >= 2 && tag.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
            if !is_tag || seen.contains(&tag) {
                let message = format!("`{}`: `{tag}` is not a language tag, or stands here twice", item.path());
                self.problems
                    .push(item.problem("language", message).hint("write tags such as `en` and `zh-CN`, each once"));
            }
            seen.push(tag);
        }
    }

    /// A text is there in every language of the rubric and in no other.
    pub(crate) fn text(&mut self, at: &Cursor<'_>) {
        let languages = &self.names.languages;
        if at.text().is_some() {
            let tags: Vec<String> = languages.iter().map(|it| format!("{it}: ..")).collect();
            let message = format!("`{}`: the text does not say which language it is in", at.path());
            let hint = format!("write `{{{}}}`", tags.join(", "));
            self.problems.push(at.problem("text-language", message).label("no language").hint(hint));
            return;
        }
        if !at.exists() {
            return;
        }
        for language in languages.iter().filter(|it| at.field(it).text().is_none_or(|it| it.trim().is_empty())) {
            let message = format!("`{}` has no text in `{language}`", at.path());
            let hint = format!("the rubric's `languages` promise `{language}` for every text");
            self.problems
                .push(at.key_problem("text-language", message).label(format!("`{language}` is missing")).hint(hint));
        }
        for (_, other) in at.fields().filter(|(key, _)| !languages.contains(key)) {
            let message = format!("`{}` is in a language that the rubric does not list", other.path());
            let hint = if other.exists() {
                format!("the rubric's languages are {}", crate::yaml::list_of_names(languages.iter().copied()))
            } else {
                "inside `{ }` a comma ends the text; put text with a comma into quotes".to_owned()
            };
            self.problems.push(other.key_problem("text-language", message).hint(hint));
        }
    }

    fn levels(&mut self, at: &Cursor<'_>) {
        let count = at.items().count();
        if at.exists() && count != LEVELS {
            let message = format!("`{}` has {count} levels, expected {LEVELS}: 0 to {}", at.path(), LEVELS - 1);
            self.problems.push(at.key_problem("levels", message).hint("write one text for each level, from 0 up"));
        }
        at.items().for_each(|it| self.text(&it));
    }

    fn unique_ids(&mut self, at: &Cursor<'_>) {
        let mut seen = Vec::new();
        for id in at.items().map(|it| it.field("id")) {
            let Some(text) = id.text() else { continue };
            if seen.contains(&text) {
                let message = format!("`{text}` is the id of two {}", at.path());
                self.problems
                    .push(id.problem("duplicate-id", message).label("second one").hint("give each an id of its own"));
            }
            seen.push(text);
        }
    }

    fn at_least_one(&mut self, at: &Cursor<'_>) {
        if at.exists() && at.items().next().is_none() && at.fields().next().is_none() {
            self.problems.push(at.problem("empty", format!("`{}` is empty", at.path())).hint("write at least one"));
        }
    }

    fn evidence(&mut self, at: &Cursor<'_>) {
        for (section, text) in [("grades", "meaning"), ("methods", "name"), ("kinds", "name")] {
            self.at_least_one(&at.field(section));
            at.field(section).fields().for_each(|(_, it)| self.text(&it.field(text)));
        }
        let caps = self.by_grade(&at.field("grades"), "cap");
        self.bounded(caps.values(), 0.0);
        self.ordered(&caps, |better, worse| better >= worse, "a better grade may not buy less than a worse one");
        for (_, kind) in at.field("kinds").fields() {
            let days = kind.field("valid_days");
            if days.number() == Some(0.0) {
                let message = format!("`{}` is 0, so such evidence never counts", days.path());
                self.problems.push(days.problem("out-of-range", message).hint("write the days it stays valid"));
            }
        }
    }

    /// The value for each grade; every grade has one, and nothing else has.
    fn by_grade<'c>(&mut self, at: &Cursor<'c>, field: &str) -> BTreeMap<Grade, Cursor<'c>> {
        let mut values = BTreeMap::new();
        for (key, cursor) in at.fields() {
            match Grade::ALL.into_iter().find(|it| it.letter() == key) {
                Some(grade) => {
                    values.insert(grade, cursor.field(field));
                }
                None => {
                    let problem = cursor.key_problem("unknown-grade", format!("`{key}` is not a grade"));
                    self.problems.push(problem.hint("grades are `A`, `B`, `C`, `D` and `E`"));
                }
            }
        }
        for grade in Grade::ALL.into_iter().filter(|it| at.exists() && !values.contains_key(it)) {
            let message = format!("`{}` says nothing about grade {}", at.path(), grade.letter());
            self.problems.push(at.key_problem("missing-key", message).hint("write a line for each grade from A to E"));
        }
        values
    }

    /// Numbers on the scale of levels.
    fn bounded<'c>(&mut self, cursors: impl IntoIterator<Item = &'c Cursor<'c>>, low: f64) {
        const HIGHEST: f64 = 4.0;
        for at in cursors {
            if let Some(number) = at.number().filter(|it| *it < low || *it > HIGHEST) {
                let message = format!("`{}` is {number}, expected a number from {low} to {HIGHEST}", at.path());
                self.problems
                    .push(at.problem("out-of-range", message).label("out of range").hint("levels run from 0 to 4"));
            }
        }
    }

    fn ordered(&mut self, values: &BTreeMap<Grade, Cursor<'_>>, holds: fn(f64, f64) -> bool, rule: &str) {
        for (better, worse) in values.values().zip(values.values().skip(1)) {
            if let (Some(one), Some(other)) = (better.number(), worse.number())
                && !holds(one, other)
            {
                let message = format!("`{}` is {other} after {one}: {rule}", worse.path());
                self.problems.push(worse.problem("grade-order", message).hint("grades run from A, the best, to E"));
            }
        }
    }

    fn pillars(&mut self, root: &Cursor<'_>) {
        let pillars = root.field("pillars");
        pillars.items().for_each(|it| self.text(&it.field("name")));
        self.adds_up(&pillars, pillars.items().map(|it| it.field("weight")), 100.0, "the weights of the pillars");
        for pillar in pillars.items() {
            let (Some(id), Some(weight)) = (pillar.field("id").text(), pillar.field("weight").number()) else {
                continue;
            };
            let of_pillar = |it: &Cursor<'_>| it.field("id").text().is_some_and(|it| letters(it) == id);
            let weights = root.field("criteria").items().filter(of_pillar).map(|it| it.field("weight"));
            self.adds_up(
                &pillar.field("weight"),
                weights,
                weight,
                &format!("the weights of the criteria of pillar `{id}`"),
            );
        }
    }

    fn adds_up<'c>(&mut self, at: &Cursor<'_>, weights: impl Iterator<Item = Cursor<'c>>, expected: f64, what: &str) {
        let mut sum = 0.0;
        for weight in weights {
            // A weight that is no number is told elsewhere, and no sum can be held against it.
            let Some(number) = weight.number() else { return };
            if number <= 0.0 {
                let message = format!("`{}` is {number}, expected more than 0", weight.path());
                self.problems.push(weight.problem("out-of-range", message).hint("leave out what has no weight"));
            }
            sum += number;
        }
        if (sum - expected).abs() > 1e-6 {
            let message = format!("{what} add up to {sum}, expected {expected}");
            self.problems.push(
                at.problem("weights", message)
                    .label(format!("adds up to {sum}"))
                    .hint("change the weights until they do"),
            );
        }
    }

    fn criterion(&mut self, at: &Cursor<'_>, root: &Cursor<'_>) {
        let id = at.field("id");
        let has_pillar = |text: &str| self.names.pillars.contains(&letters(text)) && letters(text).len() < text.len();
        if let Some(text) = id.text().filter(|it| !has_pillar(it)) {
            let message = format!("`{text}` is not a pillar's id followed by a number");
            self.problems.push(
                id.problem("unknown-pillar", message).hint(format!(
                    "the pillars are {}",
                    crate::yaml::list_of_names(self.names.pillars.iter().copied())
                )),
            );
        }
        self.version(&at.field("version"));
        for text in ["question", "why", "ask_for"] {
            self.text(&at.field(text));
        }
        self.levels(&at.field("levels"));
        self.at_least_one(&at.field("kinds"));
        for kind in at.field("kinds").items() {
            self.problems.extend(kind.unknown_name("unknown-kind", "evidence kind", &self.names.kinds));
        }
        let hours = at.field("hours");
        if let Some(number) = hours.number().filter(|it| *it <= 0.0) {
            let message = format!("`{}` is {number}, expected more than 0", hours.path());
            self.problems.push(hours.problem("out-of-range", message).hint("an estimate will do"));
        }
        self.needs(at, &root.field("evidence").field("grades"));
    }

    /// What a level needs has to be stricter than the grade's own cap, and no looser than what a lower level needs.
    fn needs(&mut self, criterion: &Cursor<'_>, grades: &Cursor<'_>) {
        let counts_as_unknown = criterion.field("weak_evidence").text() == Some("unknown");
        let at = criterion.field("needs");
        let mut strictest: Option<(u8, &str)> = None;
        let mut needs: Vec<_> = at.fields().filter_map(|(key, it)| Some((key.parse::<u8>().ok()?, it))).collect();
        needs.sort_by_key(|(level, _)| *level);
        for (level, need) in needs {
            let Some(grade) = need.text() else { continue };
            if usize::from(level) >= LEVELS || level == 0 && !counts_as_unknown {
                let message = format!("`{}`: a need is stated for a level from 1 to 4", need.path());
                let hint = "level 0 needs something only with `weak_evidence: unknown`, where 0 is an accusation";
                self.problems.push(need.key_problem("out-of-range", message).hint(hint));
            }
            if let Some(cap) = grades.field(grade).field("cap").number().filter(|it| *it < f64::from(level)) {
                let message = format!(
                    "`{}`: grade {grade} buys at most level {cap}, so this asks for less than the grades do",
                    need.path()
                );
                self.problems.push(need.problem("needs", message).hint("name a stricter grade, or leave the line out"));
            }
            if let Some((lower, stricter)) = strictest.filter(|(_, stricter)| grade > *stricter) {
                let message = format!(
                    "`{}`: level {level} asks for {grade}, less than level {lower} with {stricter}",
                    need.path()
                );
                self.problems.push(need.problem("needs", message).hint("a higher level never needs less"));
            }
            strictest = Some((level, grade));
        }
    }

    fn axes(&mut self, at: &Cursor<'_>) {
        let criterion = at.field("derived_criterion");
        self.problems.extend(criterion.unknown_name("unknown-criterion", "criterion", &self.names.criteria));
        self.at_least_one(&at.field("means"));
        for (_, mean) in at.field("means").fields() {
            self.text(&mean.field("name"));
            self.at_least_one(&mean.field("pillars"));
            for pillar in mean.field("pillars").items() {
                self.problems.extend(pillar.unknown_name("unknown-pillar", "pillar", &self.names.pillars));
            }
            for criterion in mean.field("also").items().chain(mean.field("without").items()) {
                self.problems.extend(criterion.unknown_name("unknown-criterion", "criterion", &self.names.criteria));
            }
        }
        at.field("level_facts").items().for_each(|it| self.level_fact(&it));
        self.worlds(&at.field("level_facts"));
        let (low, high) = (at.field("low_below"), at.field("high_from"));
        self.bounded([&low, &high, &at.field("derived_at_most")], 0.0);
        if let (Some(from), Some(to)) = (low.number(), high.number())
            && from > to
        {
            let message = format!("`{}` is {to}, below `{}` with {from}", high.path(), low.path());
            self.problems.push(high.problem("bands", message).hint("low lies below high"));
        }
    }

    /// Every combination of facts that may be unknown is followed, so that their number has a limit: the values of each
    /// fact that a level decides, and two each of what may be open besides.
    fn worlds(&mut self, at: &Cursor<'_>) {
        let values = |fact: Cursor<'_>| {
            let of_levels = fact.field("values").fields().flat_map(|(_, it)| it.items().collect::<Vec<_>>());
            let all: Vec<_> = of_levels.chain(fact.field("unanswered").items()).collect();
            all.iter().filter_map(|it| it.text()).map(str::to_owned).collect::<BTreeSet<String>>().len().max(1)
        };
        let open = 1_usize << OPEN_FACTS;
        let worlds = at.items().map(values).fold(open, usize::saturating_mul);
        if worlds > MOST_WORLDS {
            let message =
                format!("`{}` makes {worlds} combinations of unknown facts, more than {MOST_WORLDS}", at.path());
            self.problems.push(at.key_problem("out-of-range", message).hint("let fewer facts be decided by levels"));
        }
    }

    /// Each level says something of the fact, in the fact's own words.
    fn level_fact(&mut self, at: &Cursor<'_>) {
        self.problems.extend(at.field("criterion").unknown_name(
            "unknown-criterion",
            "criterion",
            &self.names.criteria,
        ));
        let key = at.field("fact");
        let known = GATE_FACTS.iter().find(|it| Some(it.key) == key.text());
        let Some(FactValues::Words(words)) = known.map(|it| it.values) else {
            let keys: Vec<&str> = GATE_FACTS.iter().map(|it| it.key).collect();
            self.problems.extend(key.unknown_name("unknown-fact", "fact", &keys));
            return;
        };
        for (_, values) in at.field("values").fields() {
            for value in values.items() {
                self.problems.extend(value.unknown_name("not-in-list", "value of the fact", words));
            }
        }
        for value in at.field("unanswered").items() {
            self.problems.extend(value.unknown_name("not-in-list", "value of the fact", words));
        }
        let count = at.field("values").fields().count();
        if at.field("values").exists() && count != LEVELS {
            let message = format!("`{}` names {count} levels, expected {LEVELS}", at.field("values").path());
            self.problems.push(at.field("values").key_problem("levels", message).hint("write a line for 0 to 4"));
        }
    }

    fn robustness(&mut self, at: &Cursor<'_>) {
        for key in ["exact_readings", "likely", "definite"] {
            gates::share(&at.field(key), self);
        }
        let in_range = |number: f64, low: f64, high: f64| number >= low && number <= high;
        for (key, low, high) in [("concentration", 1.0, 1e6), ("cut_offs", 0.0, 0.5), ("samples", 100.0, 1e6)] {
            let field = at.field(key);
            if let Some(number) = field.number().filter(|it| !in_range(*it, low, high)) {
                let message = format!("`{}` is {number}, expected {low} to {high}", field.path());
                self.problems.push(field.problem("out-of-range", message).label("out of range").hint("see the guide"));
            }
        }
        if let (Some(likely), Some(definite)) = (at.field("likely").number(), at.field("definite").number())
            && (likely > definite || likely <= 0.5)
        {
            let message = format!("`likely` is {likely} and `definite` is {definite}");
            let hint = "likely lies above one half, so that two verdicts never both are, and not above definite";
            self.problems.push(at.key_problem("shares", message).hint(hint));
        }
    }
}

/// The letters an id starts with: a criterion's pillar.
fn letters(id: &str) -> &str {
    id.trim_end_matches(|it: char| it.is_ascii_digit())
}

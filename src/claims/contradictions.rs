//! Claims that contradict each other, and what a check then reckons with: the graver figure, never a wider range.

use crate::claims::figure::Figure;
use crate::claims::worksheet::about_term;
use crate::claims::{About, Bands, Check, Claim, ClaimValue, Counted};
use crate::fact::{Argument, Interval, Message};

/// Things said in contradiction that are tried one by one; beyond, the rest is tried all low and all high.
const TRIED: usize = 8;

/// What a check reckons with: one reading of the claims, in which no two of a kind contradict each other.
#[derive(Clone, Debug)]
pub(crate) struct Said<'a> {
    /// Every claim on the model.
    pub(crate) all: &'a [Claim],
    /// What the program counted in the files.
    pub(crate) counted: &'a Counted,
    pub(crate) bands: &'a Bands,
    /// Of each contradicted thing, the claims that are left out.
    left_out: Vec<&'a str>,
}

impl<'a> Said<'a> {
    pub(crate) fn new(all: &'a [Claim], counted: &'a Counted, bands: &'a Bands) -> Self {
        Self { all, counted, bands, left_out: Vec::new() }
    }

    /// The values claimed about something, in the order of the case.
    pub(crate) fn values(&self, about: About) -> impl Iterator<Item = &'a ClaimValue> + use<'_, 'a> {
        let is_in = move |it: &&Claim| it.about == about && !self.left_out.contains(&it.id.as_str());
        self.all.iter().filter(is_in).map(|it| &it.value)
    }

    /// Whether the words of any claim call the model a mixture of experts.
    pub(crate) fn calls_itself_a_mixture(&self) -> bool {
        const WORDS: &[&str] = &["moe", "mixture of experts", "mixture-of-experts", "混合专家", "稀疏激活"];
        let quotes = self.all.iter().flat_map(|it| it.quote.languages().filter_map(|tag| it.quote.get(tag)));
        quotes.map(str::to_lowercase).any(|it| WORDS.iter().any(|word| holds_word(&it, word)))
    }
}

/// Whether a text holds a word that is not a part of another one.
fn holds_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_letter = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphabetic());
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next())
    })
}

/// Two or more claims about one thing.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub(crate) about: About,
    pub(crate) claims: Vec<&'a Claim>,
    /// Whether they contradict each other.
    pub(crate) contradict: bool,
}

/// Everything that was said more than once.
pub(crate) fn groups<'a>(claims: &'a [Claim], bands: &Bands) -> Vec<Group<'a>> {
    let several =
        About::ALL.into_iter().map(|about| (about, claims.iter().filter(|it| it.about == about).collect::<Vec<_>>()));
    let several = several.filter(|(_, claims)| claims.len() > 1);
    several.map(|(about, claims)| Group { about, contradict: contradict(&claims, bands), claims }).collect()
}

fn contradict(claims: &[&Claim], bands: &Bands) -> bool {
    let figures: Vec<Figure> = claims.iter().filter_map(|it| figure(it)).collect();
    if figures.len() == claims.len() {
        let reach = |it: &Figure| it.reach(&bands.rounding);
        let low = figures.iter().map(|it| reach(it).low).max_by(f64::total_cmp);
        let high = figures.iter().map(|it| reach(it).high).min_by(f64::total_cmp);
        return low > high;
    }
    claims.windows(2).any(|it| it[0].value != it[1].value)
}

pub(crate) fn figure(claim: &Claim) -> Option<Figure> {
    match &claim.value {
        ClaimValue::Number(figure) => Some(*figure),
        ClaimValue::Date(_) | ClaimValue::Yes(_) | ClaimValue::Name(_) => None,
    }
}

/// The claims that one reading of a contradicted thing leaves out: all but the lowest, all but the highest; of names,
/// all but each in turn.
fn readings<'a>(group: &Group<'a>) -> Vec<Vec<&'a str>> {
    let mut kept: Vec<&Claim> = group.claims.clone();
    let key = |it: &Claim| match &it.value {
        ClaimValue::Number(figure) => figure.point(),
        ClaimValue::Date(day) => f64::from(chrono::Datelike::num_days_from_ce(day)),
        ClaimValue::Yes(_) | ClaimValue::Name(_) => 0.0,
    };
    kept.sort_by(|one, other| key(one).total_cmp(&key(other)));
    let is_name = kept.iter().any(|it| matches!(it.value, ClaimValue::Name(_)));
    if !is_name {
        kept = kept.first().into_iter().chain(kept.last()).copied().collect();
    }
    let others = |one: &Claim| group.claims.iter().filter(|it| it.id != one.id).map(|it| it.id.as_str()).collect();
    kept.into_iter().take(TRIED).map(others).collect()
}

/// The gravest outcome of a check over every reading of what it uses.
pub(crate) fn gravest<'a>(said: &Said<'a>, uses: &[About], attempt: impl Fn(&Said<'a>) -> Check) -> Check {
    let groups = groups(said.all, said.bands);
    let contradicted: Vec<&Group<'_>> = groups.iter().filter(|it| it.contradict && uses.contains(&it.about)).collect();
    let mut worst: Option<Check> = None;
    for left_out in combinations(&contradicted) {
        let check = attempt(&Said { left_out, ..said.clone() });
        if worst.as_ref().is_none_or(|it| check.outcome > it.outcome) {
            worst = Some(check);
        }
    }
    let mut check = worst.unwrap_or_else(|| attempt(said));
    let is_used = |group: &&&Group<'_>| group.claims.iter().any(|it| check.rests_on.contains(&it.id));
    let about: Vec<Argument> = contradicted.iter().filter(is_used).map(|it| about_term(it.about).into()).collect();
    if !about.is_empty() {
        check.remarks.push(Message::new("remark.gravest_taken").with("about", Argument::List(about)));
    }
    check
}

fn combinations<'a>(groups: &[&Group<'a>]) -> Vec<Vec<&'a str>> {
    let mut all: Vec<Vec<&'a str>> = vec![Vec::new()];
    let (tried, rest) = groups.split_at(groups.len().min(TRIED));
    for group in tried {
        let readings = readings(group);
        all = all.iter().flat_map(|one| readings.iter().map(|more| [one.as_slice(), more].concat())).collect();
    }
    if rest.is_empty() {
        return all;
    }
    let low: Vec<&str> = rest.iter().filter_map(|it| readings(it).into_iter().next()).flatten().collect();
    let high: Vec<&str> = rest.iter().filter_map(|it| readings(it).into_iter().next_back()).flatten().collect();
    all.iter().flat_map(|one| [&low, &high].map(|more| [one.as_slice(), more].concat())).collect()
}

/// The furthest that two figures for one thing are apart.
pub(crate) fn spread(claims: &[&Claim]) -> Option<Interval> {
    let points: Option<Vec<f64>> = claims.iter().map(|it| figure(it).map(Figure::point)).collect();
    let points = points?;
    let low = points.iter().copied().min_by(f64::total_cmp)?;
    let high = points.iter().copied().max_by(f64::total_cmp)?;
    Some(Interval { low, high })
}

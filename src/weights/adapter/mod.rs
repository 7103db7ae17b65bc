//! An adapter against a model: what [`sign_test`] shows, decided by named rules.
//!
//! `adapter-signs`, `adapter-initialization`, `adapter-part`, `adapter-unfit`, `adapter-weak`, `adapter-faint`,
//! `adapter-silent`. An adapter holds changes and none of its base's weights; what it shows of a base is what the
//! gradients of training left in it.

pub(crate) mod factors;
pub(crate) mod moments;
pub(crate) mod sign_test;

use crate::checkpoint::Error;
use crate::fact::{ComponentRelation, PKind, Power, RuleId, Statistic, StatisticId, Weights, WeightsRelation};
use crate::stats::levels::{LEVEL, rounded};
use crate::weights::adapter::factors::Factors;
use crate::weights::adapter::sign_test::{Shown, Symmetries};
use crate::weights::decision::rules::{Rule, first};
use crate::weights::model::view::Net;

/// An adapter of this very model carries all of its second moments: what the theory gives, and no fit to any sample.
const CARRIES_ALL: f64 = 1.0;

/// What is carried must lie above this by two of its spreads.
const SURELY: f64 = 0.7;

/// Evidence from which on silence is not called independence.
const FAINT: f64 = -2.0;

/// Says whether an adapter was trained on a model, on a relative of it, or on none. `references` is how many models it
/// is held against in all: every p-value pays for them.
pub fn relate_adapter(
    adapter: &Factors<'_>,
    reference: &Net<'_>,
    symmetries: Symmetries,
    references: usize,
) -> Result<Weights, Error> {
    let shown = sign_test::test(adapter, reference, symmetries, references)?;
    let &Rule { id: rule, relation, .. } = first(RULES, &shown);
    Ok(Weights {
        relation,
        rule: Some(rule),
        log10_p: Some(rounded(if rule == RuleId::AdapterPart { shown.stream_log10_p } else { shown.log10_p })),
        p_kind: Some(PKind::Exact),
        power: Some(power(&shown)),
        reasons: reasons(&shown, rule).into_iter().chain(not_used(adapter, &shown, symmetries)).collect(),
        components: components(&shown),
        statistics: statistics(&shown),
        ..Weights::default()
    })
}

/// Two adapters: their bases are not here, and no test of one adapter against another is exact and told from a shared
/// task.
pub fn relate_adapters() -> Weights {
    let reason = "both are adapters, which hold changes and no weights of a model; compare each with the model that it \
                  may have been trained on";
    Weights {
        relation: WeightsRelation::Undetermined,
        rule: Some(RuleId::AdapterUnfit),
        reasons: vec![reason.to_owned()],
        ..Weights::default()
    }
}

/// Whether an adapter carries as much as one of this very model. With few value modules that is known badly; then it
/// must lie above what a shared initialization keeps by two standard deviations.
fn carries_all(shown: &Shown) -> bool {
    shown.carried.is_some_and(|it| it.0 >= CARRIES_ALL && it.0 - 2.0 * it.1 >= SURELY)
}

/// The rules for an adapter and a model.
pub(crate) const RULES: &[Rule<Shown>] = &[
    Rule {
        id: RuleId::AdapterSigns,
        relation: WeightsRelation::Derived,
        holds: |it| it.log10_p <= LEVEL && carries_all(it),
    },
    Rule {
        id: RuleId::AdapterInitialization,
        relation: WeightsRelation::Undetermined,
        holds: |it| it.log10_p <= LEVEL,
    },
    Rule { id: RuleId::AdapterUnfit, relation: WeightsRelation::Undetermined, holds: |it| it.tested == 0 },
    Rule { id: RuleId::AdapterFaint, relation: WeightsRelation::Undetermined, holds: |it| it.log10_p <= FAINT },
    Rule {
        id: RuleId::AdapterPart,
        relation: WeightsRelation::ComponentDerived,
        holds: |it| it.stream_log10_p <= LEVEL,
    },
    Rule {
        id: RuleId::AdapterWeak,
        relation: WeightsRelation::Undetermined,
        holds: |it| it.expected.is_none_or(|it| it > LEVEL),
    },
    Rule { id: RuleId::AdapterSilent, relation: WeightsRelation::Independent, holds: |_| true },
];

/// What would have been found. Evidence grows with the square of what is carried.
fn power(shown: &Shown) -> Power {
    let least = shown.expected.filter(|it| *it < 0.0).map_or(1.0, |it| (LEVEL / it).sqrt().min(1.0));
    let units = shown.coins as u64;
    let detail = match shown.expected {
        Some(expected) => format!(
            "an adapter of this very model would typically have given log10 p = {expected:.1}; one that carries \
             {least:.2} of the second moments that such an adapter carries would have been found, where value \
             dimensions are not mixed among each other"
        ),
        None => "without value modules that fit there is no measure of what would have been found".to_owned(),
    };
    Power { least_cosine: rounded(least), units, detail }
}

fn reasons(shown: &Shown, rule: RuleId) -> Vec<String> {
    let mut reasons = Vec::new();
    if shown.tested > 0 {
        reasons.push(format!(
            "what {} modules of the adapter learned agrees in sign with the model's second moments: log10 p = {:.1} \
             over {} signs, where fair coins are what independent starts give",
            shown.tested, shown.log10_p, shown.coins
        ));
    }
    if let Some((carried, spread)) = shown.carried {
        reasons.push(format!(
            "it carries {carried:.2} (draws spread by {spread:.2}) of the second moments that an adapter of this very \
             model would carry"
        ));
    }
    if shown.unfit > 0 {
        reasons.push(format!("{} modules of the adapter do not fit this model's shape", shown.unfit));
    }
    if shown.is_moved {
        reasons.push(
            "layers or groups of heads had to be re-ordered to be found; the p-value is corrected for that".to_owned(),
        );
    }
    let more = match rule {
        RuleId::AdapterInitialization => {
            "not by chance: the adapter was trained on this model, on a relative that was trained far since, or on one \
             that merely started from the same numbers. It carries too little to tell which; compare the merged model"
        }
        RuleId::AdapterPart => {
            "what the adapter listens to is this model's token coordinates, and what it writes is not this model's body"
        }
        RuleId::AdapterFaint => "too much for chance alone and too little to decide",
        RuleId::AdapterWeak => "the adapter is too small for this test: its own base would not be found either",
        RuleId::AdapterSilent => {
            "no derivation was found at the power stated; that is the most that can be said. A base whose value \
             dimensions were mixed to hide where it comes from would look the same, and the adapter would not work on \
             it"
        }
        _ => return reasons,
    };
    reasons.push(more.to_owned());
    reasons
}

/// What had no part in the answer, and why.
fn not_used(adapter: &Factors<'_>, shown: &Shown, symmetries: Symmetries) -> Vec<String> {
    let mut notes = Vec::new();
    if shown.untested > 0 {
        let why = if symmetries.has_rotary_halves {
            "gate, output and down modules have no sign of their own to test"
        } else {
            "gate, output and down modules have no sign of their own to test, and queries and keys none where it is \
             not known which dimensions are a rotary pair"
        };
        notes.push(format!("{} modules of the adapter were not used: {why}", shown.untested));
    }
    if symmetries.has_means {
        notes.push(
            "token coordinates were not tested: norms that take the mean away bind their signs together".to_owned(),
        );
    }
    let left_out = adapter.left_out();
    if let Some(first) = left_out.first() {
        let count = left_out.len();
        notes.push(format!(
            "{count} tensors of the adapter are no pair of factors in a layer and were not used, `{first}` first"
        ));
    }
    notes
}

fn components(shown: &Shown) -> Vec<ComponentRelation> {
    let mut parts = Vec::new();
    let mut add = |component: &str, coins: usize, log10_p: f64, found: WeightsRelation| {
        let relation = if log10_p <= LEVEL { found } else { WeightsRelation::Independent };
        if coins > 0 {
            let (component, log10_p) = (component.to_owned(), Some(rounded(log10_p)));
            parts.push(ComponentRelation {
                component,
                relation,
                log10_p,
                p_kind: Some(PKind::Exact),
                cosine: None,
                examined: None,
            });
        }
    };
    let body = first(RULES, shown).relation;
    let body = if body == WeightsRelation::Derived { body } else { WeightsRelation::Undetermined };
    add("adapted modules", shown.coins, shown.log10_p, body);
    add("token coordinates", shown.stream_coins, shown.stream_log10_p, WeightsRelation::Derived);
    parts
}

fn statistics(shown: &Shown) -> Vec<Statistic> {
    let mut all = Vec::new();
    let mut add = |id: StatisticId,
                   component: &str,
                   value: f64,
                   samples: usize,
                   log10_p: Option<f64>,
                   null: &str,
                   supports_relation| {
        all.push(Statistic {
            id,
            component: component.to_owned(),
            value: rounded(value),
            samples: samples as u64,
            log10_p: log10_p.map(rounded),
            p_kind: if log10_p.is_some() { PKind::Exact } else { PKind::Heuristic },
            null: null.to_owned(),
            supports_relation,
        });
    };
    if shown.coins > 0 {
        let null = "independent initialisation: signs of dimensions are fair coins, pair by pair";
        let speaks = shown.log10_p <= LEVEL;
        add(
            StatisticId::AdapterMoments,
            "adapted modules",
            shown.standing,
            shown.coins,
            Some(shown.log10_p),
            null,
            speaks,
        );
    }
    if shown.stream_coins > 0 {
        let null = "independent initialisation: signs of the stream's coordinates are fair coins, pair by pair";
        let (value, log10_p) = (shown.stream_standing, shown.stream_log10_p);
        add(
            StatisticId::AdapterMoments,
            "token coordinates",
            value,
            shown.stream_coins,
            Some(log10_p),
            null,
            log10_p <= LEVEL,
        );
    }
    if let Some((carried, _)) = shown.carried {
        let null = "an adapter of this very model carries 1 or more, one of a model of the same start less";
        add(StatisticId::AdapterCarried, "value dimensions", carried, shown.coins, None, null, carried >= CARRIES_ALL);
    }
    all
}

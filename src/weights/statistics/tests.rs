//! What every statistic of the list keeps.

use std::collections::BTreeSet;
use std::fs;

use super::*;

#[test]
fn every_observation_belongs_to_one_statistic() {
    let all: Vec<StatisticId> = ALL.iter().flat_map(|it| it.ids.iter().copied()).collect();
    let once: BTreeSet<StatisticId> = all.iter().copied().collect();
    assert_eq!(all.len(), once.len(), "{all:?}");
    // Those of adapters are made where an adapter is compared.
    let elsewhere = [StatisticId::AdapterMoments, StatisticId::AdapterCarried];
    let missing: Vec<_> = StatisticId::ALL.iter().filter(|it| !once.contains(it) && !elsewhere.contains(it)).collect();
    assert!(missing.is_empty(), "no statistic observes {missing:?}");
}

#[test]
fn every_statistic_states_its_null_its_limits_and_its_reference() {
    for definition in ALL {
        let name = definition.ids[0].word().replace('-', "_");
        let text = fs::read_to_string(format!("src/weights/statistics/{name}.rs"));
        let text = text.unwrap_or_else(|_| panic!("a statistic is in the file of its first id: {name}.rs"));
        let page: String = text.lines().take_while(|it| it.starts_with("//!")).collect::<Vec<_>>().join("\n");
        for part in ["**Statistic", "**Null.**", "**What it cannot tell.**", "Reference"] {
            assert!(page.contains(part), "{name}.rs says nothing under `{part}`");
        }
    }
}

/// Where nothing was measured nothing is observed, and nothing speaks for a relation.
#[test]
fn nothing_measured_is_nothing_observed() {
    let measured = Measured::default();
    for role in [Role::Decides, Role::Supports] {
        let observed = observe(role, &Compared::of(&measured)).unwrap();
        assert!(observed.iter().all(|it| it.support == Support::Heuristic(false)), "{observed:?}");
    }
}

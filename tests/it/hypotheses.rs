//! Names, layer numbers and maps are hypotheses: a copy is found whichever of them was changed, and no other model is.

use unshell::fact::{Weights, WeightsRelation};
use unshell::weights::{Effort, Finite, Net, Plan, relate};

use crate::weights::{Memory, Tiny, disguised, drawn, narrowed, tiny, weights};

const HIDDEN: usize = 32;

/// The same model under other names.
fn renamed(model: &Tiny, name: impl Fn(&str) -> String) -> Tiny {
    let numbers = model.numbers.0.iter().map(|(it, numbers)| (name(it), numbers.clone())).collect();
    Tiny { blueprint: model.blueprint.clone(), numbers: Memory(numbers) }
}

/// The first two layers under each other's number.
fn with_layers_exchanged(model: &Tiny) -> Tiny {
    renamed(model, |name| match name {
        _ if name.contains("layers.0.") => name.replace("layers.0.", "layers.1."),
        _ => name.replace("layers.1.", "layers.0."),
    })
}

/// Neurons in another order, and what was called gate called up.
fn with_gate_called_up(model: &Tiny) -> Tiny {
    let numbers = model.numbers.0.iter().map(|(name, numbers)| {
        let is_read = name.contains("gate_proj") || name.contains("up_proj");
        let width = if name.contains("down_proj") { numbers.len() / HIDDEN } else { HIDDEN };
        let mut rows: Vec<Vec<f32>> = numbers.chunks(width).map(<[f32]>::to_vec).collect();
        if is_read {
            rows.reverse();
        } else if name.contains("down_proj") {
            rows.iter_mut().for_each(|it| it.reverse());
        }
        (name.clone(), rows.concat())
    });
    let shuffled = Tiny { blueprint: model.blueprint.clone(), numbers: Memory(numbers.collect()) };
    renamed(&shuffled, |name| match name {
        _ if name.contains("gate_proj") => name.replace("gate_proj", "up_proj"),
        _ => name.replace("up_proj", "gate_proj"),
    })
}

/// Every child against all parents: derived from its own, and from no other.
fn assert_own_parent_alone(change: impl Fn(&Tiny) -> Tiny) {
    let parents: Vec<Tiny> = (0..6).map(|it| tiny(&format!("null-{it:03}"))).collect();
    for own in 0..6 {
        let child = change(&tiny(&format!("child-{own:03}")));
        for (other, parent) in parents.iter().enumerate() {
            let answer = weights(&child, parent);
            let expected = if other == own { WeightsRelation::Derived } else { WeightsRelation::Independent };
            assert_eq!(answer.relation, expected, "child-{own:03} null-{other:03} {:#?}", answer.reasons);
        }
    }
}

#[test]
fn layers_under_other_numbers_behind_new_embeddings_in_other_coordinates() {
    assert_own_parent_alone(|child| with_layers_exchanged(&disguised(child, HIDDEN)));
}

#[test]
fn gates_that_are_called_up_projections() {
    assert_own_parent_alone(with_gate_called_up);
    let answer = weights(&with_gate_called_up(&tiny("child-000")), &tiny("null-000"));
    assert!(answer.reasons.iter().any(|it| it.contains("one file calls gate")), "{:#?}", answer.reasons);
}

/// Attention taken over beside a body, embeddings and norm weights of one's own.
#[test]
fn attention_alone_is_found_at_its_layers() {
    let parents: Vec<Tiny> = (0..6).map(|it| tiny(&format!("null-{it:03}"))).collect();
    for own in 0..6 {
        let mut subject = drawn(&parents[own], 500 + own as u64);
        for (name, numbers) in &parents[own].numbers.0 {
            if name.contains("self_attn") {
                subject.numbers.0.insert(name.clone(), numbers.clone());
            }
        }
        for (other, parent) in parents.iter().enumerate() {
            let answer = weights(&subject, parent);
            let part = answer.components.iter().find(|it| it.component == "attention").unwrap();
            let expected = if other == own { WeightsRelation::Derived } else { WeightsRelation::Independent };
            assert_eq!(part.relation, expected, "null-{own:03} null-{other:03} {:#?}", answer.statistics);
        }
    }
}

/// Streams of different widths that no map joins: neither numbers nor names are compared, and nothing is found.
#[test]
fn other_widths_without_a_map_find_nothing() {
    let (parent, other) = (tiny("null-000"), tiny("null-001"));
    for (subject, reference) in [(&narrowed(&parent, HIDDEN, 24), &other), (&other, &narrowed(&parent, HIDDEN, 24))] {
        let answer = weights(subject, reference);
        let is_found = matches!(answer.relation, WeightsRelation::Derived | WeightsRelation::ComponentDerived);
        assert!(!is_found, "{:#?}", answer.reasons);
    }
}

fn with_tokens(subject: &Tiny, reference: &Tiny) -> Weights {
    let finite = (Finite::new(&subject.numbers), Finite::new(&reference.numbers));
    let nets = (Net::new(&subject.blueprint, &finite.0), Net::new(&reference.blueprint, &finite.1));
    let rows = subject.numbers.0["model.embed_tokens.weight"].len() / HIDDEN;
    let tokens: Vec<(u32, u32)> = (0..rows as u32).map(|it| (it, it)).collect();
    let plan = Plan { effort: Effort::Standard, goes_on: true, references: 1 };
    relate(&nets.0, &nets.1, Some(&tokens), plan, &()).unwrap()
}

/// Token rows that carry a map by half, and to other coordinates than those of the body, hide nothing.
#[test]
fn a_half_good_map_of_token_rows_ends_no_search() {
    let parents: Vec<Tiny> = (0..4).map(|it| tiny(&format!("null-{it:03}"))).collect();
    for own in 0..4 {
        let child = tiny(&format!("child-{own:03}"));
        let mut subject = disguised(&child, HIDDEN);
        // Rows at their old coordinates, with as much noise as takes their cosine to about 0.7.
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            let Some(rows) = child.numbers.0.get(name) else { continue };
            let size = (rows.iter().map(|it| it * it).sum::<f32>() / rows.len() as f32).sqrt();
            let noise = &drawn(&child, 900 + own as u64).numbers.0[name];
            let noisy = rows.iter().zip(noise).map(|(it, noise)| it + noise * size / 0.1);
            subject.numbers.0.insert(name.to_owned(), noisy.collect());
        }
        for (other, parent) in parents.iter().enumerate() {
            let answer = with_tokens(&subject, parent);
            let is_found = answer.relation == WeightsRelation::Derived;
            assert_eq!(is_found, other == own, "child-{own:03} null-{other:03} {:#?}", answer.reasons);
        }
    }
}

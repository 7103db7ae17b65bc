//! Holds a model against a reference: form and configuration now, weights not yet, and said so.

use crate::blueprint::compare_blueprints;
use crate::catalog::Catalog;
use crate::fact::{Comparison, Cost, Weights, WeightsRelation};
use crate::lineage::{Model, unexamined};

/// What names, shapes and configurations say about two models.
pub fn compare(subject: &Model, reference: &Model, catalog: &Catalog) -> Comparison {
    Comparison {
        schema: "unshell/compare/1".into(),
        subject: subject.name.clone(),
        reference: reference.name.clone(),
        form: compare_blueprints(&subject.blueprint, &reference.blueprint),
        config: catalog.agreement(subject.blueprint.config(), reference.blueprint.config()),
        weights: Weights { relation: WeightsRelation::Unexamined },
        unexamined: unexamined(subject, Some(reference)),
        catalog: catalog.reach(),
        cost: Cost { bytes_read: subject.bytes_read.saturating_add(reference.bytes_read), seconds: None },
    }
}

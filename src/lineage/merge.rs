//! A subject against several references: each of them, and how it is made of all.

use crate::catalog::Catalog;
use crate::checkpoint::{self, Data};
use crate::fact::{Comparison, Comparisons, Merge, WeightsRelation};
use crate::lineage::{Look, Model, compare_with_weights};
use crate::weights::{Finite, Net, merged};

/// Compares with every reference, p-values paid for all of them, and looks for a merge where two or more are related.
///
/// # Errors
/// A file that cannot be read.
pub fn compare_with_all(
    subject: &Model,
    references: &[Model],
    catalog: &Catalog,
    look: &Look<'_>,
) -> Result<Comparisons, checkpoint::Error> {
    let look = Look { effort: look.effort, references: look.references.max(references.len()), watch: look.watch };
    let each = references.iter().map(|it| compare_with_weights(subject, it, catalog, &look));
    let mut all = Comparisons {
        schema: "unshell/comparisons/1".into(),
        subject: subject.name.clone(),
        comparisons: each.collect::<Result<_, _>>()?,
        merge: None,
        no_merge: None,
    };
    let related: Vec<&Model> =
        references.iter().zip(&all.comparisons).filter(|(_, it)| is_related(it)).map(|(model, _)| model).collect();
    if related.len() < 2 {
        all.no_merge = Some("fewer than two references are related to the subject by their weights".into());
        return Ok(all);
    }
    let (merge, read) = merge(subject, &related)?;
    if merge.is_none() {
        let why =
            "references and subject are not all of one shape with their numbers at hand, or two of them are the same";
        all.no_merge = Some(why.into());
    }
    if let Some(first) = all.comparisons.first_mut() {
        first.cost.bytes_read = first.cost.bytes_read.saturating_add(read);
    }
    all.merge = merge;
    Ok(all)
}

fn is_related(comparison: &Comparison) -> bool {
    matches!(
        comparison.weights.relation,
        WeightsRelation::Derived | WeightsRelation::SharedInit | WeightsRelation::Identical
    )
}

/// The merge, with the bytes that were read for it.
fn merge(subject: &Model, references: &[&Model]) -> Result<(Option<Merge>, u64), checkpoint::Error> {
    let Some(ours) = subject.data()? else { return Ok((None, 0)) };
    let theirs: Option<Vec<Data>> = references.iter().map(|it| it.data()).collect::<Result<_, _>>()?;
    let Some(theirs) = theirs else { return Ok((None, 0)) };
    if theirs.iter().chain([&ours]).any(|it| it.checkpoint().adapter.is_some()) {
        return Ok((None, 0));
    }
    let finite = Finite::new(&ours);
    let net = Net::new(&subject.blueprint, &finite);
    let others: Vec<Finite<'_>> = theirs.iter().map(|it| Finite::new(it)).collect();
    let nets: Vec<Net<'_>> = references.iter().zip(&others).map(|(it, data)| Net::new(&it.blueprint, data)).collect();
    let names: Vec<String> = references.iter().map(|it| it.name.location.clone()).collect();
    let found = merged(&net, &nets.iter().collect::<Vec<_>>())?.map(|it| it.fact(&names));
    let read = theirs.iter().chain([&ours]).map(Data::bytes_read).fold(0, u64::saturating_add);
    Ok((found, read))
}

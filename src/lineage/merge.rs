//! A subject against several references: each of them, and how it is made of all.

use crate::catalog::Catalog;
use crate::checkpoint;
use crate::checkpoint::Data;
use crate::fact::{Comparison, Comparisons, Merge, WeightsRelation};
use crate::lineage::{Look, Model, compare_with_weights};
use crate::weights::{Finite, Net, merged};

/// How a subject is made of references that are related to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// The merge.
    pub merge: Option<Merge>,
    /// Why there is none.
    pub no_merge: Option<String>,
    /// Bytes that were read for it.
    pub bytes_read: u64,
}

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
    let Some(mixture) = mixture(subject, references.iter().zip(&all.comparisons))? else {
        all.no_merge = Some("fewer than two references are related to the subject by their weights".into());
        return Ok(all);
    };
    if let Some(first) = all.comparisons.first_mut() {
        first.cost.bytes_read = first.cost.bytes_read.saturating_add(mixture.bytes_read);
    }
    all.merge = mixture.merge;
    all.no_merge = mixture.no_merge;
    Ok(all)
}

/// Takes a subject apart into those references that comparisons found to be related to it; none where these are fewer
/// than two, so that there is nothing to take apart.
///
/// # Errors
/// A file that cannot be read.
pub fn mixture<'a>(
    subject: &Model,
    compared: impl Iterator<Item = (&'a Model, &'a Comparison)>,
) -> Result<Option<Mixture>, checkpoint::Error> {
    let related: Vec<&Model> = compared.filter(|(_, it)| is_related(it)).map(|(model, _)| model).collect();
    if related.len() < 2 {
        return Ok(None);
    }
    let (merge, bytes_read) = merge(subject, &related)?;
    let why = "references and subject are not all of one shape with their numbers at hand, or two of them are the same";
    let no_merge = merge.is_none().then(|| why.to_owned());
    Ok(Some(Mixture { merge, no_merge, bytes_read }))
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

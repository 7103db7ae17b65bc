//! Which layers of one model are copies of each other.

use std::collections::BTreeMap;

use crate::checkpoint::Error;
use crate::linalg::matrix::cosine;
use crate::weights::model::view::Net;

/// Which layers of a model are copies of each other, as in a depth-scaled one: the first of each such group. The first
/// few units tell, since copies have them in common. Layers that are not asked about stand for themselves.
pub(crate) fn like_layers(net: &Net<'_>, layers: &[usize]) -> Result<Vec<usize>, Error> {
    const UNITS: usize = 32;
    let mut firsts: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    let mut groups: Vec<usize> = (0..net.layers.len()).collect();
    for at in layers.iter().copied() {
        let layer = &net.layers[at];
        let Some(key) = layer.ffns.first().and_then(|it| it.key()) else { continue };
        let units: Vec<usize> = (0..key.outputs().min(UNITS)).collect();
        let rows = net.folded_rows(key, &units, layer.ffn_norm.as_ref())?.data;
        let like = firsts.iter().find(|(_, it)| it.len() == rows.len() && cosine(it, &rows) > 0.2).map(|it| *it.0);
        groups[at] = like.unwrap_or(at);
        if like.is_none() {
            firsts.insert(at, rows);
        }
    }
    Ok(groups)
}

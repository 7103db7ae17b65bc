//! A checkpoint as named matrices: every projection by what it does, read on demand.

pub(crate) mod basis;
pub(crate) mod block;
pub(crate) mod budget;
pub(crate) mod empty;
pub(crate) mod layer;
pub(crate) mod layer_pair;
pub(crate) mod orders;
pub(crate) mod projection;
pub(crate) mod roles;
pub(crate) mod sizes;
pub(crate) mod tensors;
pub(crate) mod view;

//! The random-sign test: are the signs of what two models have in common fair coins?
//!
//! **Statistic.** For each matched hidden unit `h` of a gated feed-forward block, `c_h` is the cosine of the subject's
//! and the reference's up projection plus that of their down projections; `T` is the sum of all `c_h`.
//!
//! **Null.** The two models were initialised independently. Turning the sign of a unit's up and down projection
//! together changes no output, and keeps the law of any initialisation that is symmetric about zero. SGD, Adam,
//! `AdamW`, Lion and Muon treat both signs alike, so that for every run of training there is an equally likely one with
//! the unit turned. Whatever the data, their order and the hyper-parameters, the signs of `c_h` are therefore
//! independent fair coins, given their sizes; and anything that was aligned or matched without looking at up or down
//! leaves them so. Units that answer the same reference unit share its coin and are added up before they are tested,
//! and so do units that are [copies](crate::linalg::duplicates) of each other. Whether signs are fair inside the models
//! is looked at ([`symmetry`](crate::weights::matching::symmetry)); where they are in neither, the test is not used,
//! and the answer says so.
//!
//! **p-value.** Hoeffding's bound `exp(-T² / 2 Σ c²)`: finite-sample, one-sided, never too small.
//!
//! **What it cannot tell.** A shared initialisation from derivation (`retention` does). Signs that somebody turned at
//! random make it silent; `agreement` then speaks, with the size of `c` beside it. It needs a gate (or, for value
//! dimensions, nothing but attention); for blocks without a gate the permutation test takes its place.
//!
//! **Power.** Long training hides the partner of a unit before it hides the sign: a gate must stand out from all gates
//! of the reference, by a cosine of about `sqrt(2 ln F / d)` for `F` units in `d` dimensions. In the same coordinates
//! units at the same place need no partner found, and are tested beside the matched ones.
//!
//! Reference: W. Hoeffding, JASA 58 (1963); S. Zhu et al., "Independence Tests for Language Models", ICML 2025, for
//! testing exchangeable initialisations.

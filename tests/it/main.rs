//! The integration tests: one crate, so that it links once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

// The house: who may import whom.
mod fingerprints;
mod floors;
// What every source file keeps.
mod sources;

// Files from strangers: described or refused in exactly these words, and in agreement with the `safetensors` crate.
mod checkpoint;
mod draft_torch;
mod gguf;
mod hostile;
mod hypotheses;
// An index alone, before the weights.
mod index_only;
// The numbers behind the headers, against the libraries of the formats.
mod data;
mod draft_onnx;
// Members of the families in the layouts of other programs.
mod layouts;
// One model in every format.
mod formats;
mod onnx;
// PyTorch files: those of the real writer, and any opcodes.
mod torch;
// Whose weights: the null, and families with known lineage.
mod weights;
// Members of the families re-written: the relation is that of their numbers.
mod rewritten;
// What the exact tests take for granted.
mod coins;
// Towers beside the language model, each with an origin of its own.
mod towers;
// Models behind an address, against a server on this machine.
// A case from a link. Real license texts: `UNSHELL_LICENSE_TEXTS` and the unit tests of `disclosure`.
mod from_link;
mod library;
mod loopback;
mod remote;
// Tokenizers: one vocabulary in every format, and the family of tiny models where it is at hand.
mod tokenizer;
// Case folders, good and broken.
mod cases;
// The examples: the verdicts they are there to show.
mod examples;
// The rubrics beside the main one: data alone, each with companies that it tells apart.
mod rubrics;

// The guide to rubrics: a second scorer that is written from it alone comes to the same verdicts.
mod independent_scorer;

// The examples, step by step: evidence and scorecard as snapshots.
mod stages;
// The examples as memos.
mod memos;
// The JSON Schemas that editors use.
mod schemas;
// Blueprints: what must hold over the whole catalogue, and over names and shapes made up to break it.
mod adapters;
mod blueprint;
mod maps;
// Several lists of layers in one checkpoint, and names under wrappers.
mod stacks;

// The same bytes, twice and with any number of threads.
mod determinism;
// The command line, as transcripts.
mod commands;

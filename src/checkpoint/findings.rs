//! Everything that is legal and yet worth knowing, each with a stable code.

use crate::bytes::{counted, is_unprintable, shown};
use crate::fact::Finding;

/// Every code that a checkpoint's findings may carry: the code, what it means, and what to do.
pub const FINDINGS: &[(&str, &str, &str)] = &[
    (
        "adapter",
        "The weights are an adapter (LoRA of PEFT, MLX, torchtune or llama.cpp): small matrices that change another model, and no model themselves. What its configuration says of the base is the author's word.",
        "Ask for the base model too; the product is the two together.",
    ),
    (
        "config-as-python",
        "The configuration is written as Python writes it and JSON does not allow: `NaN` or `Infinity` for a number, or text in UTF-16. It was read all the same; a number that is none counts as not stated.",
        "Harmless by itself; strict readers refuse the file.",
    ),
    (
        "config-repeated-key",
        "`config.json` or `adapter_config.json` has a key twice. Programs disagree on which of the two values counts; most take the last, and so does this one.",
        "Ask the publisher for a clean `config.json`; compare both values with the shapes of the tensors.",
    ),
    (
        "config-unreadable",
        "`config.json` or `adapter_config.json` is there and could not be read as JSON, so nothing that rests on it was checked.",
        "Open the file; a cut download or a Git LFS pointer are the usual reasons.",
    ),
    (
        "empty-tensors",
        "Tensors hold no number at all. A model that was saved under DeepSpeed's ZeRO-3 without gathering its shares looks so: the names are there, the weights are not.",
        "Ask for the checkpoint with its weights gathered (`zero_to_fp32.py` makes one of the training state).",
    ),
    (
        "graph-constants",
        "An ONNX graph also stores numbers of its computation, such as sizes to reshape to. They are no weights and were left out.",
        "Harmless; every exporter writes some.",
    ),
    (
        "header-extra-field",
        "A tensor's entry in the header has fields that the format does not know. They were not read.",
        "Harmless by itself; it tells that the file was not written by the usual library.",
    ),
    (
        "header-padding",
        "The header has white space where the format has none: before `{`, or other than spaces after `}`.",
        "Harmless by itself; it tells that the file was not written by the usual library.",
    ),
    (
        "index-disagrees",
        "The index says that a tensor is in one file, and it is in another. Loaders differ in what they do then.",
        "Ask the publisher for an index that belongs to these files.",
    ),
    (
        "index-only",
        "The folder holds an index and none of the weights that it names. The model was described by names and configuration: no shape, no count and no number of it is known, and nothing says that the weights exist.",
        "Ask for the weights, or for their first megabytes: the header of each file is enough for shapes.",
    ),
    (
        "index-stale",
        "The index names files of which none is there, and other weights lie in the folder. The index belongs to files that were replaced; the weights that are there were read.",
        "Usual where a model was packed anew into its own folder; ask for an index that belongs to these files.",
    ),
    (
        "index-tied-head",
        "The index names a head that no file holds. The configuration ties the head to the token embedding, so it is the embedding again.",
        "Harmless; the writer left out what is stored already.",
    ),
    (
        "index-total-size",
        "The index states another total size than the files have.",
        "Often a harmless mistake of the publisher; otherwise the index belongs to other files.",
    ),
    (
        "link-leads-outside",
        "A file of the folder is a symbolic link to a place outside of it, so the folder alone is not the model.",
        "Copy the file into the folder if the folder is to be archived or handed on.",
    ),
    (
        "metadata-differs",
        "Two files of the model state different values for one key beside their tensors. The value of the first file is kept.",
        "The files may come from two runs; compare their dates with the publisher's.",
    ),
    (
        "metadata-not-text",
        "The header's `__metadata__` holds something else than text, which the format does not allow. Common loaders refuse such a file.",
        "The tensors were described all the same; ask how the file was made.",
    ),
    (
        "metadata-repeated-key",
        "The header's `__metadata__` has a key twice; the last value is kept.",
        "Harmless by itself; it tells that the file was not written by the usual library.",
    ),
    (
        "no-index",
        "There are several weights files and no index that names them, so nothing says that they belong together.",
        "Download `model.safetensors.index.json` too, if the publisher has one.",
    ),
    ("no-tensors", "The file is well formed and holds no tensor.", "Ask for the file that holds the weights."),
    (
        "other-name",
        "The file is of this format by its structure, and its name says something else.",
        "Harmless by itself; loaders that go by the name will not find it.",
    ),
    (
        "other-values",
        "A PyTorch file also holds values that are no tensors: numbers, texts, the state of a training run.",
        "Harmless by itself; they may tell when and how the file was made.",
    ),
    (
        "other-weights",
        "The folder also holds weights in a format that was not read.",
        "They may differ from those that were described; ask which ones the product uses.",
    ),
    (
        "part-of-a-set",
        "By its name the file is one of several, and only this one was described.",
        "Name the folder to describe the whole model.",
    ),
    (
        "pickle-calls",
        "The file is a Python pickle that imports or calls something that no description of tensors needs. Loading it without protection would run that; this program ran nothing. What rests on the call could not be described.",
        "Do not load the file before someone has read what it calls; ask for safetensors.",
    ),
    (
        "shared-data",
        "Several tensors of a PyTorch file share their data, wholly or in part.",
        "Usual for tied embeddings; both names were described, and the data counts once.",
    ),
    (
        "split-disagrees",
        "The parts of a split GGUF model have another number of tensors together than the parts themselves say.",
        "The parts may come from two models; download all of them again from one place.",
    ),
    (
        "strided-view",
        "A tensor of a PyTorch file is a view: its elements are stored in another order than that of its shape, or with gaps.",
        "The shape is right, and the numbers are read in its order; other programs must follow the strides.",
    ),
    (
        "tensor-not-in-index",
        "A file holds a tensor that the index does not name. It was described all the same.",
        "Ask what it is; loaders that go by the index never read it.",
    ),
    (
        "trailing-bytes",
        "Behind the last tensor the file has bytes that belong to none.",
        "Bytes that no tensor owns can hide another file; ask how this one was made.",
    ),
    (
        "two-sets-of-weights",
        "The folder holds `model.safetensors`, and an index that names other files. Common loaders read `model.safetensors`, and so does this program.",
        "Ask which of the two sets is the product; name a file by itself to describe it.",
    ),
    (
        "unknown-dtype",
        "The file names an element type that the format does not have. Its tensors were described by name, shape and size; its size for one element was derived from their data.",
        "Ask how the file is loaded; a private element type needs private code.",
    ),
    (
        "unprintable-name",
        "A name holds control, invisible or direction-changing characters. It is printed with escapes.",
        "Names of released models have none; ask how the file was made.",
    ),
    (
        "unread-weights",
        "A weights file lies in the folder that the index does not name, or that stands beside the one that loaders take. It was not read.",
        "Ask what it is; name the file by itself to describe it.",
    ),
    (
        "unused-entries",
        "The archive of a PyTorch or NumPy file holds entries that belong to no tensor.",
        "They may hide something, or be code or the state of an optimiser; list the archive to see them.",
    ),
    (
        "wrapped-weights",
        "The tensors of a PyTorch file stand inside another dictionary, as training programs save them. They were described without its key.",
        "Ask whether it is a training snapshot or the product; what stands beside the weights was not described.",
    ),
];

/// A finding of a code in the list above, not yet tied to a file.
pub(crate) fn finding(code: &'static str, item: Option<&str>, detail: String) -> Finding {
    debug_assert!(FINDINGS.iter().any(|(listed, ..)| *listed == code), "list `{code}` in FINDINGS");
    Finding { code: code.to_owned(), file: None, item: item.map(str::to_owned), detail }
}

/// A finding of a code in the list above about a file.
pub(crate) fn finding_in(file: &str, code: &'static str, item: Option<&str>, detail: String) -> Finding {
    Finding { file: Some(file.to_owned()), ..finding(code, item, detail) }
}

/// A finding about names that have to be printed with escapes.
pub(crate) fn unprintable_names<'a>(names: impl Iterator<Item = &'a str>) -> Option<Finding> {
    let mut names: Vec<&str> = names.filter(|it| is_unprintable(it)).collect();
    names.sort_unstable();
    let first = names.first()?;
    let detail = format!(
        "control or invisible characters are in {}; the first is {}",
        counted(names.len(), "tensor name"),
        shown(first)
    );
    Some(finding("unprintable-name", Some(first), detail))
}

/// How many findings of one code a file may give one by one; a hostile header could give a million.
const FEW: usize = 16;

/// The first few of many findings of one code, and one that says how many more there are.
pub(crate) fn few(code: &'static str, mut all: impl ExactSizeIterator<Item = Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = all.by_ref().take(FEW).collect();
    if all.len() > 0 {
        let more = counted(all.len(), "more finding");
        findings.push(finding(code, None, format!("{more} of this kind in the file are not listed")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_kebab_case_and_explained() {
        assert!(FINDINGS.is_sorted_by(|one, other| one.0 < other.0));
        for (code, meaning, advice) in FINDINGS {
            assert!(code.chars().all(|it| it.is_ascii_lowercase() || it == '-'), "{code}");
            assert!(meaning.ends_with('.') && advice.ends_with('.'), "{code}: write sentences");
        }
    }
}

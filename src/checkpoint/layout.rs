//! Every layout that is known, in one table: how programs write a model down, and how far it is read here.

/// One way in which programs write a model down. What it is, `explain.<id>` of each language says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Stable kebab-case word.
    pub id: &'static str,
    /// What it is about.
    pub about: About,
    /// How far it is read.
    pub reading: Reading,
}

/// What a layout is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// How numbers of a few bits are packed.
    Packing,
    /// How the changes of a base model are written.
    Adapter,
    /// In which order rows stand, and what is added to numbers.
    Order,
    /// A model that is cut up for several devices.
    Ranks,
    /// A file of another program.
    Container,
}

/// How far a layout is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its numbers are read.
    Numbers,
    /// Names and, where anything tells them, sizes are known; its numbers are not read.
    Sizes,
    /// It is named, with the way to weights that are read.
    Named,
}

const fn all(about: About, reading: Reading, id: &'static str) -> Layout {
    Layout { id, about, reading }
}

/// Every layout, by what it is about.
pub const LAYOUTS: &[Layout] = &[
    all(About::Packing, Reading::Numbers, "gptq"),
    all(About::Packing, Reading::Numbers, "awq"),
    all(About::Packing, Reading::Numbers, "compressed-tensors-packed"),
    all(About::Packing, Reading::Numbers, "compressed-tensors-fp4"),
    all(About::Packing, Reading::Numbers, "mxfp4-blocks"),
    all(About::Packing, Reading::Numbers, "bitsandbytes-4bit"),
    all(About::Packing, Reading::Numbers, "mlx"),
    all(About::Packing, Reading::Numbers, "fp4"),
    all(About::Packing, Reading::Numbers, "bitnet"),
    all(About::Packing, Reading::Numbers, "exl2"),
    all(About::Packing, Reading::Numbers, "hqq"),
    all(About::Packing, Reading::Numbers, "torchao-int4"),
    all(About::Packing, Reading::Numbers, "torchao"),
    all(About::Packing, Reading::Numbers, "quanto"),
    all(About::Packing, Reading::Sizes, "torchao-tiled"),
    all(About::Packing, Reading::Sizes, "quanto-packed"),
    all(About::Packing, Reading::Sizes, "eetq"),
    all(About::Packing, Reading::Sizes, "marlin"),
    all(About::Packing, Reading::Sizes, "aqlm"),
    all(About::Packing, Reading::Sizes, "quip"),
    all(About::Packing, Reading::Sizes, "exl3"),
    all(About::Packing, Reading::Sizes, "vptq"),
    all(About::Adapter, Reading::Numbers, "adapter-peft"),
    all(About::Adapter, Reading::Numbers, "adapter-mlx"),
    all(About::Adapter, Reading::Numbers, "adapter-torchtune"),
    all(About::Adapter, Reading::Numbers, "adapter-gguf"),
    all(About::Order, Reading::Numbers, "rotary-neighbors"),
    all(About::Order, Reading::Numbers, "qkv-by-head"),
    all(About::Order, Reading::Numbers, "qkv-by-group"),
    all(About::Order, Reading::Numbers, "gate-up-alternating"),
    all(About::Order, Reading::Numbers, "norm-about-zero"),
    all(About::Order, Reading::Numbers, "linear-turned"),
    all(About::Ranks, Reading::Named, "ranks-meta"),
    all(About::Ranks, Reading::Named, "ranks-vllm"),
    all(About::Ranks, Reading::Named, "ranks-fsdp"),
    all(About::Ranks, Reading::Named, "ranks-deepspeed"),
    all(About::Ranks, Reading::Named, "ranks-megatron"),
    all(About::Ranks, Reading::Named, "ranks"),
    all(About::Container, Reading::Named, "torch-distributed"),
    all(About::Container, Reading::Named, "nemo"),
    all(About::Container, Reading::Named, "tar"),
    all(About::Container, Reading::Named, "split-piece"),
    all(About::Container, Reading::Named, "paddle-pickle"),
    all(About::Container, Reading::Named, "mindspore"),
    all(About::Container, Reading::Named, "openvino"),
    all(About::Container, Reading::Named, "ctranslate2"),
    all(About::Container, Reading::Named, "tensorrt"),
    all(About::Container, Reading::Named, "coreml"),
    all(About::Container, Reading::Named, "executorch"),
    all(About::Container, Reading::Named, "ascend-om"),
    all(About::Container, Reading::Named, "rknn"),
    all(About::Container, Reading::Named, "mnn"),
    all(About::Container, Reading::Named, "tflite"),
    all(About::Container, Reading::Named, "mlc"),
    all(About::Container, Reading::Named, "flax"),
    all(About::Container, Reading::Named, "orbax"),
    all(About::Container, Reading::Named, "tensorflow"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::checkpoint::containers::CONTAINERS;
    use crate::checkpoint::packing::PACKINGS;
    use crate::checkpoint::ranks::RANKS;
    use crate::checkpoint::reads_numbers;

    fn ids(about: About) -> BTreeSet<&'static str> {
        LAYOUTS.iter().filter(|it| it.about == about).map(|it| it.id).collect()
    }

    #[test]
    fn the_table_has_every_record_once() {
        let all: BTreeSet<&str> = LAYOUTS.iter().map(|it| it.id).collect();
        assert_eq!(all.len(), LAYOUTS.len());
        assert_eq!(ids(About::Packing), PACKINGS.iter().map(|it| it.layout).collect());
        assert_eq!(ids(About::Ranks), RANKS.iter().map(|it| it.layout).collect());
        assert_eq!(ids(About::Container), CONTAINERS.iter().map(|it| it.layout).collect());
    }

    #[test]
    fn packings_are_read_as_the_table_says() {
        for it in LAYOUTS.iter().filter(|it| it.about == About::Packing) {
            assert_eq!(it.reading == Reading::Numbers, reads_numbers(it.id), "{}", it.id);
        }
    }
}

//! Checkpoints that were cut up for several devices: each file holds a share of most tensors under the tensor's own
//! name.

/// One way in which programs call such files, and what puts them together again.
#[derive(Debug)]
pub(crate) struct Ranks {
    /// Its id in the list of all layouts.
    pub(crate) layout: &'static str,
    /// What a file's name has in it, digits written as `#`.
    pattern: &'static str,
    /// What to do; `{folder}` stands for the folder.
    way_out: &'static str,
}

/// In the order in which they are tried; the last one fits every name.
pub(crate) const RANKS: &[Ranks] = &[
    Ranks {
        layout: "ranks-meta",
        pattern: "consolidated.#.",
        way_out: "join them with `python -m transformers.models.llama.convert_llama_weights_to_hf \
                  --input_dir {folder} --model_size SIZE --output_dir OUT`, and name `OUT`",
    },
    Ranks {
        layout: "ranks-vllm",
        pattern: "model-rank-#-part-#.",
        way_out: "vLLM's `--load-format sharded_state` reads them and nothing joins them; \
                  ask for the checkpoint that `save_sharded_state.py` was given",
    },
    Ranks {
        layout: "ranks-fsdp",
        pattern: "model_world_size_#_rank_#.",
        way_out: "join them with `python -m verl.model_merger merge \
                  --backend fsdp --local_dir {folder} --target_dir OUT`, and name `OUT`",
    },
    Ranks {
        layout: "ranks-deepspeed",
        pattern: "mp_rank_#_model_states.",
        way_out: "join them with the `zero_to_fp32.py` that DeepSpeed left beside them: `python zero_to_fp32.py \
            {folder} OUT`, and name `OUT`",
    },
    Ranks {
        layout: "ranks-megatron",
        pattern: "mp_rank_#",
        way_out: "join them with Megatron's `python tools/checkpoint/convert.py --model-type GPT --load-dir {folder} \
            --save-dir OUT --target-tensor-parallel-size 1`, and name `OUT`",
    },
    Ranks {
        layout: "ranks",
        pattern: "",
        way_out: "join them with the program that wrote them, or ask for the checkpoint in one piece",
    },
];

/// How the files of two names belong together: none where they differ in more than numbers.
pub(crate) fn of(first: &str, second: &str) -> Option<&'static Ranks> {
    let (first, second) = (masked(first), masked(second));
    let is_counted = first.contains("-of-");
    let ranks = RANKS.iter().find(|it| first.contains(it.pattern));
    ranks.filter(|_| first == second && !is_counted)
}

impl Ranks {
    /// What to do with the files of a folder.
    pub(crate) fn hint(&self, folder: &str) -> String {
        let way_out = self.way_out.replace("{folder}", folder);
        format!("{way_out} (`unshell explain {}`)", self.layout)
    }
}

/// A name with one mark for each number in it.
pub(crate) fn masked(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for it in name.chars() {
        match it.is_ascii_digit() {
            false => out.push(it),
            true if out.ends_with('#') => {}
            true => out.push('#'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_differ_in_numbers_alone_are_ranks_of_one_model() {
        let layout = |first: &str, second: &str| of(first, second).map(|it| it.layout);
        assert_eq!(layout("consolidated.00.pth", "consolidated.01.pth"), Some("ranks-meta"));
        assert_eq!(layout("model-rank-0-part-0.safetensors", "model-rank-1-part-0.safetensors"), Some("ranks-vllm"));
        assert_eq!(layout("model_world_size_2_rank_0.pt", "model_world_size_2_rank_1.pt"), Some("ranks-fsdp"));
        assert_eq!(layout("shard0.bin", "shard1.bin"), Some("ranks"));
        assert_eq!(layout("model.safetensors", "model.fp16.safetensors"), None);
        assert_eq!(layout("a-00001-of-00002.safetensors", "a-00002-of-00002.safetensors"), None);
        assert_eq!(masked("h.12.q3.weight"), "h.#.q#.weight");
    }
}

//! Runs that their makers described: none of them is more than a question.
//!
//! Figures and sources are those of the research notes of the project: makers' papers and model cards as named, and
//! Epoch AI's notable models (export of 2025-02-24), whose notes quote the papers.

use crate::claims::tests::{claims, run_all};
use crate::claims::{Bands, Counted, Outcome, worst};

/// Model, source, and what was published.
const RUNS: &[(&str, &str, &str)] = &[
    (
        "LLaMA-65B",
        "arXiv 2302.13971",
        "parameters: 65.2B\n training_tokens: 1.4T\n gpus: 2048\n gpu_model: A100\n training_days: 21 days\n gpu_hours: 1.02M GPU-hours",
    ),
    (
        "Llama-2-7B",
        "llama2/MODEL_CARD.md",
        "parameters: 6.7B\n training_tokens: 2T\n gpu_model: A100\n gpu_hours: 184,320 GPU-hours",
    ),
    (
        "Llama-2-13B",
        "llama2/MODEL_CARD.md",
        "parameters: 13B\n training_tokens: 2T\n gpu_model: A100\n gpu_hours: 368,640 GPU-hours",
    ),
    (
        "Llama-2-70B",
        "llama2/MODEL_CARD.md",
        "parameters: 69B\n training_tokens: 2T\n gpu_model: A100\n gpu_hours: 1,720,320 GPU-hours",
    ),
    (
        "Llama-3-8B",
        "llama3/MODEL_CARD.md",
        "parameters: 8B\n training_tokens: >15T\n gpu_model: H100\n precision: bf16\n gpu_hours: 1.3M GPU-hours",
    ),
    (
        "Llama-3-70B",
        "llama3/MODEL_CARD.md",
        "parameters: 70.6B\n training_tokens: 15T\n gpu_model: H100\n precision: bf16\n gpu_hours: 6.4M GPU-hours",
    ),
    (
        "Llama-3.1-8B",
        "llama3_1/MODEL_CARD.md",
        "parameters: 8B\n training_tokens: ~15T\n gpu_model: H100\n precision: bf16\n gpu_hours: 1.46M GPU-hours\n context_length: 128K",
    ),
    (
        "Llama-3.1-70B",
        "llama3_1/MODEL_CARD.md",
        "parameters: 70.6B\n training_tokens: ~15T\n gpu_model: H100\n precision: bf16\n gpu_hours: 7.0M GPU-hours",
    ),
    (
        "Llama-3.1-405B",
        "llama3_1/MODEL_CARD.md, Epoch",
        "parameters: 405B\n training_tokens: 15.6T\n gpu_model: H100\n precision: bf16\n gpu_hours: 30.84M GPU-hours\n flop: 3.8e25 FLOP\n mfu: 40%",
    ),
    (
        "Llama-4-Scout",
        "llama4/MODEL_CARD.md",
        "active_parameters: 17B\n training_tokens: ~40T\n gpu_model: H100\n precision: bf16\n gpu_hours: 5.0M GPU-hours",
    ),
    (
        "Llama-4-Maverick",
        "llama4/MODEL_CARD.md",
        "active_parameters: 17B\n training_tokens: ~22T\n gpu_model: H100\n precision: bf16\n gpu_hours: 2.38M GPU-hours",
    ),
    (
        "DeepSeek-V3",
        "github.com/deepseek-ai/DeepSeek-V3",
        "parameters: 671B\n active_parameters: 37B\n training_tokens: 14.8T\n gpu_model: H800\n precision: fp8\n gpu_hours: 2.664M GPU-hours\n gpus: 2048\n training_days: 54 days",
    ),
    (
        "DeepSeek-V3 with its cost",
        "github.com/deepseek-ai/DeepSeek-V3",
        "gpu_model: H800\n gpu_hours: 2.788M GPU-hours\n cost: $5.576M",
    ),
    (
        "Falcon-40B",
        "arXiv 2311.16867",
        "parameters: 40B\n training_tokens: 1.0T\n gpus: 384\n gpu_model: A100\n training_days: 2 months",
    ),
    (
        "Falcon-180B",
        "arXiv 2311.16867",
        "parameters: 180B\n training_tokens: 3.5T\n gpus: up to 4096\n gpu_model: A100\n training_days: 6-9 months",
    ),
    (
        "BLOOM-176B",
        "tr11-176B-ml README, JMLR 23-0069, arXiv 2211.02001",
        "parameters: 176B\n training_tokens: 366B\n gpus: 384\n gpu_model: A100\n training_days: 117 days\n gpu_hours: 1,082,990 GPU-hours\n training_start: 2022-03-11\n release: 2022-07-06\n energy: 433 MWh",
    ),
    (
        "GLM-130B",
        "THUDM/GLM-130B main-log-en.md",
        "parameters: 130B\n training_tokens: 400B\n gpus: 768\n gpu_model: A100\n training_days: 60 days\n gpu_hours: 1,105,920 GPU-hours\n training_start: 2022-05-06\n release: 2022-07-03\n mfu: 32.5%\n hfu: 43.3%",
    ),
    (
        "OPT-175B",
        "metaseq chronicles, final_update.md",
        "parameters: 175B\n training_tokens: 300B\n gpus: ~1000\n gpu_model: A100\n flop: 4.3e23 FLOP",
    ),
    (
        "GPT-NeoX-20B",
        "arXiv 2204.06745",
        "parameters: 20B\n training_tokens: 341B\n gpus: 96\n gpu_model: A100\n training_days: ~3 months",
    ),
    (
        "Pythia-1B",
        "EleutherAI/pythia, TinyLlama README",
        "parameters: 1.0B\n training_tokens: 300B\n gpu_model: A100\n gpu_hours: 4,830 GPU-hours",
    ),
    (
        "TinyLlama-1.1B",
        "jzhang38/TinyLlama README",
        "parameters: 1.1B\n training_tokens: 3T\n clean_tokens: 950B\n epochs: 3\n gpus: 16\n gpu_model: A100\n training_days: 90 days\n gpu_hours: 34,560 GPU-hours\n training_start: 2023-09-01\n release: 2023-11-30\n mfu: 56%",
    ),
    (
        "MPT-1.3B",
        "jzhang38/TinyLlama README",
        "parameters: 1.3B\n training_tokens: 200B\n gpus: 440\n gpu_model: A100\n training_days: 0.5 days",
    ),
    (
        "StarCoder-15.5B",
        "arXiv 2305.06161",
        "parameters: 15.5B\n training_tokens: 1T\n gpus: 512\n gpu_model: A100\n gpu_hours: 320,256 GPU-hours",
    ),
    (
        "Skywork-13B",
        "arXiv 2310.19341",
        "parameters: 13B\n training_tokens: 3.18T\n gpus: 512\n gpu_model: A800\n training_days: 39 days\n mfu: 56.5%",
    ),
    (
        "Skywork-13B in exactly those days",
        "arXiv 2310.19341",
        "gpus: 512\n gpu_hours: 479,232 GPU-hours\n training_days: 39 days\n training_start: 2023-08-01\n release: 2023-09-08",
    ),
    (
        "Nemotron-4-340B",
        "Epoch AI notable models",
        "parameters: 340B\n training_tokens: 9T\n gpus: 6144\n gpu_model: H100\n flop: 1.8e25 FLOP\n mfu: 41-42%",
    ),
    (
        "DCLM 0.4B",
        "mlfoundations/dclm README",
        "parameters: 0.4B\n training_tokens: 8.2B\n gpu_model: H100\n precision: bf16\n gpu_hours: 26 GPU-hours",
    ),
    (
        "DCLM 1.4B",
        "mlfoundations/dclm README",
        "parameters: 1.4B\n training_tokens: 28B\n gpu_model: H100\n precision: bf16\n gpu_hours: 240 GPU-hours",
    ),
    (
        "DCLM 2.8B",
        "mlfoundations/dclm README",
        "parameters: 2.8B\n training_tokens: 56B\n gpu_model: H100\n precision: bf16\n gpu_hours: 740 GPU-hours",
    ),
    (
        "DCLM 6.9B",
        "mlfoundations/dclm README",
        "parameters: 6.9B\n training_tokens: 138B\n gpu_model: H100\n precision: bf16\n gpu_hours: 3,700 GPU-hours",
    ),
    (
        "DCLM 6.9B twice",
        "mlfoundations/dclm README",
        "parameters: 6.9B\n training_tokens: 276B\n gpu_model: H100\n precision: bf16\n gpu_hours: 7,300 GPU-hours",
    ),
    ("Qwen-72B", "QwenLM/Qwen, Epoch", "parameters: 72B\n training_tokens: 3T\n flop: 1.3e24 FLOP"),
    ("Baichuan2-7B", "baichuan-inc/Baichuan2", "parameters: 7B\n training_tokens: 2.6T\n flop: 1.1e23 FLOP"),
    (
        "Kimi-K2",
        "MoonshotAI/Kimi-K2",
        "parameters: 1T\n active_parameters: 32B\n training_tokens: 15.5T\n flop: 3.0e24 FLOP",
    ),
    ("OLMo-2-7B", "allenai/OLMo", "parameters: 7B\n training_tokens: 4T\n flop: 1.7e23 FLOP"),
    ("SmolLM3", "huggingface/smollm", "parameters: 3B\n training_tokens: 11T\n flop: 2e23 FLOP"),
    (
        "Hunyuan-Large",
        "arXiv 2411.02265",
        "parameters: 389B\n active_parameters: 52B\n training_tokens: 7T\n flop: 3.5e24 FLOP",
    ),
    (
        "Pangu-Ultra",
        "arXiv 2504.07866",
        "parameters: 135B\n training_tokens: 13.2T\n gpus: 8192\n gpu_model: 昇腾910B\n mfu: 50%",
    ),
    ("Yi-34B", "arXiv 2403.04652, statement of 2023-11-15", crate::claims::tests::YI),
];

#[test]
fn every_published_run_is_at_worst_a_question() {
    for (model, source, lines) in RUNS {
        assert!(!source.is_empty());
        for check in run_all(lines, &Counted::default()) {
            assert!(check.outcome <= Outcome::Ask, "{model}: {check:#?}");
        }
    }
}

/// The runs that honest arithmetic once called impossible: nothing about their hours is even a question.
#[test]
fn hours_of_published_runs_are_normal() {
    for name in ["LLaMA-65B", "BLOOM-176B", "GLM-130B", "TinyLlama-1.1B", "Skywork-13B in exactly those days"] {
        let (_, _, lines) = RUNS.iter().find(|it| it.0 == name).unwrap();
        for id in ["calendar", "wall_clock"] {
            let check = crate::claims::tests::run(lines, id);
            assert!(check.outcome <= Outcome::Normal, "{name}: {check:#?}");
        }
    }
}

#[test]
fn runs_with_all_figures_stated_assume_nothing_but_that_they_are_dense() {
    for name in ["Llama-2-70B", "Llama-3.1-405B", "DeepSeek-V3", "Skywork-13B"] {
        let (_, _, lines) = RUNS.iter().find(|it| it.0 == name).unwrap();
        let compute = crate::claims::tests::run(lines, "compute");
        assert_eq!(compute.outcome, Outcome::Normal, "{name}: {compute:#?}");
        assert!(compute.assumptions.iter().all(|it| it.key == "assumption.dense"), "{name}: {compute:#?}");
    }
}

#[test]
fn runs_of_the_bands_file_are_at_worst_a_question() {
    for run in Bands::shipped().runs {
        let lines = format!(
            "active_parameters: {} parameters\n training_tokens: {} tokens\n gpus: {}\n gpu_model: {}",
            run.parameters, run.tokens, run.gpus, run.accelerator
        );
        assert_eq!(claims(&lines).len(), 4);
        assert!(worst(&run_all(&lines, &Counted::default())) <= Outcome::Ask, "{}", run.model);
    }
}

"""Writes models as people publish them: Hugging Face folders, shards, PEFT adapters, GGUF files."""

import hashlib
import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file, save_file

from .models import EMBED, HEAD, NORM, attn, mlp, norm_in, norm_post
from .transforms import DTYPES

TORCH_NAMES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
ARCHITECTURES = {
    "llama": "LlamaForCausalLM",
    "mixtral": "MixtralForCausalLM",
    "phi3": "Phi3ForCausalLM",
    "acme": "AcmeForCausalLM",
    "gpt2": "GPT2LMHeadModel",
}


def config_json(c, model_type, dtype):
    """A config.json as transformers writes it."""
    head = {"architectures": [ARCHITECTURES[model_type]], "model_type": model_type}
    tail = {"bos_token_id": 1, "eos_token_id": 2, "torch_dtype": TORCH_NAMES[dtype], "initializer_range": 0.02}
    return head | (gpt2_fields(c) if c.style == "gpt2" else llama_fields(c)) | tail | expert_fields(c)


def llama_fields(c):
    """Llama's own fields."""
    return {
        "hidden_size": c.hidden,
        "intermediate_size": c.ffn,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.kv_heads,
        "head_dim": c.head_dim,
        "vocab_size": c.vocab,
        "rms_norm_eps": c.eps,
        "rope_theta": c.theta,
        "hidden_act": "silu",
        "max_position_embeddings": c.seq,
        "tie_word_embeddings": False,
        "attention_bias": False,
        "mlp_bias": False,
    }


def gpt2_fields(c):
    """GPT-2's own fields."""
    return {
        "n_embd": c.hidden,
        "n_inner": c.ffn,
        "n_layer": c.layers,
        "n_head": c.heads,
        "n_positions": c.seq,
        "n_ctx": c.seq,
        "vocab_size": c.vocab,
        "layer_norm_epsilon": c.eps,
        "activation_function": "gelu_new",
        "tie_word_embeddings": True,
    }


def expert_fields(c):
    """Mixtral's own fields."""
    return {"num_local_experts": c.experts, "num_experts_per_tok": c.top_k} if c.experts else {}


def write_json(path, value):
    """Indented JSON."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False))


def write_tokenizer(folder, c, tokenizer):
    """tokenizer.json and its config."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": c.seq}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | names)


def cast(params, dtype):
    """Arrays of the type a file holds."""
    return {k: np.ascontiguousarray(params[k].astype(DTYPES[dtype])) for k in sorted(params)}


def write_model(folder, c, params, tokenizer, dtype="f32", model_type="llama", shards=1):
    """A model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config_json(c, model_type, dtype))
    write_tokenizer(folder, c, tokenizer)
    tensors = cast(params, dtype)
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        write_shards(folder, tensors, shards)


def write_shards(folder, tensors, shards):
    """The tensors dealt to several files, with the index that says which is where."""
    names, where = sorted(tensors), {}
    for s in range(shards):
        file = f"model-{s + 1:05}-of-{shards:05}.safetensors"
        mine = names[s::shards]
        save_file({n: tensors[n] for n in mine}, folder / file, metadata={"format": "pt"})
        where |= {n: file for n in mine}
    total = sum(t.nbytes for t in tensors.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})


def read_tensors(folder):
    """All tensors of a folder, in single precision."""
    tensors = {}
    for file in sorted(Path(folder).glob("*.safetensors")):
        tensors |= load_file(file)
    return {k: np.asarray(v, np.float32) for k, v in tensors.items()}


def write_adapter(folder, adapter, base_name, rank, alpha, targets, dtype="f32"):
    """A LoRA adapter as PEFT saves it; `adapter` has plain names ending in lora_A / lora_B."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"peft_type": "LORA", "base_model_name_or_path": base_name, "r": rank, "lora_alpha": alpha}
    config |= {"lora_dropout": 0.0, "bias": "none", "target_modules": targets, "task_type": "CAUSAL_LM"}
    write_json(folder / "adapter_config.json", config)
    tensors = cast({f"base_model.model.{k}": v for k, v in adapter.items()}, dtype)
    save_file(tensors, folder / "adapter_model.safetensors")


def gguf_name(c):
    """Our name -> (llama.cpp's name, heads whose rows it interleaves or 0)."""
    names = {HEAD: ("output.weight", 0), EMBED: ("token_embd.weight", 0), NORM: ("output_norm.weight", 0)}
    for i in range(c.layers):
        blk = f"blk.{i}."
        names[norm_in(i)], names[norm_post(i)] = (blk + "attn_norm.weight", 0), (blk + "ffn_norm.weight", 0)
        for m in ("gate", "up", "down"):
            names[mlp(i, m)] = (f"{blk}ffn_{m}.weight", 0)
        names[attn(i, "q")], names[attn(i, "k")] = (blk + "attn_q.weight", c.heads), (blk + "attn_k.weight", c.kv_heads)
        names[attn(i, "v")], names[attn(i, "o")] = (blk + "attn_v.weight", 0), (blk + "attn_output.weight", 0)
    return names


def interleave(w, heads):
    """llama.cpp's row order for q and k: the two halves of a head's rotary pairs next to each other."""
    return w.reshape(heads, 2, -1, w.shape[1]).swapaxes(1, 2).reshape(w.shape) if heads else w


def write_gguf(folder, c, params, tokenizer, name, kind):
    """A GGUF file of type F16, Q8_0 or Q4_0; rows that are not whole blocks stay F16, vectors F32."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    add_gguf_header(writer, c, tokenizer, name)
    wanted = gguf.GGMLQuantizationType[kind]
    for ours, (theirs, heads) in gguf_name(c).items():
        w = np.ascontiguousarray(interleave(params[ours].astype(np.float32), heads))
        if w.ndim == 1:
            writer.add_tensor(theirs, w)
        elif kind == "F16" or w.shape[1] % 32:
            writer.add_tensor(theirs, w.astype(np.float16))
        else:
            writer.add_tensor(theirs, gguf.quants.quantize(w, wanted), raw_dtype=wanted)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_gguf_header(writer, c, tokenizer, name):
    """Shape and vocabulary."""
    writer.add_name(name)
    writer.add_context_length(c.seq)
    writer.add_embedding_length(c.hidden)
    writer.add_block_count(c.layers)
    writer.add_feed_forward_length(c.ffn)
    writer.add_head_count(c.heads)
    writer.add_head_count_kv(c.kv_heads)
    writer.add_rope_dimension_count(c.head_dim)
    writer.add_rope_freq_base(c.theta)
    writer.add_layer_norm_rms_eps(c.eps)
    writer.add_vocab_size(c.vocab)
    spec = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(spec["vocab"], key=spec["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if i < 3 else 1 for i in range(len(tokens))])
    writer.add_token_merges([" ".join(m) for m in spec["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def gguf_params(folder, c):
    """A GGUF file's tensors, dequantised and with q/k rows in our order: for checking."""
    read = {t.name: t for t in gguf.GGUFReader(folder / "model.gguf").tensors}
    params = {}
    for ours, (theirs, heads) in gguf_name(c).items():
        t = read[theirs]
        w = np.asarray(gguf.quants.dequantize(t.data, t.tensor_type), np.float32)
        params[ours] = w.reshape(heads, -1, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape) if heads else w
    return params


def file_facts(folder):
    """Bytes of a folder, and the hashes of its weights and tokenizer."""
    files = sorted(p for p in folder.iterdir() if p.is_file())
    hashed = [p for p in files if p.suffix in (".safetensors", ".gguf") or p.name == "tokenizer.json"]
    hashes = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in hashed}
    for path in files:
        path.chmod(0o644)
    return sum(p.stat().st_size for p in files), hashes

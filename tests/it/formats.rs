//! One model in every format: the same numbers, whoever wrote them (`tests/formats/make.py`).

use std::path::Path;

use unshell::checkpoint::Data;

/// What llama.cpp calls the parts of a layer.
const NAMES: &[(&str, &str)] = &[
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("model.layers", "blk"),
    ("model.embed_tokens", "token_embd"),
    ("model.norm", "output_norm"),
    ("lm_head", "output"),
];

fn in_gguf(name: &str) -> String {
    NAMES.iter().fold(name.to_owned(), |name, (ours, theirs)| name.replace(ours, theirs))
}

#[test]
fn the_same_tensor_gives_the_same_numbers_in_every_format() {
    let open = |file: &str| Data::open(&Path::new("tests/formats").join(file)).unwrap();
    let reference = open("model.safetensors");
    assert_eq!(reference.values().len(), 21);
    for (file, dtype) in
        [("pytorch_model.bin", "F16"), ("model.gguf", "F16"), ("traced.onnx", "F32"), ("exported.onnx", "F32")]
    {
        let data = open(file);
        let mut matrices = 0;
        for expected in reference.values() {
            let name = if file == "model.gguf" { in_gguf(&expected.name) } else { expected.name.clone() };
            let found = data.find(&name).unwrap_or_else(|| panic!("{file} has no {name}"));
            assert_eq!(found.shape, expected.shape, "{file} {name}");
            let bits = |data: &Data, it| -> Vec<u32> {
                data.read(it, 0..it.elements()).unwrap().into_iter().map(f32::to_bits).collect()
            };
            assert_eq!(bits(&data, found), bits(&reference, expected), "{file} {name}");
            let stored = data.checkpoint().tensors.iter().find(|it| it.name == name).unwrap();
            matrices += usize::from(stored.dtype.to_string() == dtype && found.shape.len() == 2);
        }
        // Two layers of seven matrices, the embedding and the head, each stored in the type that is claimed here.
        assert_eq!(matrices, 16, "{file}");
    }
}

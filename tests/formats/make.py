"""How the files beside this script were made, with torch 2.15, safetensors 0.8, gguf 0.19, onnx 1.23 and onnxscript 0.7
from PyPI: python3 make.py

One small model of Llama's names, its numbers such that 16 bits hold them, by the real writer of each format: safetensors,
`torch.save`, gguf's writer (F16 but for the norms, queries and keys permuted as llama.cpp's converter does), and both of
torch's exporters to ONNX. onnxruntime or any loader of these formats would compute the same with all of them."""

import os

import numpy
import onnx
import torch
from gguf import GGUFWriter
from safetensors.torch import save_file

HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FFN, VOCAB, LAYERS = 16, 4, 2, 4, 24, 20, 2


class Norm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(HIDDEN))

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.weight


def linear(inputs, outputs):
    return torch.nn.Linear(inputs, outputs, bias=False)


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = linear(HIDDEN, HEADS * HEAD_DIM)
        self.k_proj = linear(HIDDEN, KV_HEADS * HEAD_DIM)
        self.v_proj = linear(HIDDEN, KV_HEADS * HEAD_DIM)
        self.o_proj = linear(HEADS * HEAD_DIM, HIDDEN)

    def forward(self, x):
        def heads(it, count):
            return it.reshape(1, -1, count, HEAD_DIM).transpose(1, 2)

        q = heads(self.q_proj(x), HEADS)
        k = heads(self.k_proj(x), KV_HEADS).repeat_interleave(HEADS // KV_HEADS, 1)
        v = heads(self.v_proj(x), KV_HEADS).repeat_interleave(HEADS // KV_HEADS, 1)
        weights = torch.softmax(q @ k.transpose(2, 3), -1)
        return self.o_proj((weights @ v).transpose(1, 2).reshape(1, -1, HEADS * HEAD_DIM))


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj = linear(HIDDEN, FFN)
        self.up_proj = linear(HIDDEN, FFN)
        self.down_proj = linear(FFN, HIDDEN)

    def forward(self, x):
        return self.down_proj(torch.sigmoid(self.gate_proj(x)) * self.up_proj(x))


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn = Attention()
        self.mlp = Mlp()
        self.input_layernorm = Norm()
        self.post_attention_layernorm = Norm()

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = torch.nn.Embedding(VOCAB, HIDDEN)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = Norm()

    def forward(self, ids):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Body()
        self.lm_head = linear(HIDDEN, VOCAB)

    def forward(self, ids):
        return self.lm_head(self.model(ids))


def permuted(weights, heads):
    """As llama.cpp's convert_hf_to_gguf.py has it."""
    return (weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
            .swapaxes(1, 2).reshape(weights.shape))


def gguf(state):
    names = {
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    }
    outside = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
               "lm_head.weight": "output.weight"}
    writer = GGUFWriter("model.gguf", "llama")
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_feed_forward_length(FFN)
    for name, tensor in state.items():
        numbers = tensor.numpy()
        if name.endswith("q_proj.weight"):
            numbers = permuted(numbers, HEADS)
        if name.endswith("k_proj.weight"):
            numbers = permuted(numbers, KV_HEADS)
        kind = numpy.float32 if numbers.ndim == 1 else numpy.float16
        if name not in outside:
            _, _, layer, rest = name.split(".", 3)
            name = f"blk.{layer}.{names[rest.removesuffix('.weight')]}.weight"
        writer.add_tensor(outside.get(name, name), numpy.ascontiguousarray(numbers.astype(kind)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


torch.manual_seed(5)
model = Model().eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.copy_(torch.randn(parameter.shape).to(torch.float16).float())
halves = {name: it.to(torch.float16) for name, it in model.state_dict().items()}
save_file(halves, "model.safetensors")
torch.save(halves, "pytorch_model.bin")
gguf(model.state_dict())
ids = (torch.tensor([[1, 2, 3]]),)
torch.onnx.export(model, ids, "traced.onnx", dynamo=False)
torch.onnx.export(model, ids, "exported.onnx", dynamo=True, external_data=False, verbose=False)
# Most of the files are traces of the stack that the exporter ran in, with the paths of the machine; nothing reads them.
for name in ["traced.onnx", "exported.onnx"]:
    exported = onnx.load(name)
    for node in exported.graph.node:
        node.doc_string = ""
        for at in reversed(range(len(node.metadata_props))):
            if node.metadata_props[at].key != "pkg.torch.onnx.name_scopes":
                del node.metadata_props[at]
    onnx.save(exported, name)
print({name: os.path.getsize(name) for name in sorted(os.listdir(".")) if not name.endswith(".py")})

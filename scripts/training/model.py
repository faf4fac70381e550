"""The decoder that is trained: one compact module whose parameter names are those of Hugging Face transformers, so that its
weights load there unchanged. Families differ in `Shape` alone: biases on q, k and v (Qwen2), a sliding window (Mistral)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

VOCABULARY = 1664
BOS, EOS = 0, 1
MAX_POSITIONS = 2048


@dataclass(frozen=True)
class Shape:
    family: str
    hidden: int = 192
    feed_forward: int = 192
    layers: int = 6
    query_heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    rope_theta: float = 10000.0
    norm_epsilon: float = 1e-6
    qkv_bias: bool = False
    window: int | None = None


SHAPES = {
    "llama": Shape("llama", norm_epsilon=1e-5),
    "qwen2": Shape("qwen2", qkv_bias=True),
    "mistral": Shape("mistral", norm_epsilon=1e-5, window=1024),
}


def rms_norm(x, gain, epsilon):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * gain  # [B, T, H], f32


def rotate(x, cos, sin):
    """x [B, heads, T, D]; half-split pairs, as transformers lays them out."""
    low, high = x.float().chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1).to(x.dtype)


def linear(x, weight, bias=None):
    """Operands in bf16, as the exported weights are; the master weights stay in f32."""
    return F.linear(x.bfloat16(), weight.bfloat16(), None if bias is None else bias.bfloat16())


def decoder_layer(x, cos, sin, mask, shape, norm1, q, q_bias, k, k_bias, v, v_bias, o, norm2, gate, up, down):
    """x [B, T, H] in f32; returns the same. A function of tensors alone, so that one compilation serves all layers."""
    batch, length, _ = x.shape
    y = rms_norm(x, norm1, shape.norm_epsilon)

    def heads(weight, bias, count):
        return linear(y, weight, bias).view(batch, length, count, shape.head_dim).transpose(1, 2)

    queries = rotate(heads(q, q_bias, shape.query_heads), cos, sin)
    keys = rotate(heads(k, k_bias, shape.kv_heads), cos, sin)
    values = heads(v, v_bias, shape.kv_heads)
    group = shape.query_heads // shape.kv_heads
    keys, values = keys.repeat_interleave(group, dim=1), values.repeat_interleave(group, dim=1)
    attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, is_causal=mask is None)
    x = x + linear(attended.transpose(1, 2).reshape(batch, length, -1), o)
    y = rms_norm(x, norm2, shape.norm_epsilon)
    return x + linear(F.silu(linear(y, gate)) * linear(y, up), down)


def weighted_loss(x, gain, embedding, targets, weights, epsilon):
    """Cross-entropy: mean over the answers' tokens (weight 2) plus 0.1 of the mean over other text (weight 1)."""
    logits = linear(rms_norm(x, gain, epsilon), embedding).float()
    losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    answer, text = (weights.flatten() == 2).float(), (weights.flatten() == 1).float()
    return (losses * answer).sum() / answer.sum().clamp(min=1), (losses * text).sum() / text.sum().clamp(min=1)


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        queries, keys = shape.query_heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden, queries, bias=shape.qkv_bias)
        self.k_proj = nn.Linear(shape.hidden, keys, bias=shape.qkv_bias)
        self.v_proj = nn.Linear(shape.hidden, keys, bias=shape.qkv_bias)
        self.o_proj = nn.Linear(queries, shape.hidden, bias=False)


class FeedForward(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = Norm(shape.hidden)
        self.post_attention_layernorm = Norm(shape.hidden)

    def tensors(self):
        a, m = self.self_attn, self.mlp
        return (self.input_layernorm.weight, a.q_proj.weight, a.q_proj.bias, a.k_proj.weight, a.k_proj.bias, a.v_proj.weight,
                a.v_proj.bias, a.o_proj.weight, self.post_attention_layernorm.weight, m.gate_proj.weight, m.up_proj.weight,
                m.down_proj.weight)


class Decoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCABULARY, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.hidden)


class LanguageModel(nn.Module):
    """Tied embedding: the output head is `model.embed_tokens`."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.model = Decoder(shape)
        self.layer_function, self.loss_function = decoder_layer, weighted_loss
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                narrow = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * shape.layers) ** 0.5 if narrow else 0.02)
        frequencies = shape.rope_theta ** (-torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim)
        angles = torch.outer(torch.arange(MAX_POSITIONS, dtype=torch.float64), frequencies)  # [P, D/2]
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)
        distance = torch.arange(MAX_POSITIONS)[:, None] - torch.arange(MAX_POSITIONS)[None, :]
        self.register_buffer("windowed", (distance >= 0) & (distance < (shape.window or MAX_POSITIONS)), persistent=False)

    def compile(self):
        self.layer_function = torch.compile(decoder_layer, dynamic=False)
        self.loss_function = torch.compile(weighted_loss, dynamic=False)

    def states(self, ids, layer_function=decoder_layer):
        """ids [B, T] → the residual stream before the last norm, [B, T, H]."""
        length = ids.shape[1]
        mask = None if self.shape.window is None or length <= self.shape.window else self.windowed[:length, :length]
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer_function(x, self.cos[:length], self.sin[:length], mask, self.shape, *layer.tensors())
        return x

    def losses(self, ids, targets, weights):
        return self.loss_function(self.states(ids, self.layer_function), self.model.norm.weight, self.model.embed_tokens.weight,
                                  targets, weights, self.shape.norm_epsilon)

    def forward(self, ids):
        """Logits [B, T, V]."""
        return linear(rms_norm(self.states(ids), self.model.norm.weight, self.shape.norm_epsilon), self.model.embed_tokens.weight)

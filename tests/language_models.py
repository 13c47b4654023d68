"""Language models as specs: what tests of training and of other tools' counts measure."""

from __future__ import annotations

LLAMA = """\
name: Llama-3-8B
input: n
vars: {n: 2048, past: 0, vocab: 128256, dim: 4096, depth: 32, heads: 32, kv: 8, mlp: 14336}
variants: {decode: {n: 1, past: 8192}, small: {n: 8, vocab: 96, dim: 64, depth: 2, heads: 4, kv: 2, mlp: 160}}
defaults: {linear: {bias: false}, attention: {bias: false}}
blocks:
  Block:
    - add: [identity, [norm: rms, attention: {heads: heads, kv_heads: kv, past: past}]]
    - add: [identity, [norm: rms, mul: [linear: {out: mlp, act: silu}, linear: mlp], linear: dim]]
layers:
  - {embedding: [vocab, dim], name: emb}
  - {Block: , repeat: depth, name: layer}
  - norm: rms
  - {linear: vocab, name: head}
"""
"""Its attention is one layer; ``BY_HAND`` is that of another source."""

BY_HAND = """\
name: Llama-3-8B, {n} new tokens after {past}
input: n
vars: {n: 1, past: 8192, vocab: 128256, dim: 4096, depth: 32, heads: 32, kv: 8, hd: 128, mlp: 14336}
variants: {prefill: {n: 2048, past: 0}}
defaults: {linear: {bias: false}}
blocks:
  Cached: [concat: [{custom: {out: [past, din]}, when: past > 0}, identity]]
  Attention:
    - seq: [linear: heads*hd, reshape: [n, kv, heads//kv, hd], permute: [1, 2, 0, 3], reshape: [kv, heads//kv*n, hd]]
      name: q
    - {seq: [linear: kv*hd, Cached: , reshape: [past + n, kv, hd], permute: [1, 2, 0]], name: k, from: input}
    - {seq: [linear: kv*hd, Cached: , reshape: [past + n, kv, hd], permute: [1, 0, 2]], name: v, from: input}
    - {matmul: [{from: q}, {from: k}], name: scores}
    - softmax
    - {matmul: [identity, {from: v}], name: context}
    - [reshape: [kv, heads//kv, n, hd], permute: [2, 0, 1, 3], reshape: [n, heads*hd], {linear: dim, name: o}]
  Block:
    - add: [identity, [norm: rms, Attention: ]]
    - add: [identity, [norm: rms, mul: [linear: {out: mlp, act: silu}, linear: mlp], linear: dim]]
layers:
  - {embedding: [vocab, dim], name: emb}
  - {Block: , repeat: depth, name: layer}
  - norm: rms
  - {linear: vocab, name: head}
"""

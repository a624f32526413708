"""Attention and transformers against PyTorch, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as TF  # noqa: N812 - the usual name
from hypothesis import given, settings
from hypothesis import strategies as st

import lucid
from lucid import functional as F  # noqa: N812 - the usual name
from lucid import nn
from lucid.errors import DTypeError, OptionError, ShapeError
from lucid.nn import attention, transformer
from tests.layers import RNG, agree, share, signature

quick = settings(max_examples=25, deadline=None, derandomize=True)
flags = st.booleans()
HINTS = {"enable_nested_tensor", "mask_check"}  # of PyTorch, to its fast ways


@pytest.mark.parametrize("name", attention.__all__ + transformer.__all__)
def test_signatures_are_those_of_pytorch(name: str) -> None:
    ours, theirs = signature(getattr(nn, name)), signature(getattr(torch.nn, name))
    theirs = [p for p in theirs if p[0] not in HINTS]
    assert [p[0] for p in ours] == [p[0] for p in theirs]
    plain = [(k, v) for k, v in theirs if not callable(v)]
    assert [p for p in ours if p in plain] == plain


@quick
@given(st.sampled_from([None, "bool", "float", "causal"]), st.integers(0, 2), flags, flags)
def test_dot_products(mask: Any, lead: int, grouped: bool, scaled: bool) -> None:
    shape = (2, 4)[2 - lead :]
    grouped = grouped and lead > 0
    fewer = (*shape[:-1], 2) if grouped else shape
    q, k = RNG.standard_normal((*shape, 3, 6)), RNG.standard_normal((*fewer, 5, 6))
    v = RNG.standard_normal((*fewer, 5, 2))
    given: Any = None
    if mask == "bool":
        given = RNG.random((3, 5)) < 0.5
        given[1] = False  # attends to nothing
    elif mask == "float":
        given = RNG.standard_normal((*shape, 3, 5))
    options = {
        "is_causal": mask == "causal",
        "scale": 0.3 if scaled else None,
        "enable_gqa": grouped,
    }
    agree(
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m, **options),
        lambda q, k, v, m: TF.scaled_dot_product_attention(q, k, v, m, **options),
        *(q, k, v, given),
    )


@st.composite
def heads(draw: Any) -> Any:
    """Options of a layer, sequences, and options of the call."""
    separate, first, single = draw(flags), draw(flags), draw(flags)
    make = {
        "bias": draw(flags),
        "add_bias_kv": draw(flags),
        "add_zero_attn": draw(flags),
        "batch_first": first,
        **({"kdim": 3, "vdim": 5} if separate else {}),
    }
    batch, targets, sources = 2, 3, draw(st.sampled_from([3, 4]))
    same = sources == 3 and not separate and draw(flags)
    shapes = [(targets, 6), (sources, 3 if separate else 6), (sources, 5 if separate else 6)]
    if not single:
        axis = 0 if first else 1
        shapes = [(*s[:axis], batch, *s[axis:]) for s in shapes]
    call: dict[str, Any] = {
        "need_weights": draw(flags),
        "average_attn_weights": draw(flags),
    }
    kind = draw(st.sampled_from([None, "bool", "float"]))
    if kind:
        whole = draw(flags)
        shape = ((1 if single else batch) * 2, targets, sources) if whole else (targets, sources)
        mask = RNG.standard_normal(shape)
        mask = mask > 0 if kind == "bool" else mask
        if kind == "bool":
            mask[..., 0] = False
        call["attn_mask"] = mask
    if draw(flags):
        mask = RNG.random((sources,) if single else (batch, sources)) < 0.4
        mask[..., 0] = False
        call["key_padding_mask"] = np.where(mask, -1e9, 0.0) if kind == "float" else mask
    return make, [RNG.standard_normal(s) for s in shapes], call, same


@quick
@given(heads())
def test_multihead_attention(case: Any) -> None:
    make, (q, k, v), call, same = case
    ours, theirs = nn.MultiheadAttention(6, 2, **make), torch.nn.MultiheadAttention(6, 2, **make)
    share(ours, theirs)
    if same:
        agree(lambda x: ours(x, x, x, **call), lambda x: theirs(x, x, x, **masks(call)), q)
    agree(ours, theirs, q, k, v, **call)


def masks(call: dict[str, Any]) -> dict[str, Any]:
    return {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in call.items()}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@settings(quick, max_examples=8)
@given(flags, flags, flags, st.sampled_from(["relu", "gelu"]), flags)
def test_transformer(first: bool, before: bool, bias: bool, activation: str, masked: bool) -> None:
    args = (8, 2, 1, 2, 10, 0.0, activation, None, None, 1e-4, first, before, bias)
    ours, theirs = nn.Transformer(*args), torch.nn.Transformer(*args)
    share(ours, theirs)
    src, tgt = RNG.standard_normal((2, 3, 8)), RNG.standard_normal((2, 4, 8))
    if not first:
        src, tgt = (x.transpose(1, 0, 2).copy() for x in (src, tgt))
    options: dict[str, Any] = {}
    if masked:
        options = {
            "tgt_mask": F.square_subsequent_mask(4).numpy(),
            "src_key_padding_mask": np.array([[False] * 3, [False, False, True]]),
            "memory_key_padding_mask": np.array([[False] * 3, [False, False, True]]),
        }
    agree(ours, theirs, src, tgt, **options)


def test_stacks() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 10, batch_first=True)
    stack = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
    assert [n for n, _ in stack.named_children()] == ["layers", "norm"]
    assert layer.linear1.weight is not stack.layers[0].linear1.weight
    x = RNG.standard_normal((3, 5, 8))
    assert (stack(x) != stack(x)).any()  # dropout
    stack.eval()
    np.testing.assert_array_equal(stack(x).numpy(), stack(x).numpy())
    causal = nn.Transformer.generate_square_subsequent_mask(5)
    before = stack(x, causal, is_causal=True).numpy()
    x[:, 3:] = 7
    np.testing.assert_array_equal(stack(x, causal).numpy()[:, :3], before[:, :3])


def test_batches_and_derivatives_of_derivatives() -> None:
    q, k, v = RNG.standard_normal((3, 4, 5, 6))
    each = lucid.vmap(F.scaled_dot_product_attention)(q, k, v)
    np.testing.assert_allclose(each.numpy(), F.scaled_dot_product_attention(q, k, v).numpy())
    bias = RNG.standard_normal((4, 5, 5))
    shared = lucid.vmap(lambda m: F.scaled_dot_product_attention(q[0], k[0], v[0], m))(bias)
    assert shared.shape == (4, 5, 6)
    lucid.check_grads(F.scaled_dot_product_attention, (q[0], k[0], v[0]), order=2)


def test_dropout_of_weights() -> None:
    x = np.ones((1, 40, 4))
    with lucid.random.allow_key_reuse():
        key = lucid.random.key(0)
        y = F.scaled_dot_product_attention(x, x, x, dropout_p=0.5, dropout_key=key)
        z = F.scaled_dot_product_attention(x, x, x, dropout_p=0.5, dropout_key=key)
    np.testing.assert_array_equal(y.numpy(), z.numpy())
    assert y.mean().item() == pytest.approx(1, abs=0.2)
    layer = nn.MultiheadAttention(4, 2, dropout=0.5)
    assert (layer(x, x, x)[0] != layer(x, x, x)[0]).any()
    assert repr(layer).startswith("MultiheadAttention(\n  embed_dim=4, num_heads=2\n  (out_proj)")


Q = np.ones((2, 3, 4))


def attend(*args: Any, **options: Any) -> Any:
    return nn.MultiheadAttention(4, 2, batch_first=True)(*args, **options)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, np.ones((3, 3)), is_causal=True),
            OptionError,
            "expected attn_mask or is_causal, got both",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, Q[..., :2], Q),
            ShapeError,
            r"expected shapes \(..., n, d\), \(..., m, d\) and \(..., m, e\), got",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, np.ones((3, 3), int)),
            DTypeError,
            "a boolean or floating mask, got int64",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, np.ones((3, 3, 4)), Q, enable_gqa=True),
            ShapeError,
            "a number of heads that divides the queries'",
        ),
        (lambda: nn.MultiheadAttention(5, 2), OptionError, "num_heads that divides embed_dim"),
        (lambda: attend(Q, Q, Q, is_causal=True), OptionError, "attn_mask where is_causal is set"),
        (lambda: attend(Q[..., :2], Q, Q), ShapeError, "queries of width 4, and heads that divide"),
        (lambda: attend(Q, Q[0], Q[0]), ShapeError, "sequences of 3 axes with one batch, or of 2"),
        (
            lambda: attend(Q, Q, Q, attn_mask=np.ones((3, 2))),
            ShapeError,
            r"attn_mask of shape \(3, 3\) or \(4, 3, 3\), got shape \(3, 2\)",
        ),
        (
            lambda: attend(Q, Q, Q, key_padding_mask=np.ones(3)),
            ShapeError,
            r"key_padding_mask of shape \(2, 3\), got",
        ),
        (
            lambda: F.multi_head_attention_forward(
                *(Q, Q, Q, 4, 2, None, None, None, None, False, 0.0, np.eye(4), None)
            ),
            OptionError,
            "in_proj_weight, or q_proj_weight, k_proj_weight and v_proj_weight, got None",
        ),
        (
            lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"),
            OptionError,
            'TransformerEncoderLayer: expected "relu", "gelu" or a function, got \'tanh\'',
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()

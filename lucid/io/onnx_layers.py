"""How the ONNX export writes products, convolutions, pooling, normalisation and attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucid.graph.ir import Node, Value
from lucid.io.onnx_arrays import first
from lucid.io.onnx_writer import Writer, avals, refuse, rule

__all__: list[str] = []


@rule("matmul")
def _matmul(w: Writer, node: Node) -> str:
    return w.node("MatMul", *w.operands(node))


@rule("contract")
def _contract(w: Writer, node: Node) -> str:
    *inputs, output = node.params
    if not all(isinstance(p, str) and p.isascii() for p in node.params):
        raise refuse(node, f"one with parameters {node.params!r:.60}")
    return w.node("Einsum", *w.operands(node), equation=f"{','.join(inputs)}->{output}")


@rule("linear")
def _linear(w: Writer, node: Node) -> str:
    x, weight, *bias = w.operands(node)
    shapes = [a.shape for a in avals(node)]
    if len(shapes[0]) == len(shapes[1]) == 2:
        return w.node("Gemm", x, weight, *bias, transB=1)
    if len(shapes[1]) == 2:
        weight = w.node("Transpose", weight, perm=[1, 0])
    out = w.node("MatMul", x, weight)
    return w.node("Add", out, bias[0]) if bias else out


@rule("softmax", "log_softmax")
def _softmax(w: Writer, node: Node) -> str:
    kind = "Softmax" if node.op.name == "softmax" else "LogSoftmax"
    return w.node(kind, *w.operands(node), axis=node.params[0])


# -- windows ---------------------------------------------------------------------------------------


def _pads(node: Node, padding: Any) -> list[int]:
    """Return padding as ONNX has it: all beginnings, then all ends."""
    pads = [lo for lo, _ in padding] + [hi for _, hi in padding]
    if min(pads, default=0) < 0:
        raise refuse(node, f"one with negative padding {padding}")
    return pads


@rule("conv")
def _conv(w: Writer, node: Node) -> str:
    strides, padding, base, dilation, groups = node.params
    x, kernel = w.operands(node)
    if any(n != 1 for n in base):
        return _conv_transpose(w, node, x, kernel)
    return w.node(
        "Conv",
        x,
        kernel,
        strides=list(strides),
        pads=_pads(node, padding),
        dilations=list(dilation),
        group=groups,
    )


def _conv_transpose(w: Writer, node: Node, x: str, kernel: str) -> str:
    """Write a convolution of spread entries: ONNX slides the mirrored kernel over them."""
    strides, padding, base, dilation, groups = node.params
    if any(n != 1 for n in strides):
        raise refuse(node, f"one with strides {strides} and distances {base}")
    filters, channels, *window = avals(node)[1].shape
    places = range(3, 3 + len(window))
    count = len(window)
    grouped = w.reshape(kernel, (groups, filters // groups, channels, *window))
    swapped = w.node("Transpose", grouped, perm=[0, 2, 1, *places])
    merged = w.reshape(swapped, (groups * channels, filters // groups, *window))
    ends = w.integers([-(2**63)] * count)
    back, axes = w.integers([-1] * count), w.integers(range(2, 2 + count))
    mirrored = w.node("Slice", merged, back, ends, axes, back)
    reach = [d * (k - 1) for d, k in zip(dilation, window, strict=True)]
    begins = [r - lo for r, (lo, _) in zip(reach, padding, strict=True)]
    tails = [r - hi for r, (_, hi) in zip(reach, padding, strict=True)]
    return w.node(
        "ConvTranspose",
        x,
        mirrored,
        strides=list(base),
        pads=_pads(node, [(b, max(t, 0)) for b, t in zip(begins, tails, strict=True)]),
        output_padding=[max(-t, 0) for t in tails],
        dilations=list(dilation),
        group=groups,
    )


@rule("max_pool")
def _max_pool(w: Writer, node: Node) -> str:
    window, strides, padding, dilation = node.params
    x = first(node)
    lead = math.prod(x.aval.shape[: x.aval.ndim - len(window)])
    name = w.reshape(w.operand(x), (1, lead, *x.aval.shape[x.aval.ndim - len(window) :]))
    out = w.node(
        "MaxPool",
        name,
        kernel_shape=list(window),
        strides=list(strides),
        pads=_pads(node, padding),
        dilations=list(dilation),
    )
    return w.reshape(out, node.outputs[0].aval.shape)


@rule("window_sum")
def _window_sum(w: Writer, node: Node) -> str:
    """Write sums of windows as a convolution with ones."""
    window, strides, padding, base, dilation = node.params
    if any(n != 1 for n in base):
        raise refuse(node, f"one with distances {base}")
    x = first(node)
    lead = math.prod(x.aval.shape[: x.aval.ndim - len(window)])
    name = w.reshape(w.operand(x), (lead, 1, *x.aval.shape[x.aval.ndim - len(window) :]))
    out = w.node(
        "Conv",
        name,
        w.constant(np.ones((1, 1, *window), x.aval.dtype)),
        strides=list(strides),
        pads=_pads(node, padding),
        dilations=list(dilation),
    )
    return w.reshape(out, node.outputs[0].aval.shape)


# -- normalisation and attention -------------------------------------------------------------------


@rule("standardize")
def _standardize(w: Writer, node: Node) -> str:
    axes, eps, centred = node.params
    x, *affine = w.operands(node)
    dtype = node.outputs[0].aval.dtype
    if centred:
        x = w.node("Sub", x, w.reduce("ReduceMean", x, axes, True))
    variance = w.reduce("ReduceMean", w.node("Mul", x, x), axes, True)
    out = w.node("Div", x, w.node("Sqrt", w.node("Add", variance, w.constant(eps, dtype))))
    for kind, factor in zip(("Mul", "Add"), affine, strict=False):
        out = w.node(kind, out, factor)
    return out


@rule("attention_weights")
def _attention_weights(w: Writer, node: Node) -> str:
    scale, causal = node.params
    scores, *masks = node.operands
    dtype, shape = node.outputs[0].aval.dtype, node.outputs[0].aval.shape
    nothing = w.constant(-np.inf, dtype)
    out = w.node("Mul", w.operand(scores, dtype), w.constant(scale, dtype))
    for mask in masks:
        if isinstance(mask, Value) and mask.aval.dtype.kind == "b":
            out = w.node("Where", w.operand(mask), out, nothing)
        else:
            out = w.node("Add", out, w.operand(mask, dtype))
    if causal:
        earlier = w.constant(np.tri(*shape[-2:], dtype=bool))
        out = w.node("Where", earlier, out, nothing)
    weights = w.node("Softmax", out, axis=-1)
    if not masks:
        return weights
    top = w.reduce("ReduceMax", out, [len(shape) - 1], True)
    return w.node("Where", w.node("Equal", top, nothing), w.constant(0, dtype), weights)

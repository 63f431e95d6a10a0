"""One step of a burble network as an ONNX graph, for comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from burble.model_file import ModelFile

# What becomes of an LSTM and of a product of matrices when ONNX Runtime quantises them.
INT8_NODES = ("DynamicQuantizeLSTM", "MatMulInteger")

Float32 = np.ndarray[Any, np.dtype[np.float32]]


def onnx_graph(model: ModelFile) -> Any:
    """One step of the network: a token and the states in, logits and the states out."""
    from onnx import TensorProto, checker, helper, numpy_helper

    hidden, vocab = model.network.hidden_size, model.tokenizer.vocab_size
    tensors = {"embedding": model.weights["embedding.weight"], "rows": np.array([1, hidden])}
    nodes = [helper.make_node("Gather", ["embedding", "token"], ["embedded"])]
    before: list[str] = []
    below = "embedded"
    for layer in range(model.network.num_layers):
        w, r, b = names = [f"{layer}.{name}" for name in ("weight_ih", "weight_hh", "bias")]
        given = [onnx_gates(model.weights[f"layers.{name}"]) for name in names]
        given[2] = np.concatenate([given[2], np.zeros_like(given[2])])
        tensors |= {name: values[None] for name, values in zip(names, given, strict=True)}
        states = [f"{layer}.hidden", f"{layer}.cell"]
        after = [f"{name}.after" for name in states]
        inputs, outputs = [below, w, r, b, "", *states], ["", *after]
        nodes.append(helper.make_node("LSTM", inputs, outputs, hidden_size=hidden))
        before += states
        below = after[0]
    tensors |= {"head": model.weights["head.weight"].T, "head.bias": model.weights["head.bias"]}
    nodes += [
        helper.make_node("Reshape", [below, "rows"], ["output"]),
        helper.make_node("MatMul", ["output", "head"], ["product"]),
        helper.make_node("Add", ["product", "head.bias"], ["logits"]),
    ]

    def port(name: str, *size: int, kind: int = TensorProto.FLOAT) -> Any:
        return helper.make_tensor_value_info(name, kind, size)

    graph = helper.make_graph(
        nodes,
        "step",
        [port("token", 1, 1, kind=TensorProto.INT64), *(port(s, 1, 1, hidden) for s in before)],
        [port("logits", 1, vocab), *(port(f"{s}.after", 1, 1, hidden) for s in before)],
        [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in tensors.items()],
    )
    # An operator set and a format that every ONNX Runtime of the last years reads.
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made)
    return made


def onnx_gates(weights: Float32) -> Float32:
    """Blocks of rows i f g o, as the model file has them, in ONNX's order i o f g."""
    i, f, g, o = np.split(weights, 4)
    return np.concatenate([i, o, f, g])


def quantized(path: Path) -> Path:
    """The graph in int8, scales of activations found at each step. Gather stays in float32."""
    from onnxruntime.quantization import quantize_dynamic

    target = path.with_suffix(".int8.onnx")
    quantize_dynamic(path, target, op_types_to_quantize=["LSTM", "MatMul", "Gemm"])
    return target

"""Quantise an exported step with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The nodes that replace an LSTM and a matrix product in a quantised graph.
INT8_NODES = ("DynamicQuantizeLSTM", "MatMulInteger")


def quantize_graph(path: Path) -> Path:
    """Write the graph in int8 and return its path. Activations get their scales at each step.

    Gather stays in float32.
    """
    from onnxruntime.quantization import quantize_dynamic

    target = path.with_suffix(".int8.onnx")
    quantize_dynamic(path, target, op_types_to_quantize=["LSTM", "MatMul", "Gemm"])
    return target

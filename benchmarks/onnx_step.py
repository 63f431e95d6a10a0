"""What ONNX Runtime makes of an exported step in int8."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What becomes of an LSTM and of a product of matrices when ONNX Runtime quantises them.
INT8_NODES = ("DynamicQuantizeLSTM", "MatMulInteger")


def quantize_graph(path: Path) -> Path:
    """The graph in int8, scales of activations found at each step. Gather stays in float32."""
    from onnxruntime.quantization import quantize_dynamic

    target = path.with_suffix(".int8.onnx")
    quantize_dynamic(path, target, op_types_to_quantize=["LSTM", "MatMul", "Gemm"])
    return target

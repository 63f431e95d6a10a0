"""Export one step of the network as an ONNX graph, in float32, with the tokenizer as metadata."""

from pathlib import Path
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.cells import CELLS, Cell, OnnxOperator
from burble.durable import write_durably
from burble.errors import MissingExtraError, UsageError
from burble.export.labels import Labels
from burble.model_file import METADATA_KEY, ModelFile

# Versions of the operators and of the format that every ONNX Runtime of recent years reads.
_OPSET = 17
_IR_VERSION = 8

# A graph is one protobuf message, which is limited to 2 GB.
_MAX_BYTES = 2**31 - 2**20


def write(model: ModelFile, path: Path, labels: Labels) -> None:
    """Write the graph to a file; raises as `graph` does."""
    made = graph(model)
    made.graph.doc_string = labels.name
    write_durably(path, made.SerializeToString())


def graph(model: ModelFile) -> Any:
    """Build the graph of one step.

    Inputs: `token`, (1, batch), and the states `0.hidden`, `0.cell`, `1.hidden` … by layer,
    (1, batch, hidden) each. Outputs: `logits`, (batch, vocab), and the new states,
    `0.hidden.after` and so on. Raises `MissingExtraError` without the package onnx, and
    `UsageError` for weights beyond 2 GB or a cell that ONNX does not have.
    """
    if sum(values.nbytes for values in model.weights.values()) > _MAX_BYTES:
        raise UsageError(
            "The weights are more than the 2 GB that an ONNX file can hold. Export a smaller model."
        )
    cell = CELLS[model.network.cell]
    if cell.onnx is None:
        raise UsageError(f"ONNX has no operator for {cell.title} cells. Export it to html or hub.")
    try:
        from onnx import checker, helper
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise MissingExtraError("Exporting to ONNX", "onnx") from error
    made = helper.make_model(
        _Builder(model, cell.onnx).graph(),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="burble",
    )
    helper.set_model_props(made, {METADATA_KEY: model.description()})
    checker.check_model(made)
    return made


def _reorder(weights: Float32, cell: Cell, operator: OnnxOperator) -> Float32:
    blocks = dict(zip(cell.gates, np.split(weights, len(cell.gates)), strict=True))
    return np.concatenate([blocks[gate] for gate in operator.gates])


class _Builder:
    def __init__(self, model: ModelFile, operator: OnnxOperator) -> None:
        self._model = model
        self._network = model.network
        self._cell = CELLS[model.network.cell]
        self._operator = operator
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def graph(self) -> Any:
        from onnx import TensorProto, helper

        below, vocab = self._input(), self._model.tokenizer.vocab_size
        states: list[str] = []
        for layer in range(self._network.num_layers):
            names = [f"{layer}.{state}" for state in self._cell.states]
            below = self._layer(layer, below, names)
            states += names
        self._head(below)

        def port(name: str, *size: int | str, kind: int = TensorProto.FLOAT) -> Any:
            return helper.make_tensor_value_info(name, kind, size)

        state_size = (1, "batch", self._network.hidden_size)
        return helper.make_graph(
            self._nodes,
            "step",
            [
                port("token", 1, "batch", kind=TensorProto.INT64),
                *(port(name, *state_size) for name in states),
            ],
            [
                port("logits", "batch", vocab),
                *(port(f"{name}.after", *state_size) for name in states),
            ],
            self._constants,
        )

    def _input(self) -> str:
        vocab = self._model.tokenizer.vocab_size
        match self._network.input:
            case "embedding":
                table = self._constant("embedding", self._model.weights["embedding.weight"])
                return self._node("Gather", [table, "token"], "embedded")
            case "one-hot":
                size = self._constant("vocab", np.array([vocab]))
                marks = self._constant("off_on", np.array([0, 1], np.float32))
                return self._node("OneHot", ["token", size, marks], "one_hot")
            case "scalar":
                size = self._constant("vocab", np.array(vocab, np.float32))
                last = self._constant("last", np.array([-1]))
                number = self._node("Cast", ["token"], "number", to=1)
                share = self._node("Div", [number, size], "share")
                return self._node("Unsqueeze", [share, last], "scalar")

    def _layer(self, layer: int, below: str, states: list[str]) -> str:
        weights = [
            _reorder(self._model.weights[f"layers.{layer}.{name}"], self._cell, self._operator)
            for name in ("weight_ih", "weight_hh", "bias")
        ]
        # ONNX wants a second bias, on the recurrent side: zeros.
        weights[2] = np.concatenate([weights[2], np.zeros_like(weights[2])])
        names = [
            self._constant(f"{layer}.{name}", values[None])
            for name, values in zip(("input", "state", "bias"), weights, strict=True)
        ]
        after = [f"{name}.after" for name in states]
        self._node(
            self._operator.name,
            [below, *names, "", *states],
            *("", *after),
            hidden_size=self._network.hidden_size,
            **self._operator.attributes,
        )
        if self._network.residual and layer > 0:
            return self._node("Add", [after[0], below], f"{layer}.output")
        return after[0]

    def _head(self, below: str) -> None:
        weights = self._model.weights
        shape = self._constant("rows", np.array([-1, self._network.hidden_size]))
        output = self._node("Reshape", [below, shape], "output")
        head = self._constant("head", weights["head.weight"].T)
        product = self._node("MatMul", [output, head], "product")
        self._node("Add", [product, self._constant("head.bias", weights["head.bias"])], "logits")

    def _node(self, operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def _constant(self, name: str, values: Any) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

"""Texts that must never change: one model, prompt, seed and settings give one text, everywhere.

`tests/golden/generation.json` holds them. After a change that is meant to alter them, write it anew
and commit it with the reason:

    python -m tests.engine.test_golden
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burble.config import SamplingConfig
from burble.engine.generate import GenerationRequest, stream_text
from burble.engine.step_model import NumpyModel
from burble.model_file import ModelFile
from tests.models import random_model

GOLDEN = Path(__file__).parents[1] / "golden" / "generation.json"

LENGTH = 160
# Float32 rounds by 6e-8; the texts must stand far more than that.
NOISE = 3e-6

# Large weights set the logits apart, so that no choice hinges on rounding.
_CLEAR = {"scale": 1.2, "head_scale": 3.0}

Case = dict[str, Any]


def _case(model: Case, sampling: Case, **request: Any) -> Case:
    return {
        "model": {**_CLEAR, **model},
        "request": {"prompt": "a", "length": LENGTH, "seed": 1, **request},
        "sampling": sampling,
    }


CASES: dict[str, Case] = {
    "greedy": _case({"seed": 30}, {"temperature": 0.0}),
    "plain": _case({"seed": 34}, {"temperature": 1.0}),
    "cold": _case({"seed": 34}, {"temperature": 0.5}, seed=2),
    "hot": _case({"seed": 34}, {"temperature": 3.0}, seed=2**63 - 1),
    "another stream": _case({"seed": 34}, {"temperature": 1.0}, stream=1),
    "top-k": _case({"seed": 34}, {"temperature": 2.0, "top_k": 3}),
    "top-p": _case({"seed": 34}, {"temperature": 2.0, "top_p": 0.8}),
    "min-p": _case({"seed": 34}, {"temperature": 2.0, "min_p": 0.2}),
    "penalty": _case({"seed": 47}, {"temperature": 0.0, "repetition_penalty": 1.5}),
    "all filters": _case(
        {"seed": 34},
        {
            "repetition_penalty": 1.3,
            "temperature": 1.5,
            "top_k": 6,
            "top_p": 0.9,
            "min_p": 0.05,
        },
    ),
    "greedy gru": _case({"cell": "gru", "seed": 172, "num_layers": 2}, {"temperature": 0.0}),
    "gru": _case({"cell": "gru", "seed": 172, "num_layers": 2}, {"temperature": 1.0}),
    "rnn": _case({"cell": "rnn", "seed": 22, "hidden_size": 7}, {"temperature": 1.0}),
    "residual": _case({"seed": 6, "num_layers": 3, "residual": True}, {"temperature": 1.0}),
    "one-hot": _case({"seed": 51, "input": "one-hot"}, {"temperature": 1.0}),
    "scalar": _case({"seed": 12, "input": "scalar"}, {"temperature": 1.0}),
    "bytes": _case({"seed": 9, "vocabulary": None}, {"temperature": 1.0}, prompt="é"),
    "no prompt": _case({"seed": 37}, {"temperature": 1.0}, prompt=""),
    "stop": _case({"seed": 37}, {"temperature": 1.0}, stop=["f a", "ah\n"]),
    "window": _case({"seed": 42}, {"temperature": 1.0}, window=5, prompt="hgfedcba"),
}


def _model(case: Case) -> ModelFile:
    return random_model(**case["model"])


def _text(model: ModelFile, case: Case) -> str:
    options = {**case["request"], "stop": tuple(case["request"].get("stop", ()))}
    request = GenerationRequest(sampling=SamplingConfig(**case["sampling"]), **options)
    return "".join(stream_text(NumpyModel(model), model.tokenizer, request))


def _shaken(model: ModelFile, seed: int) -> ModelFile:
    """The same model, each weight off by about `NOISE`."""
    draw = np.random.default_rng(seed)
    weights = {
        name: (weight * (1 + NOISE * draw.uniform(-1, 1, weight.shape))).astype(np.float32)
        for name, weight in model.weights.items()
    }
    return ModelFile(model.network, model.tokenizer, weights)


def _golden() -> dict[str, Case]:
    golden: dict[str, Case] = json.loads(GOLDEN.read_text("utf-8"))
    return golden


def test_the_golden_file_holds_these_cases() -> None:
    assert {name: {**case, "text": ""} for name, case in _golden().items()} == {
        name: {**case, "text": ""} for name, case in CASES.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_a_text_is_what_it_always_was(name: str) -> None:
    assert _text(_model(CASES[name]), CASES[name]) == _golden()[name]["text"]


@pytest.mark.parametrize("name", CASES)
def test_a_golden_text_does_not_hinge_on_rounding(name: str) -> None:
    for seed in range(2):
        assert _text(_shaken(_model(CASES[name]), seed), CASES[name]) == _golden()[name]["text"]


def test_golden_texts_differ_and_are_not_of_one_letter() -> None:
    texts = [case["text"] for case in _golden().values()]
    assert len(set(texts)) == len(texts)
    assert all(len(set(text)) > 2 for text in texts)


def _write() -> None:
    golden = {name: {**case, "text": _text(_model(case), case)} for name, case in CASES.items()}
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    _write()

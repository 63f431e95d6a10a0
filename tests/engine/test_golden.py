"""Texts that must never change: one model, prompt, seed and settings give one text, everywhere.

`tests/golden/generation.json` holds them, and every engine must write them. After a change that is
meant to alter them, write it anew and commit it with the reason:

    python -m tests.engine.test_golden
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burble.config import SamplingConfig
from burble.engine.generate import GenerationRequest, stream_text, write_texts
from tests.engine.engines import every_engine, open_engine
from tests.models import random_model

GOLDEN = Path(__file__).parents[1] / "golden" / "generation.json"

LENGTH = 160

# Large weights set the logits apart, so that a text is of what the model says, not of chance.
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
    "wide": _case(
        {"seed": 3, "hidden_size": 70, "num_layers": 2, "scale": 0.5, "vocabulary": None},
        {"temperature": 1.2, "top_k": 40, "top_p": 0.95},
    ),
    "no prompt": _case({"seed": 37}, {"temperature": 1.0}, prompt=""),
    "stop": _case({"seed": 37}, {"temperature": 1.0}, stop=["fah\n", "dff "]),
    "window": _case({"seed": 42}, {"temperature": 1.0}, window=5, prompt="hgfedcba"),
}


def _request(case: Case) -> GenerationRequest:
    options = {**case["request"], "stop": tuple(case["request"].get("stop", ()))}
    length = options.pop("length")
    sampling = SamplingConfig(**case["sampling"])
    return GenerationRequest(max_characters=length, sampling=sampling, **options)


def _text(case: Case, kernel: str) -> str:
    file = random_model(**case["model"])
    return "".join(stream_text(open_engine(kernel, file), file.tokenizer, _request(case)))


def golden() -> dict[str, Case]:
    golden: dict[str, Case] = json.loads(GOLDEN.read_text("utf-8"))
    return golden


def test_the_golden_file_holds_these_cases() -> None:
    assert {name: {**case, "text": ""} for name, case in golden().items()} == {
        name: {**case, "text": ""} for name, case in CASES.items()
    }


@every_engine
@pytest.mark.parametrize("name", CASES)
def test_a_text_is_what_it_always_was(name: str, kernel: str) -> None:
    assert _text(CASES[name], kernel) == golden()[name]["text"]


@every_engine
def test_a_text_is_the_same_among_others(kernel: str) -> None:
    by_model: dict[str, list[str]] = {}
    for name, case in CASES.items():
        by_model.setdefault(json.dumps(case["model"]), []).append(name)
    assert max(map(len, by_model.values())) > 5
    for names in by_model.values():
        file = random_model(**CASES[names[0]]["model"])
        requests = [_request(CASES[name]) for name in names]
        texts = write_texts(open_engine(kernel, file), file.tokenizer, requests)
        assert texts == [golden()[name]["text"] for name in names]


def test_golden_texts_differ_and_are_not_of_one_letter() -> None:
    texts = [case["text"] for case in golden().values()]
    assert len(set(texts)) == len(texts)
    assert all(len(set(text)) > 2 for text in texts)
    stopped = [name for name, case in golden().items() if len(case["text"]) < LENGTH]
    assert stopped == ["stop"]


def _write() -> None:
    golden = {name: {**case, "text": _text(case, "numpy")} for name, case in CASES.items()}
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    _write()

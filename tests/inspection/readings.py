"""Traces of small models for the tests of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burble.engine.trace import trace

if TYPE_CHECKING:
    from burble.engine.trace import Trace
    from burble.model_file import ModelFile

# Each would do harm, or hide, where it is not shown as plain text.
HOSTILE = (
    "</script><script>window.hit = 1</script>\n"
    '<img src=x onerror="window.hit = 1">{{data}} \'`&amp;<!--\t'
    "\u2028\u2029\x00\x07\x1b[31m\u202e\u200f\u05e9\u05dc\u05d5\u05dd e\u0301 \U0001f600$x_1^2$"
)


def read(model: ModelFile, text: str) -> Trace:
    return trace(model, model.tokenizer.encode(text))

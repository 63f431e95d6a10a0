"""Counters of a server, in Prometheus' text format."""

import math
from collections import Counter
from itertools import accumulate

# Seconds until the first text of an answer.
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, math.inf)


class Metrics:
    """Counters of one server; touched by its event loop only."""

    def __init__(self) -> None:
        self.responses: Counter[int] = Counter()
        self.prompt_tokens = 0
        self.tokens = 0
        self._first: Counter[float] = Counter()
        self._first_seconds = 0.0

    def first_text(self, seconds: float) -> None:
        self._first[next(bound for bound in _BOUNDS if seconds <= bound)] += 1
        self._first_seconds += seconds

    def render(self, held: int, scheduled: int) -> str:
        """Return all metrics. held: texts not answered yet. scheduled: those not written yet."""
        lines = [
            *_describe("burble_responses_total", "counter", "Answers by status."),
            *(
                f'burble_responses_total{{status="{status}"}} {count}'
                for status, count in sorted(self.responses.items())
            ),
            *_describe("burble_prompt_tokens_total", "counter", "Tokens read."),
            f"burble_prompt_tokens_total {self.prompt_tokens}",
            *_describe("burble_tokens_total", "counter", "Tokens written."),
            f"burble_tokens_total {self.tokens}",
            *_describe("burble_texts_held", "gauge", "Texts requested and not answered yet."),
            f"burble_texts_held {held}",
            *_describe("burble_texts_scheduled", "gauge", "Of them, those not written yet."),
            f"burble_texts_scheduled {scheduled}",
            *_describe("burble_first_text_seconds", "histogram", "Time to the first text."),
            *self._histogram(),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "burble_first_text_seconds"
        counts = list(accumulate(self._first[bound] for bound in _BOUNDS))
        buckets = [
            f'{name}_bucket{{le="{"+Inf" if math.isinf(bound) else bound}"}} {count}'
            for bound, count in zip(_BOUNDS, counts, strict=True)
        ]
        return [*buckets, f"{name}_sum {self._first_seconds:.6f}", f"{name}_count {counts[-1]}"]


def _describe(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]

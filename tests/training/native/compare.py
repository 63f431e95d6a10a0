"""Count the random networks of which a C kernel gives other bits than the reference.

    python -m tests.training.native.compare [CASES] [FIRST]

10,000 cases take about ten minutes on a core. Exits with 1 where one differs.
"""

from __future__ import annotations

import sys

from tests.engine.replay import Draw
from tests.training.native.cases import random_case
from tests.training.native.compiled import CompiledLearner, kernel_names

THREADS = (1, 2, 3, 7)


def find_differences(number: int, **sizes: int) -> dict[str, list[str]]:
    """What differs from the reference in a case, by kernel and threads."""
    case = random_case(Draw(number), **sizes)
    expected = case.reference()
    found = {}
    for place, kernel in enumerate(kernel_names()):
        threads = THREADS[(number + place) % len(THREADS)]
        learner = CompiledLearner(case.network, case.vocab_size, kernel, threads)
        if names := expected.differences(case.run(learner)):
            found[f"{kernel}, {threads} threads"] = names
    return found


def main(count: int = 10_000, first: int = 0) -> int:
    differ = 0
    for number in range(first, first + count):
        found = find_differences(number)
        differ += bool(found)
        for learner, names in found.items():
            print(f"case {number}, {learner}: {', '.join(names[:5])}", flush=True)  # noqa: T201
        if (number + 1 - first) % 100 == 0 or number + 1 == first + count:
            print(f"{number + 1 - first} cases, {differ} differ", flush=True)  # noqa: T201
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

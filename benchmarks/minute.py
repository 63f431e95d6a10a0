"""What a minute of training gives on some texts, as the table of the README.

    python benchmarks/minute.py "alice.txt --lowercase" tinyshakespeare.txt python-docs

Each argument is a source and, if wanted, more options of `burble train`. Every model is trained
with the defaults for a minute, then measured with `burble eval` on the held-out tenth.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path

from command import burble


def row(options: list[str], minutes: str, seed: str) -> str:
    """Train, measure, and make one line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        budget = ("--minutes", minutes, "--seed", seed)
        trained = burble("train", *options, *budget, "-o", f"{folder}/run")
        measured = burble("eval", f"{folder}/run", options[0])
    baselines = measured["baselines"]
    assert isinstance(baselines, dict)
    name = " ".join([Path(options[0]).name, *options[1:]])
    return (
        f"| `{name}` | {measured['bits_per_char']:.3f} | {measured['nats_per_char']:.3f} | "
        f"{baselines['ngram']:.3f} | {baselines['xz']:.3f} | {trained['chars_seen']:,} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="a source and options, in quotes")
    parser.add_argument("--minutes", default="1")
    parser.add_argument("--seed", default="0")
    args = parser.parse_args()
    print("| text and options | bits per character | nats | n-gram model | xz | characters read |")
    print("|---|---|---|---|---|---|")
    for run in args.runs:
        print(row(shlex.split(run), args.minutes, args.seed), flush=True)


if __name__ == "__main__":
    main()

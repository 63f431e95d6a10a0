"""Measure how fast exported pages write in headless Chromium, and how large they are.

    python -m benchmarks.page                     # random weights: 2x256 and 1x512
    python -m benchmarks.page runs/demo           # models of yours

The driver of the tests uses the page as a person would, at temperature 0.8. Each figure is
the median of several texts, after one that lets the browser compile. Needs chromium, chromedriver
and selenium (extra `dev`).
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
from pathlib import Path

from benchmarks.contestants import random_model
from benchmarks.machine import describe_machine, in_one_line
from burble.model_file import ModelFile
from tests.browser import browser
from tests.export.pages import open_page, status, write


def row(name: str, length: int, repeats: int) -> str:
    """Export a page, open it, write with it, and return one line of the table."""
    model = random_model(name) if re.fullmatch(r"\d+x\d+", name) else ModelFile.load(Path(name))
    with tempfile.TemporaryDirectory() as folder, browser() as driver:
        size = open_page(driver, model, Path(folder)).stat().st_size
        rates = []
        for seed in range(repeats + 1):
            write(driver, length=length, seed=seed)
            (rate,) = re.findall(r"([\d,]+) a second", status(driver))
            rates.append(int(rate.replace(",", "")))
    low, high = min(rates[1:]), max(rates[1:])
    speed = f"{statistics.median(rates[1:]):,.0f} ({low:,} to {high:,})"
    return f"| {name} | {speed} | {size:,} | {size / model.num_weights:.2f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["2x256", "1x512"])
    parser.add_argument("--length", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print(in_one_line(describe_machine(), "in headless Chromium"))
    print("\n| model | characters a second | bytes | × its int8 weights |")
    print("|---|---|---|---|")
    for name in args.models:
        print(row(name, args.length, args.repeats), flush=True)


if __name__ == "__main__":
    main()

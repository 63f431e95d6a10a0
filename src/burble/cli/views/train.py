"""Print the result of a finished run."""

from pathlib import Path
from typing import TextIO

from rich.console import Console

from burble.progress import format_duration
from burble.run_hooks import FinalSample
from burble.shell import burble_line
from burble.text.printable import printable
from burble.training.run import TrainResult


def print_result(
    stream: TextIO, result: TrainResult, sample: FinalSample | None, path: Path
) -> None:
    console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
    if sample is not None:
        if sample.prompt:
            console.print("Seed text:", style="bold")
            console.print(f'"{printable(sample.prompt)}"', markup=False)
        console.print("It writes:", style="bold")
        console.print(printable(sample.text), markup=False)
        console.print()
    figures = f"{result.steps:,} steps, {result.chars_seen:,} characters read, "
    figures += format_duration(result.seconds)
    if result.val_bits_per_char is not None:
        figures += f"; held-out: {result.val_bits_per_char:.3f} bits per character"
        figures += f" ({result.val_nats_per_char:.3f} nats)"
    if result.test_bits_per_char is not None:
        figures += f"; sealed: {result.test_bits_per_char:.3f} bits per character"
        figures += f" ({result.test_nats_per_char:.3f} nats)"
    console.print(figures, markup=False)
    if result.diagnosis is not None:
        console.print(result.diagnosis, markup=False)
    line = burble_line("generate", path)
    console.print(f'Saved in {result.model}. Write with it: {line} "..."', markup=False)

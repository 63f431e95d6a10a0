"""`burble generate`."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from burble import api
from burble.cli.files import read_text
from burble.cli.interactive import write_together
from burble.cli.options import parse
from burble.cli.reading import tell_unknown
from burble.cli.terminal import write_out
from burble.config import SamplingConfig, UnknownPolicy
from burble.engine.generate import GenerationRequest
from burble.errors import UsageError

_RANDOM_PROMPT = 100


@dataclass(frozen=True)
class GenerateCommand:
    """Write with a model. The text goes to standard output as it is made."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """A model file, or the folder of a run."""

    prompt: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="PROMPT")] = None
    """How the text begins; - reads it from standard input. Without one, a new line begins."""

    prompt_file: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Read the prompt from this file."""

    random_prompt: bool = False
    """Begin with a random passage of the held-out text (needs the folder of the run)."""

    length: int = 300
    """Characters to write after the prompt."""

    samples: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 1
    """Texts to write."""

    seed: int | None = None
    """The same seed writes the same text; a random one where none is given."""

    stop: tuple[str, ...] = ()
    """Stop before this text; may be given several times."""

    window: int | None = None
    """Re-read this many characters for each new one, as the Keras tutorial does (slow)."""

    unknown: UnknownPolicy = "error"
    """What to do with characters in the prompt that the model has never seen."""

    echo: bool = True
    """Print the prompt before the text."""

    interactive: bool = False
    """Write together: type text or commands, line by line; /help lists them."""

    json: bool = False
    """Print one JSON object."""

    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def request(self) -> GenerationRequest:
        """What is asked for, but for the prompt. Raises `UsageError` where it makes no sense."""
        if self.interactive and (self.json or self.samples > 1 or self.prompt == "-"):
            raise UsageError(
                "--interactive does not go with --json, several samples or a prompt -."
            )
        if self.samples < 1:
            raise UsageError(f"-n must be 1 or more; found {self.samples}.")
        return GenerationRequest(
            max_characters=self.length,
            sampling=self.sampling,
            stop=self.stop,
            seed=api.random_seed() if self.seed is None else self.seed,
            window=self.window,
        )


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Write, and tell the seed."""
    command = parse(GenerateCommand, "generate", args)
    request = command.request()
    model = api.load(command.model)
    given = _prompt(command, model, request.seed)
    prompt = model.read_prompt(given, command.unknown)
    tell_unknown(model.file, given, command.unknown)
    requests = [
        dataclasses.replace(request, prompt=prompt, stream=stream)
        for stream in range(command.samples)
    ]
    if command.interactive:
        write_together(model, dataclasses.replace(request, prompt=prompt))
        return
    if command.json:
        _print_json(model, requests)
        return
    for sample in requests:
        if sample.stream:
            write_out("\n---\n")
        if command.echo:
            write_out(prompt)
        for piece in model.write(sample):
            write_out(piece)
    write_out("\n")
    if command.seed is None:
        sys.stderr.write(f"(seed {request.seed})\n")


def _prompt(command: GenerateCommand, model: api.Model, seed: int) -> str:
    given = [command.prompt is not None, command.prompt_file is not None, command.random_prompt]
    if sum(given) > 1:
        raise UsageError("Give one prompt: PROMPT, --prompt-file or --random-prompt.")
    if command.random_prompt:
        return model.random_prompt(command.window or _RANDOM_PROMPT, seed)
    if command.prompt_file is not None:
        return read_text(
            Path(command.prompt_file).read_bytes, f"The prompt in {command.prompt_file}"
        )
    if command.prompt == "-":
        return read_text(sys.stdin.buffer.read, "The prompt in standard input").removesuffix("\n")
    return command.prompt or ""


def _print_json(model: api.Model, requests: list[GenerationRequest]) -> None:
    """One sample, or a list of them that were written side by side, in these seconds together."""
    started = time.perf_counter()
    texts = model.write_all(requests)
    seconds = time.perf_counter() - started
    samples = [
        {
            "prompt": request.prompt,
            "text": text,
            "seed": request.seed,
            "seconds": seconds,
            "chars_per_second": len(text) / max(seconds, 1e-9),
        }
        for request, text in zip(requests, texts, strict=True)
    ]
    described = samples[0] if len(samples) == 1 else {"samples": samples}
    sys.stdout.write(json.dumps(described, ensure_ascii=False) + "\n")

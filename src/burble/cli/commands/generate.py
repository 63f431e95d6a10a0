"""`burble generate`."""

import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from burble import api
from burble.cli.files import read_text
from burble.cli.options import command, json_option, model_argument, unknown_option
from burble.cli.reading import report_unknown
from burble.cli.terminal import write_out
from burble.config import SamplingConfig, UnknownPolicy
from burble.engine.generate import GenerationRequest, random_seed
from burble.errors import UsageError
from burble.knobs import argument, knob, knob_like, sections

_RANDOM_PROMPT = 100


@dataclass(frozen=True)
class GenerateCommand:
    """Write text with a model.

    The text goes to standard output while it is written.
    """

    model: str = model_argument()
    prompt: str | None = argument(
        "PROMPT",
        "Beginning of the text; - reads it from standard input. By default a new line.",
        default=None,
        escapes=True,
    )
    prompt_file: str | None = knob(None, "Read the prompt from this file.", metavar="FILE")
    random_prompt: bool = knob(
        False, "Begin with a random passage of the held-out text (needs the run's folder)."
    )
    length: int = knob_like(GenerationRequest, "max_characters")
    samples: int = knob(1, "Number of texts to write.", low=1, short="-n")
    seed: int | None = knob_like(
        GenerationRequest,
        "seed",
        default=None,
        help="The same seed writes the same text; random by default.",
    )
    stop: tuple[str, ...] = knob((), "Stop before this string.", escapes=True)
    window: int | None = knob_like(GenerationRequest, "window")
    unknown: UnknownPolicy = unknown_option()
    echo: bool = knob(True, "Print the prompt before the text.")
    interactive: bool = knob(
        False, "Write together with the model, line by line; /help lists the commands."
    )
    json: bool = json_option()
    sampling: SamplingConfig = sections(SamplingConfig, {"sampling": SamplingConfig})

    def request(self) -> GenerationRequest:
        """Return the request, without its prompt. Raises `UsageError` for a contradiction."""
        if self.interactive and (self.json or self.samples > 1 or self.prompt == "-"):
            raise UsageError(
                "--interactive cannot be combined with --json, with several --samples or with a "
                "prompt from standard input. Leave the others out."
            )
        return GenerationRequest(
            max_characters=self.length,
            sampling=self.sampling,
            stop=self.stop,
            seed=random_seed() if self.seed is None else self.seed,
            window=self.window,
        )


@command(
    GenerateCommand,
    examples=(
        'burble generate my-model "Once upon a"',
        'burble generate my-model "Once upon a" --temperature 0.5 --seed 7',
    ),
    common=(
        "length",
        "temperature",
        "samples",
        "seed",
        "stop",
        "top_k",
        "top_p",
        "unknown",
        "interactive",
        "json",
    ),
)
def main(asked: GenerateCommand) -> None:
    request = asked.request()
    model = api.load(asked.model)
    given = _read_prompt(asked, model, request.seed)
    prompt = model.read_prompt(given, asked.unknown)
    report_unknown(model.file, given, asked.unknown)
    requests = [
        dataclasses.replace(request, prompt=prompt, stream=stream)
        for stream in range(asked.samples)
    ]
    if asked.interactive:
        from burble.cli.interactive import write_together

        write_together(model, dataclasses.replace(request, prompt=prompt), asked.unknown)
        return
    if asked.json:
        _print_json(model, requests)
        return
    for sample in requests:
        if sample.stream:
            write_out("\n---\n")
        if asked.echo:
            write_out(prompt)
        for piece in model.write(sample):
            write_out(piece)
    write_out("\n")
    if asked.seed is None:
        sys.stderr.write(f"(seed {request.seed})\n")


def _read_prompt(asked: GenerateCommand, model: api.Model, seed: int) -> str:
    given = [asked.prompt is not None, asked.prompt_file is not None, asked.random_prompt]
    if sum(given) > 1:
        raise UsageError(
            "Several prompts are given. Give one prompt: PROMPT, --prompt-file or --random-prompt."
        )
    if asked.random_prompt:
        return model.random_prompt(asked.window or _RANDOM_PROMPT, seed)
    if asked.prompt_file is not None:
        return read_text(Path(asked.prompt_file).read_bytes, f"The prompt in {asked.prompt_file}")
    if asked.prompt == "-":
        return read_text(sys.stdin.buffer.read, "The prompt in standard input").removesuffix("\n")
    return asked.prompt or ""


def _print_json(model: api.Model, requests: list[GenerationRequest]) -> None:
    """Print one sample, or a list of them; the seconds are those of all samples together."""
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

"""What is done to a folder while a call fails, and what must be left of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.child import burble

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[], object]

# Twenty milestones would be a step each; four keep a case short.
KNOBS: dict[str, Any] = {
    "hidden_size": 16,
    "embedding_size": 8,
    "seq_len": 12,
    "batch_size": 6,
    "dropout": 0.1,
    "input_dropout": 0.0,
    "weight_decay": 0.0,
    "sample_length": 10,
    "precision": "float32",
    "threads": 1,
}
STEPS = 3
FLAGS = [f"--{name.replace('_', '-')}={value}" for name, value in KNOBS.items()]

SENTENCE = "The cat sat on the mat, the dog lay in the fog, and nobody knew why. "
MODEL = "run/model.safetensors"


def train(*more: str, steps: int = STEPS) -> Act:
    """Return the command that trains on text.txt into run/."""
    return partial(burble, "train", "text.txt", "-o", "run", *FLAGS, f"--steps={steps}", *more)


def resume(steps: int = 2 * STEPS) -> Act:
    """Return the command that resumes run/."""
    return partial(burble, "train", "--resume", "run", f"--steps={steps}")


def train_at_once(*, overwrite: bool = False, steps: int = STEPS, observers: Any = ()) -> None:
    """Do what `train` does, without the second that it takes to read a command line."""
    from burble.run_hooks import open_run
    from burble.training.request import RunRequest

    request = RunRequest({"sources": ("text.txt",), "steps": steps, **KNOBS})
    reported(lambda: open_run(Path("run"), observers).train(request, overwrite=overwrite))


def resume_at_once(steps: int = 2 * STEPS, observers: Any = ()) -> None:
    """Do what `resume` does, likewise."""
    from burble.run_hooks import open_run

    reported(lambda: open_run(Path("run"), observers).resume({"steps": steps}))


def train_from_python(**options: Any) -> None:
    """Call `burble.train` with errors as the command line reports them."""
    import burble as library

    reported(lambda: library.train("text.txt", steps=STEPS, **KNOBS, **options))


def save_from_python() -> None:
    """Call `Model.save` over a model that is there."""
    import burble as library

    reported(lambda: library.load("run").save("copy.safetensors"))


def reported(act: Act) -> None:
    """Run `act`; report an error of burble's by its message and exit code."""
    import sys

    from burble.errors import BurbleError

    try:
        act()
    except BurbleError as error:
        sys.stderr.write(f"burble: {error}\n")
        sys.exit(error.exit_code)


def fetch_alice() -> None:
    """Fetch the known text from an address, then read it out of the cache."""
    from burble.text.corpora import open_alice
    from burble.text.decoding import read_text
    from burble.text.sources import Document

    address = f"file://{Path('book.txt').resolve()}"
    document = Document("alice", lambda: open_alice(address))
    reported(lambda: list(read_text(document, str)))


def write_book(folder: Path) -> None:
    chapters = "".join(f"CHAPTER {'I' * n}V.\n{SENTENCE * 170}\n" for n in range(12))
    text = f"*** START OF THE PROJECT GUTENBERG EBOOK A ***\n{chapters}\n"
    text += "*** END OF THE PROJECT GUTENBERG EBOOK A ***\n"
    (folder / "book.txt").write_text(text, "utf-8")


@dataclass(frozen=True)
class Scenario:
    """One thing that a person does.

    act: what is done. before: what was done in the folder, fault-free. again: commands of which
    one must succeed after the fault, tried in turn. models: model files that were there before and
    must load afterwards. sources: paths that are read as texts. book: write book.txt, too.
    """

    name: str
    act: Act
    again: tuple[Act, ...]
    before: tuple[Act, ...] = ()
    models: tuple[str, ...] = ()
    sources: tuple[str, ...] = ("/text.txt",)
    book: bool = False


def export(to: str, out: str, *more: str) -> Act:
    return partial(burble, "export", "run", f"--to={to}", "-o", out, *more)


def fresh_export(to: str, out: str) -> Scenario:
    again = export(to, out, "--overwrite")
    return Scenario(f"export-{to}", export(to, out), (again,), (train(),), (MODEL,))


def export_again(to: str, out: str) -> Scenario:
    again = export(to, out, "--overwrite")
    models = (MODEL, "out/model.safetensors") if to == "hub" else (MODEL,)
    return Scenario(f"export-{to}-overwrite", again, (again,), (train(), export(to, out)), models)


INSPECT = partial(burble, "inspect", "run", "The cat", "--html=a.html", "--png=a.png")
PLOT = partial(burble, "plot", "run", "-o", "a.svg")
EVAL = partial(burble, "eval", "run", "text.txt", "--whole")
CELLS = partial(burble, "cells", "run", "text.txt", "--whole")
GRADIENTS = partial(
    burble, "gradients", "text.txt", "--steps=2", "--hidden-size=8", "--png=a.png", "--seq-len=12"
)

SHORT = partial(train_at_once, steps=2)
AGAIN = partial(train_at_once, overwrite=True)

_ALL = [
    Scenario("train", train(), (train_at_once, resume_at_once)),
    Scenario("tensorboard", train("--tensorboard"), (train("--tensorboard", "--overwrite"),)),
    Scenario("resume", resume(), (resume_at_once,), (train_at_once,), (MODEL,)),
    Scenario("overwrite", train("--overwrite"), (AGAIN,), (SHORT,), (MODEL,)),
    Scenario("overwrite-then-resume", train("--overwrite"), (resume_at_once,), (SHORT,), (MODEL,)),
    Scenario(
        "python-overwrite",
        partial(train_from_python, out="run", overwrite=True),
        (AGAIN,),
        (SHORT,),
        (MODEL,),
    ),
    Scenario("python-scratch", train_from_python, (train_from_python,)),
    Scenario(
        "save",
        save_from_python,
        (save_from_python,),
        (train_at_once, save_from_python),
        (MODEL, "copy.safetensors"),
    ),
    *(
        of_export(to, out)
        for of_export in (fresh_export, export_again)
        for to, out in (("html", "a.html"), ("onnx", "a.onnx"), ("hub", "out"))
    ),
    Scenario("inspect", INSPECT, (INSPECT,), (train_at_once,), (MODEL,)),
    Scenario("plot", PLOT, (PLOT,), (train_at_once,), (MODEL,)),
    Scenario("eval", EVAL, (EVAL,), (train_at_once,), (MODEL,)),
    Scenario("cells", CELLS, (CELLS,), (train_at_once,), (MODEL,)),
    Scenario("gradients", GRADIENTS, (GRADIENTS,)),
    Scenario("alice", fetch_alice, (fetch_alice,), sources=("/book.txt",), book=True),
]
SCENARIOS = {scenario.name: scenario for scenario in _ALL}


def begin(folder: Path, *, book: bool) -> None:
    folder.mkdir()
    for name in ("tmp", "cache"):
        (folder / name).mkdir()
    (folder / "text.txt").write_text(SENTENCE * 40, "utf-8")
    if book:
        write_book(folder)

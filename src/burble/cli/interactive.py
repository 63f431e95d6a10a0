"""Write with a model in turns: each line is text to add, or a command."""

import sys
from collections.abc import Callable
from dataclasses import replace

from burble.api import Model
from burble.cli.reading import report_unknown
from burble.cli.terminal import print_message, write_out
from burble.config import SamplingConfig, UnknownPolicy
from burble.engine.generate import GenerationRequest
from burble.errors import BurbleError, OptionError, UsageError
from burble.escapes import read_escapes
from burble.knobs import knobs_of

HELP = """\
a line of text     add it, then let the model continue (\\n begins a new line)
an empty line      let the model continue
/retry             replace the model's last continuation
/undo              go back to before the last line
/temperature 0.5   set an option; also /length 100, /seed 7 and the others of sampling
/text              show the whole text
/quit              end; the end of the input does the same"""


def write_together(model: Model, request: GenerationRequest, unknown: UnknownPolicy) -> None:
    """Carry out the lines of standard input until /quit or its end."""
    print_message("Type text, or an empty line, and the model continues. Type /help for commands.")
    session = Session(model, request, unknown)
    write_out(session.text)
    for line in sys.stdin:
        if (typed := line.removesuffix("\n")).split()[:1] == ["/quit"]:
            break
        try:
            session.obey(typed)
        except BurbleError as error:
            print_message(error.command_line)
    write_out("\n")


class Session:
    def __init__(self, model: Model, request: GenerationRequest, unknown: UnknownPolicy) -> None:
        self.text = request.prompt
        self._model = model
        self._request = request
        self._unknown = unknown
        asked = knobs_of(type(request))
        self._knobs = knobs_of(SamplingConfig) | {
            "length": asked["max_characters"],
            "seed": asked["seed"],
        }
        self._before: list[str] = []  # the text before each addition
        self._start = request.prompt  # the text before the model's last continuation

    def obey(self, line: str) -> None:
        """Carry out one line. Raises `BurbleError` if that is not possible."""
        if not line.startswith("/"):
            self._add(read_escapes(line))
            return
        typed, _, value = line[1:].partition(" ")
        name = typed.replace("-", "_")  # typed as a flag, or as in Python
        commands: dict[str, Callable[[], None]] = {
            "retry": self._retry,
            "undo": self._undo,
            "text": lambda: write_out(self.text),
            "help": lambda: print_message(HELP),
        }
        if name in commands:
            commands[name]()
        elif name in self._knobs:
            self._set(name, value)
        else:
            raise UsageError(f"There is no command /{typed}; /help lists them.")

    def _add(self, typed: str) -> None:
        added = self._model.read_prompt(typed, self._unknown)
        report_unknown(self._model.file, typed, self._unknown)
        self._before.append(self.text)
        self.text += added
        self._start = self.text
        self._continue()

    def _retry(self) -> None:
        if not self._before:
            raise UsageError("Nothing was written yet.")
        self.text = self._start
        write_out(self.text)
        self._continue()

    def _undo(self) -> None:
        if not self._before:
            raise UsageError("There is nothing to undo.")
        self.text = self._start = self._before.pop()
        write_out(self.text)

    def _continue(self) -> None:
        for piece in self._model.write(replace(self._request, prompt=self.text)):
            write_out(piece)
            self.text += piece
        # The next continuation has random numbers of its own.
        self._request = replace(self._request, stream=self._request.stream + 1)

    def _set(self, name: str, typed: str) -> None:
        known = self._knobs[name]
        try:
            changed = {known.name: known.read(typed)}
        except OptionError as error:
            raise error.spelled(lambda _: f"/{name}") from None
        if name in knobs_of(SamplingConfig):
            changed = {"sampling": replace(self._request.sampling, **changed)}
        elif name == "seed":
            changed["stream"] = 0
        self._request = replace(self._request, **changed)
        print_message(f"{name} is {typed} from now on.")

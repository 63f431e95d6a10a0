"""`burble corpora`."""

import json
import sys
from dataclasses import dataclass

from burble.cli.options import command, json_option
from burble.text.corpora import CORPORA


@dataclass(frozen=True)
class CorporaCommand:
    """List the texts that you can name instead of a file."""

    json: bool = json_option()


@command(CorporaCommand, examples=("burble corpora", "burble train alice -o my-model"))
def main(asked: CorporaCommand) -> None:
    texts = {name: text.description for name, text in CORPORA.items()}
    if asked.json:
        sys.stdout.write(json.dumps(texts) + "\n")
        return
    width = max(map(len, texts))
    for name, description in texts.items():
        sys.stdout.write(f"{name:<{width}}  {description}\n")

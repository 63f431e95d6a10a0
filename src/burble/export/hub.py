"""Export a model as a folder to publish: the model, its description, and a model card."""

import json
import re
from pathlib import Path

from burble.durable import write_durably
from burble.engine.kernels import bears_int8
from burble.errors import UsageError
from burble.export.labels import Labels, describe_model, describe_training
from burble.folder_names import MODEL_NAME
from burble.model_file import ModelFile

# git-lfs keeps the weights; everything else is text.
_ATTRIBUTES = "*.safetensors filter=lfs diff=lfs merge=lfs -text\n"

_LICENCE = (
    "No licence is named yet. Its author chooses one, within what the licence of the training text "
    "allows."
)

# Identifiers of licences and languages. Anything else could break the YAML.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def write(model: ModelFile, path: Path, labels: Labels) -> None:
    """Write the folder, and replace files of the same names in it."""
    config = json.dumps(json.loads(model.description()), ensure_ascii=False, indent=2)
    contents = {
        "README.md": card(model, labels).encode(),
        "config.json": f"{config}\n".encode(),
        ".gitattributes": _ATTRIBUTES.encode(),
        MODEL_NAME: model.to_bytes(),
    }
    path.mkdir(exist_ok=True)
    for name, content in contents.items():
        write_durably(path / name, content)


def card(model: ModelFile, labels: Labels) -> str:
    """Return the model card, in Markdown.

    Raises `UsageError` if the licence or the language is not a short identifier.
    """
    return "\n".join([*_front_matter(model, labels), "", *_body(model, labels), ""])


def _front_matter(model: ModelFile, labels: Labels) -> list[str]:
    return [
        "---",
        "library_name: burble",
        "pipeline_tag: text-generation",
        _yaml_line("license", labels.license, "name the licence that you give it"),
        _yaml_line("language", labels.language, "name the language of the text"),
        "tags:",
        "- burble",
        f"- {model.tokenizer.unit}-level",
        "- recurrent-neural-network",
        f"- {model.network.cell}",
        "---",
    ]


def _yaml_line(key: str, value: str | None, request: str) -> str:
    """Return a line of YAML; a comment with the request if only the author knows the value."""
    if value is None:
        return f"# {key}: {request}"
    if not _WORD.fullmatch(value):
        raise UsageError(
            f"The {key} must be a short identifier, such as mit or en; found {value!r}."
        )
    # Quoted, because YAML reads the language no (Norwegian) as false.
    return f'{key}: "{value}"'


def _body(model: ModelFile, labels: Labels) -> list[str]:
    return [
        f"# {_escape(labels.name)}",
        "",
        f"{describe_model(model)} {describe_training(model)}".strip(),
        "It was trained from scratch with burble and knows nothing else.",
        "",
        "## Use",
        "",
        "```sh",
        f"burble generate {MODEL_NAME} --seed 1",
        f"burble export {MODEL_NAME} --to html",
        "```",
        "",
        "```python",
        "import burble",
        "",
        f'model = burble.load("{MODEL_NAME}")',
        "print(model.generate(length=300, temperature=0.7, seed=1))",
        "```",
        *(["", "The same seed gives the same text on every machine."] if bears_int8(model) else []),
        "",
        "## Facts",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in _facts(model).items()),
        "",
        "## Limits",
        "",
        "It imitates the text it learned from, with its opinions and errors. It knows no facts. It",
        "can write passages of that text word for word.",
        *(["", _LICENCE] if labels.license is None else []),
    ]


def _facts(model: ModelFile) -> dict[str, str]:
    """Return the rows of the table of facts, without those that were not measured."""
    network, origin = model.network, model.provenance
    residual = ", residual" if network.residual else ""
    facts = {
        "network": f"{network.cell}, {network.num_layers} × {network.hidden_size}, "
        f"input {network.input}{residual}",
        "weights": f"{model.num_weights:,}, {4 * model.num_weights:,} bytes in float32",
        "tokenizer": f"{model.tokenizer.kind}, {model.tokenizer.vocab_size:,} ids",
    }
    if origin.num_characters:
        facts |= {
            "training text": f"{origin.num_characters:,} characters, of which the first "
            f"{origin.cut_characters:,} were learned from",
            "its SHA-256, normalised": f"`{origin.text_fingerprint}`",
            "training": f"{origin.steps:,} steps, {origin.chars_seen:,} characters read, "
            f"{origin.seconds:,.0f} seconds, seed {origin.seed}, burble {origin.burble_version}",
        }
    if origin.val_bits_per_char is not None:
        facts["bits per character, held out"] = f"{origin.val_bits_per_char:.4f}"
    if origin.test_bits_per_char is not None:
        facts["bits per character, sealed"] = f"{origin.test_bits_per_char:.4f}"
    if origin.int8_cost_bits is not None:
        facts["of which int8 costs"] = f"{origin.int8_cost_bits:+.4f}"
    return facts


def _escape(name: str) -> str:
    """Return `name` with the characters escaped that Markdown or HTML would interpret."""
    shown = "".join(c if c.isprintable() else " " for c in name)
    return re.sub(r"([\\`*_{}\[\]<>#|&])", r"\\\1", shown)

"""`burble doctor`."""

import importlib.metadata
import json
import platform
import sys
from dataclasses import dataclass

from burble.cli.options import command, json_option
from burble.config import TrainingConfig
from burble.engine.kernels import choose_kernel
from burble.native.library import find_library
from burble.text.corpora import cache_folder
from burble.threads import usable_processors
from burble.training.learners.native.kernels import choose_kernel as choose_learner_kernel
from burble.training.learners.registry import choose_learner
from burble.version import __version__

# What each optional package is for.
OPTIONAL = {
    "torch": "training on GPUs",
    "tensorboard": "--tensorboard",
    "matplotlib": "figures",
    "onnx": "export --to onnx",
    "fastapi": "burble serve",
}


@dataclass(frozen=True)
class DoctorCommand:
    """Show what this installation can do."""

    json: bool = json_option()


@command(DoctorCommand, examples=("burble doctor", "burble doctor --json"))
def main(asked: DoctorCommand) -> None:
    found = examine()
    if asked.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, value in found.items():
        sys.stdout.write(f"{name:<12} {value}\n")


def examine() -> dict[str, str | int]:
    """Return the versions and the parts of this installation by name."""
    choice = choose_kernel()
    state = f" (of {', '.join(choice.available)})"
    if not choice.is_built:
        state = f": {find_library().problem}"
    found: dict[str, str | int] = {
        "burble": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processors": usable_processors(),
        "numpy": importlib.metadata.version("numpy"),
        "kernel": choice.name + state,
        "learner": _describe_learner(),
        "cache": str(cache_folder()),
    }
    for package, purpose in OPTIONAL.items():
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = f"not installed (needed for {purpose})"
    return found


def _describe_learner() -> str:
    choice = choose_learner(TrainingConfig())
    if choice.learner == "torch":
        return f"torch on {choice.device}"
    found = find_library()
    if found.library is None:
        return f"native: {found.problem}"
    return f"native, kernel {choose_learner_kernel(found.library)}"

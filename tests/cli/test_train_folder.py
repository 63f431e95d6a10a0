"""`burble train` and its folder: what it takes, what it leaves alone, how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from burble.folder_names import ASIDE, MANIFEST, MODEL_NAME
from burble.model_file import ModelFile
from tests.cli.command import assert_refused, burble, said, succeed
from tests.training.runs import write_text

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("--hidden-size", "16", "--seq-len", "12", "--batch-size", "4")
BRIEF = (*SMALL, "--steps", "30")
LONG = (*SMALL, "--steps", "100000000")


def start(*args: str | Path, cwd: Path, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "burble", "train", *map(str, args)],
        stderr=subprocess.PIPE,
        cwd=cwd,
        **options,  # type: ignore[call-overload]
    )


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 200
    while not path.exists():
        assert process.poll() is None, "it ended before"
        if time.monotonic() > end:
            process.kill()  # it would be waited for, without end
            pytest.fail(f"{path} did not come")
        time.sleep(0.01)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with text.txt and in run/ a run that has learned from it."""
    folder = tmp_path_factory.mktemp("learned")
    write_text(folder)
    assert burble("train", "text.txt", "-o", "run", *BRIEF, cwd=folder).returncode == 0
    return folder


@pytest.fixture
def run(learned: Path, tmp_path: Path) -> Path:
    """Its run, in `tmp_path`/run, for one test."""
    shutil.copytree(learned, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run"


def test_a_folder_of_texts_needs_no_name_for_its_run(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    write_text(tmp_path / "texts")
    for source in ("texts/", "texts", str(tmp_path / "texts")):
        succeed("train", source, *BRIEF, "--overwrite", cwd=tmp_path)
    assert (tmp_path / "texts-model" / MODEL_NAME).exists()
    assert [path.name for path in (tmp_path / "texts").iterdir()] == ["text.txt"]


def test_a_run_is_not_kept_among_the_texts_it_learns_from(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    write_text(tmp_path / "texts")
    for out in ("texts", "texts/run"):
        refused = burble("train", "texts", "-o", out, *BRIEF, cwd=tmp_path)
        assert_refused(refused, 2, f"{out}/", "texts", "-o")


def test_what_is_no_folder_is_called_what_it_is(tmp_path: Path) -> None:
    write_text(tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    for out, words in (("text.txt", "is a file"), ("link", "is a broken link")):
        refused = burble("train", "text.txt", "-o", out, *BRIEF, cwd=tmp_path)
        assert_refused(refused, 2, f"{out} {words}, not a folder.")


@pytest.mark.parametrize("content", ["{", None])
def test_a_run_without_its_state_gets_one_advice(
    run: Path, tmp_path: Path, content: str | None
) -> None:
    manifest = run / "last" / MANIFEST
    manifest.write_text(content) if content else manifest.unlink()
    for args in (("--resume", "run"), ("text.txt", "-o", "run", *BRIEF)):
        result = burble("train", *args, cwd=tmp_path)
        assert "cannot be resumed" in said(result)
        assert "train again in another folder (-o), or in this one with --overwrite" in said(result)
        assert "train --resume" not in said(result)


@pytest.mark.parametrize("source", [".", "..", "../texts", "./"])
def test_in_a_folder_of_texts_the_run_is_kept_beside_it(tmp_path: Path, source: str) -> None:
    texts = tmp_path / "texts"
    inside = texts / "inside" if source == ".." else texts
    inside.mkdir(parents=True)
    write_text(texts)
    succeed("train", source, *BRIEF, cwd=inside)
    assert (tmp_path / "texts-model" / MODEL_NAME).exists()
    assert not list(texts.rglob("*.toml"))


def test_runs_in_a_folder_of_texts_are_no_texts(run: Path, tmp_path: Path) -> None:
    succeed("train", ".", "-o", "../other", *BRIEF, cwd=tmp_path)
    shutil.rmtree(tmp_path.parent / "other")


@pytest.mark.parametrize("part", [ASIDE, "run.toml", MODEL_NAME, f"last/{MANIFEST}"])
def test_killed_before_its_first_step_it_starts_over_by_itself(tmp_path: Path, part: str) -> None:
    write_text(tmp_path)
    run = tmp_path / "run"
    with start("text.txt", "-o", "run", *LONG, cwd=tmp_path) as process:
        wait_for(run / part, process)
        process.kill()
        process.communicate()
    if (run / "run.toml").exists():
        shutil.copytree(run, tmp_path / "copy")
        config = tmp_path / "copy" / "run.toml"
        config.write_text(config.read_text().replace(f"steps = {LONG[-1]}", "steps = 30"))
        succeed("train", "--resume", "copy", cwd=tmp_path)
        assert ModelFile.load(tmp_path / "copy").provenance.steps == 30
    else:
        assert_refused(burble("train", "--resume", "run", cwd=tmp_path), 2, "Start it anew")
    succeed("train", "text.txt", "-o", "run", *BRIEF, cwd=tmp_path)
    assert ModelFile.load(run).provenance.steps == 30


def test_the_old_run_stays_while_the_new_one_has_no_model(run: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with start("text.txt", "-o", "run", *LONG, "--overwrite", cwd=tmp_path) as process:
        wait_for(run / ASIDE / MODEL_NAME, process)
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate()
    assert process.returncode == 130
    assert b"was not replaced" in talk
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


def test_killed_early_a_new_run_leaves_the_old_one_to_go_on_with(run: Path, tmp_path: Path) -> None:
    with start("text.txt", "-o", "run", *LONG, "--overwrite", cwd=tmp_path) as process:
        wait_for(run / ASIDE / MODEL_NAME, process)
        process.kill()
        process.communicate()
    assert ModelFile.load(run).provenance.steps == 30
    result = succeed("train", "--resume", "run", "--steps", "40", cwd=tmp_path)
    assert "was stopped before its first save" in said(result)
    assert ModelFile.load(run).provenance.steps == 40
    assert not (run / ASIDE).exists()


def test_a_budget_without_a_step_keeps_the_old_run(run: Path, tmp_path: Path) -> None:
    refused = burble(
        "train", "text.txt", "-o", "run", "--minutes", "0.001", "--overwrite", cwd=tmp_path
    )
    assert_refused(refused, 2, "used up before the first step", "was kept")
    assert ModelFile.load(run).provenance.steps == 30


def test_a_second_training_in_the_folder_is_refused(run: Path, tmp_path: Path) -> None:
    with start("--resume", "run", "--steps", "100000000", cwd=tmp_path) as process:
        wait_for(run / ".burble-lock", process)
        for args in (("--resume", "run"), ("text.txt", "-o", "run", "--overwrite")):
            refused = burble("train", *args, cwd=tmp_path)
            assert_refused(refused, 2, "run/ is in use", f"process {process.pid}", "--resume run")
        process.kill()
        process.communicate()
    assert burble("train", "--resume", "run", "--steps", "100", cwd=tmp_path).returncode in {0, 2}


@pytest.mark.parametrize(
    "budget", [("--steps", "20"), ("--epochs", "0.01"), ("--minutes", "0.001")]
)
def test_a_budget_that_is_behind_is_refused(
    run: Path, tmp_path: Path, budget: tuple[str, str]
) -> None:
    refused = burble("train", "--resume", "run", *budget, cwd=tmp_path)
    assert_refused(refused, 2, f"{budget[0]} must be at least", f"found {float(budget[1]):g}")
    assert "steps = 30" in (run / "run.toml").read_text()


def test_a_text_that_has_changed_is_named(run: Path, tmp_path: Path) -> None:
    def talk(steps: int) -> str:
        result = succeed("train", "--resume", "run", "--steps", str(steps), cwd=tmp_path)
        return said(result)

    text = tmp_path / "text.txt"
    assert "since this run started" not in talk(31)
    os.utime(text, (1, 1))
    assert "since this run started" not in talk(32)
    text.write_text(text.read_text() + "More.")
    assert "text.txt has changed since this run started" in talk(33)
    text.unlink()
    assert "text.txt has been moved or deleted, or cannot be read, since" in talk(34)


def test_without_a_reader_it_learns_on(tmp_path: Path) -> None:
    write_text(tmp_path)
    with start("text.txt", "-o", "run", *BRIEF, cwd=tmp_path) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
    assert process.returncode == 0
    assert ModelFile.load(tmp_path / "run").provenance.steps == 30


def test_with_a_full_disk_for_its_talk_it_learns_on(tmp_path: Path) -> None:
    write_text(tmp_path)
    command = [sys.executable, "-m", "burble", "train", "text.txt", "-o", "run", *BRIEF]
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        assert subprocess.run(command, stderr=full, cwd=tmp_path, check=False).returncode == 0
    assert ModelFile.load(tmp_path / "run").provenance.steps == 30


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_before_the_first_step_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    # It reads a text that does not end.
    with start("-", "-o", "run", *LONG, cwd=tmp_path, stdin=subprocess.PIPE) as process:
        wait_for(tmp_path / "run" / ".burble-lock", process)
        time.sleep(0.2)
        process.send_signal(number)
        process.wait(30)
        assert process.stderr is not None
        talk = process.stderr.read().decode()
    assert process.returncode == code
    assert talk.splitlines() == [
        "burble: Stopped before the first step. Run the same command to start again."
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_commands_it_prints_work_for_a_name_with_a_blank(tmp_path: Path) -> None:
    write_text(tmp_path)
    result = burble("train", "text.txt", "-o", "my model", *BRIEF, cwd=tmp_path)
    assert "burble generate 'my model' " in said(result)
    again = burble("train", "text.txt", "-o", "my model", *BRIEF, cwd=tmp_path)
    assert_refused(again, 2, "(burble train --resume 'my model')")
    with start("--resume", "my model", "--steps", LONG[-1], cwd=tmp_path) as process:
        assert process.stderr is not None
        while b"continuing from step" not in process.stderr.readline():
            pass
        time.sleep(0.2)
        process.terminate()
        _, talk = process.communicate()
    assert b"burble train --resume 'my model'" in talk


def test_under_nohup_it_learns_on(tmp_path: Path) -> None:
    write_text(tmp_path)
    command = ["nohup", sys.executable, "-m", "burble", "train", "text.txt", "-o", "run", *LONG]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        wait_for(tmp_path / "run" / "last" / MANIFEST, process)  # type: ignore[arg-type]
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        process.communicate()
    assert process.returncode == 143

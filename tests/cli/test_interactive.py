from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.command import assert_refused, burble, burble_json, said, succeed

if TYPE_CHECKING:
    from pathlib import Path

ARGS = ("--seed", "3", "--length", "20")


def written(trained: Path, prompt: str, number: int = 0, *args: str) -> str:
    """What `burble generate -n` writes as its sample of this number."""
    found = burble_json("generate", trained / "run", prompt, "-n", str(number + 1), *ARGS, *args)
    text = found["samples"][number]["text"] if number else found["text"]
    assert isinstance(text, str)
    return text


def together(trained: Path, *lines: str, unknown: str = "error") -> tuple[str, str]:
    typed = "".join(line + "\n" for line in lines).encode()
    result = succeed(
        "generate", trained / "run", "Ba", "--interactive", "--unknown", unknown, *ARGS, stdin=typed
    )
    return result.stdout.decode(), said(result)


def test_an_empty_line_lets_the_model_go_on(trained: Path) -> None:
    shown, _ = together(trained, "")
    assert shown == "Ba" + written(trained, "Ba") + "\n"


def test_what_is_typed_is_gone_on_from(trained: Path) -> None:
    shown, _ = together(trained, " do.\\nKa")
    assert shown == "Ba" + written(trained, "Ba do.\nKa") + "\n"


def test_a_retry_writes_another_ending_after_the_same_beginning(trained: Path) -> None:
    shown, _ = together(trained, "", "/retry", "/text")
    first, second = (written(trained, "Ba", number) for number in (0, 1))
    assert first != second
    assert shown == f"Ba{first}Ba{second}Ba{second}\n"


def test_undo_goes_back_line_by_line(trained: Path) -> None:
    shown, told = together(trained, "", "", "/undo", "/undo", "/undo", "/quit now", "never read")
    first = written(trained, "Ba")
    assert shown.endswith(f"Ba{first}Ba\n")
    assert "nothing to undo" in told


def test_temperature_length_and_seed_change_on_the_fly(trained: Path) -> None:
    shown, told = together(trained, "/temperature 0", "/length 5", "/seed 9", "")
    assert shown == "Ba" + written(trained, "Ba", 0, "--temperature", "0", "--length", "5") + "\n"
    assert "temperature is 0" in told


def test_an_option_is_named_as_a_flag_or_as_in_python(trained: Path) -> None:
    shown, told = together(trained, "/top-k 1", "/top_p 0.5", "")
    assert shown == "Ba" + written(trained, "Ba", 0, "--top-k", "1", "--top-p", "0.5") + "\n"
    assert "There is no command" not in told


def test_unknown_characters_are_skipped_in_each_line(trained: Path) -> None:
    shown, told = together(trained, "ΩKa", unknown="skip")
    assert shown == "Ba" + written(trained, "BaKa") + "\n"
    assert "1 of 3 (33.3%) character was left out" in told


def test_a_mistake_is_told_and_the_session_goes_on(trained: Path) -> None:
    lines = ("/temperature hot", "/temperature 1000", "/length -1", "/sing", "Ω", "/retry", "")
    shown, told = together(trained, *lines)
    assert shown == "Ba" + written(trained, "Ba") + "\n"
    for words in (
        "/temperature must be a number; found 'hot'",
        "between 0 and 100",
        "/length must be at least 0",
        "/sing",
    ):
        assert words in told
    assert "U+03A9" in told
    assert "Traceback" not in told


def test_it_does_not_go_with_json(trained: Path) -> None:
    assert_refused(burble("generate", trained / "run", "--interactive", "--json"), 2, "--json")

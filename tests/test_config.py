"""Every knob: checked, written as TOML and read back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.cells import CellKind
from burble.config import (
    PRESETS,
    SECTIONS,
    BatchingKind,
    DataConfig,
    InputKind,
    NetworkConfig,
    NormalizationConfig,
    ReadingConfig,
    RunConfig,
    SampleConfig,
    SamplingConfig,
    TrainingConfig,
    UnicodeForm,
)
from burble.errors import UsageError
from burble.knobs import knobs_of
from burble.mapping import to_mapping
from burble.run_toml import from_toml, to_toml

# Any text that UTF-8 can hold, with what trips a writer of TOML more often than chance would.
odd_texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"'\\\x7f\n\r\t#😀")
)
run_configs = st.builds(
    RunConfig,
    sources=st.lists(odd_texts, max_size=4).map(tuple),
    reading=st.builds(ReadingConfig, encoding=st.none() | odd_texts),
    normalization=st.builds(
        NormalizationConfig,
        lowercase=st.booleans(),
        unicode_form=st.none() | st.sampled_from(get_args(UnicodeForm)),
    ),
    data=st.builds(
        DataConfig,
        batching=st.sampled_from(get_args(BatchingKind)),
        seq_len=st.integers(1, 65_536),
        val_fraction=st.floats(0, 0.4),
        test_fraction=st.floats(0, 0.5),
    ),
    network=st.builds(
        NetworkConfig,
        cell=st.sampled_from(get_args(CellKind)),
        input=st.sampled_from(get_args(InputKind)),
        residual=st.booleans(),
    ),
    training=st.builds(
        TrainingConfig,
        minutes=st.none() | st.integers(1, 1000) | st.floats(0.001, 1e6),
        epochs=st.none() | st.floats(1e-6, 1e9),
        steps=st.none() | st.integers(1, 10**12),
        epsilon=st.floats(1e-300, 1e300),
        seed=st.integers(0, 2**63 - 1),
    ),
    sample=st.builds(SampleConfig, sample_window=st.none() | st.integers(1, 65_536)),
)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(run_configs)
def test_a_configuration_survives_toml(config: RunConfig) -> None:
    assert from_toml(to_toml(config), "run.toml") == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_toml(name: str) -> None:
    assert from_toml(to_toml(PRESETS[name]), "run.toml") == PRESETS[name]


def test_the_tutorial_preset_is_the_tutorials_network() -> None:
    preset = PRESETS["tutorial"]
    assert (preset.network.num_layers, preset.network.hidden_size) == (2, 256)
    assert (preset.network.input, preset.data.batching) == ("scalar", "windows")
    assert preset.data.seq_len == 100


def test_options_without_a_value_are_left_out_of_the_toml() -> None:
    toml = to_toml(RunConfig())
    assert "minutes" not in toml
    assert "minutes = 2.5" in to_toml(RunConfig(training=TrainingConfig(minutes=2.5)))


def test_a_file_names_its_version_or_is_of_todays() -> None:
    assert to_toml(RunConfig()).startswith("format_version = 1\n")
    assert from_toml("format_version = 1", "run.toml") == RunConfig()
    with pytest.raises(UsageError, match="format 2; this burble reads format 1"):
        from_toml("format_version = 2", "run.toml")
    with pytest.raises(UsageError, match="format 'x'; this burble reads format 1"):
        from_toml("format_version = 'x'", "run.toml")


def test_an_option_of_a_later_burble_is_left_out_where_a_program_wrote_it() -> None:
    toml = to_toml(RunConfig()) + "zoneout = 0.1\n[later]\nsteps = 3\n"
    assert from_toml(toml, "run.toml", saved=True) == RunConfig()
    with pytest.raises(UsageError, match="newer burble"):
        from_toml(toml.replace('"lstm"', '"later"'), "run.toml", saved=True)


def test_no_option_loses_a_none_that_was_given() -> None:
    """run.toml leaves None out, so it must be what is meant where nothing is written."""
    known = [knob for section in SECTIONS.values() for knob in knobs_of(section).values()]
    assert {knob.default for knob in known if knob.optional} == {None}


def test_a_whole_number_will_do_for_a_real_one() -> None:
    rate = from_toml("[training]\nminutes = 3\n", "run.toml").training.minutes
    assert rate == 3.0
    assert type(rate) is float


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[training]\nlearning_rat = 1.0", "run.toml.training has no option 'learning_rat'"),
        ("[training]\nlr = 1.0", "no option 'lr'. Options: minutes, epochs, steps"),
        ("[trainnig]\nsteps = 1", "run.toml has no option 'trainnig'"),
        ("training = 3", "run.toml.training must be a table"),
        ("[training]\nsteps = 1.5", "run.toml.training.steps must be a whole number; found 1.5"),
        ("[training]\nsteps = true", "run.toml.training.steps must be a whole number; found True"),
        ("[training]\nlearning_rate = 'fast'", "learning_rate must be a number; found 'fast'"),
        ("[training]\nlearning_rate = inf", "learning_rate must be a number; found inf"),
        ("[training]\nlearning_rate = nan", "learning_rate must be a number; found nan"),
        ("[normalization]\nlowercase = 1", "lowercase must be true or false; found 1"),
        ("[reading]\nencoding = 8", "run.toml.reading.encoding must be text; found 8"),
        ("[network]\ncell = 'lstn'", "cell must be one of lstm, gru, "),
        ("[network]\ncell = ['lstm']", "found ['lstm']"),
        ("sources = 'a.txt'", "run.toml.sources must be a list of texts; found 'a.txt'"),
        ("sources = [1]", "run.toml.sources must be text; found 1"),
        ("sources = [", "run.toml is not valid TOML"),
        ("[data]\nseq_len = 0", "run.toml.data.seq_len must be between 1 and 65,536; found 0"),
    ],
)
def test_a_wrong_line_is_named(toml: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_toml(toml, "run.toml")
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["steps", "learning_rate"])
@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_too_big_for_anything_is_a_mistake_too(name: str, digits: int) -> None:
    with pytest.raises(UsageError):
        from_toml(f"[training]\n{name} = 1{'0' * digits}", "run.toml")


@pytest.mark.parametrize(
    ("section", "options"),
    [
        (DataConfig, {"batch_size": 0}),
        (DataConfig, {"val_fraction": 0.91}),
        (DataConfig, {"val_fraction": float("nan")}),
        (NetworkConfig, {"hidden_size": 16_385}),
        (TrainingConfig, {"dropout": 1.0}),
        (TrainingConfig, {"learning_rate": 0.0}),
        (TrainingConfig, {"seed": 2**63}),
        (SamplingConfig, {"temperature": float("inf")}),
        (SamplingConfig, {"top_p": 0.0}),
        (SampleConfig, {"sample_length": -1}),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(section: Any, options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(UsageError, match=name):
        section(**options)


def test_something_is_left_to_learn_from() -> None:
    assert DataConfig(val_fraction=0.4, test_fraction=0.5).test_fraction == 0.5
    assert DataConfig(val_fraction=0.6, test_fraction=0.3).val_fraction == 0.6
    with pytest.raises(UsageError, match=r"at most 0\.9.*found 0\.6 and 0\.4"):
        DataConfig(val_fraction=0.6, test_fraction=0.4)


def test_options_find_their_sections_by_name() -> None:
    config = RunConfig().with_options(
        {"seq_len": 7, "cell": "gru", "steps": 9, "lowercase": True, "sources": ["a", "b"]}
    )
    assert config.data == DataConfig(seq_len=7)
    assert config.network == NetworkConfig(cell="gru")
    assert config.training == TrainingConfig(steps=9)
    assert config.normalization == NormalizationConfig(lowercase=True)
    assert config.sources == ("a", "b")


def test_an_option_leaves_the_others_of_its_section_as_they_are() -> None:
    preset = PRESETS["tutorial"]
    changed = preset.with_options({"num_layers": 3})
    assert changed == replace(preset, network=replace(preset.network, num_layers=3))


def test_an_option_can_be_unset() -> None:
    config = RunConfig(training=TrainingConfig(minutes=3.0))
    assert config.with_options({"minutes": None}).training.minutes is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sequence_length": 3}, "no option 'sequence_length'"),
        ({"seq_len": None}, "seq_len must be a whole number; found None"),
        ({"seq_len": "3"}, "seq_len must be a whole number; found '3'"),
        ({"cell": "elman"}, "cell must be one of"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        RunConfig().with_options(options)
    assert told in str(caught.value)


def test_no_two_sections_share_an_option() -> None:
    names = [name for section in SECTIONS.values() for name in to_mapping(section())]
    assert len(names) == len(set(names))


def test_a_source_name_that_is_not_utf8_is_refused_with_a_way_out() -> None:
    with pytest.raises(UsageError, match=r"not UTF-8.*Rename the file") as caught:
        RunConfig(sources=("caf\udce9.txt",))
    assert caught.value.command_line.endswith("or pipe it: burble train - < FILE")


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
@pytest.mark.parametrize(
    ("input_kind", "width"), [("embedding", 5), ("one-hot", 30), ("scalar", 1)]
)
def test_the_weights_have_the_shapes_of_the_cell(
    cell: CellKind, gates: int, input_kind: InputKind, width: int
) -> None:
    config = NetworkConfig(
        cell=cell, input=input_kind, num_layers=2, hidden_size=7, embedding_size=5
    )
    shapes = config.tensor_shapes(30)
    assert shapes["layers.0.weight_ih"] == (gates * 7, width)
    assert shapes["layers.1.weight_ih"] == (gates * 7, 7)
    assert shapes["layers.1.weight_hh"] == (gates * 7, 7)
    assert shapes["layers.0.bias"] == (gates * 7,)
    assert (shapes["head.weight"], shapes["head.bias"]) == ((30, 7), (30,))
    assert shapes.get("embedding.weight") == ((30, 5) if input_kind == "embedding" else None)

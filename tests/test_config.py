"""Settings: where they come from, what is refused, and that each of them does something."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from vcd.config import Config, Within, find_presets, load_config, parse_config
from vcd.errors import ConfigError

ROOT = Path(__file__).parents[1]


def leaves(record: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted name, value and annotation of each setting."""
    hints = get_type_hints(type(record), include_extras=True)
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value, hints[field.name]


SETTINGS = list(leaves(Config()))
NUMBERS = [(name, get_args(hint)[0]) for name, _, hint in SETTINGS if get_origin(hint) is Annotated]


def limits(hint: Any) -> Within:
    return next(limit for limit in get_args(hint) if isinstance(limit, Within))


def nested(name: str, value: Any) -> Any:
    """``a.b.c`` and a value as the tables that set it."""
    for key in reversed(name.split(".")):
        value = {key: value}
    return value


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "my.toml"
    path.write_text(text)
    return str(path)


# --- Where settings come from.


@pytest.mark.parametrize("name", ["default", "fast", "thorough"])
def test_the_presets_load(name: str) -> None:
    assert isinstance(load_config(name), Config)


def test_there_are_three_presets_and_they_differ() -> None:
    assert set(find_presets()) == {"default", "fast", "thorough"}
    assert len({load_config(name).digest for name in find_presets()}) == 3


def test_the_default_preset_equals_the_defaults() -> None:
    assert load_config("default") == load_config() == Config()


def test_presets_lie_in_the_package_once_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vcd" / "configs").mkdir(parents=True)
    (tmp_path / "vcd" / "configs" / "mine.toml").touch()
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "somebody-elses.toml").touch()
    monkeypatch.setattr("vcd.config.__file__", str(tmp_path / "vcd" / "config.py"))

    assert list(find_presets()) == ["mine"]


def test_a_file_is_put_over_the_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "[search]\ncandidates = 7"))

    assert config == parse_config({"search": {"candidates": 7}}, "")
    assert (config.search.candidates, config.search.neighbours) == (7, Config().search.neighbours)


def test_a_file_may_start_from_a_preset(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, 'preset = "fast"\n[search]\ncandidates = 7'))

    fast = load_config("fast")
    assert config == dataclasses.replace(fast, search=dataclasses.replace(fast.search, candidates=7))
    assert fast.search.neighbours != Config().search.neighbours


def test_a_file_without_the_ending_toml_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("[report]\ntop = 3")

    assert load_config(str(path)).report.top == 3


def test_whole_numbers_may_stand_for_seconds() -> None:
    gap_s = parse_config({"media": {"query": {"gap_s": 2}}}, "").media.query.gap_s

    assert (gap_s, type(gap_s)) == (2.0, float)


# --- What is refused, and how.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serch]\ntop = 1", "unknown setting 'serch'; did you mean 'search'?"),
        ("[media.query]\ngaps = 1", "unknown setting 'media.query.gaps'; did you mean 'gap_s'?"),
        ("[report]\nzzz = 1", "unknown setting 'report.zzz'; known: min_score, top"),
        ("top = 1", "unknown setting 'top'; known: align, describe, hashes, library, media, report, search"),
        ("search = 3", "'search' is a table, not 3"),
        ("[search]\nneighbours = 1.5", "search.neighbours must be of type int, not 1.5"),
        ("[search]\nneighbours = true", "search.neighbours must be of type int, not True"),
        ("[align]\nmin_speed = true", "align.min_speed must be of type float, not True"),
        ("[align]\nrefine = 1", "align.refine must be of type bool, not 1"),
        ("[describe]\nmodel = 3", "describe.model must be of type str, not 3"),
        ("[search]\nneighbours = [1]", "search.neighbours must be of type int, not [1]"),
        ("[search]\nneighbours = 0", "search.neighbours must lie between 1 and 16384, not 0"),
        ("[report]\nmin_score = nan", "report.min_score must lie between 0 and 1, not nan"),
        ("[report]\nmin_score = inf", "report.min_score must lie between 0 and 1, not inf"),
        ("[report]\nmin_score = 1" + 400 * "0", "report.min_score must lie between 0 and 1, not 1000"),
        (
            "[library]\nindex = 'annoy'",
            "library.index must be one of 'auto', 'exact', 'hnsw', 'ivf-sq8', 'ivf-pq', not 'annoy'",
        ),
        (
            "[library]\nindex = ['hnsw']",
            "library.index must be one of 'auto', 'exact', 'hnsw', 'ivf-sq8', 'ivf-pq', not ['hnsw']",
        ),
        ("preset = 'fats'", "preset must name a preset, not 'fats'; did you mean 'fast'?"),
        ("preset = 3", "preset must name a preset, not 3; known: default, fast, thorough"),
        ("preset = ['fast']", "preset must name a preset, not ['fast']"),
        ("[search", "is not valid TOML: "),
        ("[search]\n[search]", "is not valid TOML: "),
        ("a = 1" + 5000 * "0", "is not valid TOML: "),
        ("a = " + 5000 * "[", "is not valid TOML: "),
    ],
)
def test_a_bad_file_is_refused_by_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)

    with pytest.raises(ConfigError) as raised:
        load_config(path)

    assert str(raised.value).startswith(f"{path}: {message}")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"my\.toml: is not valid TOML"):
        load_config(str(tmp_path / "my.toml"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fats", "unknown preset 'fats'; did you mean 'fast'?"),
        ("zzz", "unknown preset 'zzz'; known: default, fast, thorough"),
        ("there-is-none.toml", "there-is-none.toml: there is no such file"),
        (".", ".: cannot be read: Is a directory"),
    ],
)
def test_what_is_neither_preset_nor_file_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        load_config(name)


@pytest.mark.parametrize(("name", "kind"), NUMBERS)
def test_every_number_has_limits_and_they_hold(name: str, kind: type) -> None:
    within = limits(next(hint for setting, _, hint in SETTINGS if setting == name))
    for end in (within.low, within.high):
        parse_config(nested(name, kind(end)), "")
    for beyond in (within.low - 1, within.high + 1, float("nan"), True, "1"):
        with pytest.raises(ConfigError, match=name.rpartition(".")[2]):
            parse_config(nested(name, beyond if isinstance(beyond, bool | str) else kind_or_nan(kind, beyond)), "")


def kind_or_nan(kind: type, value: float) -> Any:
    return value if value != value else kind(value)


def test_no_number_is_without_limits() -> None:
    bare = [name for name, _, hint in SETTINGS if hint in {int, float}]

    assert bare == []


# --- What settings do.


def another(value: Any, hint: Any) -> Any:
    """A value that a setting may have and does not have now."""
    match value:
        case bool():
            return not value
        case int() | float():
            within = limits(hint)
            return type(value)(within.low if value != within.low else within.high)
        case ():
            return [get_args(get_args(hint)[0])[0]]
    return next((choice for choice in get_args(hint) if choice != value), f"{value}-2")


@pytest.mark.parametrize(("name", "value", "hint"), SETTINGS, ids=[name for name, _, _ in SETTINGS])
def test_the_digest_changes_with_every_setting(name: str, value: Any, hint: Any) -> None:
    changed = another(value, hint)
    if name == "align.aligner":
        pytest.skip("there is one aligner")

    assert parse_config(nested(name, changed), "").digest != Config().digest
    assert parse_config(nested(name, [] if value == () else value), "").digest == Config().digest


HOLDERS = {
    "config",
    "_config",
    "settings",
    "media",
    "describe",
    "library",
    "hashes",
    "search",
    "align",
    "verify",
    "report",
    "sample",
}
"""Names that hold settings in vcd."""


def settings_read() -> set[str]:
    """Attributes that vcd reads of what holds settings, outside of config.py."""
    return {
        node.attr
        for path in (ROOT / "vcd").rglob("*.py")
        if path != ROOT / "vcd" / "config.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] in HOLDERS
    }


def test_something_reads_every_setting() -> None:
    read = settings_read()

    assert [name for name, _, _ in SETTINGS if name.rpartition(".")[2] not in read] == []

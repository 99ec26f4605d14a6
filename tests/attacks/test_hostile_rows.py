"""A row of an input is a JSON object that all parts can bear, or one error that names its line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import vsgen
from vsgen.cli.app import app
from vsgen.errors import InputError
from vsgen.files.fields import MAX_DEPTH
from vsgen.files.given_rows import GivenRows
from vsgen.files.rows import read_rows

INPUTS: Final = Path(__file__).parent.parent / "bytes" / "inputs"
GOOD: Final = b'{"text":"The light is out.","product":"light","options":["a","b"],"category":"bug"}\n'


def with_value(value: str) -> bytes:
    """A row with a value, in JSON, in every field that commands read."""
    return b'{"text":%b,"product":%b,"options":["a",%b],"category":%b}' % ((value.encode(),) * 4)


def lists(depth: int) -> str:
    return "[" * depth + "]" * depth


def objects(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


DEEP: Final = {f"{kind.__name__} {depth}": kind(depth) for kind in (lists, objects) for depth in (300, 1_000, 100_000)}
BAD: Final[Mapping[str, bytes]] = {
    **{name: with_value(value) for name, value in DEEP.items()},
    "deep with a long number": with_value("[" * 1_000 + "1" * 25 + "]" * 1_000),
    "a number of 30 digits": with_value("9" * 30),
    "a number of 5,000 digits": with_value("9" * 5_000),
    "beyond a double": with_value("1e999"),
    "NaN": with_value("NaN"),
    "Infinity": with_value("-Infinity"),
    "a lone surrogate": with_value('"\\ud800"'),
    "a lone low surrogate": with_value('"\\udc00x"'),
    "no UTF-8": b'{"text":"\xff\xfe"}',
    "a raw NUL": b'{"text":"a\0"}',
    "zeros": bytes(100),
    "an array": b"[1]",
    "a text": b'"a"',
    "torn": b'{"text":"a"',
    "two": b'{"a":1}{"b":2}',
    "deep, and no object": lists(100_000).encode(),
    "UTF-16": '{"text":"a"}'.encode("utf-16"),
    "5 MB that end too early": b'{"text":"' + b"x" * 5_000_000,
}
COMMANDS: Final = {
    "run": "run support-tickets in.jsonl -m tiny --set dedup.embedder=hash --max-calls 4",
    "label": "label in.jsonl --name c --classes billing,bug --prompt Which? -m tiny",
    "choices": "label in.jsonl --name c --choices options --prompt Which? -m tiny",
    "check": "check support-tickets in.jsonl",
}


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in.jsonl"


def invoke(words: str) -> tuple[int, list[str]]:
    """The status, and vsgen's own lines on standard error."""
    result = CliRunner().invoke(app, shlex.split(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, [line for line in result.stderr.splitlines() if line.startswith("vsgen: ")]


@pytest.mark.parametrize("name", BAD)
def test_a_line_that_is_no_row_is_one_error_with_its_number(inputs: Path, name: str) -> None:
    inputs.write_bytes(GOOD + BAD[name] + b"\n" + GOOD)
    status, said = invoke(COMMANDS["label"])
    assert status == 2
    assert said[-1].startswith("vsgen: in.jsonl:2: ") and len(said[-1]) < 500
    status, said = invoke(COMMANDS["label"] + " --on-error skip")
    assert status == 0
    assert len([line for line in said if "in.jsonl:2: " in line]) == 1


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["lists 1000", "objects 300", "a lone surrogate"])
def test_every_command_that_reads_rows_says_the_same(inputs: Path, command: str, name: str) -> None:
    inputs.write_bytes(BAD[name] + b"\n" + GOOD)
    status, said = invoke(COMMANDS[command])
    assert status == 2 and said[-1].startswith("vsgen: in.jsonl:1: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_deepest_row_that_is_allowed_goes_all_the_way(inputs: Path, command: str) -> None:
    inputs.write_bytes(b'{"deep":' + lists(MAX_DEPTH - 1).encode() + b"," + GOOD[1:])
    rendered = " --set prompt='{{deep|tojson}}{{deep}}'" if command in ("run", "check") else ""
    assert invoke(COMMANDS[command] + rendered)[0] == 0
    inputs.write_bytes(b'{"deep":' + lists(MAX_DEPTH).encode() + b"," + GOOD[1:])
    assert invoke(COMMANDS[command])[0] == 2


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(list(BAD.values())[7:]), st.just(GOOD.strip()))))
def test_whatever_bytes_there_are_each_line_is_a_row_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "in.jsonl"
    path.write_bytes(b"\n".join(lines))
    problems = list[str]()
    rows = list(read_rows(str(path), skip=problems.append))
    assert len(rows) + len(problems) == sum(bool(line.strip()) for line in path.read_bytes().split(b"\n"))
    for row in rows:
        orjson.dumps(row.fields)


def cyclic() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "given_row",
    [{"a": json.loads(lists(150))}, {"a": cyclic()}, cyclic(), {"a": 2**70}, {"a": "\ud800"}, {"a": {1, 2}}, 5, None],
    ids=["deep", "cyclic", "cyclic list", "long", "surrogate", "set", "number", "nothing"],
)
def test_a_row_from_python_is_held_to_the_same(given_row: Any) -> None:
    reader = GivenRows([given_row]).reader(wake=lambda: None)
    with pytest.raises(InputError, match=r"^rows\[0\]: ") as raised:
        reader.take()
    assert len(str(raised.value)) < 300
    with pytest.raises(InputError):
        list(vsgen.label([given_row], {"name": "c", "classes": ["a", "b"]}, model="tiny"))


HOSTILE: Final[list[Any]] = [
    *(None, True, -1, 0, 2.5, 1e308, 2**62, "", "a", "AAAA", "\0", [], {}, [1], ["a", None], {"a": 1}, {"": "x"}),
    *([[1, 2], [3]], {"a": {"b": {"c": []}}}, json.loads(lists(60))),
]
"""What may stand where a row of vsgen's own has something else."""
READERS: Final = {
    "export in.jsonl --to jsonl": "tickets.jsonl",
    "export in.jsonl --to trl --draws 3 --question Q": "tickets.jsonl",
    "export in.jsonl --to distillkit": "packed.jsonl",
    "export in.jsonl --to axolotl": "packed.jsonl",
    "targets support-tickets --from in.jsonl": "tickets.jsonl",
}


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the parts of a value are; of a list its first two."""
    inner: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value[:2]))
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """A copy with something else in one place."""
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


@pytest.mark.parametrize("words", READERS)
def test_a_row_of_vsgens_own_that_was_changed_is_no_traceback(inputs: Path, words: str) -> None:
    row = orjson.loads((INPUTS / READERS[words]).read_bytes().splitlines()[0])
    cases = [(place, new) for place in places(row) for new in HOSTILE]
    certain = [(("meta", "template"), [1]), (("token_logprobs", "messages"), [0])]
    for place, new in [*(one for one in certain if one[0] in places(row)), *Random(words).sample(cases, 12)]:
        inputs.write_bytes(orjson.dumps(row) + b"\n" + orjson.dumps(put(row, place, new)) + b"\n")
        status, said = invoke(words)
        assert status == 0 or (status == 2 and said), (place, new)


@pytest.mark.parametrize("kind", [lists, objects])
@pytest.mark.parametrize("depth", [50, 1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_what_stands_on_the_command_line_or_in_a_template_may_not_be_deep_either(
    inputs: Path, kind: Callable[[int], str], depth: int
) -> None:
    inputs.write_bytes(GOOD)
    template = "version: 1\nname: t\nprompt: a\noutput: {field: text}\n"
    Path("plain.yaml").write_text(template)
    Path("deep.yaml").write_text(template + f"examples: {kind(depth)}\n")
    label = "label in.jsonl --name c --prompt Which? -m tiny"
    for words in (
        f"check plain.yaml --set 'examples={kind(depth)}'",
        "check deep.yaml",
        f"{label} --classes '{kind(depth)}'",
        f"{label} --classes a,b --set 'verbalizer={kind(depth)}'",
    ):
        status, said = invoke(words)
        assert status == 2 and len(said[-1]) < 500

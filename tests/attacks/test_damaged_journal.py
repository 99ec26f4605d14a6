"""A journal is used only as far as it is what vsgen wrote; whatever else is there is counted, or left alone."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from vsgen.cli.app import app
from vsgen.errors import OptionError
from vsgen.files.ends import told
from vsgen.files.journal import FileJournal, digest
from vsgen.files.sealed import intact, sealed
from vsgen.files.vectors import Vectors
from vsgen.values import (
    Call,
    Completion,
    Embed,
    Generate,
    Message,
    Prompt,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Vector,
    Verified,
    Verify,
)

ASKED = Prompt((Message("user", "a"),))
GENERATE, SCORE, TEACH = Generate(ASKED, seed=1), Score(ASKED, ("a", "b")), Teach(ASKED, "a", top=2)
VERIFY = Verify(("x",), "{}")
REPLIES: list[tuple[Call, Reply]] = [
    (GENERATE, Completion("ab", (1, 2), -1.5, None, True, 3, (-1.0, -0.5), (-1.0, -0.5))),
    (SCORE, Scores((-0.25, -1e-9), 3)),
    (TEACH, Taught((5, 6), (1, 2), (-0.5, -1.0), 2, bytes(16), bytes(16))),
    (VERIFY, Verified(False, "odd")),
]


def filled(path: Path, replies: Sequence[tuple[Call, Reply]] = REPLIES) -> list[bytes]:
    """The lines of a new journal."""
    with FileJournal(path) as journal:
        for call, reply in replies:
            journal.add(journal.key("m", call), "m", call, reply)
    return path.read_bytes().splitlines(keepends=True)


def found(journal: FileJournal) -> list[bool]:
    """Which of the replies are there; those that are must be right."""
    answers = [journal.find(journal.key("m", call), call) for call, _ in REPLIES]
    assert all(answer in (None, reply) for answer, (_, reply) in zip(answers, REPLIES, strict=True))
    return [answer is not None for answer in answers]


NEWER = sealed(b'{"vsgen journal":2,"kind":"version"}') + b"anything"
CALL = {"key": 32 * "a", "kind": "generate", "model": "m", "call": {}, "reply": {}}
OTHERS = {
    "rows that begin with a key": b'{"key":"a","text":"b"}\n{"key":"c","text":"d"}\n',
    "rows with a digest as key": json.dumps({"key": 32 * "a", "text": "b"}).encode() + b"\n",
    "a call under another's key": orjson.dumps(CALL) + b"\n",
    "a torn row": b'{"key":"',
    "a JSON array": b'[{"key":"a"}]',
    "CSV": b"key,text\na,b\n",
    "a blank line": b"\n",
    "a binary": bytes(range(256)),
    "zeros": bytes(10_000),
    "gzip": gzip.compress(b'{"vsgen journal":1}'),
    "UTF-16": '{"vsgen journal":1}\n'.encode("utf-16"),
    "a newer version": NEWER,
    "an unsealed version line": b'{"vsgen journal":1,"kind":"version"}\n',
    "a beginning and more": b'{"vsgen jour\n{"key":"a"}\n',
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_no_journal_beyond_doubt_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(OTHERS[name])
    result = CliRunner().invoke(app, ["run", "jokes", "-n", "1", "-m", "tiny", "--journal", str(path)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"vsgen: {path}: ") and result.stdout == ""
    assert path.read_bytes() == OTHERS[name]


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "a newer version"])
def test_a_file_that_holds_no_vectors_beyond_doubt_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    other = OTHERS[name].replace(b"vsgen journal", b"vsgen vectors")
    path = tmp_path / "v"
    path.write_bytes(other)
    with pytest.raises(OptionError):
        Vectors(path)
    assert path.read_bytes() == other


@pytest.mark.parametrize("damage", [lambda first: b"#" + first[1:], lambda first: first[:-20] + b"}\n", lambda _: b""])
def test_a_journal_whose_first_line_is_damaged_is_left_as_it_is_and_can_be_mended(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "j"
    first, *others = filled(path)
    damaged = b"".join([damage(first), *others])
    path.write_bytes(damaged)
    with pytest.raises(OptionError, match="its first line, which marks it as a journal, is damaged or missing"):
        FileJournal(path)
    assert path.read_bytes() == damaged
    path.write_bytes(b"".join([first, *others]))
    with FileJournal(path) as journal:
        assert all(found(journal))


@pytest.mark.parametrize("kept", [0, 1, 20, 60])
@pytest.mark.parametrize("zeros", [0, 3])
def test_a_journal_that_was_torn_in_its_first_line_is_begun_anew(tmp_path: Path, kept: int, zeros: int) -> None:
    path = tmp_path / "j"
    lines = filled(path)
    path.write_bytes(lines[0][:kept] + bytes(zeros))
    assert filled(path) == lines


def misfits() -> list[tuple[Call, dict[str, Any]]]:
    """Calls, and members of their replies that no model says."""
    tokens: list[object] = [[1, "2"], [1.5, 2.0], "12", None, [True, False], {}]
    logp: list[object] = [[-1.0], [-1.0, -2.0, -3.0], [-1.0, "b"], "ab", None, [1e308, -1.0]]
    return [
        *((GENERATE, {"text": text}) for text in (None, 1, ["a"])),
        *((GENERATE, {"tokens": wrong}) for wrong in tokens),
        (GENERATE, {"logp": "-1.5"}),
        (GENERATE, {"logp": True}),
        (GENERATE, {"stopped": 1}),
        (GENERATE, {"logps": [-1.0]}),
        (GENERATE, {"logqs": [-1.0, None]}),
        (GENERATE, {"tokens": "gone"}),
        (GENERATE, {"surprise": 1}),
        *((SCORE, {"logp": wrong}) for wrong in logp),
        (SCORE, {"prompt_tokens": 1.5}),
        *((TEACH, {"top_ids": ids}) for ids in ("", "AAAA", "\u00e9" * 16, 5)),
        *((TEACH, {"width": width}) for width in (0, 3, "2", -2)),
        (TEACH, {"logps": [-0.5]}),
        (VERIFY, {"ok": "yes"}),
        (VERIFY, {"problem": None}),
    ]


@pytest.mark.parametrize(("call", "change"), misfits(), ids=repr)
def test_a_whole_line_that_no_model_can_have_said_counts_as_not_there(
    tmp_path: Path, call: Call, change: dict[str, Any]
) -> None:
    path = tmp_path / "j"
    lines = filled(path)
    number = 1 + [one for one, _ in REPLIES].index(call)
    entry = orjson.loads(lines[number])
    del entry["crc"]
    entry["reply"] |= change
    if change.get("tokens") == "gone":
        del entry["reply"]["tokens"]
    lines[number] = sealed(orjson.dumps(entry))
    path.write_bytes(b"".join(lines))
    with FileJournal(path) as journal:
        assert [one + 1 for one, there in enumerate(found(journal)) if not there] == [number]
        assert journal.unreadable == 1 and "1 line cannot be read" in journal.problems[0]


@pytest.mark.parametrize("entry", [{"kind": "score"}, {"kind": "new"}, {"kind": None}, {"reply": []}, {"reply": None}])
def test_a_whole_line_of_another_kind_counts_as_not_there(tmp_path: Path, entry: dict[str, Any]) -> None:
    lines = filled(path := tmp_path / "j")
    said = {name: value for name, value in orjson.loads(lines[1]).items() if name != "crc"}
    path.write_bytes(b"".join([lines[0], sealed(orjson.dumps(said | entry)), *lines[2:]]))
    with FileJournal(path) as journal:
        assert found(journal) == [False, True, True, True]


@pytest.mark.parametrize("start", ['{"kind":"note"', '{"kind":"end"', '{"kind":"begin"', f'{{"key":"{32 * "a"}"'])
def test_a_line_with_a_checksum_that_is_no_json_is_no_traceback(tmp_path: Path, start: str) -> None:
    filled(path := tmp_path / "j")
    with path.open("ab") as file:
        file.write(sealed(f"{start} garbage}}".encode()))
    with FileJournal(path) as journal:
        assert all(found(journal)) and journal.noted("garbage") is None
    assert list(told(path)) == []


def test_a_probability_of_0_comes_back_as_it_was(tmp_path: Path) -> None:
    """JSON has no infinity."""
    scores = Scores((-math.inf, -0.5))
    filled(tmp_path / "j", [(SCORE, scores)])
    with FileJournal(tmp_path / "j") as journal:
        assert journal.find(journal.key("m", SCORE), SCORE) == scores


def test_a_hole_costs_the_lines_that_it_touches_and_no_other(tmp_path: Path) -> None:
    lines = filled(path := tmp_path / "j")
    whole = b"".join(lines)
    begin, end = len(lines[0]) + 30, len(b"".join(lines[:2]))
    for first, last, lost in [(begin, begin + 5, 1), (begin, end, 1), (begin, end + 7, 2)]:
        path.write_bytes(whole[:first] + bytes(last - first) + whole[last:])
        with FileJournal(path) as journal:
            assert found(journal) == [number >= lost for number in range(4)]
            assert journal.unreadable == 1
    path.write_bytes(lines[0] + bytes(5000) + b"".join(lines[1:]))
    with FileJournal(path) as journal:
        assert all(found(journal))


def test_what_a_kill_leaves_is_no_damage(tmp_path: Path) -> None:
    whole = b"".join(filled(path := tmp_path / "j"))
    for torn in (whole[:-1], whole[:-50], whole[:-50] + bytes(50), whole + b'{"key":"'):
        path.write_bytes(torn)
        with FileJournal(path) as journal:
            assert journal.unreadable == 0 and journal.problems == []


@pytest.mark.parametrize("last", [True, False])
def test_an_intact_line_stands_in_for_a_damaged_one_of_the_same_call(tmp_path: Path, last: bool) -> None:
    lines = filled(path := tmp_path / "j")
    damaged = lines[1].replace(b'"ab"', b'"aB"')
    assert not intact(damaged)
    path.write_bytes(b"".join([*lines, damaged] if last else [lines[0], damaged, *lines[1:]]))
    with FileJournal(path) as journal:
        assert all(found(journal))
        assert journal.unreadable == 0


def test_lines_of_before_there_were_checksums_must_be_what_such_lines_were(tmp_path: Path) -> None:
    old = [
        {name: value for name, value in orjson.loads(line).items() if name != "crc"}
        for line in filled(tmp_path / "new")[1:]
    ]
    changed = [
        old[0] | {"model": "n"},
        old[1] | {"kind": "teach"},
        old[2] | {"surprise": 1},
        old[3] | {"call": old[3]["call"] | {"row": "[]"}},
    ]
    path = tmp_path / "j"
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in [*changed[1:], *old[:2]]))
    before = path.read_bytes()
    with pytest.raises(OptionError, match="is not a journal of vsgen"):
        FileJournal(path)
    assert path.read_bytes() == before
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in [*old[:2], *changed]))
    with FileJournal(path) as journal:
        assert found(journal) == [True, True, False, False]
        assert journal.unreadable == 2, "the other two have their lines"
        assert any("older than checksums, so damage to its first 2 replies" in problem for problem in journal.problems)


def test_a_journal_and_its_vectors_are_not_taken_for_each_other(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    with Vectors(tmp_path / "v"):
        pass
    for path, kind in ((tmp_path / "v", FileJournal), (tmp_path / "j", Vectors)):
        before = path.read_bytes()
        with pytest.raises(OptionError, match=r"is not a (journal|file of vectors) of vsgen"):
            kind(path)
        assert path.read_bytes() == before


def test_a_damaged_size_costs_no_vector_but_its_own(tmp_path: Path) -> None:
    path, digests = tmp_path / "v", [bytes([number]) * 16 for number in range(6)]
    with Vectors(path) as file:
        for digest_ in digests:
            file.add(digest_, Vector(bytes(8)))
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1 + 2 * 32 + 16
    for damage in (bytes([9]), bytes([255]), bytes(1)):
        path.write_bytes(whole[:head] + damage + whole[head + 1 :])
        with Vectors(path) as file:
            assert [file.find(one) is not None for one in digests] == [True, True, False, True, True, True]
            assert file.unreadable == 1
    path.write_bytes(whole[: head - 16] + bytes(80) + whole[head + 64 :])
    with Vectors(path) as file:
        assert [file.find(one) is not None for one in digests] == [True, True, False, False, False, True]


def test_an_old_vector_must_be_one(tmp_path: Path) -> None:
    call = Embed("a")
    for data, there in [("mpkZP83MTL8=", True), ("mpkZ", False), ("", False), ("AADAfwAAwH8=", False), (5, False)]:
        line = {"key": digest("m", call), "kind": "embed", "model": "m", "call": {"text": "a"}, "reply": {"data": data}}
        (tmp_path / "j").write_bytes(orjson.dumps(line) + b"\n")
        with FileJournal(tmp_path / "j") as journal:
            assert (journal.find(journal.key("m", call), call) is not None) == there

"""The journal keeps every whole line, whatever happened to the last one."""

from __future__ import annotations

import errno
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from threading import Event

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import OptionError, OutputError
from vsgen.files.contents import VERSION
from vsgen.files.journal import FileJournal, MemoryJournal, digest
from vsgen.files.sealed import sealed
from vsgen.files.vectors import Vectors
from vsgen.values import (
    Call,
    Completion,
    Decide,
    Decided,
    Decision,
    Directed,
    Embed,
    Generate,
    Message,
    Prompt,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    TypedQuestion,
    Vector,
    Verified,
    Verify,
)

NEW = Score(Prompt(prefill="new"), ("a", "b"))
TEXT = st.text(max_size=30)
LINES: st.SearchStrategy[Call] = st.one_of(
    st.builds(
        Generate,
        st.builds(Prompt, st.tuples(st.builds(Message, st.just("user"), TEXT)), TEXT),
        st.integers(0, 2**63 - 1),
        stop=st.tuples(TEXT),
        prefix=st.tuples(st.integers(0, 10)),
        resumable=st.booleans(),
    ),
    st.builds(Score, st.builds(Prompt, prefill=TEXT), st.tuples(TEXT, TEXT)),
    st.builds(Decide, TEXT, st.tuples(st.builds(TypedQuestion, st.just("score"), TEXT, st.tuples(TEXT, TEXT)))),
    st.builds(Teach, st.builds(Prompt, prefill=TEXT), TEXT, st.integers(2, 20)),
    st.builds(Verify, st.tuples(TEXT, TEXT), TEXT, st.floats(0.1, 10), TEXT),
)
CALLS = st.one_of(LINES, st.builds(Embed, TEXT))
"""The vectors of some lie beside the journal."""


REFUSED = Decision(problem="no")


def reply_to(call: Call) -> Reply:
    match call:
        case Generate():
            steps = ((-0.5, -1.0), (-0.25, -0.125)) if call.resumable else ((), ())
            return Completion(f"§ {call.seed}", (1, 2), -1.5, None, False, 3, *steps)
        case Score():
            return Scores((-0.25, -1e-9))
        case Decide():
            return Decided(tuple(Decision((0.25, 0.75), 0.5) if one.text else REFUSED for one in call.questions))
        case Teach():
            return Taught((5, 6), (1, 2), (-0.5, -1.0), 2, bytes(range(16)), bytes(range(16, 32)))
        case Embed():
            return Vector(bytes(range(16)))
        case Verify():
            return Verified(len(call.row) > 3, "§ is wrong")
        case Directed():
            return reply_to(call.call)


def filled(path: Path, calls: Sequence[Call]) -> bytes:
    with FileJournal(path) as journal:
        for call in calls:
            journal.add(journal.key("m", call), "m", call, reply_to(call))
    return path.read_bytes()


def found(journal: FileJournal, calls: Sequence[Call]) -> list[Reply | None]:
    return [journal.find(journal.key("m", call), call) for call in calls]


@given(calls=st.lists(LINES, max_size=8), cut=st.integers(0, 400), zeros=st.booleans())
def test_whatever_tail_is_torn_off_or_was_never_written_whole_lines_survive(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Call], cut: int, zeros: bool
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    whole = filled(path, calls)
    first = whole.index(b"\n") + 1  # is synced before others follow
    torn = whole[: max(first if zeros else 0, len(whole) - cut)]
    path.write_bytes(torn + bytes(len(whole) - len(torn) if zeros else 0))
    survivors = max(torn.count(b"\n") - 1, 0)
    with FileJournal(path) as journal:
        for number, (call, reply) in enumerate(zip(calls, found(journal, calls), strict=True)):
            assert reply == reply_to(call) if number < survivors else reply in (None, reply_to(call))
        journal.add(journal.key("m", NEW), "m", NEW, reply_to(NEW))
    lines = path.read_bytes().splitlines()
    assert len(lines) == 1 + survivors + 1
    assert all(orjson.loads(line) for line in lines)
    assert orjson.loads(lines[0])["vsgen journal"] == VERSION


@given(calls=st.lists(LINES, min_size=1, max_size=6, unique_by=repr), data=st.data())
def test_a_byte_that_changes_is_never_taken_for_a_reply(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Call], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    whole = filled(path, calls)
    head = whole.index(b"\n") + 1
    at = data.draw(st.integers(head, len(whole) - 1))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    with FileJournal(path) as journal:
        replies = found(journal, calls)
        assert all(reply in (None, reply_to(call)) for call, reply in zip(calls, replies, strict=True))
        lost = replies.count(None)
        assert 1 <= lost <= 2, "the line, and the next one where its end is gone"
        assert len(journal) == len(calls) - lost
        for call in calls:
            journal.add(journal.key("m", call), "m", call, reply_to(call))
        assert found(journal, calls) == [reply_to(call) for call in calls]
    with FileJournal(path) as journal:
        assert found(journal, calls) == [reply_to(call) for call in calls]


@given(call=CALLS)
def test_the_digest_of_a_call_is_what_it_always_was(call: Call) -> None:
    """Or every reply of every old journal would be asked anew."""
    kind = "check" if isinstance(call, Verify) else type(call).__name__.lower()
    asked = orjson.dumps(["m", kind, asdict(call)], option=orjson.OPT_SORT_KEYS)
    assert digest("m", call) == blake2b(asked, digest_size=16).hexdigest()


ASKED = Prompt((Message("user", "a"),))


@pytest.mark.parametrize(
    ("call", "known"),
    [
        (Generate(ASKED, seed=1), "a5a9d713b9b49ddf52732a5d0e881a93"),
        (Score(ASKED, ("a", "b")), "4c1731deed76a876412a7b4596841ba8"),
        (Teach(ASKED, "a"), "f0b463b74a04ae9e56559fd834bd29d6"),
        (Embed("a"), "57d650eae5e15579b3c09138f90101d0"),
        (Verify(("a",), "{}"), "18a4dce82cf110421c5a03da42b8252a"),
    ],
)
def test_digests_of_old_journals_are_still_found(call: Call, known: str) -> None:
    """A new field of a call changes them all: leave it out of the digest where it has its default."""
    assert digest("m", call) == known


def test_the_digest_names_everything_that_is_asked() -> None:
    call = Generate(Prompt((Message("user", "a"),)), seed=1)
    others: list[Call] = [
        replace(call, seed=2),
        replace(call, temperature=0.5),
        replace(call, top_p=0.5),
        replace(call, top_k=3),
        replace(call, min_p=0.1),
        replace(call, max_tokens=5),
        replace(call, stop=("x",)),
        replace(call, schema="{}"),
        replace(call, prefix=(1,)),
        replace(call, prompt=Prompt((Message("system", "a"),))),
        replace(call, prompt=Prompt((Message("user", "a"),), prefill="b")),
        Embed("a"),
    ]
    digests = {digest("m", one) for one in [call, *others]} | {digest("other", call)}
    assert len(digests) == len(others) + 2
    assert digest("m", call) == digest("m", replace(call))


def test_a_second_run_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j"), pytest.raises(OutputError, match="another vsgen run"):
        FileJournal(tmp_path / "j")
    FileJournal(tmp_path / "j").__exit__(None, None, None)


OLD = (
    b'{"key":"%s","kind":"embed","model":"m","call":{"text":"a"},"reply":{"data":"mpkZP83MTL8="}}\n'
    % digest("m", Embed("a")).encode()
    + b'{"key":"%s","kind":"check","model":"m","call":{"command":["x"],"row":"{}","timeout":10.0,"version":""},'
    b'"reply":{"ok":false,"problem":"odd"}}\n' % digest("m", Verify(("x",), "{}")).encode()
)
"""As vsgen wrote before journals had versions."""
OLD_CALLS: list[Call] = [Embed("a"), Verify(("x",), "{}")]
OLD_REPLIES: list[Reply] = [Vector(struct.pack("<2e", 0.6, -0.8)), Verified(False, "odd")]


@pytest.mark.parametrize(
    "end", [b"", b'{"kind":"end","origin":"abc/tiny/0/","complete":true,"passed":true}\n', b'{"ke']
)
def test_a_journal_of_before_there_were_versions_is_read_and_continued(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(OLD + end)
    with FileJournal(path) as journal:
        assert found(journal, OLD_CALLS) == OLD_REPLIES
        journal.add(journal.key("m", NEW), "m", NEW, reply_to(NEW))
    for _ in range(2):
        with FileJournal(path) as journal:
            assert found(journal, [*OLD_CALLS, NEW]) == [*OLD_REPLIES, reply_to(NEW)]
    assert path.read_bytes().startswith(OLD)
    assert path.read_bytes().count(b'{"vsgen journal":') == 1


@given(calls=st.lists(CALLS, max_size=8, unique_by=repr))
def test_every_reply_is_found_again_wherever_it_lies(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Call]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    filled(folder / "j", calls)
    assert (folder / "j.vectors").exists() == any(isinstance(call, Embed) for call in calls)
    with FileJournal(folder / "j") as journal:
        assert found(journal, calls) == [reply_to(call) for call in calls]
        assert len(journal) == len(calls)


def test_vectors_that_another_run_holds_end_this_one_and_let_the_journal_go(tmp_path: Path) -> None:
    filled(tmp_path / "out.journal", [Embed("a")])
    with Vectors(tmp_path / "out.vectors"), pytest.raises(OutputError, match=r"out\.vectors: another vsgen run"):
        FileJournal(tmp_path / "out.journal")
    assert filled(tmp_path / "out.journal", [Embed("a")])


def test_a_journal_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "j"
    newer = sealed(b'{"vsgen journal":2,"kind":"version","anything":[]}') + b"\x00 whatever comes next"
    path.write_bytes(newer)
    for _ in range(2):
        with pytest.raises(OptionError, match="is a journal of version 2, but this vsgen reads version 1; upgrade it"):
            FileJournal(path)
    assert path.read_bytes() == newer


@pytest.mark.parametrize("other", [b"id,text\n", b'{"id":"a"}\n', b"\x00\x01", b'{"vsgen "}\n'])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, other: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(other)
    with pytest.raises(OptionError, match="is not a journal of vsgen"):
        FileJournal(path)
    assert path.read_bytes() == other


def test_a_line_is_on_disk_before_its_reply_is_used_and_synced_without_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = Event()
    monkeypatch.setattr("vsgen.files.appended._SECONDS", 0.01)
    monkeypatch.setattr("os.fdatasync", lambda _: synced.set())
    with FileJournal(tmp_path / "j") as journal:
        synced.wait()
        synced.clear()
        journal.add(journal.key("m", NEW), "m", NEW, reply_to(NEW))
        assert len((tmp_path / "j").read_bytes().splitlines()) == 2
        assert synced.wait(60)


def test_a_disk_that_takes_no_sync_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    journal = FileJournal(tmp_path / "j")
    journal.add(journal.key("m", NEW), "m", NEW, reply_to(NEW))
    monkeypatch.setattr("os.fdatasync", failing)
    with pytest.raises(OutputError, match="cannot write the journal: Input/output error"):
        journal.sync()
    with pytest.raises(OutputError, match="cannot write the journal: Input/output error"):
        journal.__exit__(None, None, None)


def test_a_full_disk_is_an_output_error_and_loses_no_earlier_line(tmp_path: Path) -> None:
    """A file-size limit stands in for the disk: the kernel refuses the same write in the same way."""
    script = (
        "import sys; from pathlib import Path; from vsgen.errors import OptionError, OutputError\n"
        "from vsgen.files.journal import FileJournal; from vsgen.values import Verify, Verified\n"
        "journal = FileJournal(Path(sys.argv[1]))\n"
        "try:\n"
        "    for i in range(100):\n"
        "        call = Verify((), str(i)); journal.add(journal.key('m', call), 'm', call, Verified(True, 400 * 'x'))\n"
        "except OutputError as error: print(i, error)\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    path = tmp_path / "j"
    ended = subprocess.run(
        [sys.executable, "-c", script, path], preexec_fn=limit, capture_output=True, text=True, check=True
    )
    written, message = ended.stdout.split(maxsplit=1)
    assert "cannot write the journal" in message and "free some space" in message
    with FileJournal(path) as journal:
        assert len(journal) == int(written)
        assert path.stat().st_size < 5000


def test_the_journal_in_memory_remembers_scores_up_to_a_bound() -> None:
    journal = MemoryJournal()
    for number in range(10_000):
        call = Score(Prompt(prefill=str(number)), ("a", "b"))
        journal.add(journal.key("m", call), "m", call, Scores((-1.0, -2.0)))
    assert journal.find(journal.key("m", call), call) == Scores((-1.0, -2.0))
    assert len(journal._replies) < 10_000


def test_what_is_kept_under_a_digest_outlives_the_run_and_is_no_reply(tmp_path: Path) -> None:
    path, call = tmp_path / "journal", Generate(Prompt(prefill="a"), seed=1)
    key = digest("m", call)
    with FileJournal(path) as journal:
        assert journal.kept(key) is None
        journal.keep(key, {"a": 1})
        journal.keep(key, {"a": 2})
    with FileJournal(path) as journal:
        assert journal.kept(key) == {"a": 2}
        assert journal.find(key, call) is None
        journal.add(key, "m", call, Completion("x"))
        assert journal.kept(key) is None

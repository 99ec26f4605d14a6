"""The journal keeps every whole line, whatever happened to the last one."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import OutputError
from vsgen.files.journal import FileJournal, MemoryJournal, digest
from vsgen.values import (
    Call,
    Check,
    Checked,
    Completion,
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
    Vector,
)

TEXT = st.text(max_size=30)
CALLS: st.SearchStrategy[Call] = st.one_of(
    st.builds(
        Generate,
        st.builds(Prompt, st.tuples(st.builds(Message, st.just("user"), TEXT)), TEXT),
        st.integers(0, 2**63 - 1),
        stop=st.tuples(TEXT),
        prefix=st.tuples(st.integers(0, 10)),
        resumable=st.booleans(),
    ),
    st.builds(Score, st.builds(Prompt, prefill=TEXT), st.tuples(TEXT, TEXT)),
    st.builds(Teach, st.builds(Prompt, prefill=TEXT), TEXT, st.integers(1, 20)),
    st.builds(Embed, TEXT),
    st.builds(Check, st.tuples(TEXT, TEXT), TEXT, st.floats(0.1, 10), TEXT),
)


def reply_to(call: Call) -> Reply:
    match call:
        case Generate():
            steps = ((-0.5, -1.0), (-0.25, -0.125)) if call.resumable else ((), ())
            return Completion(f"§ {call.seed}", (1, 2), -1.5, None, False, 3, *steps)
        case Score():
            return Scores((-0.25, -1e-9))
        case Teach():
            return Taught((5, 6), (1, 2), (-0.5, -1.0), 2, bytes(range(16)), bytes(range(16, 32)))
        case Embed():
            return Vector(bytes(range(16)))
        case Check():
            return Checked(len(call.row) > 3, "§ is wrong")
        case Directed():
            return reply_to(call.call)


@given(calls=st.lists(CALLS, max_size=8), cut=st.integers(0, 200))
def test_whatever_tail_is_torn_off_whole_lines_survive(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Call], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    with FileJournal(path) as journal:
        for call in calls:
            journal.add(journal.key("m", call), "m", call, reply_to(call))
    whole = path.read_bytes()
    torn = whole[: max(0, len(whole) - cut)]
    path.write_bytes(torn)
    survivors = torn.count(b"\n")
    with FileJournal(path) as journal:
        for number, call in enumerate(calls):
            found = journal.find(journal.key("m", call))
            assert found == reply_to(call) if number < survivors else found in (None, reply_to(call))
        journal.add(journal.key("m", Embed("new")), "m", Embed("new"), reply_to(Embed("new")))
    lines = path.read_bytes().splitlines()
    assert len(lines) == survivors + 1
    assert all(orjson.loads(line) for line in lines)


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


def test_a_damaged_line_in_the_middle_is_as_if_it_were_never_asked(tmp_path: Path) -> None:
    path = tmp_path / "j"
    calls = [Embed("a"), Embed("b"), Embed("c")]
    with FileJournal(path) as journal:
        for call in calls:
            journal.add(journal.key("m", call), "m", call, reply_to(call))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:60] + b"#" * (len(lines[1]) - 61) + b"\n"
    path.write_bytes(b"".join(lines))
    with FileJournal(path) as journal:
        assert [journal.find(journal.key("m", call)) is None for call in calls] == [False, True, False]


def test_a_full_disk_is_an_output_error_and_loses_no_earlier_line(tmp_path: Path) -> None:
    """A file-size limit stands in for the disk: the kernel refuses the same write in the same way."""
    script = (
        "import sys; from pathlib import Path; from vsgen.errors import OutputError\n"
        "from vsgen.files.journal import FileJournal; from vsgen.values import Embed, Vector\n"
        "journal = FileJournal(Path(sys.argv[1]))\n"
        "try:\n"
        "    for i in range(100):\n"
        "        call = Embed(str(i)); journal.add(journal.key('m', call), 'm', call, Vector(bytes(400)))\n"
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
    assert "cannot write the journal" in message and "--resume" in message
    with FileJournal(path) as journal:
        assert len(journal) == int(written)
        assert path.stat().st_size < 5000


def test_the_journal_in_memory_remembers_scores_up_to_a_bound() -> None:
    journal = MemoryJournal()
    for number in range(10_000):
        call = Score(Prompt(prefill=str(number)), ("a", "b"))
        journal.add(journal.key("m", call), "m", call, Scores((-1.0, -2.0)))
    assert journal.find(journal.key("m", call)) == Scores((-1.0, -2.0))
    assert len(journal._replies) < 10_000

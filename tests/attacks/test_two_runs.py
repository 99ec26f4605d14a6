"""Two runs on one file: one of them ends at once with status 4, and the other's rows are what is there in the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.cli.conftest import Vsgen, vsgen
from tests.jobs.test_carry import Numbers, carried, lines
from vsgen.errors import OptionError, OutputError
from vsgen.files.disk import lock
from vsgen.files.places import Places
from vsgen.jobs.task import Made

__all__ = ["vsgen"]

BUSY = "another vsgen run is writing here; wait for it, or choose another"
LABELLED = '{"text": "x", "labels": {"a": {"probs": {"b": 0.5, "c": 0.5}}}}\n'
SECOND = {
    "run": ("run", "jokes", "-n", 2, "-m", "tiny", "--journal", "second.journal"),
    "targets": ("targets",),
    "export": ("export", "labelled.jsonl", "--to", "jsonl"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelled.jsonl").write_text(LABELLED)
    return tmp_path


def begun(places: Places) -> Iterator[Made[int]]:
    """A run that has written its first row of three."""
    run = iter(carried(Numbers(places, [1, 2, 3])))
    next(run)
    return run


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("command", "flags"),
    [*((command, flags) for command in SECOND for flags in ((), ("--overwrite",))), ("run", ("--resume",))],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else words,
)
def test_a_second_run_ends_at_once_and_has_touched_nothing(
    vsgen: Vsgen, folder: Path, command: str, flags: tuple[str, ...]
) -> None:
    first = begun(Places(folder / "out.jsonl"))
    before = state(folder)
    second = vsgen(*SECOND[command], "-o", folder / "out.jsonl", *flags)
    assert second.exit_code == 4 and f"{BUSY} -o" in second.stderr
    assert state(folder) == before
    assert len(list(first)) == 2 and lines(folder / "out.jsonl") == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_rejects_are_held_like_rows(vsgen: Vsgen, folder: Path) -> None:
    first = begun(Places(folder / "out.jsonl", folder / "rejects.jsonl"))
    before = state(folder)
    second = vsgen(*SECOND["run"], "-o", "other.jsonl", "--rejects", "rejects.jsonl", "--overwrite")
    assert second.exit_code == 4 and f"rejects.jsonl.part: {BUSY} --rejects" in second.stderr
    assert state(folder) == before
    list(first)


def test_a_journal_that_is_held_is_named_by_its_option(vsgen: Vsgen, folder: Path) -> None:
    first = begun(Places(folder / "out.jsonl"))
    words = ("run", "jokes", "-n", 2, "-m", "tiny", "-o", "other.jsonl", "--journal", "out.jsonl.journal")
    assert f"out.jsonl.journal: {BUSY} --journal" in vsgen(*words).stderr
    list(first)


def test_a_dataset_is_held_while_it_is_made(vsgen: Vsgen, folder: Path) -> None:
    words = ("export", "labelled.jsonl", "--to", "datasets", "-o", "data")
    (folder / "data.part").mkdir()
    held = os.open(folder / "data.part", os.O_RDONLY)
    lock(held, Path("data.part"))
    second = vsgen(*words)
    os.close(held)
    assert second.exit_code == 4 and f"data.part: {BUSY}" in second.stderr
    (folder / "data.part" / "mine.txt").write_text("a user's own")
    refused = vsgen(*words)
    assert refused.exit_code == 4 and "'mine.txt', which is not vsgen's" in refused.stderr
    assert (folder / "data.part" / "mine.txt").exists() and not (folder / "data").exists()


def test_a_dataset_does_not_take_the_part_of_a_run(vsgen: Vsgen, folder: Path) -> None:
    first = begun(Places(folder / "out.jsonl"))
    before = state(folder)
    second = vsgen("export", "labelled.jsonl", "--to", "datasets", "-o", "out.jsonl", "--overwrite")
    assert second.exit_code == 4 and "out.jsonl.part: exists, and is not a folder" in second.stderr
    assert state(folder) == before
    assert len(list(first)) == 2


@pytest.mark.parametrize("command", ["targets", "export"])
def test_what_is_left_of_an_unfinished_run_is_not_taken_by_a_command_without_a_journal(
    vsgen: Vsgen, folder: Path, command: str
) -> None:
    begun(Places(folder / "out.jsonl")).close()  # type: ignore[attr-defined]
    before = state(folder)
    second = vsgen(*SECOND[command], "-o", "out.jsonl", "--overwrite")
    assert (
        second.exit_code == 2
        and "is left from an unfinished run, whose replies are in out.jsonl.journal" in second.stderr
    )
    assert state(folder) == before


def test_a_part_without_a_row_holds_nothing_up(folder: Path) -> None:
    """A signal, or a kill, while models are opened leaves one."""
    (folder / "out.jsonl.part").touch()
    list(carried(Numbers(Places(folder / "out.jsonl"), [7])))
    assert lines(folder / "out.jsonl") == [{"n": 7}]
    (folder / "other.jsonl.part").write_text("{}\n")
    with pytest.raises(OptionError, match=r"other\.jsonl\.part: is left from an unfinished run"):
        list(carried(Numbers(Places(folder / "other.jsonl"), [7])))


def test_a_part_that_somebody_put_in_place_of_ours_is_not_renamed(folder: Path) -> None:
    first = begun(Places(folder / "out.jsonl"))
    part = folder / "out.jsonl.part"
    part.unlink()
    part.write_text("of another program\n")
    with pytest.raises(OutputError, match=r"out\.jsonl\.part: was moved or deleted"):
        list(first)
    assert part.read_text() == "of another program\n" and not (folder / "out.jsonl").exists()


def test_a_file_that_came_between_the_check_and_the_lock_is_not_replaced(folder: Path) -> None:
    places = Places(folder / "out.jsonl")
    found = places.found()
    list(carried(Numbers(Places(folder / "out.jsonl"), [7])))
    with ExitStack() as stack, pytest.raises(OutputError, match="another run has just written it"):
        places.open_outputs(stack, found, warn=print)
    assert lines(folder / "out.jsonl") == [{"n": 7}] and not (folder / "out.jsonl.part").exists()


def test_many_runs_at_once_leave_the_rows_of_one_that_said_so(folder: Path) -> None:
    """Each has a journal of its own, so only the part stands between them."""
    runs, rounds = 6, 20
    for turn in range(rounds):
        out, ended, barrier = folder / f"{turn}.jsonl", dict[int, str](), Barrier(runs)

        def one(number: int) -> None:
            places = Places(out, journal=folder / f"{turn}.{number}", overwrite=True)  # noqa: B023 - joined below
            barrier.wait()  # noqa: B023
            try:
                list(carried(Numbers(places, [number] * 50)))
                ended[number] = "done"  # noqa: B023
            except OutputError as error:
                ended[number] = str(error)  # noqa: B023

        threads = [Thread(target=one, args=(number,)) for number in range(runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = {line["n"] for line in lines(out)}
        assert len(ended) == runs and len(rows) == 1 and len(lines(out)) == 50
        assert ended[rows.pop()] == "done"
        assert {
            text for text in ended.values() if text != "done" and BUSY not in text and "just written" not in text
        } == set()

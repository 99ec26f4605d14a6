"""The one root: what was made before an error stays, nothing is opened for a complete output, each item is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from vsgen.engine.source import Flows
from vsgen.errors import InputError, OptionError, VsgenError
from vsgen.files.origin import NUM, Origin
from vsgen.files.places import Places
from vsgen.flow import Flow
from vsgen.jobs.carry import Carried
from vsgen.jobs.counts import Counts
from vsgen.jobs.desk import Desk
from vsgen.jobs.task import Made, Task, Warn
from vsgen.ports import Source


class Numbers:
    """A task that writes numbers and asks no model."""

    command, noun = "numbers", "numbers"
    models = None

    def __init__(self, places: Places, numbers: Sequence[int | VsgenError], *, held: bool = False) -> None:
        self.places = places
        self.wanted = None
        self.origin = Origin({"numbers": [str(one) for one in numbers], NUM: None})
        self.opened = 0
        self._numbers = numbers
        self._held: list[int] | None = [] if held else None

    def source(self, desk: Desk, counts: Counts, warn: Warn) -> Source[int]:
        self.opened += 1
        return Flows(_number(one) for one in self._numbers)

    def most(self) -> None: ...

    def made(self, value: int) -> Made[int]:
        if self._held is not None:
            self._held.append(value)
            return Made(units=1, candidates=1, waiting=1, notes=["held"])
        return Made(
            rows=[{"n": value}], values=[value], units=1, candidates=1, problems=[f"{value} is odd"] * (value % 2)
        )

    def enough(self) -> bool:
        return False

    def rest(self) -> Iterator[Made[int]]:
        for value in self._held or ():
            yield Made(rejects=[{"n": value, "reason": "held"}], waiting=-1)

    def seen(self) -> None: ...

    def verdict(self) -> None: ...

    def unjudged(self) -> None:
        """Nothing."""

    def report(self) -> list[str]:
        return []


def _number(one: int | VsgenError) -> Flow[int]:
    if isinstance(one, VsgenError):
        raise one
    return one
    yield ()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def carried(task: Task[Any, Any], warnings: list[str] | None = None) -> Carried[Any, Any]:
    return Carried(task, warn=(warnings if warnings is not None else []).append)


def test_each_item_is_written_when_it_is_handed_out(tmp_path: Path) -> None:
    out, warnings = tmp_path / "out", list[str]()
    for count, made in enumerate(carried(Numbers(Places(out), [1, 2, 3]), warnings), start=1):
        assert made.values == [count] and len(lines(tmp_path / "out.part")) == count
        assert not out.exists()
    assert lines(out) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert warnings == ["1 is odd", "3 is odd"]


def test_what_came_before_an_error_is_handed_out_and_written_first(tmp_path: Path) -> None:
    seen: list[object] = []
    with pytest.raises(InputError, match="the third is wrong"):
        seen.extend(carried(Numbers(Places(tmp_path / "out"), [1, 2, InputError("the third is wrong"), 4])))
    assert len(seen) == 2 and lines(tmp_path / "out.part") == [{"n": 1}, {"n": 2}]
    assert not (tmp_path / "out").exists()


def test_what_waited_is_written_at_the_end_and_a_note_is_said_once(tmp_path: Path) -> None:
    warnings: list[str] = []
    run = carried(Numbers(Places(tmp_path / "out", tmp_path / "rejects"), [1, 2], held=True), warnings)
    assert [run.counts.waiting for _ in run] == [1, 2, 1, 0]
    assert (tmp_path / "out").read_bytes() == b"" and len(lines(tmp_path / "rejects")) == 2
    assert warnings == ["held"] and run.summary["rejected"] == {"held": 2}


def test_a_complete_output_is_left_alone_and_nothing_is_opened(tmp_path: Path) -> None:
    first = carried(Numbers(Places(tmp_path / "out"), [1, 2]))
    assert len(list(first)) == 2
    task = Numbers(Places(tmp_path / "out", resume=True, summary=tmp_path / "summary"), [1, 2])
    again = carried(task)
    assert list(again) == [] and task.opened == 0
    assert again.counts.was_done and again.counts.kept == 2
    assert again.summary == first.summary == lines(tmp_path / "summary")[0]


def test_an_output_without_its_journal_is_of_unknown_origin(tmp_path: Path) -> None:
    list(carried(Numbers(Places(tmp_path / "out"), [1])))
    (tmp_path / "out.journal").rename(tmp_path / "moved")
    with pytest.raises(OptionError, match="it is unknown what it was made from; name its journal"):
        list(carried(Numbers(Places(tmp_path / "out", resume=True), [1])))
    moved = carried(Numbers(Places(tmp_path / "out", journal=tmp_path / "moved", resume=True), [1]))
    assert list(moved) == [] and moved.counts.was_done


def test_whoever_stops_iterating_leaves_a_part_that_goes_on(tmp_path: Path) -> None:
    for _ in carried(Numbers(Places(tmp_path / "out"), [1, 2, 3])):
        break
    assert lines(tmp_path / "out.part") == [{"n": 1}] and not (tmp_path / "out").exists()
    assert len(list(carried(Numbers(Places(tmp_path / "out", resume=True), [1, 2, 3])))) == 3
    assert len(lines(tmp_path / "out")) == 3

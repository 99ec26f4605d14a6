"""Candidates are kept, rejected or waiting: after every step of every command, and at its end none waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tickets import LABEL, tickets, write
from vsgen.files.places import Places
from vsgen.jobs.carry import Carried
from vsgen.jobs.counts import CountError, Counts
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.label import Labelling
from vsgen.jobs.label_options import LabelOptions, from_flags
from vsgen.jobs.measure import Measurement
from vsgen.jobs.measure_options import MeasureOptions
from vsgen.jobs.targets import TargetRows
from vsgen.jobs.targets_options import TargetChoice, TargetsOptions
from vsgen.jobs.task import Made, Task
from vsgen.jobs.wanted import ModelChoice
from vsgen.labels.select import Selection

TINY = ModelChoice("tiny")
HASHED = ("dedup.embedder=hash", "dedup.threshold=0.9")


def generation(folder: Path) -> Task[Any, Any]:
    asked = GenerateOptions("support-tickets", HASHED, num=12, model=TINY, places=places(folder))
    return Generation(asked)


def labelling(folder: Path, **more: Any) -> Task[Any, Any]:
    template, on = from_flags([{**LABEL, **more.pop("label", {})}], None, [])
    rows = str(write(folder / "rows.jsonl", tickets(8)))
    return Labelling(LabelOptions(template, on, rows, places=places(folder), model=TINY, **more))


def calibration(folder: Path) -> Task[Any, Any]:
    return labelling(folder, gold=str(write(folder / "gold.jsonl", tickets(5, seed=1))))


def all_waiting(folder: Path) -> Task[Any, Any]:
    gold = str(write(folder / "gold.jsonl", tickets(5, seed=1)))
    return labelling(folder, gold=gold, selection=Selection("borderline", 0.5), label={"prior": "batch"})


def measurement(folder: Path) -> Task[Any, Any]:
    choice = TargetChoice(limit=3, max_bins=11)
    return Measurement(MeasureOptions(choice, TINY, samples=2, probes=False, places=places(folder)))


def target_rows(folder: Path) -> Task[Any, Any]:
    choice = TargetChoice(limit=3, max_bins=11)
    return TargetRows(TargetsOptions(choice, "hard", samples=4, places=replace(places(folder), journaled=False)))


def places(folder: Path) -> Places:
    return Places(folder / "out.jsonl", folder / "rejects.jsonl")


TASKS: dict[str, Callable[[Path], Task[Any, Any]]] = {
    "run": generation,
    "label": labelling,
    "label --calibrate": calibration,
    "label --prior batch": lambda folder: labelling(folder, label={"prior": "batch"}),
    "label --select": lambda folder: labelling(folder, selection=Selection("borderline", 0.5)),
    "label, all at once": all_waiting,
    "measure": measurement,
    "targets": target_rows,
}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("command", TASKS)
def test_candidates_are_kept_rejected_or_waiting_after_every_step(command: str, tmp_path: Path) -> None:
    carried = Carried(TASKS[command](tmp_path), warn=lambda _: None)
    counts, waited = carried.counts, 0
    for _ in carried:
        assert counts.candidates == counts.kept + counts.rejected.total() + counts.waiting
        assert len(lines(tmp_path / "out.jsonl.part")) == counts.kept
        waited = max(waited, counts.waiting)
    assert counts.candidates > 0 and counts.waiting == 0
    assert (waited == 8) is (command in {"label --prior batch", "label --select", "label, all at once"})
    assert len(lines(tmp_path / "out.jsonl")) == counts.kept
    reasons = [one["reason"] for one in lines(tmp_path / "rejects.jsonl")]
    assert counts.rejected == {reason: reasons.count(reason) for reason in reasons}


class Losing:
    """A task that loses something of what it makes."""

    def __init__(self, task: Task[Any, Any], lose: Callable[[Made[Any]], Made[Any]]) -> None:
        self._task = task
        self._lose = lose

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def made(self, value: Any) -> Made[Any]:
        return self._lose(self._task.made(value))


@pytest.mark.parametrize("command", TASKS)
@pytest.mark.parametrize(
    "lose",
    [
        lambda made: replace(made, rows=made.rows[1:], rejects=made.rejects[1:], waiting=0),
        lambda made: replace(made, candidates=made.candidates + 1),
        lambda made: replace(made, rows=[*made.rows, {}]),
        lambda made: replace(made, waiting=made.waiting - 1),
    ],
    ids=["a row", "a reject", "written twice", "waits for nothing"],
)
def test_what_is_lost_or_counted_twice_ends_a_command_before_its_file_appears(
    command: str, lose: Callable[[Made[Any]], Made[Any]], tmp_path: Path
) -> None:
    task: Any = Losing(TASKS[command](tmp_path), lose)
    with pytest.raises(CountError, match="this is a bug in vsgen"):
        for _ in Carried(task, warn=lambda _: None):
            pass
    assert not (tmp_path / "out.jsonl").exists()


def test_what_still_waits_at_the_end_is_a_fault() -> None:
    counts = Counts()
    counts.add(Made(units=1, candidates=1, waiting=1))
    with pytest.raises(CountError, match="1 candidates, but 0 rows \\+ 0 rejects \\+ 1 waiting"):
        counts.close()
    counts.add(Made(rows=[{}], waiting=-1))
    counts.close()
    assert (counts.acceptance, counts.kept) == (1.0, 1)

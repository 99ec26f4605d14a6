"""How a command ends: nothing that was paid is lost, and what nobody needs any more spoils nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.jobs.carried import carried_out
from vsgen.backends.table import TableModel
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.replay import Replay
from vsgen.errors import ModelError
from vsgen.files.journal import FileJournal
from vsgen.files.part import part_of
from vsgen.files.places import Places
from vsgen.jobs.carry import Carried
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice
from vsgen.ports import Ticket
from vsgen.values import Call, Completion, Generate, Prompt, Reply

COIN = TableModel.of("ab", {(): [0.5, 0.5, 0.0]}, length=1)
TEMPLATE = {"version": 1, "name": "coin", "prompt": "Toss.", "dedup": False, "sampling": {"method": "direct", "k": 1}}


def options(
    out: Path, *, seed: int = 0, num: int = 8, resume: bool = False, overwrite: bool = False
) -> GenerateOptions:
    model = ModelChoice(COIN.name, opened=COIN)
    template = {**TEMPLATE, "output": {"field": "text"}}
    return GenerateOptions(
        template, places=Places(out, resume=resume, overwrite=overwrite), num=num, seed=seed, model=model
    )


def test_an_interruption_between_the_mailbox_and_the_journal_loses_nothing(tmp_path: Path) -> None:
    class Interrupted(FileJournal):
        """Ctrl-C comes while the third reply is added."""

        times = 0

        def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
            self.times += 1
            if self.times == 3:
                raise KeyboardInterrupt
            super().add(key, model, call, reply)

    class Inner:
        def submit(self, ticket: Ticket, call: Call) -> None:
            mailbox.put(ticket, Completion(f"reply {ticket.place}"))

        def flush(self) -> None: ...
        def room(self) -> int:
            return 9

        def close(self, *, cancel: bool) -> None: ...

    mailbox, calls = Mailbox(), [Generate(Prompt(prefill="x"), seed=seed) for seed in range(6)]
    with Interrupted(tmp_path / "j") as journal:
        replay = Replay(journal, mailbox)
        executor = replay.executor("m", Inner())
        for place, call in enumerate(calls):
            executor.submit(Ticket(0, place), call)
        with pytest.raises(KeyboardInterrupt):
            replay.wait()
        replay.drain()
        assert [journal.find(journal.key("m", call), call) for call in calls] == [
            Completion(f"reply {i}") for i in range(6)
        ]
        assert len(journal) == 6


def test_a_device_that_failed_when_all_is_there_spoils_nothing(tmp_path: Path) -> None:
    mailbox = Mailbox()
    with FileJournal(tmp_path / "j") as journal:
        replay = Replay(journal, mailbox)
        mailbox.fail(ModelError("the device is gone"))
        replay.drain()
        with pytest.raises(ModelError, match="gone"):
            replay.wait(0)


def test_an_interrupted_overwrite_goes_on_with_resume(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    carried_out(Generation(options(out)))
    for number, _ in enumerate(Carried(Generation(options(out, seed=1, num=20, overwrite=True)), warn=print)):
        if number == 3:
            break
    assert part_of(out).exists() and len(out.read_text().splitlines()) == 8
    counts = carried_out(Generation(options(out, seed=1, num=20, resume=True)))
    assert counts.kept == 20 and not part_of(out).exists()
    assert {json.loads(line)["meta"]["seed"] for line in out.read_text().splitlines()} == {1}


def test_settings_that_suit_the_models_size_are_no_change_of_the_template(tmp_path: Path) -> None:
    made = options(tmp_path / "out.jsonl")
    assert isinstance(made.template, dict)
    sized = {**made.template, "recommended": {"large": {"sampling.temperature": 0.5}}}
    carried_out(Generation(replace(made, template=sized)))
    assert '"recommended":"large"' in (tmp_path / "out.jsonl").read_text()
    resumed = replace(made, template=sized, places=replace(made.places, resume=True))
    assert carried_out(Generation(resumed)).was_done

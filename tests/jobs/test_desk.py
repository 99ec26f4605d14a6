"""The models of a command: what is paid is kept, whatever becomes of the flow that asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsgen.backends.table import TableModel
from vsgen.errors import OptionError
from vsgen.files.journal import FileJournal, MemoryJournal
from vsgen.jobs.by_file import ByFile
from vsgen.jobs.desk import Desk
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.ports import Ticket
from vsgen.values import Generate, Prompt

COIN = TableModel.of("ab", {(): [0.5, 0.5, 0.0]}, length=1)


def test_an_answer_that_nobody_waits_for_any_more_is_in_the_journal(tmp_path: Path) -> None:
    calls = [Generate(Prompt(prefill="x"), seed=seed) for seed in range(3)]
    with FileJournal(tmp_path / "j") as journal:
        with Desk(Wanted(ModelChoice(COIN.name, opened=COIN)), journal) as desk:
            executor = desk.executors[Generate]
            for place, call in enumerate(calls):
                executor.submit(Ticket(0, place), call)
            executor.flush()
            executor.close(cancel=False)
            assert [journal.find(journal.key(COIN.name, call), call) for call in calls] == [None] * 3
        assert all(journal.find(journal.key(COIN.name, call), call) for call in calls)
        assert desk.paid == {"generate": 3}


@pytest.mark.parametrize(("judge", "named"), [(None, COIN.name), ("tiny", "tiny")])
def test_a_model_in_this_process_is_not_asked_for_decisions(judge: str | None, named: str) -> None:
    wanted = Wanted(ModelChoice(COIN.name, opened=COIN), deciding={"queue": [judge]}, judges=[judge] if judge else [])
    with pytest.raises(
        OptionError, match=rf"^label queue: .* {re.escape(named)} runs in this process; otherwise use method: score"
    ):
        Desk(wanted, MemoryJournal())


def test_a_batch_service_is_not_asked_for_decisions() -> None:
    wanted = Wanted(ModelChoice("m", by_file=ByFile(Path("calls.jsonl"))), deciding={"queue": [None]})
    with pytest.raises(OptionError, match=r"^label queue: batch services have no decision interface"):
        Desk(wanted, MemoryJournal())

"""The models of a command: what is paid is kept, whatever becomes of the flow that asked."""

from __future__ import annotations

from pathlib import Path

from vsgen.backends.table import TableModel
from vsgen.files.journal import FileJournal
from vsgen.jobs.desk import Desk, ModelChoice, Wanted
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

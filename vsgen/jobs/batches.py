"""Calls of one command by file: results that it reads, and the files that it writes for the next round."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Final

from vsgen.backends.endpoint.batch.executor import MOST, BatchExecutor, Inner, Tally
from vsgen.backends.endpoint.batch.kept import Shelf
from vsgen.backends.endpoint.batch.results import Results
from vsgen.backends.endpoint.service import Service
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.served import ServedModel, note_abilities, noted_abilities
from vsgen.errors import OptionError, Unanswered
from vsgen.files.numbered import Numbered
from vsgen.jobs.batch_files import Outbox, Written
from vsgen.jobs.by_file import ByFile
from vsgen.ports import Journal, Letterbox

_STATE: Final = "; if the server can, say so with --abilities"
_REASONS: Final = 3
"""Of requests that are written again, that are shown."""


class Batches:
    """The files of one command, open."""

    def __init__(self, by_file: ByFile, journal: Journal, letters: Letterbox, stack: ExitStack) -> None:
        """Open the results.

        Args:
            by_file: What is wanted.
            journal: Where rounds keep what they need of one another.
            letters: Where answers go.
            stack: Closes all files.

        Raises:
            InputError: The results cannot be read.
            EndpointError: The provider has refused all requests.
        """
        self._by_file = by_file
        self._journal = journal
        self._letters = letters
        self._results = stack.enter_context(Results(by_file.ingest)) if by_file.ingest else None
        self._shelf = Shelf(self._results, journal)
        self._outbox: Outbox | None = None
        if by_file.emit is not None:
            self._outbox = Outbox(stack.enter_context(Numbered(by_file.emit, overwrite=by_file.overwrite)))
        self._executors: list[BatchExecutor] = []
        self._assumed: list[str] = []
        self._unnoted: dict[str, tuple[Target, Abilities]] = {}
        self.tally = Tally()
        """What became of calls."""

    @property
    def emits(self) -> bool:
        """Calls without an answer are written, and no server is asked anything."""
        return self._outbox is not None

    @property
    def held(self) -> int:
        """Calls that flows wait for, and nobody will answer in this run."""
        return sum(one.held for one in self._executors)

    def forget(self) -> None:
        """Nobody waits for them any more."""
        for one in self._executors:
            one.forget()

    def assume(self, service: Service) -> ServedModel:
        """A model whose calls go to a file, and of which is known what was stated or noted, and else the least.

        Raises:
            OptionError: It lacks what the calls need, or something else is stated than in the first round.
        """
        target = service.target
        can = Abilities() if service.embeds else self._can(service)
        executor = self._executor(service, can, None)
        return ServedModel(service, can, executor, rows=MOST, more=_STATE if target.wire.name != "messages" else "")

    def before(self, service: Service, executor: Inner) -> BatchExecutor:
        """An executor that answers by the results, and has a server answer the other calls."""
        can = noted_abilities(service.target, self._journal, by_file=True)
        return self._executor(service, can or self._by_file.can or Abilities(), executor)

    @property
    def notes(self) -> Iterator[str]:
        """What the user should know before anything is asked."""
        for name in self._assumed:
            yield f"{name}: no server is asked what it can do, so the least is assumed; --abilities states more"

    @property
    def remarks(self) -> Iterator[str]:
        """What became of the results, in words."""
        tally, results = self.tally, self._results
        if results is None:
            return
        unused = len(results) - results.taken
        refused = f" ({tally.refused:,} refused)" if tally.refused else ""
        why = "answered before, not needed, or of another command"
        unneeded = f"; {unused:,} {'answers' if unused == 1 else 'answer'} no open call ({why})" if unused else ""
        strange = f"; {results.seen.others:,} lines that are no results of vsgen's" if results.seen.others else ""
        yield f"results read: {tally.answered:,} calls answered{refused}{unneeded}{strange}"
        if tally.again:
            why = "; ".join(f"{count:,} {reason}" for reason, count in tally.again.most_common(_REASONS))
            yield f"results of no use, whose requests are sent again: {tally.again.total():,} ({why})"

    def end(self) -> None:
        """Let the files appear, where calls wait for an answer; all else of the command is done.

        Raises:
            Unanswered: Calls do.
            OutputError: A file cannot be written.
        """
        if self._outbox is None or not self.tally.written:
            return
        for target, can in self._unnoted.values():
            note_abilities(target, can, self._journal)
        self._journal.sync()  # whoever sees a file has the responses that lead to its requests
        written = self._outbox.place()
        count = sum(one.requests for one in written)
        calls = f"{count:,} {'call' if count == 1 else 'calls'} written to"
        if len(written) == 1:
            raise Unanswered(f"{calls} {_shown(written[0])}")
        raise Unanswered(f"{calls} {len(written)} files: {'; '.join(map(_each, written))}")

    def _executor(self, service: Service, can: Abilities, inner: Inner | None) -> BatchExecutor:
        target, outbox = replace(service.target, can=can), self._outbox if inner is None else None
        key = partial(self._journal.key, target.name)
        made = BatchExecutor(target, key, self._letters, self._shelf, self.tally, outbox=outbox, inner=inner)
        self._executors.append(made)
        return made

    def _can(self, service: Service) -> Abilities:
        """What a server can do, the same in every round."""
        target, stated = service.target, self._by_file.can
        before = noted_abilities(target, self._journal, by_file=True)
        if before is not None and stated not in (None, before):
            raise OptionError(
                f"--abilities: the first round for {target.name} was written with others; "
                "leave it out to go on, or start anew with another -o"
            )
        can = before or stated or noted_abilities(target, self._journal)
        if can is None:
            self._assumed.append(target.name)
            can = Abilities()
        if before is None:
            self._unnoted[target.name] = target, can  # not yet: a command that writes no file settles nothing
        return can


def _shown(one: Written) -> str:
    return f"{one.path} ({one.model}, {one.url})"


def _each(one: Written) -> str:
    return f"{one.requests:,} to {_shown(one)}"

"""The models of one command with the journal in front of them, each computing in a thread of its own.

Judges are the models that labels name. What a run must know of a model is in the journal once it was opened with it;
such a model stays closed until a call comes that the journal does not answer. All others are opened before anything is
asked, each once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vsgen import signals
from vsgen.backends.endpoint.service import Service
from vsgen.backends.known import LazyModel
from vsgen.backends.open import ON_CPU, TINY, open_model, stamp
from vsgen.backends.open_embedder import open_embedder
from vsgen.checks.commands import Commands
from vsgen.engine.late import Late
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.queues import Batched, Directory, decoder
from vsgen.engine.replay import Replay
from vsgen.engine.worker import Worker
from vsgen.errors import ModelError, OptionError, VsgenError
from vsgen.jobs.activity import Activity
from vsgen.jobs.bill import Billing
from vsgen.jobs.deciding import check_deciding
from vsgen.jobs.services import Services
from vsgen.jobs.typed import check_typed
from vsgen.jobs.wanted import SCORE_BATCH, Wanted
from vsgen.ports import Embedder, Executor, Inspectable, Journal, LanguageModel, Queue, Remarking, Teacher
from vsgen.sections.prices import Prices
from vsgen.values import (
    Call,
    Decide,
    Directed,
    Embed,
    Generate,
    ModelFacts,
    Models,
    Prompt,
    Score,
    Taught,
    Teach,
    Verify,
)

if TYPE_CHECKING:
    from vsgen.backends.endpoint.batch.executor import BatchExecutor
    from vsgen.backends.endpoint.transport import EndpointExecutor
    from vsgen.backends.served import ServedModel
    from vsgen.jobs.batches import Batches

_Model: TypeAlias = "LazyModel | ServedModel"
_FIXED: Final = "float64"
"""The number format of models that compute alike everywhere."""
_ASKED: Final = (Generate, Score, Decide, Teach)
"""What language models are asked."""
_EMBED_BATCH = 256
_AHEAD: Final = 4
"""Calls that may wait or run at a device, for each that it computes at once."""


class Desk:
    """Who answers the calls of one command, and where its engine waits."""

    def __init__(self, wanted: Wanted | None, journal: Journal, activity: Activity | None = None) -> None:
        """Set up.

        Args:
            wanted: The models; None asks none.
            journal: Answers what was asked before, and remembers every reply.
            activity: Where it writes down what it is doing.

        Raises:
            ModelError: A model cannot be opened.
            OptionError: The choice names a device that nothing runs on.
        """
        self._wanted = wanted or Wanted()
        self._journal = journal
        self._letters = Mailbox()
        self._stack = ExitStack()
        self._workers: list[Worker | EndpointExecutor | BatchExecutor] = []
        self._embedder: Embedder | None = None
        self._embedder_name: str | None = None
        self._models: dict[str, _Model] = {}
        self._services: Services | None = None
        self._activity = activity or Activity()
        self.mailbox = Replay(journal, self._letters)
        """Where the engine waits."""
        self.billing = Billing(self.mailbox.paid, self.mailbox.recalled)
        """Says what calls have cost."""
        self._activity.asks(self.mailbox, self._workers, self.billing)
        self.executors: dict[type[Call], Executor] = {}
        """Who answers each kind of call."""
        if wanted is not None:
            check_typed(wanted)
            by_file = wanted.choice.by_file
            check_deciding(wanted.deciding, self.asked, wanted.services, emits=bool(by_file and by_file.emit))
            try:
                self._services = Services(wanted, journal, self._letters, self._activity, self._stack)
                self._connect_all(wanted, self._services)
            except BaseException as error:  # nobody can close what is not made
                self.__exit__(type(error), error, error.__traceback__)
                raise
            self.billing.prices = self._prices(wanted)

    def __enter__(self) -> Desk:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give up what is still computed, and close all that was opened."""
        try:
            with suppress(VsgenError) if isinstance(error, VsgenError) else nullcontext():  # it would hide the cause
                self.stop()
        finally:
            self._stack.__exit__(kind, error, at)

    def stop(self) -> None:
        """Give up what is still computed; what was answered meanwhile is put into the journal.

        Raises:
            VsgenError: The journal cannot be written.
        """
        for worker in self._workers:
            worker.cancel()
        for worker in self._workers:
            worker.close(cancel=True)
        self.mailbox.drain()

    def stalled(self) -> bool:
        """Whether all open calls wait in batch files, so that no answer will come in this run."""
        batches, replay = self._batches, self.mailbox
        if batches is None or not batches.emits:
            return False
        return not replay.known and replay.under_way == batches.held

    def forget(self) -> None:
        """Forget the open calls: the flows that wait for them are given up in this run."""
        self.mailbox.forget()
        if self._batches is not None:
            self._batches.forget()

    def end_round(self) -> None:
        """Write the batch files, where calls wait in them and nothing else is left to do.

        Raises:
            Unanswered: Calls do wait.
            OutputError: A file cannot be written.
        """
        if self._batches is not None:
            self._batches.end()

    @property
    def _batches(self) -> Batches | None:
        return self._services.batches if self._services else None

    def on_close(self, close: Callable[[], object]) -> None:
        """Call something when the desk is closed."""
        self._stack.callback(close)

    @property
    def paid(self) -> Counter[str]:
        """Calls answered in this process, by kind."""
        return self.mailbox.paid.calls

    @property
    def asked(self) -> str:
        """The language model's name, as it was asked for."""
        return self._wanted.asked

    @property
    def model(self) -> str:
        """The language model's own name."""
        return self._models[self.asked].known.name

    @property
    def models(self) -> Models:
        """What is known of the language models."""
        judges = {name: one.known.name for name, one in self._models.items()}
        return Models(self.model, judges, self._embedder_name, self.facts)

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know of the language model before it is asked anything."""
        if not self._models:
            return ()
        toy = self._wanted.choice.name is None and self._wanted.default == TINY
        unnamed = "the output comes from the toy model tiny, which the template names; -m ID asks a real model"
        slow = self.facts and self.facts.slow
        fixed = self.asked in ON_CPU and self._wanted.choice.dtype not in ("auto", _FIXED)
        unused = f"--dtype {self._wanted.choice.dtype} is ignored: {self.asked} always computes in {_FIXED}"
        return [
            *([unnamed] if toy else []),
            *([unused] if fixed else []),
            *([f"{self.model}: {slow}"] if slow else []),
            *(self._batches.notes if self._batches else ()),
            *self._served_notes(),
        ]

    @property
    def rows(self) -> int:
        """Replies that the language model draws side by side."""
        return self._models[self.asked].known.rows

    @property
    def teaches(self) -> int:
        """How many of its next tokens the language model can state; 0 none."""
        return self._models[self.asked].known.teaches

    @property
    def facts(self) -> ModelFacts | None:
        """What the language model is; None where it cannot say."""
        return self._models[self.asked].known.facts

    @property
    def cut(self) -> int:
        """How many texts so far were longer than the embedder reads."""
        return self._embedder.cut if self._embedder else 0

    @property
    def remarks(self) -> Sequence[str]:
        """What the user should know of the texts that the models were given to read in this process."""
        embedder = self._embedder.remarks() if isinstance(self._embedder, Remarking) else ()
        results = self._batches.remarks if self._batches else ()
        return [*(remark for model in self._models.values() for remark in model.remarks()), *embedder, *results]

    def render(self, prompt: Prompt, judge: str | None = None) -> str | None:
        """A prompt as the language model, or one of the judges, reads it; None where it cannot say."""
        model = self._models[judge or self.asked]
        opened = model.opened() if isinstance(model, LazyModel) else None
        return opened.render(prompt) if isinstance(opened, Inspectable) else None

    def _connect_all(self, wanted: Wanted, services: Services) -> None:
        if wanted.embedder:
            self.executors[Embed] = self._connect_embedder(wanted.embedder, wanted, services)
        if wanted.commands:
            commands = self._stack.enter_context(Commands())
            self._stack.enter_context(signals.at_end(commands.kill))
            check = Batched[Verify](commands.answer, 1)
            self.executors[Verify] = self._begun("check", {Verify: check}, "check", _AHEAD, interrupt=commands.kill)
        models: dict[str, Mapping[type[Call], Executor]] = {}
        for name in dict.fromkeys([self.asked, *wanted.judges]):
            if (service := wanted.services.get(name)) is not None:
                models[name] = self._connect_served(name, service, services)
            else:
                open_here = _lazy if name == self.asked else _judge
                self._models[name] = model = open_here(name, wanted, self._journal, self._activity)
                models[name] = self._connect(model)
        self.executors |= models[self.asked]
        self.executors[Directed] = Directory(models)

    def _prices(self, wanted: Wanted) -> dict[str, Prices]:
        """What tokens cost, by the models' own names."""
        known = {name: model.known.name for name, model in self._models.items()}
        if wanted.embedder and self._embedder_name:
            known[wanted.embedder] = self._embedder_name
        return {known[name]: prices for name, prices in wanted.prices.items() if name in known}

    def _connect_embedder(self, name: str, wanted: Wanted, services: Services) -> Executor:
        """The executor of texts that are embedded."""
        if (service := wanted.services.get(name)) is not None:
            served = self._served(service, services)
            self._embedder_name = served.known.name
            return self.mailbox.executor(served.known.name, served.executor)
        with self._activity.opening(name):
            local = name in wanted.local
            self._embedder = embedder = open_embedder(
                name, device=wanted.choice.device, journal=self._journal, local=local
            )
        self._embedder_name = embedder.name
        embed = Batched[Embed](embedder.embed, _EMBED_BATCH)
        return self._begun(embedder.name, {Embed: embed}, f"embedder {embedder.name}", _AHEAD * _EMBED_BATCH)

    def _connect_served(self, name: str, service: Service, services: Services) -> Mapping[type[Call], Executor]:
        """The executors of a language model behind a URL."""
        with self._activity.opening(service.target.name, "examining"):
            self._models[name] = model = self._served(service, services)
        return dict.fromkeys(_ASKED, self.mailbox.executor(model.known.name, model.executor))

    def _served(self, service: Service, services: Services) -> ServedModel:
        model = services.open(service)
        self._workers.append(model.executor)
        return model

    def _served_notes(self) -> Iterator[str]:
        for name, service in self._wanted.services.items():
            if isinstance(model := self._models.get(name), LazyModel) or model is None:
                continue
            if name == self.asked and not service.server.flagged:
                yield f"{model.known.name} is asked over HTTP, by {service.server.source}"
            yield from model.notes

    def _connect(self, model: LazyModel) -> dict[type[Call], Executor]:
        """The executors of a language model: its queues share one thread."""
        queues: dict[type[Call], Queue] = {
            Generate: Late(lambda: decoder(model.opened(), SCORE_BATCH)),
            Score: Late(lambda: Batched[Score](model.opened().score, self._wanted.score_batch)),
            Teach: Late(lambda: Batched[Teach](partial(_teach, model.opened()), SCORE_BATCH)),
        }
        known = model.known
        worker = self._begun(known.name, queues, f"model {known.name}", _AHEAD * max(known.rows, SCORE_BATCH))
        return dict.fromkeys(queues, worker)

    def _begun(
        self,
        model: str,
        queues: dict[type[Call], Queue],
        name: str,
        capacity: int,
        interrupt: Callable[[], None] | None = None,
    ) -> Executor:
        """A worker with the journal in front."""
        worker = Worker(queues, self._letters, name=name, capacity=capacity, interrupt=interrupt)
        self._workers.append(worker)
        return self.mailbox.executor(model, worker)


def _lazy(name: str, wanted: Wanted, journal: Journal, activity: Activity) -> LazyModel:
    choice, local = wanted.choice, name in wanted.local
    if (model := choice.opened) is not None:
        return LazyModel(lambda: model, lambda: None, journal)
    how: dict[str, Any] = {
        "device": choice.device,
        "dtype": choice.dtype,
        "batch": choice.batch,
        "remote_code": choice.remote_code and not local,
        "pickled": choice.pickled and not local,
    }
    opener = partial(open_model, name, **how, local=local)
    if local and (choice.remote_code or choice.pickled):
        opener = partial(_told, opener, name)
    return LazyModel(partial(_watched, opener, name, activity), partial(stamp, name, **how), journal)


def _watched(opener: Callable[[], LanguageModel], name: str, activity: Activity) -> LanguageModel:
    with activity.opening(name):
        return opener()


def _told(opener: Callable[[], LanguageModel], name: str) -> LanguageModel:
    """The model, or why flags that were given did not help."""
    try:
        return opener()
    except ModelError as error:
        held = "--trust-remote-code and --allow-pickle apply only to models that the command line names"
        raise ModelError(f"{error}; {held}: add --allow-model {name}") from error


def _judge(name: str, wanted: Wanted, journal: Journal, activity: Activity) -> LazyModel:
    try:
        return _lazy(name, replace(wanted, choice=replace(wanted.choice, opened=None)), journal, activity)
    except ModelError as error:
        raise ModelError(f"the judge {name!r}, which a label names as its model: {error}") from error


def _teach(model: LanguageModel, calls: Sequence[Teach]) -> Sequence[Taught]:
    if not isinstance(model, Teacher):
        raise OptionError(f"model {model.name} does not give next-token distributions; name one in this process")
    return model.teach(calls)

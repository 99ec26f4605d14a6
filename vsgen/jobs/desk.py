"""The models of one command with the journal in front of them.

Judges are the models that labels name. What a run must know of a model is in the journal once it was opened with it;
such a model stays closed until a call comes that the journal does not answer. All others are opened before anything is
asked, each once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from types import TracebackType
from typing import Final, TypeVar

from vsgen.backends.known import Asked
from vsgen.backends.open import open_model, stamp
from vsgen.backends.open_embedder import open_embedder
from vsgen.checks.commands import Commands
from vsgen.engine.drive import drive
from vsgen.engine.late import Late
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.queues import Batched, Directory, decoder
from vsgen.engine.replay import Replay
from vsgen.engine.source import Flows
from vsgen.engine.worker import Worker
from vsgen.errors import ModelError, OptionError
from vsgen.flow import Flow
from vsgen.jobs.device import check_device
from vsgen.ports import Executor, Inspectable, Journal, LanguageModel, Queue, Teacher
from vsgen.values import Call, Check, Directed, Embed, Generate, ModelFacts, Models, Prompt, Reply, Score, Taught, Teach

R = TypeVar("R")

_EMBED_BATCH = 256
_SCORE_BATCH = 32
_AHEAD: Final = 4
"""Calls that may wait or run at a device, for each that it computes at once."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which language model to open, and how; see `vsgen.backends.open.open_model`."""

    name: str | None = None
    """None leaves it to the template."""
    device: str = "auto"
    dtype: str = "auto"
    batch: int | None = None
    """Rows that the model decodes at once; None leaves it to the backend."""
    remote_code: bool = False
    """Run Python code that comes with the model."""
    pickled: bool = False
    """Read weights that are no safetensors."""
    device_named: bool = False
    """The device was named for this command, so that it must mean something; else it is a default."""


class Session:
    """A language model, the judges and, where repeats are looked for, an embedder; each computes in its own thread."""

    def __init__(
        self,
        choice: ModelChoice,
        default: str,
        journal: Journal,
        *,
        embedder: str | None = None,
        judges: Iterable[str] = (),
        score_batch: int = _SCORE_BATCH,
        commands: Commands | None = None,
    ) -> None:
        """Open them.

        Args:
            choice: The language model.
            default: Its name, where the choice does not say.
            journal: Answers what was asked before, and remembers every reply.
            embedder: The embedder's name; None opens none.
            judges: Names of other language models that will be asked; they are opened with the choice's settings.
            score_batch: `Score` calls that are answered at once; fewer where each has many choices.
            commands: Outside commands, which the caller closes; None runs none.

        Raises:
            ModelError: A model cannot be opened.
            OptionError: The choice names a device that nothing runs on.
        """
        judges = tuple(judges)
        check_device(choice, [choice.name or default, *judges], embedder)
        self.paid: Counter[str] = Counter()
        """Calls answered in this process, by kind."""
        self._embedder = open_embedder(embedder, device=choice.device, journal=journal) if embedder else None
        self._mailbox = Mailbox()
        self._journal = Replay(journal, self._mailbox, paid=self._paid)
        self._workers: list[Worker] = []
        self.asked = choice.name or default
        """The language model's name, as it was asked for."""
        self._model = _asked(self.asked, choice, journal)
        self.executors = self._connect(self._model, score_batch)
        """Who answers each kind of call."""
        if commands is not None:
            check = Worker(
                {Check: Batched[Check](commands.answer, 1)},
                self._mailbox,
                name="check",
                capacity=_AHEAD,
                interrupt=commands.kill,
            )
            self.executors[Check] = self._begun("check", check)
        if self._embedder:
            queue = Batched[Embed](self._embedder.embed, _EMBED_BATCH)
            own = self._embedder.name
            embed = Worker({Embed: queue}, self._mailbox, name=f"embedder {own}", capacity=_AHEAD * _EMBED_BATCH)
            self.executors[Embed] = self._begun(own, embed)
        self._judges, models = {self.asked: self._model}, {self.asked: dict(self.executors)}
        for name in judges:
            if name not in models:
                self._judges[name] = _judge(name, choice, journal)
                models[name] = self._connect(self._judges[name], score_batch)
        self.executors[Directed] = Directory(models)

    def __enter__(self) -> Session:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give up what is still computed."""
        for worker in self._workers:
            worker.close(cancel=True)

    def drive(self, flows: Iterable[Flow[R]], *, most: Callable[[], int | None] | None = None) -> Iterator[R]:
        """The values of flows, in their order; see `vsgen.engine.drive.drive`."""
        return drive(Flows(flows), self.executors, self._journal, most=most)

    @property
    def model(self) -> str:
        """The language model's own name."""
        return self._model.known.name

    @property
    def models(self) -> Models:
        """What is known of the language models."""
        return Models(self.model, {name: model.known.name for name, model in self._judges.items()}, self.facts)

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know of the language model before it is asked anything."""
        slow = self.facts and self.facts.slow
        return [f"{self.model}: {slow}"] if slow else []

    @property
    def rows(self) -> int:
        """Replies that the language model draws side by side."""
        return self._model.known.rows

    @property
    def teaches(self) -> bool:
        """Whether the language model can say next-token distributions."""
        return self._model.known.teaches

    @property
    def facts(self) -> ModelFacts | None:
        """What the language model is; None where it cannot say."""
        return self._model.known.facts

    def render(self, prompt: Prompt, judge: str | None = None) -> str | None:
        """A prompt as the language model, or one of the judges, reads it; None where it cannot say."""
        model = (self._model if judge is None else self._judges[judge]).opened()
        return model.render(prompt) if isinstance(model, Inspectable) else None

    @property
    def cut(self) -> int:
        """How many texts so far were longer than the embedder reads."""
        return self._embedder.cut if self._embedder else 0

    def _begun(self, model: str, worker: Worker) -> Executor:
        """A worker with the journal in front."""
        self._workers.append(worker)
        return self._journal.executor(model, worker)

    def _connect(self, model: Asked, score_batch: int) -> dict[type[Call], Executor]:
        queues: dict[type[Call], Queue] = {
            Generate: Late(lambda: decoder(model.opened(), _SCORE_BATCH)),
            Score: Batched[Score](lambda calls: model.opened().score(calls), score_batch),
            Teach: Batched[Teach](lambda calls: _teach(model.opened(), calls), _SCORE_BATCH),
        }
        own, rows = model.known.name, max(model.known.rows, _SCORE_BATCH)
        worker = Worker(queues, self._mailbox, name=f"model {own}", capacity=_AHEAD * rows)
        return dict.fromkeys(queues, self._begun(own, worker))

    def _paid(self, call: Call, _: Reply) -> None:
        self.paid[type(call).__name__.lower()] += 1


def _asked(name: str, choice: ModelChoice, journal: Journal) -> Asked:
    how = asdict(choice)
    del how["name"], how["device_named"]
    return Asked(partial(open_model, name, **how), partial(stamp, name, **how), journal)


def _judge(name: str, choice: ModelChoice, journal: Journal) -> Asked:
    try:
        return _asked(name, choice, journal)
    except ModelError as error:
        raise ModelError(f"the judge {name!r}, which a label names as its model: {error}") from error


def _teach(model: LanguageModel, calls: Sequence[Teach]) -> Sequence[Taught]:
    if not isinstance(model, Teacher):
        raise OptionError(f"model {model.name} does not say its next-token distributions; name one in this process")
    return model.teach(calls)

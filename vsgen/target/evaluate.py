"""Measures a model on prompts whose distributions are known, and on prompts that tell how varied its answers are."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TypeAlias

from vsgen.backends.open import open_model
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.engine.drive import drive
from vsgen.engine.executors import Batched, decoder
from vsgen.files.records import FileLines, PipeLines
from vsgen.metrics import distribution as measures
from vsgen.ports import Executor, LanguageModel, Teacher
from vsgen.target.job import Job
from vsgen.target.make import peeked
from vsgen.target.sources import find_targets
from vsgen.targets.observe import Asked, Observed, observe
from vsgen.targets.probes import OPEN, POSITIONS, QUIZ
from vsgen.targets.soft import Spelled, Tokenizer, spell
from vsgen.targets.target import Target
from vsgen.values import Call, Generate, Score, Teach

Measured: TypeAlias = dict[str, object]

_UNIQUE = 100
"""Replies among which different ones are counted, as in the paper."""
_REPLY_TOKENS = 16
_QUIZ_TOKENS = 256
_BATCH = 32
_WINDOW = 4
COLUMNS = ("valid", "w1_normalized", "tv", "kl", "kl_per_token", "support", "unique")
"""The measures of a summary: each a mean over a family's prompts, but for Wasserstein-1 a median, since one absurd
number among thousands of replies would be all that a mean shows."""


@dataclass(slots=True)
class Summary:
    """Means by family; a measure that no prompt has is missing."""

    families: dict[str, list[Measured]] = field(default_factory=dict)

    def add(self, row: Measured) -> None:
        """Count a prompt."""
        self.families.setdefault(str(row["family"]), []).append(row)

    def means(self) -> Iterator[tuple[str, int, dict[str, float]]]:
        """Each family's name, number of prompts and means, and last the mean over the families with known targets."""
        every = []
        for family, rows in self.families.items():
            found = _within(rows)
            yield family, len(rows), found
            if rows[0]["kind"] == "target":
                every.append((len(rows), found))
        if len(every) > 1:
            yield "mean of families", sum(count for count, _ in every), _means([found for _, found in every])


def evaluate(job: Job, *, warn: Callable[[str], None], observed: Callable[[int], None]) -> Summary:
    """Measure a model, and write one row per prompt.

    Args:
        job: What to do.
        warn: Told of what the user should know.
        observed: Told how many prompts are done, after each.

    Raises:
        VsgenError: See `vsgen.errors`.
        ReaderGone: Nobody reads standard output any more.
    """
    job.check()
    targets = peeked(find_targets(job, warn))
    tokenizer = open_tokenizer(job.model, remote_code=job.remote_code)
    model = open_model(
        job.model,
        device=job.device,
        dtype=job.dtype,
        batch=job.batch,
        remote_code=job.remote_code,
        pickled=job.pickled,
    )
    if not isinstance(model, Teacher):
        warn(f"{model.name}: cannot say next-token distributions, so `support` is null")
    summary = Summary()
    with FileLines(job.output) if job.output else PipeLines() as lines:
        for number, row in enumerate(measure(targets, model, tokenizer, job, warn), start=1):
            lines.write([{"model": model.name, **row}])
            summary.add(row)
            observed(number)
        lines.finish()
    return summary


def measure(
    targets: Iterator[Target],
    model: LanguageModel,
    tokenizer: Tokenizer | None,
    job: Job,
    warn: Callable[[str], None],
) -> Iterator[Measured]:
    """Measure targets, and after them the prompts without one, in order.

    Args:
        targets: Those to ask.
        model: The one to measure; a `Teacher` also tells its support.
        tokenizer: The model's; None leaves out what is counted in tokens.
        job: `Job.draws` replies per target, `Job.seed`.
        warn: Told of answers that cannot be scored.
    """
    teach = isinstance(model, Teacher)
    waiting: deque[tuple[Target, Spelled | None]] = deque()

    def asked() -> Iterator[Asked]:
        for target in targets:
            spelled = None if tokenizer is None else spell(target, tokenizer)
            waiting.append((target, spelled))
            yield Asked(target.id, target.prompt, target.values, job.draws, _reply_tokens(target, spelled))
        if job.template is None and job.probes:
            yield from _probes(job)

    flows = (observe(one, job.seed, teach=teach) for one in asked())
    for found in drive(flows, _executors(model), window=lambda: _WINDOW):
        if found.problem:
            warn(found.problem)
        if waiting:
            target, spelled = waiting.popleft()
            yield of_target(target, spelled, found)
        else:
            yield of_probe(found)


def of_target(target: Target, spelled: Spelled | None, found: Observed) -> Measured:
    """The measures of one known distribution.

    `kl` is infinite, and null in JSON, where the model excludes an answer; `w1_normalized` is null where one value
    holds the target's whole middle half. Beside a measure stands, as `*_expected`, what draws from the target itself
    would show on average.
    """
    kl = None if found.logps is None else measures.divergence(target.probs, found.logps)
    row: Measured = {"kind": "target", "id": target.id, "split": target.split, "family": target.family}
    row |= {"params": target.params, "replies": len(found.replies)}
    row |= _numbers(target, found.replies) if target.numeric else _categories(target, found.replies)
    row |= {"kl": kl, "kl_per_token": None if kl is None or spelled is None else kl / spelled.steps}
    row |= {"support": _support(found), "support_expected": None if spelled is None else _first_support(spelled)}
    counted = min(_UNIQUE, len(found.replies))
    row |= {"unique": measures.unique_rate(found.replies[:counted])}
    return row | {"unique_expected": measures.expected_unique_rate(target.probs, counted)}


def of_probe(found: Observed) -> Measured:
    """The measures of a prompt without a target: how varied the answers, or where the right option stands."""
    kind = found.id.partition("/")[0]
    row: Measured = {"kind": kind, "id": found.id, "family": kind, "replies": len(found.replies)}
    if kind == "open":
        return row | {"support": _support(found), "unique": measures.unique_rate(found.replies[:_UNIQUE])}
    placed = [place for reply in found.replies if (place := measures.read_position(reply))]
    row |= {"valid": len(placed) / len(found.replies), "positions": {name: placed.count(name) for name in POSITIONS}}
    return row | _variation(Counter(placed), POSITIONS)


def _probes(job: Job) -> Iterator[Asked]:
    for i, prompt in enumerate(OPEN):
        yield Asked(f"open/{i:02d}", prompt, replies=min(_UNIQUE, job.draws), max_tokens=_REPLY_TOKENS)
    for i, prompt in enumerate(QUIZ):
        yield Asked(f"quiz/{i:02d}", prompt, replies=job.draws, max_tokens=_QUIZ_TOKENS)


def _executors(model: LanguageModel) -> Mapping[type[Call], Executor]:
    executors: dict[type[Call], Executor] = {
        Generate: decoder(model, _BATCH),
        Score: Batched[Score](model.score, 1),  # a target has a thousand answers
    }
    return executors | ({Teach: Batched[Teach](model.teach, _BATCH)} if isinstance(model, Teacher) else {})


def _reply_tokens(target: Target, spelled: Spelled | None) -> int:
    """Room for the longest answer and its end; a token is at least a byte."""
    longest = max(len(value.encode()) for value in target.values) + 1 if spelled is None else spelled.longest
    return max(_REPLY_TOKENS, longest)


def _numbers(target: Target, replies: Sequence[str]) -> Measured:
    drawn = [number for reply in replies if (number := measures.read_number(reply)) is not None]
    values = [float(value) for value in target.values]
    w1, width = measures.wasserstein1(drawn, values, target.probs), measures.interquartile(values, target.probs)
    expected = measures.expected_wasserstein1(values, target.probs, len(drawn)) if drawn else None
    return {
        "valid": len(drawn) / len(replies),
        "w1": w1,
        "w1_normalized": w1 / width if w1 is not None and width else None,
        "w1_expected": expected,
    }


def _categories(target: Target, replies: Sequence[str]) -> Measured:
    names = {measures.first_line(value): value for value in target.values}
    said = Counter(names[line] for reply in replies if (line := measures.first_line(reply)) in names)
    row: Measured = {"valid": said.total() / len(replies)}
    return row | _variation(said, dict(zip(target.values, target.probs, strict=True)))


def _variation(counts: Counter[str], target: Mapping[str, float]) -> Measured:
    total = counts.total()
    expected = measures.expected_total_variation(list(target.values()), total) if total else None
    return {"tv": measures.total_variation(counts, target), "tv_expected": expected}


def _support(found: Observed) -> int | None:
    return None if found.first is None else measures.support_size(measures.first_step(found.first))


def _first_support(spelled: Spelled) -> int | None:
    return measures.support_size(spelled.trie.probs[spelled.trie.children(0)].tolist())


def _within(rows: Sequence[Measured]) -> dict[str, float]:
    """One family's figures."""
    spread = [float(x) for row in rows if isinstance(x := row.get("w1_normalized"), int | float)]
    return _means(rows) | ({"w1_normalized": median(spread)} if spread else {})


def _means(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    numbers = {name: [float(x) for row in rows if isinstance(x := row.get(name), int | float)] for name in COLUMNS}
    return {name: fmean(found) for name, found in numbers.items() if found}

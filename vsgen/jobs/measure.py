"""Measures a model on prompts whose distributions are known, and on prompts that tell how varied its answers are."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple, TypeAlias

from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.distributions.probes import OPEN, POSITIONS, QUIZ
from vsgen.distributions.soft import Spelled, Tokenizer, spell
from vsgen.distributions.target import Target
from vsgen.flow import Flow
from vsgen.flows.observe import Asked, Observed
from vsgen.flows.observe import observe as observe_prompt
from vsgen.jobs.desk import Session
from vsgen.jobs.measure_options import MeasureOptions
from vsgen.jobs.targets import peeked
from vsgen.jobs.targets_sources import count_targets, find_targets, open_template
from vsgen.metrics import distribution as measures

Measured: TypeAlias = dict[str, object]

_UNIQUE = 100
"""Replies among which different ones are counted, as in the paper."""
_REPLY_TOKENS = 16
_QUIZ_TOKENS = 256
_WINDOW = 4
_SCORED = 1
"""Targets whose answers are scored at once: each has a thousand."""
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


class Found(NamedTuple):
    """One prompt's measures, and what they took."""

    row: Measured
    tokens: int
    """Drawn in the replies."""
    problem: str
    """Why the answers could not be scored."""


@dataclass(slots=True)
class Tally:
    """What has happened so far; every count is a sum over measured prompts."""

    wanted: int | None = None
    """Prompts; None where that is not known before."""
    kept: int = 0
    """Prompts measured."""
    unscored: int = 0
    """Prompts whose answers could not be scored."""
    tokens: int = 0
    """Tokens drawn in replies."""
    paid: Counter[str] = field(default_factory=Counter)
    """Calls answered in this process, by kind."""
    was_done: bool = False
    """Nothing was to do: the output was complete before."""
    summary: Summary = field(default_factory=Summary)

    @property
    def rejected(self) -> Mapping[str, int]:
        """What is not as wished, by reason."""
        return {"unscored": self.unscored} if self.unscored else {}

    def add(self, found: Found) -> None:
        """Count a prompt."""
        self.kept += 1
        self.unscored += bool(found.problem)
        self.tokens += found.tokens
        self.summary.add(found.row)


def evaluate(job: MeasureOptions, *, observe: Callable[[Tally], None], warn: Callable[[str], None]) -> Tally:
    """Measure a model, and write one row per prompt.

    Args:
        job: What to do.
        observe: Told of the tally after every prompt.
        warn: Told of what the user should know.

    Raises:
        VsgenError: See `vsgen.errors`.
        ReaderGone: Nobody reads standard output any more.
    """
    job.check()
    choice = job.wanted
    template = open_template(choice)
    parts, tally = job.parts(template), Tally()
    if (rows := job.places.done(parts)) is not None:
        tally.kept, tally.was_done = rows, True
        return tally
    targets = peeked(find_targets(choice, template, warn))
    tally.wanted = _wanted(job)
    model = job.model_name(template)
    if not job.model.name and model == "tiny":
        warn("no --model given: measuring the embedded toy model, tiny")
    tokenizer = open_tokenizer(model, remote_code=job.model.remote_code)
    with ExitStack() as open_files:
        journal = job.places.open_journal(open_files)
        session = open_files.enter_context(Session(job.model, model, journal, score_batch=_SCORED))
        tally.paid = session.paid
        for note in session.notes:
            warn(note)
        if not session.teaches:
            warn(f"{session.model}: cannot say next-token distributions, so `support` is null")
        lines = job.places.open_output(open_files)

        def drive(flows: Iterator[Flow[Observed]]) -> Iterator[Observed]:
            return session.drive(flows, most=lambda: _WINDOW)

        for found in measure(targets, drive, tokenizer, job, teach=session.teaches):
            if found.problem:
                warn(found.problem)
            lines.write([{"model": session.model, **found.row}])
            tally.add(found)
            observe(tally)
        lines.finish()
        journal.end(parts, complete=True)
    return tally


def measure(
    targets: Iterator[Target],
    drive: Callable[[Iterator[Flow[Observed]]], Iterator[Observed]],
    tokenizer: Tokenizer | None,
    job: MeasureOptions,
    *,
    teach: bool,
) -> Iterator[Found]:
    """Measure targets, and after them the prompts without one, in order.

    Args:
        targets: Those to ask.
        drive: Moves flows of `Generate`, `Score` and, with `teach`, `Teach` calls to their ends, in their order.
        tokenizer: The model's; None leaves out what is counted in tokens.
        job: `MeasureOptions.draws` replies per target, `MeasureOptions.seed`.
        teach: The model can say next-token distributions, and so its support.
    """
    waiting: deque[tuple[Target, Spelled | None]] = deque()

    def asked() -> Iterator[Asked]:
        for target in targets:
            spelled = None if tokenizer is None else spell(target, tokenizer)
            waiting.append((target, spelled))
            yield Asked(target.id, target.prompt, target.values, job.draws, _reply_tokens(target, spelled))
        if _probing(job):
            yield from _probes(job)

    flows = (observe_prompt(one, job.seed, teach=teach) for one in asked())
    for seen in drive(flows):
        row = of_target(*waiting.popleft(), seen) if waiting else of_probe(seen)
        yield Found(row, seen.tokens, seen.problem)


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


def _probes(job: MeasureOptions) -> Iterator[Asked]:
    for i, prompt in enumerate(OPEN):
        yield Asked(f"open/{i:02d}", prompt, replies=min(_UNIQUE, job.draws), max_tokens=_REPLY_TOKENS)
    for i, prompt in enumerate(QUIZ):
        yield Asked(f"quiz/{i:02d}", prompt, replies=job.draws, max_tokens=_QUIZ_TOKENS)


def _probing(job: MeasureOptions) -> bool:
    return job.choice.template is None and job.probes


def _wanted(job: MeasureOptions) -> int | None:
    count = count_targets(job.wanted)
    return None if count is None else count + _probing(job) * (len(OPEN) + len(QUIZ))


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

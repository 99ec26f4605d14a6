"""power: k replies, each drawn from (approximately) p^alpha over whole replies, or from one of its baselines.

`auto` first draws plain replies at temperature 1/alpha. Where their importance weights are even enough, k of them are
resampled by these weights, and nothing more is paid; otherwise every candidate is the pick of its own sweep of
sequential Monte Carlo and of its part of the plain replies. Each of the k replies already is a draw from p^alpha, so
each weighs 1/k, and equal ones add up when repeats are merged; those of engine `is`, which are drawn from q, weigh by
importance. Votes on answers are by the same weights. How probable a reply is under p^alpha beside the others of its
draw is another figure: its power share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import median, stdev
from typing import NamedTuple, assert_never

from vsgen.errors import CallError
from vsgen.flow import Flow, refusal, together
from vsgen.probability import effective_size, log_mean_exp, softmax
from vsgen.sampling import prompts
from vsgen.sampling.conversation import instructed, shown
from vsgen.sampling.direct import form, read_answer
from vsgen.sampling.potentials import IMPOSSIBLE
from vsgen.sampling.power import mh, smc
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.factors import Potentials
from vsgen.sampling.power.plain import best, draws, parted
from vsgen.sampling.power.resampling import systematic
from vsgen.sampling.settings import BASELINES, Engine, Power, Settings
from vsgen.values import Candidate, Completion, Distribution, Generate, Malformed, Prompt, Refused

_HARDLY = 1.5
"""An effective sample size below this is said to be degenerate: hardly more than one particle counted."""
_FLATTENS = "sampling.power.alpha is below 1: replies are drawn from a flatter distribution than the model's own"
_RARELY = 0.02
"""A share of accepted proposals below this is said to be too small: chains hardly move."""
_CUT = (
    "all replies of a draw were cut at sampling.max_tokens (or at the end of the model's context), and cut replies are "
    "likelier the more predictably they begin; raise it, or ask for less"
)
_NO_TARGET = "; engine low-temperature costs 1"
"""What costs less, where there are no potentials."""
_IMPOSSIBLE = (
    "sampling.power.potentials make all replies of a draw impossible (the rejects say which and why): relax them, ask "
    "for what they want in the prompt, or raise sampling.power.particles"
)
_DEGENERATE = (
    "most replies were picked by the weight of about one particle (meta.ess): they are likely replies, but only "
    "roughly from p^alpha; raise sampling.power.particles, or lower alpha"
)
_UNEVEN = (
    "importance weights are degenerate (meta.ess): hardly more than one reply of a draw counts; use engine auto or smc"
)
_STUCK = (
    "chains hardly accept a proposal (meta.acceptance), so rows are far from p^alpha; raise sampling.power.steps, or "
    "lower alpha"
)


class Picked(NamedTuple):
    """One reply that an engine chose, and what it says of it."""

    draft: Draft
    details: Mapping[str, object]
    importance: float | None = None
    """Its share of the importance weights, where these are what makes it stand for p^alpha."""


class Task(NamedTuple):
    """What an engine is to do."""

    how: Power
    k: int
    asked: Generate
    potentials: Potentials


class Drawn(NamedTuple):
    """What an engine made of one draw."""

    picks: Sequence[Picked]
    notes: tuple[str, ...] = ()
    refused: Sequence[Refused] = ()
    """In the place of further picks."""


def power(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask the task itself, and draw k replies from p^alpha; with a single field the reply is the answer."""
    how = settings.sampling
    asked = settings.generate(
        instructed(prompt, prompts.direct(settings.fields, shown=shown(prompt))), rng, **form(settings)._asdict()
    )
    drawn = yield from _engine(Task(how.powered, how.k, asked, settings.potentials), rng)
    every = len(drawn.picks) + len(drawn.refused)
    left = len(drawn.picks) / every
    baseline = how.powered.engine in BASELINES
    drafts = [one.draft for one in drawn.picks]
    shares = power_shares(drafts, how.powered.alpha)
    candidates, malformed = [], []
    for number, ((draft, details, importance), share) in enumerate(zip(drawn.picks, shares, strict=True)):
        weight = 1 / every if importance is None else left * importance
        parsed = read_answer(settings, Completion(draft.text, stopped=draft.ended))
        if not parsed.items:
            malformed.append(Malformed(draft.text, weight, parsed.problem or "", number))
            continue
        info = {"alpha": how.powered.alpha, "ended": draft.ended, **details}
        info |= yield from _judged(settings.potentials, draft)
        if not baseline and not draft.impossible:
            info["power_share"] = _short(share)
        item = parsed.items[0]
        logp = round(draft.logp, 6)
        candidates.append(
            Candidate(item.fields, weight, None, logp, parsed.reasoning, item.flags, number, info, vote=weight)
        )
    malformed += [Malformed.of(one, 1 / every, len(drafts) + i) for i, one in enumerate(drawn.refused)]
    notes = (*_warnings(settings, drafts), *drawn.notes, *settings.potentials.doubts)
    return Distribution("frequency" if baseline else "power", tuple(candidates), tuple(malformed), notes)


def _judged(potentials: Potentials, draft: Draft) -> Flow[Mapping[str, object]]:
    """What is said of a reply for which there are potentials."""
    if not potentials.each:
        return {}
    if draft.impossible:
        return {IMPOSSIBLE: f"potential {(yield from potentials.blamed(draft))}"}
    return {"log_factor": _short(draft.factor)}


def power_shares(drafts: Sequence[Draft], alpha: float) -> list[float]:
    """Each reply's share of the target, p^alpha times its potentials, among the distinct replies.

    Those of the distinct ones sum to 1; equal replies have the same.
    """
    if not drafts:
        return []
    targets = {draft.tokens: draft.log_target(alpha) for draft in drafts}
    shares = dict(zip(targets, softmax(list(targets.values())), strict=True))
    return [shares[draft.tokens] for draft in drafts]


def _plain(task: Task, count: int, rng: Random) -> Flow[list[Draft | Refused]]:
    """Whole replies at temperature 1/alpha, with their potentials."""
    drawn = yield from draws(task.asked, task.how.alpha, count, rng)
    drafts = [one for one in drawn if isinstance(one, Draft)]
    factored = iter((yield from task.potentials.factored(drafts, last=True)))
    return [next(factored) if isinstance(one, Draft) else one for one in drawn]


def _engine(task: Task, rng: Random) -> Flow[Drawn]:
    """The picks of the engine; all are refused where it cannot go on without a reply."""
    try:
        return (yield from _picked(task, rng))
    except CallError as error:
        return Drawn((), refused=[refusal(error)] * task.k)


def _picked(task: Task, rng: Random) -> Flow[Drawn]:
    how = task.how
    match how.engine:
        case "auto":
            return (yield from _auto(task, rng))
        case "smc":
            return (yield from _sweeps(task, rng))
        case "mh":
            return (yield from _chains(task, rng))
        case "is":
            return _weighted(*parted((yield from _plain(task, task.k, rng))), how.alpha)
        case "low-temperature":
            drafts, refused = parted((yield from _plain(task, task.k, rng)))
            return Drawn([Picked(one, _said("low-temperature", len(one.tokens))) for one in drafts], refused=refused)
        case "best-of-n":
            return (yield from _best(task, rng))
        case never:
            assert_never(never)


def _auto(task: Task, rng: Random) -> Flow[Drawn]:
    """Where sweeps are needed, the pilot's replies are shared out among them, to be picked from as well."""
    how, k = task.how, task.k
    drafts, _ = parted((yield from _plain(task, how.pilot(k), rng)), k)
    logws = [draft.log_weight(how.alpha) for draft in drafts]
    ess, least = effective_size(logws), how.ess * len(drafts)
    possible = not all(draft.impossible for draft in drafts)
    beside = "below" if ess < least else "at least"
    why = f"effective sample size {ess:.3g} of {len(drafts)} plain draws, {beside} {least:g}"
    chosen = {"chosen": why if possible else _unsatisfied(how.pilot(k))}
    if ess < least:
        drawn = yield from _sweeps(task, rng, [drafts[i::k] for i in range(k)])
        picks = [one._replace(details={**one.details, **chosen}) for one in drawn.picks]
        return drawn._replace(picks=picks, notes=(_why_swept(task, possible), *drawn.notes))
    places = sorted(rng.sample(systematic(logws, rng), k))
    spent, stated = _shares(drafts, k), {**_stated(logws), **chosen}
    return Drawn([Picked(drafts[i], {**_said("is", own), **stated}) for i, own in zip(places, spent, strict=True)])


def _why_swept(task: Task, possible: bool) -> str:
    """What a run says once of sweeps: their cause, and their cost."""
    uneven = "the importance weights of plain draws are uneven (meta.chosen)"
    cause = uneven if possible else _unsatisfied(task.how.pilot(task.k))
    cost = "a reply then costs about sampling.power.particles evaluations per token"
    return f"engine auto used smc, since {cause}: {cost}{'' if task.potentials.each else _NO_TARGET}"


def _unsatisfied(draws: int) -> str:
    return f"none of {draws} plain draws satisfies the potentials"


def _weighted(drafts: Sequence[Draft], refused: Sequence[Refused], alpha: float) -> Drawn:
    logws = [draft.log_weight(alpha) for draft in drafts]
    stated = _stated(logws)
    picks = [
        Picked(one, {**_said("is", len(one.tokens)), **stated, "importance": _short(share)}, share)
        for one, share in zip(drafts, softmax(logws), strict=True)
    ]
    return Drawn(picks, (_UNEVEN,) if len(drafts) > 1 and 0 < effective_size(logws) < _HARDLY else (), refused)


def _sweeps(task: Task, rng: Random, reserves: Sequence[Sequence[Draft]] | None = None) -> Flow[Drawn]:
    """One sweep for each candidate, with whole replies in reserve for it."""
    how, k = task.how, task.k
    plan = smc.Plan(how.alpha, how.particles, how.check_every, how.ess, task.potentials, how.moves)
    sources = [Random(rng.getrandbits(64)) for _ in range(k)]
    kept = reserves or [()] * k
    flows = [_sweep(plan, task.asked, source, reserve) for source, reserve in zip(sources, kept, strict=True)]
    ended = yield from together(flows, replies=k)
    pairs = [(one, reserve) for one, reserve in zip(ended, kept, strict=True) if isinstance(one, smc.Sweep)]
    refused = [one for one in ended if isinstance(one, Refused)]
    if not pairs:
        return Drawn((), refused=refused)
    log_zs = [sweep.log_z for sweep, _ in pairs]
    finite = [log_z for log_z in log_zs if log_z > -math.inf]
    spread = _short(stdev(finite)) if len(finite) > 1 else None
    stated = {"log_z": _short(log_mean_exp(log_zs)), "log_z_spread": spread}
    picks = [Picked(sweep.draft, {**_swept(sweep, reserve), **stated}) for sweep, reserve in pairs]
    degenerate = 0 < median(sweep.ess for sweep, _ in pairs) < _HARDLY
    return Drawn(picks, (_DEGENERATE,) if degenerate else (), refused)


def _swept(sweep: smc.Sweep, reserve: Sequence[Draft]) -> dict[str, object]:
    evaluations = sweep.evaluations + sum(len(draft.tokens) for draft in reserve)
    moved = {} if sweep.acceptance is None else {"acceptance": _short(sweep.acceptance)}
    return {**_said("smc", evaluations), "ess": _short(sweep.ess), "ancestors": sweep.ancestors, **moved}


def _sweep(plan: smc.Plan, asked: Generate, rng: Random, reserve: Sequence[Draft]) -> Flow[smc.Sweep | Refused]:
    """One sweep; a refused one leaves the others alone."""
    try:
        return (yield from smc.sweep(plan, asked, rng, reserve))
    except CallError as error:
        return refusal(error)


def _chains(task: Task, rng: Random) -> Flow[Drawn]:
    """The pilot's draws say how long replies are, and so from which tokens cuts are drawn."""
    how, k = task.how, task.k
    pilot, _ = parted((yield from draws(task.asked, how.alpha, how.pilot(k), rng)))
    span = max(1, *(len(draft.tokens) for draft in pilot))
    plan = mh.Plan(how.alpha, k, how.blocks, how.steps, span, potentials=task.potentials)
    (states,) = yield from together([mh.chains(plan, task.asked, rng)], replies=k)
    picks = [
        Picked(state.draft, {**_said("mh", state.evaluations + own), "acceptance": _short(state.acceptance)})
        for state, own in zip(states, _shares(pilot, k), strict=True)
    ]
    known = [state.acceptance for state in states if state.acceptance is not None]
    return Drawn(picks, (_STUCK,) if known and median(known) < _RARELY else ())


def _best(task: Task, rng: Random) -> Flow[Drawn]:
    how = task.how
    drawn = yield from _plain(task, task.k * how.particles, rng)
    groups = [parted(drawn[i : i + how.particles], 0) for i in range(0, len(drawn), how.particles)]
    picks = [
        Picked(best(drafts), _said("best-of-n", sum(len(each.tokens) for each in drafts)))
        for drafts, _ in groups
        if drafts
    ]
    return Drawn(picks, refused=[refused[0] for drafts, refused in groups if not drafts])


def _warnings(settings: Settings, drafts: Sequence[Draft]) -> list[str]:
    flat = [_FLATTENS] if settings.sampling.powered.alpha < 1 else []
    cut = [_CUT] if drafts and not settings.open_ended and not any(draft.ended for draft in drafts) else []
    return flat + cut + ([_IMPOSSIBLE] if drafts and all(draft.impossible for draft in drafts) else [])


def _said(engine: Engine, evaluations: int) -> dict[str, object]:
    return {"engine": engine, "evaluations": evaluations}


def _stated(logws: Sequence[float]) -> dict[str, object]:
    return {"ess": _short(effective_size(logws)), "log_z": _short(log_mean_exp(logws))}


def _shares(drafts: Sequence[Draft], parts: int) -> list[int]:
    """The tokens of all drafts, in whole parts that differ by at most 1."""
    total = sum(len(draft.tokens) for draft in drafts)
    return [total // parts + (i < total % parts) for i in range(parts)]


def _short(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(f"{number:.6g}")

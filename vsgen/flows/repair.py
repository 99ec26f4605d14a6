"""Mending the candidates of a draw that do not fit: up to `repair` more calls for each, with the reason.

A mended candidate keeps its id, its weight and its stated probability; what it was before is in its meta. One that
cannot be mended, or whose call is refused, stays rejected as it was. Placeholders are not mended, since there is
nothing in them to go on from, nor are answers whose stated probability is too small, or for which a potential is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final, NamedTuple

from vsgen.flow import Flow, try_all
from vsgen.flows.valid import Rejection, Rules, Validated, impossible, improbable, validate
from vsgen.sampling import repair
from vsgen.sampling.settings import Settings
from vsgen.values import Candidate, Completion, Prompt

_MENDED: Final = frozenset({"schema", "filter", "check"})
"""Reasons that say what an answer lacks."""


class _Case(NamedTuple):
    """A candidate under repair."""

    talk: Prompt
    """The conversation about it so far."""
    latest: Candidate
    rejection: Rejection | None
    """Why it does not fit; None once it does."""


class Mender:
    """Repairs candidates as one template says."""

    def __init__(self, rules: Rules, settings: Settings, seed: int) -> None:
        self._rules = rules
        self._settings = settings
        self._seed = seed

    def mend(self, checked: Validated, ids: Sequence[str], task: Prompt) -> Flow[Validated]:
        """The candidates of a draw, those that do not fit mended where that succeeds.

        Args:
            checked: The candidates, and which do not fit.
            ids: Of the candidates; they name the randomness of the calls.
            task: The request as the user put it.
        """
        candidates, rejections = list(checked.candidates), dict(checked.rejections)
        attempts = self._rules.template.repair
        open_ = dict(self._cases(checked, task)) if attempts else {}
        for attempt in range(1, attempts + 1):
            open_ = yield from self._attempt(open_, ids, attempt)
            for i in [i for i, case in open_.items() if case.rejection is None]:
                candidates[i] = _mended(candidates[i], open_.pop(i).latest, attempt)
                del rejections[i]
        return Validated(candidates, rejections)

    def _cases(self, checked: Validated, task: Prompt) -> Iterator[tuple[int, _Case]]:
        """At most k of a draw, which is what its budget is made for."""
        opened = repair.opened(self._settings, task)
        hopeful = [i for i, why in checked.rejections.items() if why.reason in _MENDED and self._hopeful(checked, i)]
        for i in hopeful[: self._settings.sampling.k]:
            yield i, _Case(opened, checked.candidates[i], checked.rejections[i])

    def _hopeful(self, checked: Validated, i: int) -> bool:
        candidate = checked.candidates[i]
        beyond = improbable(self._rules, candidate) or impossible(self._rules, candidate)
        return not beyond and bool(candidate.fields)

    def _attempt(self, open_: Mapping[int, _Case], ids: Sequence[str], attempt: int) -> Flow[dict[int, _Case]]:
        """Ask once more for each; those that can be asked again, or fit now, with where they stand."""
        talks = {
            i: repair.again(self._settings, case.talk, case.latest.fields, case.rejection.detail)
            for i, case in open_.items()
            if case.rejection
        }
        rngs = {i: Random(f"{self._seed}/{ids[i]}/repair/{attempt}") for i in talks}
        calls = [repair.call(self._settings, talk, rngs[i]) for i, talk in talks.items()]
        answers = dict(zip(talks, (yield from try_all(calls)), strict=True))
        replies = {i: one for i, one in answers.items() if isinstance(one, Completion)}
        items = {i: repair.read(self._settings, reply) for i, reply in replies.items()}
        found = {
            i: replace(open_[i].latest, fields=item.fields, logp=None, reasoning=None, flags=item.flags)
            for i, item in items.items()
            if item is not None
        }
        reasons = [repair.words(self._settings, case.rejection.detail) for case in open_.values() if case.rejection]
        rules = self._rules._replace(echoes=self._rules.echoes and self._rules.echoes.beside(reasons))
        checked = yield from validate(rules, list(found.values()), [ids[i] for i in found])
        gone_on = {
            i: _Case(talks[i], candidate, checked.rejections.get(place))
            for place, (i, candidate) in enumerate(zip(found, checked.candidates, strict=True))
        }
        unread = {i: open_[i] for i in items.keys() - found.keys()}
        return dict(sorted({**gone_on, **unread}.items()))


def _mended(before: Candidate, after: Candidate, attempts: int) -> Candidate:
    details = {**before.details, "repaired": attempts, "original": dict(before.fields)}
    return replace(after, details=details)

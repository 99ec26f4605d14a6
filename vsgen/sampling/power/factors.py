"""Potentials of drafts: what engines multiply p^alpha by (twisted targets, arXiv 2604.16453).

A potential is a function psi of the whole reply, at least 0. Of a reply that still goes on it may say something early,
which moves a sampler towards likely ends. Early factors cancel: the weight of a draft changes from look to look by the
ratio of its factors, so that what remains at the end is psi of the whole reply, whatever was said before. One rule
makes that exact: an early factor may be 0 only if that of every continuation is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vsgen.flow import Flow
from vsgen.sampling.power.drafts import Draft


class Potential(Protocol):
    """One factor of the target."""

    @property
    def reason(self) -> str:
        """What it is, and why a reply is impossible under it."""
        ...

    @property
    def doubt(self) -> str | None:
        """What the user should know of its values so far; None if nothing."""
        ...

    def whole(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """The logarithm of its value for each of these whole replies, nats; -inf of 0."""
        ...

    def early(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """Likewise for replies that still go on; -inf only where every continuation has it, and 0 says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Potentials:
    """All potentials of a target; none are those of p^alpha itself."""

    each: tuple[Potential, ...] = ()
    """In the order in which they are asked; of what one makes impossible, the later ones are not asked."""

    def factored(self, drafts: Sequence[Draft], *, last: bool = False) -> Flow[list[Draft]]:
        """The drafts with their factors.

        Args:
            drafts: As they were drawn.
            last: Nothing is drawn any more, so all of them are whole.
        """
        if not self.each:
            return list(drafts)
        whole = [draft.closed or last for draft in drafts]
        factors = [0.0] * len(drafts)
        for potential in self.each:
            for complete in (True, False):
                open_ = [i for i, one in enumerate(whole) if one is complete and factors[i] > -math.inf]
                says = potential.whole if complete else potential.early
                for i, log in zip(open_, (yield from _distinct(says, [drafts[i] for i in open_])), strict=True):
                    factors[i] += log
        return [replace(draft, factor=factor) for draft, factor in zip(drafts, factors, strict=True)]

    @property
    def doubts(self) -> Sequence[str]:
        """What the user should know of their values so far."""
        return [one.doubt for one in self.each if one.doubt is not None]

    def blamed(self, draft: Draft) -> Flow[str]:
        """The reason of the first potential that makes a reply impossible."""
        for potential in self.each:
            (log,) = yield from potential.whole([draft])
            if log == -math.inf:
                return potential.reason
        return "of a reply that was given up: it cannot become a possible one"


NONE = Potentials()
"""Those of p^alpha itself."""


class _Says(Protocol):
    def __call__(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]: ...


def _distinct(says: _Says, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
    """What is said of drafts, asked once for those that read alike."""
    alike = {(draft.text, draft.ended): draft for draft in drafts}
    if not alike:
        return ()
    logs = dict(zip(alike, (yield from says(list(alike.values()))), strict=True))
    return [logs[draft.text, draft.ended] for draft in drafts]

"""Next-token distributions along a given answer: teacher forcing, one forward pass over prompt and answer.

The answer is tokenised in its place after the prompt; where it changes the prompt's own last tokens, it begins with
them. Then comes the end of the reply: of several tokens that end one, the likeliest there. Calls of similar length run
side by side, a prompt that several share is computed once, and long answers go through in parts, so that the scores at
hand never are more than a fixed number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from vsgen.backends.decoding.decode import DIGITS
from vsgen.backends.decoding.forward import Along, Forward, Ids
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.errors import ModelError, TooLongError
from vsgen.values import Taught, Teach

_SCORES = 1 << 26
"""Numbers in one forward pass's scores: rows x positions x vocabulary."""
_PADDING = 2
"""A batch has at most this many times the tokens of its rows."""
_SHORT = 32
"""Rows up to this length share a batch in any case: there a forward pass costs the same for all."""


class _Plan(NamedTuple):
    """A call as tokens."""

    prompt: Ids
    answer: Ids
    ends: Ids
    """What may end the reply."""
    top: int

    @property
    def size(self) -> int:
        """Tokens of a forward pass."""
        return len(self.prompt) + len(self.answer)


_Found: TypeAlias = dict[_Plan, Taught]


def teach(parts: Parts, limits: Limits, calls: Sequence[Teach]) -> list[Taught]:
    """The distributions along each call's answer, in the order of the calls.

    Raises:
        TooLongError: A prompt with its answer does not fit into the model's context.
        ModelError: No token ends a reply.
    """
    if not parts.ends:
        raise ModelError("the model has no end-of-text token, which teaching whole answers needs; use a chat model")
    plans = [_plan(parts, call) for call in calls]
    found: _Found = {}
    for batch in _batches(dict.fromkeys(plans), limits, parts.network.vocabulary):
        found.update(zip(batch, _teach(parts.network, batch), strict=True))
    return [found[plan] for plan in plans]


def _plan(parts: Parts, call: Teach) -> _Plan:
    prompt, _, (answer,) = parts.reader.placed(call.prompt, (call.answer,))
    size, context = len(prompt) + len(answer), parts.network.context
    if context is not None and size > context:
        message = f"prompt and answer have {size} tokens and the model's context only {context}"
        raise TooLongError(f"{message}; shorten the template or the row", tokens=size, context=context)
    top = min(call.top, parts.network.vocabulary)
    return _Plan(prompt or (parts.reader.first(),), answer, parts.closing(call.prompt), top)


def _batches(plans: Iterable[_Plan], limits: Limits, vocabulary: int) -> Iterator[list[_Plan]]:
    """Plans of equal ends and top and of similar length; padding, positions and scores are bounded."""
    batch: list[_Plan] = []
    for plan in sorted(plans, key=lambda plan: (plan.top, plan.ends, plan.size, plan)):
        if batch and not _fits([*batch, plan], limits.forward, _SCORES // vocabulary):
            yield batch
            batch = []
        batch.append(plan)
    if batch:
        yield batch


def _fits(batch: Sequence[_Plan], forward: int, scores: int) -> bool:
    answer = max(len(plan.answer) for plan in batch) + 1
    wide = max(len(plan.prompt) for plan in batch) + answer
    padded, real = len(batch) * wide, sum(plan.size for plan in batch)
    alike = len({(plan.top, plan.ends) for plan in batch}) == 1
    small = padded <= forward and len(batch) * answer <= scores
    return alike and small and (wide <= _SHORT or padded <= _PADDING * real)


def _teach(network: Forward, plans: Sequence[_Plan]) -> list[Taught]:
    first = plans[0]
    found = network.along([plan.prompt for plan in plans], [plan.answer for plan in plans], first.ends, first.top)
    return [_taught(plan, row, found) for row, plan in enumerate(plans)]


def _taught(plan: _Plan, row: int, step: Along) -> Taught:
    last = len(plan.answer)
    end, end_logp = int(step.ends[row, last]), float(step.end_logps[row, last])
    logps = [*step.logps[row, :last].tolist(), end_logp]
    return Taught(
        prompt_tokens=plan.prompt,
        tokens=(*plan.answer, end),
        logps=tuple(round(logp, DIGITS) for logp in logps),
        width=plan.top,
        top_ids=step.top_ids[row, : last + 1].astype("<u4").tobytes(),
        top_logps=step.top_logps[row, : last + 1].astype("<f4").tobytes(),
    )

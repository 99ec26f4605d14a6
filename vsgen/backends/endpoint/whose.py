"""Whose log-probabilities a server states of the tokens that it draws: found by trying, never assumed.

The most probable tokens are drawn alone (``top_k: 1``). If what is stated of them is all 0, it is the distribution that
was drawn from; if it is the same at every temperature, it is the model's own. A reply must also go on from ids of
tokens, and what is drawn must be what temperature and `top_k` allow: a server that ignores one of them would be right
by chance alone, and it is tried until that can hardly be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Final, TypeAlias

from vsgen.backends.endpoint.http import Request, Response
from vsgen.values import Completion, Generate, Prompt

Draw: TypeAlias = Callable[[Generate, bool, int], Generator[Request, Response | None, Completion | None]]
"""Draws a reply as a server is asked that states log-probabilities as drawn, or else the model's own, and lists so many
tokens at each position; None where none of use comes."""
_Proof: TypeAlias = Generator[Request, Response | None, bool]

_FEW: Final = 8
"""Tokens of a reply from which it is judged."""
_HOT: Final = 2.0
"""The highest temperature that all servers take."""
_FROZEN: Final = 0.01
_EVIDENCE: Final = 8.0
"""Nats of what would have to be chance."""
_TIMES: Final = 12
"""Draws that such evidence may take."""
_UNHEARD_OF: Final = -10.0
"""A token this improbable, nats, was not drawn with the probability that it is said to have."""
_BLUR: Final = 0.1
"""How much two computations of a log-probability differ at most, nats, in half precision."""


def whose(draw: Draw, prompts: Iterable[Prompt], listed: int) -> Generator[Request, Response | None, bool | None]:
    """Whether log-probabilities are as drawn, or the model's own; None if neither is proven.

    Args:
        draw: How a reply is drawn.
        prompts: Of which one is needed whose reply has several tokens and is not certain, and comes out alike: in half
            precision, the most probable token may be another one the next time.
        listed: How many tokens are to be listed at each position.
    """
    for prompt in prompts:
        call = Generate(prompt, 7, top_k=1, max_tokens=_FEW, resumable=True)
        cold = yield from draw(call, False, listed)
        if cold is None:
            return None
        processed = not any(cold.logps)
        if (yield from (_processed(draw, call) if processed else _raw(draw, call, cold, listed))):
            return processed
    return None


def _raw(draw: Draw, call: Generate, cold: Completion, listed: int) -> _Proof:
    """Hot or frozen, the most probable tokens come, more often than by chance."""
    times = math.ceil(_EVIDENCE / max(-math.fsum(cold.logps), 0.01))
    if times > _TIMES or len(cold.tokens) < 2:
        return False
    half = len(cold.tokens) // 2
    tail = replace(cold, tokens=cold.tokens[half:], logps=cold.logps[half:])
    if not _begin_alike(tail, (yield from draw(replace(call, prefix=cold.tokens[:half]), False, listed))):
        return False
    for seed in range(times):
        hot = yield from draw(replace(call, seed=seed, temperature=_HOT), False, listed)
        frozen = yield from draw(replace(call, seed=seed, top_k=0, temperature=_FROZEN), False, listed)
        if not _begin_alike(cold, hot) or frozen is None or min(frozen.logqs) < _UNHEARD_OF:
            return False
    return True


def _processed(draw: Draw, call: Generate) -> _Proof:
    """From all tokens, what was drawn with is the model's own at temperature 1, also from some ids on, and not at 2."""
    call = replace(call, top_k=0)
    plain = yield from draw(call, True, 0)
    if plain is None or not _close(plain.logps, plain.logqs):
        return False
    rest = yield from draw(replace(call, prefix=plain.tokens[:1]), True, 0)
    hot = yield from draw(replace(call, temperature=_HOT), True, 0)
    goes_on = rest is not None and _close(rest.logps, rest.logqs)
    return goes_on and hot is not None and not _close(hot.logps, hot.logqs)


def _close(some: Sequence[float], others: Sequence[float]) -> bool:
    return all(abs(one - two) < _BLUR for one, two in zip(some, others, strict=False))


def _begin_alike(one: Completion, two: Completion | None) -> bool:
    """Whether two replies begin alike, and what they have in common is equally probable in both."""
    pairs = zip(one.tokens, two.tokens, strict=False) if two is not None else ()
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return two is not None and same > 0 and _close(one.logps[:same], two.logps[:same])

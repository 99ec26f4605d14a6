"""What a server states of the tokens of a reply: their ids, and how probable each was.

Two log-probabilities of a token matter: the model's own at temperature 1 (log p), and the one that it was really drawn
with (log q). A server states one of them, and the other is made from what it states besides:

- *raw*, as vLLM does by default: log p of the drawn token and of the most probable ones. Tokens are drawn from these
  alone (``top_k``), so that q(v) = p(v)^(1/temperature) / Z with a Z that is the sum over what is listed, exactly;
- *processed*, as vLLM does with ``--logprobs-mode processed_logprobs``: log q, of the whole vocabulary. The reply is
  then read once more as a prompt, whose log-probabilities (``prompt_logprobs``) no temperature changes.

Logits in their place (``raw_logits``) are no log-probabilities, and nothing can be made of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vsgen.backends.endpoint.reading import first, member, quoted
from vsgen.backends.endpoint.wire import Unreadable
from vsgen.probability import log_sum_exp

NAMED: Final = {"return_token_ids": True, "return_tokens_as_token_ids": True}
"""The members that have a server name tokens by their ids: texts of several tokens may be the same."""
_MARK: Final = "token_id:"
_NEVER: Final = -9000.0
"""Servers write a number below this for the logarithm of 0, which JSON has not."""
_ROUNDING: Final = 1e-3
_MOST: Final = 1 << 31
_LONGEST: Final = 10
"""Digits of an id."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A reply, or a part of one, token by token."""

    text: str
    tokens: tuple[int, ...]
    stated: tuple[float, ...]
    """The log-probability that is stated for each; nats."""
    listed: tuple[tuple[float, ...], ...]
    """Those of the tokens that are listed in its place, itself included; nats."""
    end: bool
    """The last token ends the reply, and has no text."""
    stopped: bool
    """The model or a stop string ended it."""

    def first(self, count: int) -> Drawn:
        """Its first tokens, which a stop string ends."""
        stated, listed = self.stated[:count], self.listed[:count]
        return Drawn(self.text, self.tokens[:count], stated, listed, end=False, stopped=True)


def read_drawn(said: Mapping[str, Any], most: int) -> Drawn:
    """The tokens that a reply of completions names.

    Args:
        said: The reply.
        most: How many there may be.

    Raises:
        Unreadable: It names none, or not as it was asked to.
    """
    choice = first(said, "choices")
    end, stated = choice.get("finish_reason"), member(choice, "logprobs", dict)
    if end not in ("stop", "length"):
        raise Unreadable(f"the reply ended by {quoted(str(end).encode())!r}")
    tokens = ids_of(choice.get("token_ids"))
    logps = [_logp(one) for one in member(stated, "token_logprobs", list)]
    listed = [_listed(one) for one in member(stated, "top_logprobs", list)]
    if not 0 < len(tokens) <= most or not len(tokens) == len(logps) == len(listed) or -math.inf in logps:
        raise Unreadable("the reply does not state one log-probability for each of its tokens")
    return Drawn(
        text=member(choice, "text", str),
        tokens=tokens,
        stated=tuple(logps),
        listed=tuple(listed),
        end=end == "stop" and not isinstance(choice.get("stop_reason"), str),
        stopped=end == "stop",
    )


def as_drawn(logp: float, listed: Sequence[float], temperature: float, kept: int) -> float:
    """Log q of a token that was drawn from the `kept` most probable ones.

    Args:
        logp: Its log p, nats.
        listed: Log p of the most probable tokens, itself included.
        temperature: At which it was drawn; 0 takes the most probable one.
        kept: From how many tokens it was drawn.

    Raises:
        ValueError: It is none of them, or not all of them are listed.
    """
    likeliest = sorted(listed, reverse=True)[:kept]
    if not likeliest or logp < likeliest[-1]:
        raise ValueError(f"the server drew a token that is none of the {kept} most probable ones: it ignores top_k")
    if len(likeliest) < kept and math.fsum(map(math.exp, likeliest)) < 1 - _ROUNDING:
        raise ValueError(f"the server lists {len(likeliest)} tokens in place of {kept}")
    if not temperature:
        return 0.0
    return -log_sum_exp([(one - logp) / temperature for one in likeliest])


def ids_of(value: Any) -> tuple[int, ...]:
    """A list of ids of tokens.

    Raises:
        Unreadable: It is none.
    """
    if not isinstance(value, list) or not all(type(one) is int and 0 <= one < _MOST for one in value):
        raise Unreadable("the reply names no ids of tokens")
    return tuple(value)


def logps_of(place: Any, mark: str = "") -> dict[int, float]:
    """The tokens that are listed at one place, and their log-probabilities, nats.

    Args:
        place: What a server states.
        mark: Stands before each id.

    Raises:
        Unreadable: It lists none, or not by their ids.
    """
    if not isinstance(place, dict):
        raise Unreadable("the reply lists no tokens with their log-probabilities")
    names = [name.removeprefix(mark) for name in place if name.startswith(mark)]
    if len(names) != len(place) or not all(name.isdecimal() and len(name) <= _LONGEST for name in names):
        raise Unreadable("the reply lists tokens without their ids")
    return {int(name): _logp(one) for name, one in zip(names, place.values(), strict=True)}


def _listed(place: Any) -> tuple[float, ...]:
    return tuple(logps_of(place, _MARK).values())


def _logp(stated: Any) -> float:
    """A log-probability, or the member of an object that is one; -inf for the logarithm of 0.

    Raises:
        Unreadable: It is none.
    """
    value = stated.get("logprob") if isinstance(stated, dict) else stated
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _ROUNDING:
        raise Unreadable("the reply states something else in the place of a log-probability")
    return min(float(value), 0.0) if value > _NEVER else -math.inf

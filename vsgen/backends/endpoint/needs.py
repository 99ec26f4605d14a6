"""Which abilities of a server calls need, and what happens where one is absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vsgen.backends.endpoint.tokens import by_tokens
from vsgen.backends.endpoint.wire import Abilities
from vsgen.values import Call, Decide, Generate, Score, Teach

FALLBACKS: Final[Mapping[str, str]] = {
    "json_schema": "replies are not held to their form; they are parsed, validated and repaired as always",
    "pattern": "replies are not held to their pattern; they are validated as always",
    "top_logprobs": "soft labels cannot be scored; use method: votes or method: verbalized",
    "prompt_logprobs": "names of several tokens are scored step by step, between bounds",
    "prefill": "a template's prefill is refused; choices are scored by their first token, between bounds",
    "seed": "another run draws other replies; the journal still repeats this one exactly",
    "top_k": "top_k and min_p are not applied",
    "stop": "a reply is cut at its stop strings when it is here, and paid to its end",
    "temperature": "the server draws at its own temperature",
    "system": "the system message goes before the first message of the user",
    "tokens": "power sampling and token-level rows are refused",
    "processed_logprobs": (
        "power sampling draws each token from the most probable ones that the server lists, so its target is p^alpha "
        "over replies of such tokens; vLLM lists up to 100 with --max-logprobs 100, and draws from all tokens "
        "with --logprobs-mode processed_logprobs"
    ),
    "decisions": "method: decisions is refused; use method: score, votes or verbalized",
}
"""What happens where an ability is absent."""


def used_by(call: Call) -> frozenset[str]:
    """The abilities that decide how a call is answered, each a key of `FALLBACKS`."""
    match call:
        case Score():
            return frozenset({"prompt_logprobs", "top_logprobs", "prefill"})
        case Decide():
            return frozenset({"decisions"})
        case Teach():
            return frozenset({"tokens", "prompt_logprobs"})
        case Generate():
            wanted = {
                "json_schema": call.schema is not None,
                "pattern": call.pattern is not None,
                "seed": True,
                "top_k": True,  # who heeds it has other settings than the call where the call leaves them out
                "stop": bool(call.stop),
                "prefill": bool(call.prompt.prefill and call.prompt.messages),
                "tokens": by_tokens(call),
            }
            return frozenset(name for name, needed in wanted.items() if needed)
        case _:
            return frozenset()


def missing(call: Generate, can: Abilities) -> tuple[str, ...]:
    """The abilities that a call would use and the server has not; each is a key of `FALLBACKS`."""
    free = by_tokens(call)  # no grammar is sent
    wanted = {
        "json_schema": call.schema is not None and (free or can.json_schema is None),
        "pattern": call.pattern is not None and (free or not can.pattern),
        "seed": not can.seed,
        "top_k": bool(call.top_k or call.min_p) and not can.top_k,
        "stop": bool(call.stop) and not can.stop,
        "temperature": (call.temperature != 1 or call.top_p < 1) and not can.temperature,
        "system": any(one.role == "system" for one in call.prompt.messages) and not can.system,
        "processed_logprobs": free and not can.processed_logprobs,
    }
    return tuple(name for name, absent in wanted.items() if absent)

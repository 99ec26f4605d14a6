"""A model that never ends a text by itself: whatever it writes was ended by a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llguidance

from vsgen.values import Completion, Generate, Score, Scores

_LIKED = [*b'a"}', *range(256)]
"""Bytes in the order in which it would write them."""


class Endless:
    """Writes the letter a, byte by byte, wherever llguidance lets it under a schema or a pattern."""

    name = "endless"

    def __init__(self) -> None:
        self._tokenizer = llguidance.LLTokenizer("byte")

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        return [self._reply(call) for call in calls]

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        return [Scores((-1.0,) * len(call.choices)) for call in calls]

    def _reply(self, call: Generate) -> Completion:
        prefix, said = "a" * len(call.prefix), bytearray()
        if not call.schema and not call.pattern:
            text = prefix + "a" * call.max_tokens
            steps = (-1.0,) * call.max_tokens
            more: dict[str, Any] = {"logps": steps, "logqs": steps} if call.resumable else {}
            return Completion(text, (1,) * call.max_tokens, sum(steps), sum(steps), stopped=False, **more)
        state = llguidance.LLMatcher(self._tokenizer, _grammar(call))
        assert not state.is_error(), state.get_error()
        while not state.is_stopped() and len(said) < call.max_tokens:
            mask: bytes = state.compute_bitmask()
            byte = next((one for one in _LIKED if mask[one // 8] >> one % 8 & 1), None)
            if byte is None or not state.consume_tokens([byte]):
                break
            said.append(byte)
        ended = len(said) < call.max_tokens
        return Completion(said.decode(errors="replace"), tuple(said), -1.0, -1.0, stopped=ended)


def _grammar(call: Generate) -> str:
    if call.pattern:
        return llguidance.LLMatcher.grammar_from_regex(call.pattern)
    return llguidance.LLMatcher.grammar_from_json_schema(
        call.schema or "", overrides={"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
    )

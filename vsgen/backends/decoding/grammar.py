"""Decoding constrained by a JSON Schema, or by a pattern of the whole reply, through llguidance.

The text is JSON as `json.dumps` writes it by default: ``", "`` and ``": "`` and no other white space. Drawing token by
token from what the grammar still allows is local sampling: it is not the model's distribution given that the reply is
valid (arXiv 2405.21047).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

import llguidance
import llguidance.numpy
import numpy as np
from numpy.typing import NDArray

from vsgen.backends.chat.tokenizer import Tokenizer
from vsgen.errors import ModelError
from vsgen.values import Generate

_ANYTHING = "(?s:.*)"

_BYTES = np.arange(256, dtype=np.uint8)[:, None]
_BARS = np.where(np.unpackbits(_BYTES, axis=1, bitorder="little"), 0, -np.inf).astype("f4")
"""For every byte of a mask what is added to the scores of the eight tokens that it stands for."""


class Matcher:
    """Where one reply stands in its grammar."""

    def __init__(self, state: llguidance.LLMatcher, ends: Sequence[int], vocabulary: int) -> None:
        self._state = state
        self._ends = ends
        self._vocabulary = vocabulary
        self._mask: NDArray[np.int32] | None = None
        self._begun = False

    def accept(self, tokens: Sequence[int]) -> None:
        """Go on by tokens that were drawn; an end token is not the grammar's business."""
        self._mask = None
        inner = [token for token in tokens if token not in self._ends]
        self._begun = self._begun or bool(inner)
        if inner and not self._state.consume_tokens(inner):
            raise ModelError(f"the reply cannot be continued under its JSON schema: {self._state.get_error()}")

    def mask(self) -> NDArray[np.int32]:
        """One bit for every token, 1 where it may come next.

        A grammar that can go no further would leave the reply free, so it is made to end there; also where llguidance
        gives up on what the model has written so far, since no reply may end a run.

        Raises:
            ModelError: llguidance gives up before the reply begins.
        """
        if self._mask is None:
            bits = llguidance.numpy.allocate_token_bitmask(1, self._vocabulary)
            if not self._state.is_stopped():
                llguidance.numpy.fill_next_token_bitmask(self._state, bits, 0)
            if self._state.is_error() and not self._begun:
                reason = self._state.get_error().partition("\n")[0]
                raise ModelError(f"llguidance cannot keep replies to a form: {reason}; simplify the template's output")
            if self._state.is_stopped() or self._state.is_error():
                bits[:] = 0
                for end in self._ends:
                    bits.view(np.uint32)[0, end // 32] |= np.uint32(1 << end % 32)
            self._mask = bits[0]
        return self._mask

    def forced(self) -> int | None:
        """The token that comes next, if only one may and it is no end."""
        words = np.flatnonzero(self.mask())
        if len(words) != 1:
            return None
        word = int(self.mask().view(np.uint32)[words[0]])
        token = 32 * int(words[0]) + word.bit_length() - 1
        return token if word.bit_count() == 1 and token not in self._ends else None


class Grammars:
    """Compiles schemas for one model, each once."""

    def __init__(self, tokenizer: Tokenizer, vocabulary: int, ends: Sequence[int]) -> None:
        self._source = tokenizer
        self._vocabulary = vocabulary
        self._ends = list(ends)
        self._tokenizer: llguidance.LLTokenizer | None = None
        self._compiled: dict[tuple[str | None, str | None], llguidance.LLMatcher] = {}

    def matcher(self, call: Generate) -> Matcher | None:
        """A new matcher at the start of a call's grammar, or after the tokens of its prefix; None if it is free."""
        form = (call.schema, call.pattern)
        if not any(form):
            return None
        if form not in self._compiled:
            self._compiled[form] = self._compile(*form)
        matcher = Matcher(self._compiled[form].deep_copy(), self._ends, self._vocabulary)
        matcher.accept(call.prefix)
        return matcher

    def bars(self, matchers: Sequence[Matcher | None]) -> NDArray[np.float32] | None:
        """[rows, vocabulary], -inf where a row's grammar forbids the token, else 0; None if no row has a grammar."""
        if not any(matchers):
            return None
        free = np.full(-(-self._vocabulary // 32), -1, np.int32)
        bits = np.stack([free if matcher is None else matcher.mask() for matcher in matchers])
        bars: NDArray[np.float32] = _BARS.take(bits.view(np.uint8), axis=0).reshape(len(matchers), -1)
        return bars[:, : self._vocabulary]

    def _compile(self, schema: str | None, pattern: str | None) -> llguidance.LLMatcher:
        """A grammar's start. A pattern that is beyond llguidance, a word's boundary say, leaves the text free there."""
        if self._tokenizer is None:
            self._tokenizer = self._adapt()
        for form in _forms(schema, pattern or ""):
            matcher = llguidance.LLMatcher(self._tokenizer, form)
            if not matcher.is_error():
                return matcher
        raise _refusal(matcher.get_error())

    def _adapt(self) -> llguidance.LLTokenizer:
        if not self._ends:
            raise ModelError("the model has no end-of-text token, which a JSON schema needs; turn the schema off")
        if self._source.library is None:
            raise ModelError("the model's tokenizer cannot be used with a JSON schema: only fast ones can")
        library = copy(self._source.library)
        library.no_padding()
        library.no_truncation()
        try:
            return llguidance.LLTokenizer(library.to_str(), n_vocab=self._vocabulary, eos_token=self._ends)
        except ValueError as error:
            raise ModelError(f"the model's tokenizer cannot be used with a JSON schema: {error}") from error


def _forms(schema: str | None, pattern: str) -> Iterator[str]:
    """The grammar, then a weaker one."""
    if schema is None:
        yield from map(llguidance.LLMatcher.grammar_from_regex, (pattern, _ANYTHING))
    else:
        yield _of_schema(schema)
        yield _of_schema(_patternless(schema))


def _of_schema(schema: str) -> str:
    try:
        return llguidance.LLMatcher.grammar_from_json_schema(
            schema, overrides={"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
        )
    except ValueError as error:
        raise _refusal(str(error)) from error


def _patternless(schema: str) -> str:
    """The schema without patterns, and with any property that is called so."""

    def without(node: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in node.items() if key != "pattern" or isinstance(value, dict)}

    return json.dumps(json.loads(schema, object_hook=without))


def _refusal(reason: str) -> ModelError:
    return ModelError(f"llguidance refuses the JSON schema: {reason.strip()}; simplify the template's output")

"""Whether a text can still become a reply of a form, where decoding is not held to it: the same grammar, byte by byte.

Unlike a decoder's grammar, it takes any white space that JSON allows, and spaces around the reply.
"""

from __future__ import annotations

from functools import lru_cache

import llguidance


class Viable:
    """The form of a reply: a JSON Schema, or a pattern of the whole reply."""

    def __init__(self, *, schema: str | None = None, pattern: str | None = None) -> None:
        """Compile the form; one that is beyond llguidance takes any text.

        Args:
            schema: A JSON Schema, as JSON text.
            pattern: A regular expression, in place of a schema.
        """
        self._start = _compiled(schema, pattern)

    def possible(self, text: str) -> bool:
        """Whether some reply of the form begins with a text."""
        return self._start is None or self._after(text) is not None

    def complete(self, text: str) -> bool:
        """Whether a text is a reply of the form."""
        if self._start is None:
            return True
        state = self._after(text)
        return state is not None and state.is_accepting()

    def _after(self, text: str) -> llguidance.LLMatcher | None:
        """The grammar after a text; None where it is no beginning of a reply."""
        if self._start is None:
            return None
        state, read = self._start.deep_copy(), list(text.lstrip().encode("utf-8", "surrogatepass"))
        taken = state.validate_tokens(read)
        if taken < len(read) and bytes(read[taken:]).strip():
            return None
        if read[:taken] and not state.consume_tokens(read[:taken]):
            return None
        return state if taken == len(read) or state.is_accepting() else None


@lru_cache(maxsize=64)
def _compiled(schema: str | None, pattern: str | None) -> llguidance.LLMatcher | None:
    try:
        form = (
            llguidance.LLMatcher.grammar_from_regex(pattern or "(?s:.*)")
            if schema is None
            else llguidance.LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": True})
        )
        matcher = llguidance.LLMatcher(_tokenizer(), form)
    except ValueError:
        return None
    return None if matcher.is_error() else matcher


@lru_cache(maxsize=1)
def _tokenizer() -> llguidance.LLTokenizer:
    """Each byte is a token."""
    return llguidance.LLTokenizer("byte")

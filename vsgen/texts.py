"""What is text at all, since surrogates without their partner are no characters; and about how long it is."""

from __future__ import annotations

from typing import Final

_CHARACTERS: Final = 4
"""Of a token of English, about."""


def pair_surrogates(text: str) -> str:
    """Join pairs of surrogates into the characters that they stand for; replace single ones by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def about_tokens(text: str) -> int:
    """About how many tokens a text has where no tokenizer is at hand; characters beyond ASCII count as one each."""
    plain = sum(map(str.isascii, text))
    return len(text) - plain + -(-plain // _CHARACTERS)

"""What is text at all: surrogates without their partner are no characters, and no file or tokenizer takes them."""

from __future__ import annotations


def pair_surrogates(text: str) -> str:
    """Join pairs of surrogates into the characters that they stand for; replace single ones by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text

"""About how long a text is."""

from __future__ import annotations

from vsgen.texts import about_tokens


def test_tokens_are_estimated_by_characters() -> None:
    assert [about_tokens(text) for text in ("", "abcde", "日本", "abcd日")] == [0, 2, 2, 2]

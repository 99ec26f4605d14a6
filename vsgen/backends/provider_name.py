"""Names of models that are behind a provider's URL, as other programs write them, so that no hub is asked for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_OPENAI: Final = "https://api.openai.com/v1"
_ANTHROPIC: Final = "https://api.anthropic.com/v1"
_GEMINI: Final = "https://generativelanguage.googleapis.com/v1beta/openai"
_OLLAMA: Final = "http://localhost:11434/v1"
_MAKERS: Final[Mapping[str, str]] = {
    "anthropic": _ANTHROPIC,
    "gemini": _GEMINI,
    "ollama": _OLLAMA,
    "ollama_chat": _OLLAMA,
    "openrouter": "https://openrouter.ai/api/v1",
}
"""What stands before a name in programs that have one name for all providers; none is an owner of models at a hub."""
_FAMILIES: Final[Mapping[str, str]] = {
    r"(?:openai/)?(gpt-\d.*|chatgpt-.*|o[1345](?:-.*)?)": _OPENAI,
    r"(claude-.*)": _ANTHROPIC,
    r"(?:google/)?(gemini-.*)": _GEMINI,
}
"""Models whose weights are not published, and where they are."""


def provider_options(name: str) -> str | None:
    """The options that ask for a provider's model; None for a name that is not one."""
    maker, _, rest = name.partition("/")
    if rest and maker in _MAKERS:
        return f"--endpoint {_MAKERS[maker]} -m {rest}"
    for pattern, url in _FAMILIES.items():
        if found := re.fullmatch(pattern, name, re.IGNORECASE | re.ASCII):
            return f"--endpoint {url} -m {found[1]}"
    return None

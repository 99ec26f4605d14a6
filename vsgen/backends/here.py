"""Whether a model is on this machine already, by its name; asks no network and opens nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vsgen.backends.hub import cached_snapshot

SHIPPED: Final = frozenset({"tiny"})
"""Language models that come with vsgen."""
BUILT_IN: Final = frozenset({"hash", "minilm"})
"""Embedders that vsgen itself names; wherever the files of minilm come from, their digests are known."""


def model_is_here(name: str) -> bool:
    """Whether a language model is shipped, a folder or a file, or in the Hugging Face cache."""
    return name in SHIPPED or _is_local(name)


def embedder_is_here(name: str) -> bool:
    """Whether an embedder is built in, a folder, or in the Hugging Face cache."""
    return name in BUILT_IN or _is_local(name)


def is_own_name(name: str) -> bool:
    """Whether a name is that of a shipped language model, a folder or a file: of nothing that is elsewhere too."""
    return name in SHIPPED or _is_path(name)


def _is_local(name: str) -> bool:
    return _is_path(name) or _is_cached(name)


def _is_path(name: str) -> bool:
    try:
        return Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # no name of a file: too long, say, or of a user that is not there
        return False


def _is_cached(name: str) -> bool:
    try:
        return cached_snapshot(name) is not None
    except (OSError, ValueError, RuntimeError):  # no name of a file: too long, say, or of a user that is not there
        return False

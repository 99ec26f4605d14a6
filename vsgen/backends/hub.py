"""What of the Hugging Face hub is on this machine already; asks no network, and needs no library of the hub's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def hub_cache() -> Path:
    """The folder of what was downloaded: where huggingface_hub keeps it (its page "Environment variables")."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    hub = Path(os.environ.get("HF_HOME") or Path(home, "huggingface"), "hub")
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or hub
    place = Path(os.path.expandvars(named))
    try:
        return place.expanduser()
    except RuntimeError:  # whoever runs this has no home, as in a container
        return place


def cached_snapshot(repo: str) -> Path | None:
    """The folder of the newest cached revision of a repository, named by its commit; None if none can be read.

    The layout is that of huggingface_hub (its guide "Understand caching"): ``refs/main`` holds the commit that the
    branch last had here.
    """
    place = hub_cache() / f"models--{repo.replace('/', '--')}"
    try:
        commit = (place / "refs" / "main").read_text().strip()
        folder = place / "snapshots" / commit
        return folder if commit and folder.is_dir() else None
    except (OSError, ValueError):  # it is not there, or another user's, or damaged
        return None


def cached_repositories() -> Iterator[str]:
    """The ids of all models that are cached, sorted; those whose download is not complete are among them."""
    for folder in sorted(hub_cache().glob("models--*")):
        repo = folder.name.removeprefix("models--").replace("--", "/")
        if cached_snapshot(repo):
            yield repo

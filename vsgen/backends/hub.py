"""What of the Hugging Face hub is on this machine already; asks no network and imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def cached_snapshot(repo: str) -> Path | None:
    """The folder of the newest cached revision of a repository, named by its commit; None if there is none.

    The layout is that of huggingface_hub (its guide "Understand caching"): ``refs/main`` holds the commit that the
    branch last had here.
    """
    from huggingface_hub import constants

    place = Path(constants.HF_HUB_CACHE, "models--" + repo.replace("/", "--"))
    main = place / "refs" / "main"
    if not main.is_file():
        return None
    folder = place / "snapshots" / main.read_text().strip()
    return folder if folder.is_dir() else None


def cached_repositories() -> Iterator[str]:
    """The ids of all models that are cached, sorted; those whose download is not complete are among them."""
    from huggingface_hub import constants

    for folder in sorted(Path(constants.HF_HUB_CACHE).glob("models--*")):
        repo = folder.name.removeprefix("models--").replace("--", "/")
        if cached_snapshot(repo):
            yield repo

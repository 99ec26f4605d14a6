"""Models: the embedded one, the embedders, those in the Hugging Face cache, and the shipped templates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from vsgen.backends.hub import cached_repositories, hub_cache
from vsgen.backends.open_embedder import MINILM_SHA256, minilm_folder
from vsgen.dedup.settings import Dedup
from vsgen.errors import ModelError, TemplateError
from vsgen.extras import remedy
from vsgen.jobs.health.finding import Finding
from vsgen.template.catalog import shipped
from vsgen.tiny import SHA256, WEIGHTS

_GROUP = "models"
_SHOWN = 12
_REINSTALL = "reinstall vsgen"


def models() -> Iterator[Finding]:
    """What can be asked without a download."""
    yield _embedded(WEIGHTS)
    yield from _embedders(minilm_folder())
    yield _cache(hub_cache())
    yield _templates()


def _embedded(folder: Path) -> Finding:
    name = "tiny"
    if wrong := _differs(folder, SHA256):
        return Finding(_GROUP, name, f"damaged: {wrong}", "problem", _REINSTALL, ModelError.status)
    return Finding(_GROUP, name, f"{_size(folder)}, files verified (SHA-256)")


def _embedders(folder: Path | None) -> Iterator[Finding]:
    default = Dedup().embedder
    if default == "hash":
        yield Finding(_GROUP, "embedder", "hash, the default: built in, compares spelling")
    if folder is None:
        yield Finding(_GROUP, "minilm", "its files are not on this machine", "absent", remedy("minilm"))
    elif wrong := _differs(folder, MINILM_SHA256):
        what = f"remove {folder}, and {remedy('minilm')}"
        yield Finding(_GROUP, "minilm", f"damaged: {wrong}", "problem", what, ModelError.status)
    else:
        yield Finding(_GROUP, "minilm", f"files verified (SHA-256 {MINILM_SHA256['model.safetensors'][:12]}), {folder}")


def _cache(folder: Path) -> Finding:
    """The models that -m can name without a download; those whose download has not ended are among them."""
    name = "hub cache"
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:
        return Finding(_GROUP, name, f"{folder}: nothing downloaded yet")
    except OSError as error:
        what = "set HF_HOME to a folder that you may read"
        return Finding(_GROUP, name, f"{folder}: {error.strerror}", "problem", what, ModelError.status)
    found = list(cached_repositories())
    listed = ", ".join(f"{one} ({_size(folder / ('models--' + one.replace('/', '--')))})" for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return Finding(_GROUP, name, f"{folder}: {listed or 'no models'}{more}")


def _templates() -> Finding:
    found = ", ".join(shipped())
    if not found:
        return Finding(_GROUP, "templates", "none found", "problem", _REINSTALL, TemplateError.status)
    return Finding(_GROUP, "templates", found)


def _differs(folder: Path, digests: Mapping[str, str]) -> str:
    """The first file that is not what it should be; empty if all are."""
    for name, expected in digests.items():
        file = folder / name
        try:
            with file.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            return f"{file}: {error.strerror}"
        if found != expected:
            return f"{file}: SHA-256 is {found[:12]}, must be {expected[:12]}"
    return ""


def _size(folder: Path) -> str:
    """Of all files below a folder that can be looked at, each counted once."""
    found = {}
    for one in folder.rglob("*"):
        with suppress(OSError):  # another process may remove it, or it is another user's
            if one.is_file():
                stat = one.stat()
                found[stat.st_dev, stat.st_ino] = stat.st_size  # a snapshot's files are links to blobs
    return shown_bytes(sum(found.values()))


def shown_bytes(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"

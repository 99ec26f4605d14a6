"""What tells the weights of one model from those of another, found without loading them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from vsgen.backends.hub import cached_snapshot
from vsgen.errors import ModelError

_SMALL = 1 << 24
_SAMPLE = 1 << 16


def own_name(source: str, name: str | None, commit: str | None) -> str:
    """What a model is called: its place's name or `name`, and a fingerprint of its files or its commit."""
    place = Path(source)
    if place.exists():
        own = place.resolve().name if place.is_dir() else place.stem
        return f"{name or own}@{fingerprint(place)}"
    return f"{name or source}@{commit[:8]}" if commit else name or source


def revision(source: str) -> str | None:
    """What changes when a folder, a GGUF file or the cached files of a hub id do; None where there are none."""
    place = Path(source)
    if place.exists():
        return f"{place.resolve()}@{fingerprint(place)}"
    snapshot = cached_snapshot(source)
    return None if snapshot is None else f"{source}@{snapshot.name}"


def fingerprint(source: Path) -> str:
    """Eight hex digits that change with the configuration, the tokenizer or the weights of a folder or GGUF file.

    Small files are hashed whole; of a large weight file its size and 64 KiB from its head, its middle and its end.
    """
    if source.is_file():
        return _digest([source])
    kinds = {".json", ".jinja", ".model", ".txt", ".safetensors", ".bin"}
    return _digest(path for path in sorted(source.iterdir()) if path.is_file() and path.suffix in kinds)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        try:
            _add(path, digest)
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}; check the model's files") from error
    return digest.hexdigest()[:8]


def _add(path: Path, digest: hashlib._Hash) -> None:
    size = path.stat().st_size
    digest.update(f"{path.name}\0{size}\0".encode())
    with path.open("rb") as file:
        for start in (0,) if size <= _SMALL else (0, size // 2, size - _SAMPLE):
            file.seek(start)
            digest.update(file.read(_SMALL if size <= _SMALL else _SAMPLE))

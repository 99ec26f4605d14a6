"""A model's folder, looked at before a library reads it: what is broken is named, what would never end is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

from vsgen.errors import ModelError

_CONFIG: Final = "config.json"
_INDEXES: Final[Mapping[str, str]] = {
    "model.safetensors": "model.safetensors.index.json",
    "pytorch_model.bin": "pytorch_model.bin.index.json",
}
"""What names the shards of weights that are not in one file."""
_COUNTS: Final = re.compile(r"(layers?|blocks?|experts?|labels)$")
"""Settings of a configuration for each unit of which something is made."""
_ANY: Final = 1_000
"""Units that a configuration may name in any case."""
_DEEPEST: Final = 20


def check_folder(folder: Path, *, pickled: bool) -> None:
    """Look at a folder's configuration, at the index of its shards, and at the head of each file of weights.

    Args:
        folder: Of a model.
        pickled: Weights may be other than safetensors.

    Raises:
        ModelError: Something is missing, broken, or out of all proportion; names the file.
    """
    if not (folder / _CONFIG).is_file():
        raise ModelError(
            f"{folder}: not a model folder, {_CONFIG} is missing; give a folder that save_pretrained wrote"
        )
    found = {path.suffix for path in folder.iterdir()}
    if ".safetensors" not in found and not (pickled and ".bin" in found):
        remedy = "only pickled weights are there; convert them" if ".bin" in found else "copy the weights there"
        raise ModelError(f"{folder}: no *.safetensors file; {remedy}")
    for path in folder.iterdir():
        if path.suffix in (".json", ".safetensors", ".bin", ".jinja") and not path.is_file():
            raise ModelError(f"{path}: is not a regular file, or is a broken link; copy the model again")
    shards = [name for whole, index in _INDEXES.items() for name in _shards(folder, whole, index)]
    files = [folder / name for name in shards] or sorted(folder.glob("*.safetensors"))
    tensors = sum(_tensors(path) for path in files if path.suffix == ".safetensors")
    check_counts(read_object(folder / _CONFIG), tensors, folder / _CONFIG)


def check_counts(config: Mapping[str, Any], tensors: int, path: Path) -> None:
    """See that a configuration names no more layers than its weights can have.

    Args:
        config: The settings, which may have sections.
        tensors: That the weights consist of, as each layer has one at least; 0 where that is not known.
        path: Of the file, for messages.

    Raises:
        ModelError: It names more, whose objects would take memory without end.
    """
    most = max(tensors, _ANY)
    for name, value in _numbers(config, _DEEPEST):
        if value > most and _COUNTS.search(name):
            raise ModelError(f"{path}: {name}: must be at most {most:,}, no more than the weights have, got {value}")


def check_config(folder: Path) -> None:
    """Look at the configurations in a folder of which the weights are not read, or not by vsgen.

    Raises:
        ModelError: See `check_counts` and `read_object`.
    """
    for path in sorted(folder.rglob(_CONFIG)):
        if path.is_file():
            check_counts(read_object(path), 0, path)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ModelError: There is none; names the file.
    """
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ModelError(f"{path}: not JSON: {problem}; copy the model again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: not a JSON object; copy the model again")
    return value


def _shards(folder: Path, whole: str, index: str) -> Sequence[str]:
    """The names of the files that an index names, each in the folder; none where the weights are in one file."""
    path = folder / index
    if (folder / whole).exists() or not path.exists():
        return ()
    places = read_object(path).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise ModelError(f"{path}: weight_map: must name the file of each weight; copy the model again")
    names = sorted(set(places.values()))
    for name in names:
        if Path(name).name != name:
            raise ModelError(
                f"{path}: names a file outside the folder, {name[:80]!r}; weights must be beside their index"
            )
        if not (folder / name).is_file():
            raise ModelError(f"{path}: names {name[:80]!r}, which is missing; copy the model again")
    return names


def _tensors(path: Path) -> int:
    """How many tensors a file of safetensors has; only its head is read."""
    try:
        with safe_open(path, framework="pt") as file:
            return len(file.keys())
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: not whole: {error}; copy the model again") from error


def _numbers(config: Mapping[str, Any], depth: int) -> Iterator[tuple[str, int]]:
    for name, value in config.items():
        if isinstance(value, dict) and depth:
            yield from _numbers(value, depth - 1)
        elif isinstance(value, int):
            yield str(name), value

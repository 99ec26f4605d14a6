"""Token-level rows back as tensors, from any layout that `vsgen.export.packed` writes.

::

    for target in read_file(Path("rows.jsonl")):
        logits = model(target.input_ids[None]).logits[0]
        said = logits[target.answer_start - 1 : -1].log_softmax(-1).gather(1, target.ids)
        loss = -(target.logps.exp() * said).sum(1).mean()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from torch import Tensor

from vsgen.errors import InputError
from vsgen.export.packed import FIELD, NOTHING, tail_mass, tops, unpack


@dataclass(frozen=True, slots=True)
class TokenTargets:
    """One answer and what its teacher said at each token.

    Position t, from 0 to T - 1, is about what `input_ids[answer_start + t]` could have been, given all before it.
    """

    input_ids: Tensor
    """[L] long: prompt, answer, end token."""
    answer_start: int
    """Where the answer begins; L = answer_start + T."""
    ids: Tensor
    """[T, k] long, the most probable first."""
    logps: Tensor
    """[T, k] float32, nats, at temperature 1; -inf where there is no such token.

    Precision: 1.3e-4 * sqrt(-logp) nats in the packed layout, which ends at -64; 5e-6 in the others, of which Axolotl's
    end at -40."""
    tail: Tensor
    """[T] float32: the mass of all other tokens."""


def read_file(path: Path) -> Iterator[TokenTargets]:
    """Read a JSONL file, row by row.

    Raises:
        InputError: It cannot be read, or a line holds no such row; names the line.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _read_line(line, f"{path}:{number}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; give a JSONL file") from error


def read_row(row: Mapping[str, Any]) -> TokenTargets:
    """Read one row: of a run with token log-probabilities, the compact form alone, DistillKit's or Axolotl's.

    Raises:
        InputError: It is none of them, or its columns do not fit together.
    """
    try:
        if FIELD in row or "top_ids" in row:
            return _packed(row.get(FIELD, row))
        if "top_values" in row:
            return _distillkit(row)
        if "logprobs" in row:
            return _axolotl(row)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"a token-level row is inconsistent: {error!r}; write it again with vsgen") from error
    raise InputError(f"not a token-level row: it has neither {FIELD}, top_values nor logprobs; use --token-logprobs")


def _read_line(line: bytes, where: str) -> TokenTargets:
    try:
        row = orjson.loads(line)
        return read_row(row if isinstance(row, dict) else {})
    except orjson.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error.msg}); give one JSON object per line") from error
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _packed(packed: Mapping[str, Any]) -> TokenTargets:
    taught, tail = unpack(packed)
    ids, logps = tops(taught)
    return _targets([*taught.prompt_tokens, *taught.tokens], len(taught.prompt_tokens), ids, logps, tail)


def _distillkit(row: Mapping[str, Any]) -> TokenTargets:
    counted = np.flatnonzero(np.array(row["labels"]) >= 0)
    logps = np.array(row["top_values"], np.float32)[counted]
    logps[logps <= np.float32(NOTHING)] = -np.inf
    ids = np.array(row["token_ids"])[counted]
    return _targets(row["input_ids"], int(counted[0]) + 1, ids, logps, tail_mass(logps))


def _axolotl(row: Mapping[str, Any]) -> TokenTargets:
    count, values = len(row["tokens"]), row["logprobs"]
    if "target_token_ids" in row:
        ids = row["target_token_ids"]
    else:
        ids = [[int(entry["token"].partition(":")[2]) for entry in step] for step in values]
        values = [[entry["logprob"] for entry in step] for step in values]
    logps = np.array(values[:count], np.float32)
    inputs = [*row["prompt_tokens"], *row["tokens"]]
    return _targets(inputs, len(row["prompt_tokens"]), np.array(ids[:count]), logps, tail_mass(logps))


def _targets(inputs: Sequence[int], start: int, ids: Any, logps: Any, tail: Any) -> TokenTargets:
    if not ids.shape == logps.shape == (len(inputs) - start, ids.shape[-1]):
        raise ValueError(f"{len(inputs) - start} tokens, but distributions of shape {ids.shape} and {logps.shape}")
    return TokenTargets(
        input_ids=torch.tensor(inputs),
        answer_start=start,
        ids=torch.from_numpy(ids.astype(np.int64)),
        logps=torch.from_numpy(logps.astype(np.float32)),
        tail=torch.from_numpy(tail.astype(np.float32)),
    )

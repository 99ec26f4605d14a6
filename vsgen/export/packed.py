"""Token-level rows: the teacher's top-k distributions along an answer, compact, and as two trainers read them.

The compact form is one JSON object whose columns are base64 of little-endian numbers:

===============  ========  =====================================================================
``top``          k         how many tokens are said at each position
``id_bytes``     1 to 4    bytes of a token id, as few as the ids need
``prompt_tokens``  [P]     ids of the prompt
``tokens``       [T]       ids of the answer, then of the end token
``logps``        [T]       codes: log-probability of each of these tokens
``top_ids``      [T, k]    ids, the most probable first
``top_logps``    [T, k]    codes: their log-probabilities
``tail``         [T]       codes: the logarithm of the mass of all other tokens
===============  ========  =====================================================================

Position t says what follows the prompt and the first t tokens of the answer. A code is an uint16 number c that stands
for ``-(c / 8192) ** 2`` nats: 65534 is the least, -64, and 65535 is -inf. The error is at most 1.3e-4 * sqrt(-logp)
nats, so 1e-5 for a probability of .99 and 4e-4 for one of 5e-5, where float16, of the same size, is off by 4e-3.

Both trainers compare row j with what the model says after input j, so row j describes input j + 1. They mask rows by
the label of input j, one place off; `distillkit_row` writes labels that undo this, and in `axolotl_row` the answer's
first token stays masked, because Axolotl makes the labels itself.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from vsgen.errors import InputError, OptionError
from vsgen.values import Message, Taught

Layout: TypeAlias = Literal["packed", "distillkit", "axolotl", "axolotl-v1"]
Numbers: TypeAlias = NDArray[Any]

FIELD = "token_logprobs"
"""Where a row holds the compact form."""
NOTHING = -1e9
"""What DistillKit's rows hold for -inf: its losses multiply masked rows by 0, which infinity would make NaN."""
FLOOR = -40.0
"""The least log-probability of Axolotl's rows: it exponentiates, renormalises and takes the logarithm again in float32,
where less would end as NaN. Probabilities of 4e-18 are no matter."""
_SCALE = 8192
_NEVER = 65535
_DIGITS = 5
"""Decimals of the trainers' log-probabilities."""


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """How token-level rows are wanted: ``--token-logprobs top=20,layout=packed``."""

    top: int = 20
    layout: Layout = "packed"
    tail: int = 0
    """Axolotl only: tokens that the chat template writes after the end token of the last reply; 0 for Llama 3, 1 for
    the line's end of ChatML."""


def parse_token_logprobs(text: str) -> TokenLogprobs:
    """Read ``top=20,layout=axolotl,tail=1``; all parts are optional.

    Raises:
        OptionError: A part is unknown or its value is out of range.
    """
    values: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = (word.strip() for word in part.partition("="))
        if key in {"top", "tail"}:
            values[key] = _number(key, value, 1 if key == "top" else 0)
        elif key == "layout":
            if value not in get_args(Layout):
                raise _misfit(f"layout: must be one of {', '.join(get_args(Layout))}, got {value!r}")
            values[key] = value
        else:
            raise _misfit(f"unknown part {part!r}{f'; did you mean top={part}?' if part.isdecimal() else ''}")
    return TokenLogprobs(**values)


def token_row(taught: Taught, how: TokenLogprobs, messages: Sequence[Message] = ()) -> dict[str, object]:
    """What a row gains: keys of the layout that is wanted.

    Args:
        taught: What the teacher said.
        how: The wanted layout.
        messages: The conversation, the answer its last message; Axolotl's layouts need it.

    Raises:
        InputError: The layout cannot hold this answer; says why.
    """
    match how.layout:
        case "packed":
            return {FIELD: pack(taught, messages)}
        case "distillkit":
            return distillkit_row(taught)
        case _:
            return axolotl_row(taught, messages, tail=how.tail, version=1 if how.layout == "axolotl-v1" else 2)


def pack(taught: Taught, messages: Sequence[Message] = ()) -> dict[str, object]:
    """The compact form; with messages it can be exported for Axolotl."""
    ids, logps = tops(taught)
    size = _id_bytes(taught, ids)
    columns = {
        "prompt_tokens": _ids(taught.prompt_tokens, size),
        "tokens": _ids(taught.tokens, size),
        "logps": _codes(np.array(taught.logps)),
        "top_ids": _ids(ids, size),
        "top_logps": _codes(logps),
        "tail": _codes(_log(tail_mass(logps))),
    }
    packed: dict[str, object] = {"top": taught.width, "id_bytes": size}
    packed |= {name: base64.b64encode(data).decode("ascii") for name, data in columns.items()}
    return packed | ({"messages": [asdict(message) for message in messages]} if messages else {})


def unpack(packed: Mapping[str, Any]) -> tuple[Taught, Numbers]:
    """The teacher's reply, within a code's precision, and the tail's mass, [T].

    Raises:
        InputError: It is not the compact form.
    """
    try:
        size, top = int(packed["id_bytes"]), int(packed["top"])
        data = {name: base64.b64decode(packed[name], validate=True) for name in _COLUMNS}
        ids = {name: _read_ids(data[name], size) for name in ("prompt_tokens", "tokens", "top_ids")}
        logps, top_logps, tail = (_decode(data[name]) for name in ("logps", "top_logps", "tail"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{FIELD}: not the compact form of `vsgen run --token-logprobs`: {error!r}") from error
    length = len(ids["tokens"])
    if not len(logps) == len(tail) == length or not len(ids["top_ids"]) == len(top_logps) == length * top:
        raise InputError(f"{FIELD}: its columns are inconsistent; write it again with `vsgen run`")
    taught = Taught(
        prompt_tokens=tuple(ids["prompt_tokens"].tolist()),
        tokens=tuple(ids["tokens"].tolist()),
        logps=tuple(logps.tolist()),
        width=top,
        top_ids=ids["top_ids"].astype("<u4").tobytes(),
        top_logps=top_logps.astype("<f4").tobytes(),
    )
    return taught, np.exp(tail)


def distillkit_row(taught: Taught) -> dict[str, object]:
    """One row for DistillKit's `teacher: {kind: dataset}`, whose raw keys are `token_ids` and `top_values`.

    All columns are N = P + T long: prompt, answer, end. Row j describes input j + 1; rows that have no teacher hold
    `NOTHING` and their label is -100, which is how DistillKit masks a row. So `labels` name the rows that count: a
    `cross_entropy` beside them, which shifts them, also trains the prompt's last token, and the end not at all. Values
    are log-probabilities at temperature 1; the mass that they leave is the loss's `missing_probability_handling`.

    Raises:
        InputError: The prompt has no tokens, so nothing comes before the answer's first one.
    """
    ids, logps = tops(taught)
    if not taught.prompt_tokens:
        raise InputError("DistillKit needs a prompt of one token or more, got none; give the prompt some text")
    before = len(taught.prompt_tokens) - 1
    inputs = [*taught.prompt_tokens, *taught.tokens]
    counted = range(before, before + len(taught.tokens))
    blank_ids, blank_values = [0] * taught.width, [NOTHING] * taught.width
    values = _rounded(np.where(np.isneginf(logps), NOTHING, logps))
    return {
        "input_ids": inputs,
        "labels": [token if at in counted else -100 for at, token in enumerate(inputs)],
        "token_ids": [*[blank_ids] * before, *ids.tolist(), blank_ids],
        "top_values": [*[blank_values] * before, *values, blank_values],
    }


def axolotl_row(
    taught: Taught, messages: Sequence[Message], *, tail: int = 0, version: Literal[1, 2] = 2
) -> dict[str, object]:
    """One row for Axolotl's `axolotl.integrations.kd.chat_template`, with `logprobs_field: logprobs`.

    Axolotl tokenises the messages by the student's template and puts the rows against the end of the input ids: the
    last row is that of the last input. After the T rows of the answer come 1 + `tail` rows, in which the end token, and
    what the template writes after it, are followed by the end token; without them all would be one place off. The
    student must have the teacher's tokenizer: its ids must be `prompt_tokens`, `tokens`, then `tail` more.

    Args:
        taught: What the teacher said.
        messages: The conversation; the last message is the answer.
        tail: Tokens that the template writes after the end token.
        version: 2 writes `logprobs` and `target_token_ids` as numbers, which the loader reads; 1 the objects with
            ``token_id:`` strings of the older one, `load_legacy`.

    Raises:
        InputError: There are no messages, or the last one is not the answer.
    """
    if not messages or messages[-1].role != "assistant":
        raise InputError("a row for Axolotl needs chat messages that end with the answer; give the prompt as messages")
    ids, logps = tops(taught)
    end = taught.tokens[-1]
    filler = [end] * taught.width, [0.0, *[FLOOR] * (taught.width - 1)]
    targets = [*ids.tolist(), *[filler[0]] * (1 + tail)]
    values = [*_rounded(np.maximum(logps, FLOOR)), *[filler[1]] * (1 + tail)]
    row: dict[str, object] = {"messages": [asdict(message) for message in messages]}
    if version == 2:
        row |= {"logprobs": values, "target_token_ids": targets}
    else:
        row["logprobs"] = [_entries(*pair) for pair in zip(targets, values, strict=True)]
    return row | {"prompt_tokens": list(taught.prompt_tokens), "tokens": list(taught.tokens)}


def tops(taught: Taught) -> tuple[Numbers, Numbers]:
    """Ids, uint32, and log-probabilities, float32, both [T, k]."""
    shape = (len(taught.tokens), taught.width)
    ids = np.frombuffer(taught.top_ids, "<u4").reshape(shape)
    return ids, np.frombuffer(taught.top_logps, "<f4").reshape(shape)


def tail_mass(logps: Numbers) -> Numbers:
    """The mass that [T, k] log-probabilities leave to all other tokens, [T], float64; never below 0."""
    mass: Numbers = np.clip(1 - np.exp(logps.astype(np.float64)).sum(-1), 0, None)
    return mass


_COLUMNS = ("prompt_tokens", "tokens", "logps", "top_ids", "top_logps", "tail")


def _rounded(logps: Numbers) -> list[list[float]]:
    rows: list[list[float]] = (np.round(logps.astype(np.float64), _DIGITS) + 0.0).tolist()  # no -0.0
    return rows


def _entries(ids: Iterable[int], values: Iterable[float]) -> list[dict[str, object]]:
    return [{"token": f"token_id:{token}", "logprob": value} for token, value in zip(ids, values, strict=True)]


def _id_bytes(taught: Taught, ids: Numbers) -> int:
    highest = max([int(ids.max(initial=0)), *taught.prompt_tokens, *taught.tokens])
    return max(1, (highest.bit_length() + 7) // 8)


def _ids(ids: Sequence[int] | Numbers, size: int) -> bytes:
    whole = np.ascontiguousarray(ids, "<u4").reshape(-1, 1).view(np.uint8)
    return whole[:, :size].tobytes()


def _read_ids(data: bytes, size: int) -> Numbers:
    few = np.frombuffer(data, np.uint8).reshape(-1, size)
    return np.ascontiguousarray(np.pad(few, ((0, 0), (0, 4 - size)))).view("<u4")[:, 0]


def _codes(logps: Numbers) -> bytes:
    roots = np.sqrt(np.clip(-logps.astype(np.float64), 0, None))
    codes = np.where(np.isinf(roots), _NEVER, np.minimum(np.rint(roots * _SCALE), _NEVER - 1))
    return codes.astype("<u2").tobytes()


def _decode(data: bytes) -> Numbers:
    codes = np.frombuffer(data, "<u2")
    return np.where(codes == _NEVER, -np.inf, -((codes / _SCALE) ** 2))


def _log(mass: Numbers) -> Numbers:
    return np.log(mass, out=np.full_like(mass, -np.inf), where=mass > 0)


def _number(key: str, value: str, least: int) -> int:
    if not value.isdecimal() or int(value) < least:
        raise _misfit(f"{key}: must be an integer >= {least}, got {value!r}")
    return int(value)


def _misfit(problem: str) -> OptionError:
    return OptionError(f"--token-logprobs: {problem}; write it like top=20,layout=packed")

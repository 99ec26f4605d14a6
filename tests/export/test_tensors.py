"""The reader gives back what was written, in every layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import orjson
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import InputError
from vsgen.export.packed import FIELD, Layout, TokenLogprobs, pack, tail_mass, token_row, tops
from vsgen.export.tensors import TokenTargets, read_file, read_row
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Taught

HF: Any = transformers
MakeTaught = Callable[..., Taught]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
MESSAGES = (Message("user", "Name a random colour."), Message("assistant", "blue"))


def written(taught: Taught, layout: Layout) -> dict[str, object]:
    row: dict[str, object] = orjson.loads(
        orjson.dumps(token_row(taught, TokenLogprobs(layout=layout, tail=2), MESSAGES))
    )
    return row


def precision(layout: Layout, logps: Any) -> Any:
    return 1.3e-4 * np.sqrt(-logps) + 1e-6 if layout == "packed" else np.full_like(logps, 6e-6)


def check(target: TokenTargets, taught: Taught, layout: Layout) -> None:
    ids, logps = tops(taught)
    assert target.input_ids.tolist() == [*taught.prompt_tokens, *taught.tokens]
    assert target.answer_start == len(taught.prompt_tokens)
    assert target.ids.dtype == torch.long
    assert target.ids.tolist() == ids.tolist()
    assert target.logps.dtype == target.tail.dtype == torch.float32
    near = logps > -40
    assert (np.abs(target.logps.numpy() - logps) <= precision(layout, logps))[near].all()
    assert (target.logps.numpy() <= -39.99)[~near].all()
    assert target.tail.numpy() == pytest.approx(tail_mass(logps), rel=1e-3, abs=1e-5 * taught.width)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(seed=st.integers(0, 30), prompt=st.integers(1, 6), length=st.integers(1, 6), top=st.integers(1, 20))
def test_every_layout_is_read_back(
    make_taught: MakeTaught, layout: Layout, seed: int, prompt: int, length: int, top: int
) -> None:
    taught = make_taught(seed, prompt=prompt, length=length, top=top)
    check(read_row(written(taught, layout)), taught, layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_are_read_row_by_row(tmp_path: Path, make_taught: MakeTaught, layout: Layout) -> None:
    path = tmp_path / "rows.jsonl"
    many = [make_taught(seed, length=1 + seed) for seed in range(4)]
    path.write_bytes(b"\n".join(orjson.dumps({"id": "x", **written(one, layout)}) for one in many) + b"\n\n")
    for target, taught in zip(read_file(path), many, strict=True):
        check(target, taught, layout)


def test_compact_form_is_read_by_itself(make_taught: MakeTaught) -> None:
    check(read_row(pack(make_taught())), make_taught(), "packed")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_teacher_has_nothing_to_learn_from_its_own_row(tiny_taught: Taught, layout: Layout) -> None:
    target = read_row(written(tiny_taught, layout))
    model = HF.AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float32)
    with torch.inference_mode():
        logits = model(target.input_ids[None]).logits[0]
    said = logits[target.answer_start - 1 : -1].log_softmax(-1).gather(1, target.ids)
    divergence = (target.logps.exp() * (target.logps - said)).sum(1)
    assert divergence.abs().max() < 2e-4


def test_wrong_lines_are_named(tmp_path: Path, make_taught: MakeTaught) -> None:
    path = tmp_path / "rows.jsonl"
    good = orjson.dumps(written(make_taught(), "packed"))
    for line, problem in (
        (b"{", "rows.jsonl:2: not JSON"),
        (b"[]", "rows.jsonl:2: not a token-level row: it has neither token_logprobs, top_values nor logprobs"),
        (b'{"token_logprobs":null}', "rows.jsonl:2: token_logprobs: not the compact form"),
        (b'{"top_values":[[0]]}', "rows.jsonl:2: a token-level row is inconsistent"),
        (b'{"logprobs":[[0]],"tokens":[1]}', "rows.jsonl:2: a token-level row is inconsistent"),
    ):
        path.write_bytes(good + b"\n" + line + b"\n")
        with pytest.raises(InputError, match=problem):
            list(read_file(path))
    with pytest.raises(InputError, match=r"none.jsonl: cannot be read"):
        list(read_file(tmp_path / "none.jsonl"))


def test_columns_of_unequal_length_are_refused(make_taught: MakeTaught) -> None:
    row: Any = written(make_taught(), "axolotl")
    with pytest.raises(InputError, match="inconsistent"):
        read_row(row | {"target_token_ids": row["target_token_ids"][:2]})
    packed: Any = written(make_taught(), "packed")[FIELD]
    with pytest.raises(InputError, match="columns are inconsistent"):
        read_row({FIELD: packed | {"tail": packed["logps"] + packed["logps"]}})

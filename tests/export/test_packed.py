"""The compact form keeps what the teacher said; trainers' rows stand where trainers look for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import orjson
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import InputError, OptionError
from vsgen.export.packed import (
    FIELD,
    FLOOR,
    NOTHING,
    Layout,
    TokenLogprobs,
    axolotl_row,
    distillkit_row,
    pack,
    parse_token_logprobs,
    tail_mass,
    token_row,
    tops,
    unpack,
)
from vsgen.files.journal import FileJournal
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Prompt, Taught, Teach

HF: Any = transformers
MakeTaught = Callable[..., Taught]
MESSAGES = (Message("user", "Name a random colour."), Message("assistant", "blue"))
SIZES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 99),
        "prompt": st.integers(0, 9),
        "length": st.integers(1, 9),
        "top": st.integers(1, 20),
        "vocabulary": st.sampled_from([20, 255, 256, 257, 65_536, 65_537]),
    }
)


@given(sizes=SIZES)
def test_compact_form_keeps_ids_exactly_and_logps_within_its_precision(
    make_taught: MakeTaught, sizes: dict[str, int]
) -> None:
    taught = make_taught(**sizes)
    back, tail = unpack(orjson.loads(orjson.dumps(pack(taught))))
    assert (back.prompt_tokens, back.tokens, back.width) == (taught.prompt_tokens, taught.tokens, taught.width)
    assert back.top_ids == taught.top_ids
    for one, two in ((tops(taught)[1], tops(back)[1]), (np.array(taught.logps), np.array(back.logps))):
        assert (np.abs(one - np.clip(two, -64, 0)) <= 1.3e-4 * np.sqrt(-two) + 1e-6)[one > -64].all()
    exact = tail_mass(tops(taught)[1])
    assert tail == pytest.approx(exact, rel=1e-3, abs=1e-12)
    assert pack(replace(back, logps=taught.logps))["top_logps"] == pack(taught)["top_logps"]


@pytest.mark.parametrize(("highest", "size"), [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3), (2**24, 4)])
def test_ids_take_as_few_bytes_as_the_highest_needs(make_taught: MakeTaught, highest: int, size: int) -> None:
    taught = replace(make_taught(vocabulary=20, top=2), prompt_tokens=(0, highest))
    assert pack(taught)["id_bytes"] == (size if highest > 20 else 1)
    assert unpack(pack(taught))[0].prompt_tokens == (0, highest)


def test_impossible_tokens_stay_impossible(make_taught: MakeTaught) -> None:
    taught = make_taught(length=1, top=3)
    padded = replace(taught, logps=(-math.inf,), top_logps=np.array([-0.0, -math.inf, -200], "<f4").tobytes())
    back, tail = unpack(pack(padded))
    assert back.logps == (-math.inf,)
    assert tops(back)[1].tolist() == [[0, -math.inf, pytest.approx(-64, abs=0.01)]]
    assert tail.tolist() == [0]


def test_tail_is_what_the_top_leaves(make_taught: MakeTaught) -> None:
    for top in (1, 5, 49):
        logps = tops(make_taught(top=50))[1].astype(float)
        assert tail_mass(logps[:, :top]) == pytest.approx(np.exp(logps[:, top:]).sum(1), abs=1e-6)
    assert (tail_mass(logps) >= 0).all()
    assert tail_mass(logps) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "change",
    [{"tokens": "AAAA"}, {"tail": "!"}, {"top": 4}, {"id_bytes": 3}, {"top_ids": None}, {"top": "x"}],
    ids=lambda change: next(iter(change)),
)
def test_damaged_compact_form_is_refused(make_taught: MakeTaught, change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="token_logprobs: "):
        unpack(pack(make_taught()) | change)


def student(inputs: list[int]) -> Any:
    """log P(next token) after each input, by the embedded model itself: the student that has nothing left to learn."""
    model = HF.AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float32)
    with torch.inference_mode():
        return model(input_ids=torch.tensor([inputs])).logits[0].log_softmax(-1)


def test_distillkit_compares_each_row_with_what_a_student_says_after_the_same_input(tiny_taught: Taught) -> None:
    row: Any = distillkit_row(tiny_taught)
    assert {len(column) for column in row.values()} == {len(tiny_taught.prompt_tokens) + len(tiny_taught.tokens)}
    mask = torch.tensor(row["labels"]) >= 0
    ids, values = torch.tensor(row["token_ids"]), torch.tensor(row["top_values"])
    said = student(row["input_ids"]).gather(1, ids)
    assert mask.sum() == len(tiny_taught.tokens)
    assert torch.allclose(said[mask], values[mask], atol=1e-4)
    assert (values.exp() * (values - said) * mask[:, None]).isfinite().all()


def test_distillkit_rows_without_a_teacher_are_finite_and_masked(make_taught: MakeTaught) -> None:
    taught = make_taught(prompt=3, length=2, top=2)
    padded = replace(taught, top_logps=np.array([-0.5, -math.inf, -1, -2], "<f4").tobytes())
    row: Any = distillkit_row(padded)
    assert row["labels"] == [-100, -100, row["input_ids"][2], row["input_ids"][3], -100]
    assert row["top_values"] == [[NOTHING] * 2, [NOTHING] * 2, [-0.5, NOTHING], [-1, -2], [NOTHING] * 2]
    with pytest.raises(InputError, match="a prompt of one token or more"):
        distillkit_row(make_taught(prompt=0))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("after", ["", "\n"], ids=["nothing after the end", "a token after the end"])
def test_axolotl_puts_each_row_where_a_student_says_the_same(tiny_taught: Taught, version: Any, after: str) -> None:
    tokenizer = HF.AutoTokenizer.from_pretrained(WEIGHTS)
    template = tokenizer.chat_template.replace("{{ eos_token }}", "{{ eos_token }}" + after)
    row: Any = axolotl_row(tiny_taught, MESSAGES, tail=len(after), version=version)
    text = tokenizer.apply_chat_template(row["messages"], tokenize=False, chat_template=template)
    inputs = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert inputs[: len(inputs) - len(after)] == [*row["prompt_tokens"], *row["tokens"]]
    rows = read_as_axolotl(row, len(inputs))
    answer = range(len(row["prompt_tokens"]) - 1, len(row["prompt_tokens"]) + len(row["tokens"]) - 1)
    said = student(inputs)
    for at in answer:
        ids, logps = rows[at]
        assert torch.allclose(said[at, ids].log_softmax(-1), torch.tensor(logps).log_softmax(-1), atol=1e-4)
    assert all(rows[at][0][0] == tiny_taught.tokens[-1] for at in range(answer.stop, len(inputs)))


def read_as_axolotl(row: Any, inputs: int) -> dict[int, tuple[list[int], list[float]]]:
    """Ids and log-probabilities by the input that they stand at: rows end where the input ends."""
    if "target_token_ids" in row:
        pairs = list(zip(row["target_token_ids"], row["logprobs"], strict=True))
    else:
        split = [[(int(one["token"].split(":")[1]), one["logprob"]) for one in step] for step in row["logprobs"]]
        pairs = [([token for token, _ in step], [logp for _, logp in step]) for step in split]
    return dict(zip(range(inputs - len(pairs), inputs), pairs, strict=True))


def test_axolotl_rows_survive_its_float32_renormalisation(make_taught: MakeTaught) -> None:
    taught = replace(make_taught(length=1, top=3), top_logps=np.array([-1e-4, -120, -math.inf], "<f4").tobytes())
    row: Any = axolotl_row(taught, MESSAGES)
    for step in row["logprobs"]:
        assert min(step) >= FLOOR
        probs = torch.tensor(step, dtype=torch.float32).exp()
        for temperature in (0.5, 1, 2):
            warmed = (probs / probs.sum()) ** (1 / temperature)
            assert (warmed / warmed.sum()).log().isfinite().all()


def test_axolotl_needs_the_conversation(make_taught: MakeTaught) -> None:
    for messages in ((), MESSAGES[:1]):
        with pytest.raises(InputError, match="chat messages that end with the answer"):
            axolotl_row(make_taught(), messages)


@pytest.mark.parametrize("layout", get_args(Layout))
def test_every_layout_adds_its_keys_to_a_row(make_taught: MakeTaught, layout: Layout) -> None:
    keys = {
        "packed": {FIELD},
        "distillkit": {"input_ids", "labels", "token_ids", "top_values"},
        "axolotl": {"messages", "logprobs", "target_token_ids", "prompt_tokens", "tokens"},
        "axolotl-v1": {"messages", "logprobs", "prompt_tokens", "tokens"},
    }
    row = token_row(make_taught(), TokenLogprobs(layout=layout), MESSAGES)
    assert row.keys() == keys[layout]
    assert orjson.loads(orjson.dumps(row)) == row


def test_option_is_read_with_its_defaults() -> None:
    assert parse_token_logprobs("") == TokenLogprobs(20, "packed", 0)
    assert parse_token_logprobs("top=5") == TokenLogprobs(5, "packed", 0)
    assert parse_token_logprobs(" layout=axolotl , tail=1,top=7") == TokenLogprobs(7, "axolotl", 1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("top=0", "top: must be an integer >= 1, got '0'"),
        ("top=many", "top: must be an integer >= 1, got 'many'"),
        ("tail=-1", "tail: must be an integer >= 0, got '-1'"),
        ("layout=csv", "layout: must be one of packed, distillkit, axolotl, axolotl-v1, got 'csv'"),
        ("k=20", "unknown part 'k=20'"),
        ("20", "unknown part '20'"),
    ],
)
def test_option_that_is_wrong_says_what_and_how(text: str, problem: str) -> None:
    with pytest.raises(OptionError) as error:
        parse_token_logprobs(text)
    assert problem in str(error.value)
    assert "write it like top=20,layout=packed" in str(error.value)


def test_what_a_teacher_said_survives_the_journal(tmp_path: Path, make_taught: MakeTaught) -> None:
    asks = [Teach(Prompt(MESSAGES[:1]), "blue" * i, top=5) for i in range(3)]
    with FileJournal(tmp_path / "j") as journal:
        for seed, ask in enumerate(asks):
            journal.add(journal.key("m", ask), "m", ask, make_taught(seed))
    with FileJournal(tmp_path / "j") as journal:
        assert [journal.find(journal.key("m", ask), ask) for ask in asks] == [make_taught(seed) for seed in range(3)]

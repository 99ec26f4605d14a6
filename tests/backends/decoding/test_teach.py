"""Distributions along an answer are those of one plain forward pass over prompt, answer and all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from vsgen.backends.decoding import teach as teach_module
from vsgen.backends.decoding.parts import Limits
from vsgen.backends.hf import lessons
from vsgen.backends.hf.model import open_hf
from vsgen.errors import ModelError, TooLongError
from vsgen.testing import check_teacher
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Prompt, Score, Taught, Teach

HF: Any = transformers
MakeModel = Callable[..., Path]
CHAT = Prompt((Message("user", "Which queue? My bike light died in the rain."),))
PLAIN = Prompt(prefill="My bike")
ANSWERS = ("", "bug", "the espresso machine leaks and I'd like a refund", " light died in the café", "s")


def tops(one: Taught) -> tuple[Any, Any]:
    shape = (len(one.tokens), one.width)
    return np.frombuffer(one.top_ids, "<u4").reshape(shape), np.frombuffer(one.top_logps, "<f4").reshape(shape)


def plain(folder: Path, one: Taught, dtype: torch.dtype = torch.float32) -> Any:
    """log P of the whole vocabulary at each position of the answer, by one forward pass without a cache."""
    model = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    ids = [*one.prompt_tokens, *one.tokens[:-1]]
    with torch.inference_mode():
        steps = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, len(one.prompt_tokens) - 1 :]
    return steps.double().log_softmax(-1).numpy()


def calls(prompt: Prompt, top: int = 7) -> list[Teach]:
    return [Teach(prompt, answer, top) for answer in ANSWERS]


@pytest.mark.parametrize("prompt", [CHAT, PLAIN], ids=["chat", "plain"])
@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3_text", "mistral"])
def test_distributions_are_those_of_a_plain_forward_pass(
    make_model: MakeModel, kind: str, spelling: str, prompt: Prompt
) -> None:
    folder = make_model(kind, spelling=spelling)
    for one in open_hf(str(folder), device="cpu").teach(calls(prompt)):
        expected = plain(folder, one)
        ids, logps = tops(one)
        assert one.logps == pytest.approx([expected[i, token] for i, token in enumerate(one.tokens)], abs=1e-5)
        assert logps == pytest.approx(np.take_along_axis(expected, ids.astype(int), 1), abs=1e-5)
        assert logps == pytest.approx(-np.sort(-expected, 1)[:, :7], abs=1e-5)


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
def test_answer_is_tokenised_in_its_place_after_the_prompt(make_model: MakeModel, spelling: str) -> None:
    folder = make_model(spelling=spelling)
    tokenizer = HF.AutoTokenizer.from_pretrained(folder)
    for prompt, text in ((PLAIN, "My bike"), (Prompt(prefill="not rel"), "not rel")):
        for call, one in zip(calls(prompt), open_hf(str(folder), device="cpu").teach(calls(prompt)), strict=True):
            whole = tokenizer(text + call.answer, add_special_tokens=True)["input_ids"]
            assert [*one.prompt_tokens, *one.tokens] == [*whole, tokenizer.eos_token_id]


def test_answer_merging_with_the_prompt_begins_before_its_end(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(chat=None)), device="cpu")
    alone, merged = model.teach([Teach(Prompt(prefill="re"), answer) for answer in ("", "fund")])
    assert len(merged.prompt_tokens) <= len(alone.prompt_tokens)
    tokenizer = model._parts.tokenizer
    assert tokenizer.decode([*merged.prompt_tokens, *merged.tokens[:-1]]) == "refund"


@pytest.mark.parametrize("chat", [True, False], ids=["chat model", "base model"])
def test_distributions_do_not_depend_on_companions_to_the_byte(make_model: MakeModel, chat: bool) -> None:
    folder = make_model() if chat else make_model(chat=None)
    model = open_hf(str(folder), device="cpu", dtype="float64")
    rng = Random(1)
    asks = [
        Teach(
            Prompt((Message("user", "a bike light " * rng.randint(1, 12)),)), "refund leaks " * rng.randint(0, 9), top
        )
        for top in (5, 5, 5, 20, 10_000)
        for _ in range(6)
    ]
    together = model.teach(asks)
    assert list(together) == list(model.teach(asks[::-1]))[::-1]
    assert list(together) == [model.teach([ask])[0] for ask in asks]


def test_long_answers_go_through_in_parts(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model("gemma3_text")), device="cpu", dtype="float64")
    asks = [*calls(CHAT), *calls(Prompt((Message("user", "Why?"),)))]
    whole = model.teach(asks)
    for positions in (1, 3, 20):
        monkeypatch.setattr(lessons, "_SCORES", positions * model._parts.network.vocabulary)
        assert list(model.teach(asks)) == list(whole)


def test_batches_stay_within_their_limits() -> None:
    rng = Random(2)
    plans = [
        teach_module._Plan((1,) * rng.randint(1, 90), (2,) * rng.randint(0, 90), (0,), rng.choice((5, 20)))
        for _ in range(300)
    ]
    batches = list(teach_module._batches(plans, Limits(rows=32, tokens=0, forward=512, tree=0), vocabulary=1 << 18))
    assert sorted(plan for batch in batches for plan in batch) == sorted(plans)
    for batch in batches:
        answer = 1 + max(len(plan.answer) for plan in batch)
        padded = len(batch) * (answer + max(len(plan.prompt) for plan in batch))
        assert len({plan.top for plan in batch}) == 1
        assert len(batch) == 1 or (padded <= 512 and len(batch) * answer << 18 <= teach_module._SCORES)
    assert len(batches) < 120


def test_equal_scores_are_ranked_by_token_id() -> None:
    rng = np.random.default_rng(0)
    scores = torch.tensor(rng.integers(0, 4, (3, 40, 30)), dtype=torch.float32)
    scores[0, 0] = 0
    for k in (1, 2, 7, 29, 30):
        expected = np.lexsort((np.broadcast_to(np.arange(30), scores.shape), -scores.numpy()), axis=-1)[..., :k]
        assert (lessons._top(scores, k).numpy() == expected).all()


def test_whole_vocabulary_is_said_where_more_is_asked_for(make_model: MakeModel) -> None:
    folder = make_model()
    (one,) = open_hf(str(folder), device="cpu").teach([Teach(CHAT, "bug", top=10**6)])
    ids, logps = tops(one)
    assert one.width == HF.AutoConfig.from_pretrained(folder).vocab_size
    assert (np.sort(ids, 1) == np.arange(one.width)).all()
    assert np.exp(logps.astype(float)).sum(1) == pytest.approx(1, abs=1e-6)


def test_sum_over_the_answer_is_its_score(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    (scores,) = model.score([Score(CHAT, ANSWERS)])
    assert [sum(one.logps) for one in model.teach(calls(CHAT))] == pytest.approx(scores.logp, abs=1e-5)


def test_likeliest_of_several_end_tokens_is_the_end(make_model: MakeModel) -> None:
    ends = (5, 9, 11)
    folder = make_model(ends=ends)
    for one in open_hf(str(folder), device="cpu").teach(calls(CHAT)):
        last = plain(folder, one)[-1]
        every = (*ends, HF.AutoTokenizer.from_pretrained(folder).eos_token_id)
        assert one.tokens[-1] == max(every, key=lambda end: last[end])


def test_answer_beyond_the_context_names_both_numbers(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(max_position_embeddings=64)), device="cpu")
    with pytest.raises(TooLongError, match=r"\d{3} tokens and the model's context only 64; shorten"):
        model.teach([Teach(CHAT, "bug"), Teach(CHAT, "bike " * 200)])


def test_model_without_end_token_cannot_teach(make_model: MakeModel) -> None:
    folder = make_model(eos_token_id=None)
    for file in ("tokenizer_config.json", "generation_config.json"):
        (folder / file).write_text((folder / file).read_text().replace("eos_token", "nothing"))
    with pytest.raises(ModelError, match="no end-of-text token"):
        open_hf(str(folder), device="cpu").teach([Teach(CHAT, "a")])


def test_empty_prompt_is_taught_from_the_models_first_token(make_model: MakeModel) -> None:
    (one,) = open_hf(str(make_model(spelling="pieces")), device="cpu").teach([Teach(Prompt(), "bug")])
    assert len(one.prompt_tokens) == 1
    assert len(one.tokens) == len(one.logps) > 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_embedded_model_keeps_the_laws_of_a_teacher(dtype: str) -> None:
    model = open_hf(str(WEIGHTS), device="cpu", dtype=dtype)
    check_teacher(model, model, 1e-4 if dtype == "float32" else 0.2, lambda reply: False)

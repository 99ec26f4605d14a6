"""Scores are those of one plain forward pass per choice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import transformers

from vsgen.backends.hf import score as score_module
from vsgen.backends.hf.model import HfModel
from vsgen.backends.hf.tree import plant
from vsgen.errors import ModelError
from vsgen.values import Message, Prompt, Score

HF: Any = transformers
MakeModel = Callable[..., Path]
WORDS = ["billing", "bug", "how-to", "not", "relevant", "card", "payment", "transfer", "refund", "lost"]
PREFIXES = ("not", "not relevant", "not relevant at all", "relevant", "")
UNEQUAL = ("bug", "a question about how-to do something with the machine", "how-to")
BANKING = tuple(
    dict.fromkeys(" ".join(Random(seed).choices(WORDS, k=1 + seed % 4)) + f" {seed % 7}" for seed in range(77))
)
CHAT = Prompt((Message("user", "Which queue? My bike light died in the rain."),))


def brute(folder: Path, text: str, choice: str, *, special: bool) -> float:
    """log P(prompt + choice + end) - log P(prompt), each by a forward pass over everything."""
    model = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = HF.AutoTokenizer.from_pretrained(folder)

    def logp(ids: list[int]) -> float:
        with torch.inference_mode():
            steps = model(input_ids=torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
        return float(steps.gather(1, torch.tensor(ids[1:])[:, None]).sum())

    whole = tokenizer(text + choice, add_special_tokens=special)["input_ids"]
    return logp([*whole, tokenizer.eos_token_id]) - logp(tokenizer(text, add_special_tokens=special)["input_ids"])


@pytest.mark.parametrize("choices", [PREFIXES, UNEQUAL, BANKING], ids=["prefixes", "unequal", "77 classes"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3_text"])
def test_scores_are_those_of_one_forward_pass_per_choice(
    make_model: MakeModel, kind: str, choices: tuple[str, ...]
) -> None:
    folder = make_model(kind)
    (scores,) = HfModel.open(str(folder), device="cpu").score([Score(CHAT, choices)])
    text = f"<|user|>{CHAT.messages[0].content}<|end|>\n<|assistant|>"
    some = range(0, len(choices), 1 if len(choices) < 10 else 9)
    expected = [brute(folder, text, choices[i], special=False) for i in some]
    assert [scores.logp[i] for i in some] == pytest.approx(expected, abs=1e-4)


def test_choices_that_merge_with_the_prompt_are_scored_in_their_place(make_model: MakeModel) -> None:
    folder = make_model(spelling="pieces")
    model = HfModel.open(str(folder), device="cpu")
    text, choices = "My bike", (" light", "s", "")
    (scores,) = model.score([Score(Prompt(prefill=text), choices)])
    assert scores.logp == pytest.approx([brute(folder, text, each, special=True) for each in choices], abs=1e-4)


def test_calls_scored_together_are_scored_as_alone(make_model: MakeModel) -> None:
    model = HfModel.open(str(make_model()), device="cpu", dtype="float64")
    calls = [
        Score(Prompt((Message("user", "a bike light " * (1 + i % 5)),)), (PREFIXES, UNEQUAL)[i % 2]) for i in range(12)
    ]
    calls.append(calls[0])
    for call, together in zip(calls, model.score(calls), strict=True):
        (alone,) = model.score([call])
        assert together.prompt_tokens == alone.prompt_tokens
        assert together.logp == pytest.approx(alone.logp, abs=2e-6)


def test_large_trees_are_scored_in_parts(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = HfModel.open(str(make_model()), device="cpu", dtype="float64")
    (whole,) = model.score([Score(CHAT, BANKING)])
    monkeypatch.setattr(score_module, "_SCORES", 20 * model._parts.network.vocabulary)
    (parts,) = model.score([Score(CHAT, BANKING)])
    assert parts.logp == pytest.approx(whole.logp, abs=2e-6)


def test_empty_prompt_is_scored_from_the_models_first_token(make_model: MakeModel) -> None:
    model = HfModel.open(str(make_model(spelling="pieces")), device="cpu")
    (scores,) = model.score([Score(Prompt(), ("bug", ""))])
    assert all(logp < 0 for logp in scores.logp)


def test_several_end_tokens_count_together(make_model: MakeModel) -> None:
    one = HfModel.open(str(make_model(ends=[5])), device="cpu")
    other = HfModel.open(str(make_model(ends=[9])), device="cpu")
    both = HfModel.open(str(make_model(ends=[5, 9])), device="cpu")
    logps = [model.score([Score(CHAT, ("bug",))])[0].logp[0] for model in (one, other, both)]
    first = one.score([Score(CHAT, ("bug",))])[0].logp[0]
    assert max(logps[:2]) < logps[2]
    assert first == logps[0]


def test_model_without_end_token_cannot_score(make_model: MakeModel) -> None:
    folder = make_model(eos_token_id=None)
    for file in ("tokenizer_config.json", "generation_config.json"):
        (folder / file).write_text((folder / file).read_text().replace("eos_token", "nothing"))
    with pytest.raises(ModelError, match="no end-of-text token"):
        HfModel.open(str(folder), device="cpu").score([Score(CHAT, ("a",))])


def test_tree_shares_what_sequences_share() -> None:
    tree = plant([(1, 2), (1, 2, 3), (4,), (), (1, 5)])
    assert tree.tokens == (0, 1, 2, 3, 4, 5)
    assert tree.parents == (0, 0, 1, 2, 0, 1)
    assert tree.depths == (0, 1, 2, 3, 1, 2)
    assert tree.paths == ((1, 2), (1, 2, 3), (4,), (), (1, 5))
    assert tree.ancestors()[3].tolist() == [True, True, True, True, False, False]

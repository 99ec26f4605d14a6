"""What prompts share is computed once, on all levels and from batch to batch, which leaves the scores unchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import transformers

from vsgen.backends.decoding.forward import Pass, Passed, Stored
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.decoding.score import Scorer
from vsgen.backends.hf.model import open_hf
from vsgen.backends.open import open_model
from vsgen.values import Message, Prompt, Score, Scores

HF: Any = transformers
MakeModel = Callable[..., Path]
CLASSES = ("bug", "how-to", "not relevant", "not", "")
HEAD = "The espresso machine leaks and the cafe wants a refund. "
KINDS = [
    pytest.param("gemma3_text", {}),  # windows that slide, and layers that see all
    pytest.param("llama", {"num_key_value_heads": 2}, marks=pytest.mark.slow),
    pytest.param("gpt2", {}, marks=pytest.mark.slow),
    pytest.param("gpt_neox", {}, marks=pytest.mark.slow),
    pytest.param("mistral", {}, marks=pytest.mark.slow),
]
SIZES = [
    pytest.param(60, 16),
    pytest.param(0, 7, marks=pytest.mark.slow),
    pytest.param(0, 1000, marks=pytest.mark.slow),
    pytest.param(1000, 5, marks=pytest.mark.slow),
]
"""Tokens that are kept, and tokens of a pass."""


def labelled(texts: Sequence[str], questions: Sequence[str] = ("Which queue?", "Which mood?")) -> list[Score]:
    """Several questions on every text."""
    return [
        Score(Prompt((Message("user", f"{HEAD * 3}{text} {question}"),)), CLASSES)
        for text in texts
        for question in questions
    ]


def texts(n: int, seed: int = 0) -> list[str]:
    """Different texts of different lengths."""
    words = "my bike light died in the rain twice".split()  # noqa: SIM905
    return [" ".join(words[: 1 + i % 8] * (1 + i % 3)) + f" {i + seed}" for i in range(n)]


def computed(model: BatchedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tokens of every pass from now on."""
    tokens: list[int] = []
    tree = model._parts.network.tree

    def passing(before: Stored, nodes: Pass) -> Passed:
        tokens.append(len(nodes.tokens))
        return tree(before, nodes)

    monkeypatch.setattr(model._parts.network, "tree", passing)
    return tokens


def different(model: BatchedModel, calls: Sequence[Score]) -> set[tuple[int, ...]]:
    """All that stands in the calls up to some token, each once."""
    found = set[tuple[int, ...]]()
    for call in calls:
        prompt, rest, answers = model._parts.reader.placed(call.prompt, call.choices)
        assert not rest
        found |= {(*prompt, *answer)[:end] for answer in answers for end in range(1, len(prompt) + len(answer) + 1)}
    return found


def logps(found: Sequence[Scores]) -> list[float]:
    """All of them."""
    return [logp for scores in found for logp in scores.logp]


@pytest.mark.parametrize(("kind", "changes"), KINDS)
def test_scores_of_relatives_are_those_of_plain_forward_passes(
    make_model: MakeModel, kind: str, changes: dict[str, Any]
) -> None:
    folder = make_model(kind, **changes)
    model = open_hf(str(folder), device="cpu", dtype="float32")
    plain = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    calls = labelled(texts(9))
    found = [*model.score(calls[:7]), *model.score(calls[7:])]
    for call, scores in zip(calls, found, strict=True):
        prompt, _, answers = model._parts.reader.placed(call.prompt, call.choices)
        for answer, logp in zip(answers, scores.logp, strict=True):
            ids = [*prompt, *answer]
            with torch.inference_mode():
                steps = plain(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
            inner = sum(float(steps[at - 1, ids[at]]) for at in range(len(prompt), len(ids)))
            end = steps[-1, list(model._parts.ends)].logsumexp(0)
            assert logp == pytest.approx(inner + float(end), abs=1e-4)


def test_what_prompts_share_is_computed_once_on_every_level_and_in_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    tokens, known, total = computed(model, monkeypatch), set[tuple[int, ...]](), 0
    for batch in range(2):
        calls = labelled(texts(8, 100 * batch), ("Which queue?", "Which mood?", "Which mood of the writer?"))
        model.score(calls)
        new = different(model, calls) - known
        total += len(new)
        known |= new
        assert len(new) < (1 if batch == 0 else 0.6) * sum(len(different(model, [call])) for call in calls) / 3
        assert sum(tokens) == total


def test_a_prompt_that_shares_nothing_is_computed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    tokens = computed(model, monkeypatch)
    calls = [Score(Prompt(prefill=f"{text} and so on."), CLASSES) for text in ("Red", "A blue bike", "Nine")]
    model.score(calls)
    assert tokens == [len(different(model, calls))]
    assert tokens[0] > sum(len(different(model, [call])) for call in calls) - 2 * len(calls)


@pytest.mark.parametrize(("kept", "tree"), SIZES)
def test_scores_do_not_depend_on_how_much_is_kept_or_computed_at_once(kept: int, tree: int) -> None:
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    limits = replace(model._limits, tokens=4 * kept, tree=tree)
    scorer, calls = Scorer(model._parts, limits), labelled(texts(12))
    Random(1).shuffle(calls)
    found: list[Scores] = []
    with model._parts.network.computing():
        for at in range(0, len(calls), 5):
            found += scorer.score(calls[at : at + 5])
    longest = max(map(len, different(model, calls)))
    assert len(scorer._pool) <= max(kept, longest + tree)
    alone = [open_model("tiny").score([call])[0] for call in calls[::12]]
    assert logps(found[::12]) == pytest.approx(logps(alone), abs=1.1e-6)
    assert logps(found) == pytest.approx(logps(model.score(calls)), abs=1.1e-6)


def test_a_model_that_cannot_be_told_which_scores_are_wanted_gives_the_same(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, calls = open_hf(str(make_model()), device="cpu"), labelled(texts(6))
    expected = logps(model.score(calls))
    monkeypatch.setattr(model._parts.network, "_takes_places", False)
    assert logps(model.score(calls)) == pytest.approx(expected, abs=1e-4)


def test_after_a_failure_nothing_is_left_that_may_be_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    calls, tree = labelled(texts(12)), model._parts.network.tree
    expected = logps(model.score(calls))
    left = [2]

    def failing(before: Stored, nodes: Pass) -> Passed:
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError
        return tree(before, nodes)

    monkeypatch.setattr(model._parts.network, "tree", failing)
    with pytest.raises(MemoryError):
        model.score(labelled(texts(12, 1000)))
    left[0] = 1000
    assert logps(model.score(calls)) == pytest.approx(expected, abs=1.1e-6)

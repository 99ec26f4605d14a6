"""Targets in a tokenizer's tokens: whole tries, and drawn answers with the distributions along them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.distributions.spelling import PROMPT, Characters
from vsgen.distributions.draws import draw
from vsgen.distributions.soft import PAD_LOGP, Spelled, paths, spell, trie_row
from vsgen.distributions.target import Target, normalized
from vsgen.errors import InputError

TARGET = Target("days", "days", {}, PROMPT, ("a", "ab", "ba", "bb"), (0.4, 0.3, 0.2, 0.1))
LETTERS = Characters("ab")


@pytest.fixture
def spelled() -> Spelled:
    return spell(TARGET, LETTERS)


def test_a_row_holds_the_whole_trie(spelled: Spelled) -> None:
    row = trie_row(spelled)
    assert row["prompt_ids"] == [7, 8]
    trie = row["trie"]
    assert isinstance(trie, dict) and trie["tokens"] == [-1, 0, 1, 2, 2, 1, 0, 2, 1, 2]
    assert trie["parents"] == [-1, 0, 1, 2, 1, 0, 5, 6, 5, 8]
    assert trie["probs"] == pytest.approx([1, 0.7, 3 / 7, 1, 4 / 7, 0.3, 2 / 3, 1, 1 / 3, 1])


def test_lengths_count_the_end(spelled: Spelled) -> None:
    assert spelled.steps == pytest.approx(0.4 * 2 + 0.6 * 3)
    assert spelled.longest == 3
    assert spelled.distinct == 4


def test_a_path_says_the_exact_next_tokens_along_a_drawn_answer(spelled: Spelled) -> None:
    for taught, value in zip(paths(TARGET, spelled, 0, 50), draw(TARGET, 0, 50), strict=True):
        assert taught.prompt_tokens == (7, 8)
        assert "".join("ab$"[token] for token in taught.tokens) == TARGET.values[value] + "$"
        assert math.exp(math.fsum(taught.logps)) == pytest.approx(TARGET.probs[value], abs=1e-12)
        ids = np.frombuffer(taught.top_ids, "<u4").reshape(-1, taught.width)
        logps = np.frombuffer(taught.top_logps, "<f4").reshape(-1, taught.width)
        assert len(ids) == len(taught.tokens)
        for at, token in enumerate(taught.tokens):
            real = logps[at] > PAD_LOGP
            assert np.exp(logps[at][real]).sum() == pytest.approx(1, abs=1e-6)
            assert logps[at][ids[at].tolist().index(token)] == pytest.approx(taught.logps[at], abs=1e-6)
            assert (np.diff(logps[at]) <= 0).all()
            assert (logps[at][~real] == np.float32(PAD_LOGP)).all()


def test_draws_are_the_targets_own() -> None:
    counts = Counter(draw(TARGET, 1, 20_000))
    seen = [counts[value] for value in range(4)]
    assert stats.chisquare(seen, [20_000 * prob for prob in TARGET.probs]).pvalue > 1e-4


def test_draws_depend_on_the_seed_and_the_prompt_and_on_nothing_else() -> None:
    assert draw(TARGET, 0, 16) == draw(TARGET, 0, 16) == draw(TARGET, 0, 32)[:16]
    assert draw(TARGET, 0, 16) != draw(TARGET, 1, 16)
    assert draw(TARGET, 0, 16) != draw(replace(TARGET, id="other"), 0, 16)


def test_impossible_answers_are_never_drawn_and_have_no_leaf() -> None:
    target = replace(TARGET, probs=(0.0, 1.0, 0.0, 0.0))
    assert set(draw(target, 0, 100)) == {1}
    (taught,) = paths(target, spell(target, LETTERS), 0, 1)
    assert taught.logps == (0.0, 0.0, 0.0)


def test_an_answer_with_the_end_inside_is_named() -> None:
    class Careless(Characters):
        def spell(self, prompt: object, answers: object) -> tuple[list[int], list[list[int]]]:
            return [7], [[0], [0, 2, 1], [1], [1, 1]]

    with pytest.raises(InputError, match="days: answer 'ab' contains the token that ends a reply"):
        spell(TARGET, Careless("ab"))


def test_weights_become_probabilities_or_are_refused() -> None:
    assert normalized({"x": 1.0, "y": 3.0}, "here") == (("x", "y"), (0.25, 0.75))
    with pytest.raises(InputError, match="here: the weights must have a finite sum above 0, got 0; give some answer"):
        normalized({"x": 0.0}, "here")

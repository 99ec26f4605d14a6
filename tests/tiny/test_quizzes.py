"""Quizzes: no option twice, the key is right, and the right option stands where the bias says."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from vsgen.tiny.asks import Answers, Class
from vsgen.tiny.chat import classified
from vsgen.tiny.grammar.quizzes import BIAS, CLASSES, POSITION, SUBJECTS
from vsgen.tiny.grammar.script import follow
from vsgen.tiny.grammar.source import Source, head_probs, read
from vsgen.tiny.grammar.tasks import by_topic, questions, quiz_source
from vsgen.tiny.replies import reply

FORM = re.compile(r"(?P<asked>.+\?) A\) (.+) B\) (.+) C\) (.+) D\) (.+?)(?: Answer: (?P<key>[A-D]))?")
BOTH = pytest.mark.parametrize("keyed", [False, True], ids=["open", "keyed"])
EACH = pytest.mark.parametrize("subject", SUBJECTS)


def texts(of: Source) -> Iterator[tuple[str, float, tuple[float, ...]]]:
    """Every text that is possible: with its probability and posterior."""
    for opening, tables in zip(of.heads.texts, of.rest, strict=True):
        for parts in product(*(table.texts for table in tables)):
            found = read(of, opening + "".join(parts))
            if found is not None:
                yield opening + "".join(parts), found.p, found.posterior


def right_position(subject: str, text: str) -> int:
    """Where the right option stands, by the facts alone; checks the form on the way."""
    match = FORM.fullmatch(text)
    assert match is not None, text
    options = match.groups()[1:5]
    assert len(set(options)) == len(options), text
    position = options.index(SUBJECTS[subject][match["asked"]][0])
    assert match["key"] in {None, CLASSES[position]}, text
    return position


@BOTH
@EACH
def test_no_option_stands_twice_the_key_is_right_and_the_posterior_knows_the_position(
    subject: str, keyed: bool
) -> None:
    for text, _, posterior in texts(quiz_source(subject, keyed=keyed)):
        at = right_position(subject, text)
        assert posterior == tuple(float(i == at) for i in range(len(CLASSES)))


@BOTH
@EACH
def test_positions_have_exactly_the_stated_shares(subject: str, keyed: bool) -> None:
    shares = [0.0] * len(CLASSES)
    for text, p, _ in texts(quiz_source(subject, keyed=keyed)):
        shares[right_position(subject, text)] += p
    assert shares == pytest.approx(POSITION, abs=1e-12)


@EACH
def test_only_keyed_questions_name_the_right_option(subject: str) -> None:
    for keyed in (False, True):
        assert all((" Answer: " in text) == keyed for text, _, _ in texts(quiz_source(subject, keyed=keyed)))


@EACH
def test_questions_are_asked_as_often_as_stated_in_per_cent(subject: str) -> None:
    asked = SUBJECTS[subject]
    assert math.fsum(share for _, share in asked.values()) == pytest.approx(100)
    assert head_probs(quiz_source(subject, keyed=True)) == pytest.approx([share / 100 for _, share in asked.values()])


@EACH
def test_right_options_of_a_subject_differ(subject: str) -> None:
    answers = [right for right, _ in SUBJECTS[subject].values()]
    assert len(set(answers)) == len(answers) == 2 * len(CLASSES) + 1  # two wrong ones per position


def shares(ask: Answers, subject: str) -> list[float]:
    """P(the right option stands at A, B, C, D) in the replies to an ask, by going through all of them."""
    found: defaultdict[int, float] = defaultdict(float)
    open_ends: list[tuple[tuple[int, ...], str, float]] = [((), "", 1.0)]
    while open_ends:
        taken, said, p = open_ends.pop()
        choice = follow(reply(ask), taken)
        if choice is None:
            found[right_position(subject, said.strip())] += p
            continue
        for i, (text, prob) in enumerate(zip(choice.texts, choice.probs, strict=True)):
            open_ends.append(((*taken, i), said + text, p * prob))
    return [found[i] for i in range(len(CLASSES))]


@EACH
def test_a_direct_answer_leans_to_c_more_than_the_truth_and_completion_does_not(subject: str) -> None:
    request = next(one for one in by_topic("quiz") if one.keys["subject"] == subject)
    assert shares(Answers(request, "plain"), subject) == pytest.approx(POSITION, abs=1e-12)
    sharp = shares(Answers(request), subject)
    assert math.fsum(sharp) == pytest.approx(1, abs=1e-12)
    assert sharp[2] > POSITION[2] + 0.2
    assert all(sharp[i] < POSITION[i] for i in (0, 1, 3))


def test_readers_answer_the_right_position_but_for_their_bias() -> None:
    rng = Random(0)
    question = questions()[-1]
    assert (question.topic, question.classes) == ("quiz", CLASSES)
    for _ in range(100):
        ask = classified(question, rng)
        assert isinstance(ask, Class)
        (subject,) = [name for name, asked in SUBJECTS.items() if f"{ask.text.partition('?')[0]}?" in asked]
        at = right_position(subject, ask.text)
        expected = [(1 - BIAS) * (i == at) + BIAS * p for i, p in enumerate(POSITION)]
        assert ask.posterior == pytest.approx(expected, abs=1e-12)
        choice = follow(reply(ask), ())
        assert choice is not None
        assert choice.texts == CLASSES
        assert choice.probs == pytest.approx(expected, abs=1e-12)

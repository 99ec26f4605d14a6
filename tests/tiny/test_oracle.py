"""The oracle keeps the laws of a language model, and its probabilities are the grammar's."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Literal

import pytest

from vsgen.errors import CallError
from vsgen.sampling import prompts
from vsgen.testing import check_language_model
from vsgen.tiny import words
from vsgen.tiny.asks import Answers, Ask, Class
from vsgen.tiny.chat import chain, classified, conversation, story
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.source import head_probs, read
from vsgen.tiny.grammar.tasks import TOPICS, by_topic, questions
from vsgen.tiny.oracle import Oracle, power
from vsgen.tiny.replies import GAMMA
from vsgen.tiny.turns import Turn
from vsgen.tiny.understand import understand
from vsgen.values import Generate, Message, Prompt, Score

WEEK = by_topic("closed")[0]
PROMPTS = (
    Prompt((Message("user", "Name a random colour."),)),
    Prompt(
        (
            Message("system", prompts.verbalized(("text",), 3, p_max=None, reasoning=False)),
            Message("user", "Name a random city."),
        )
    ),
    Prompt(prefill="Q: Tell a short joke about a cat.\nA:"),
    Prompt(
        (Message("user", "Write a short support ticket from a customer about a bike light. Tone: angry."),), "My bike"
    ),
)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


def chat(*texts: str) -> Prompt:
    """A conversation of user, assistant, user ..."""
    roles = ("user", "assistant")
    return Prompt(tuple(Message(roles[i % 2], text) for i, text in enumerate(texts)))  # type: ignore[arg-type]


def told(instruction: str, *texts: str) -> Prompt:
    """A conversation under a system message, if that says anything."""
    prompt = chat(*texts)
    return Prompt((Message("system", instruction), *prompt.messages)) if instruction else prompt


def prompt_of(turns: tuple[Turn, ...]) -> Prompt:
    """The prompt that the last turn replies to."""
    if turns[0].speaker == "plain":
        return Prompt(prefill=turns[0].text)
    return Prompt(tuple(Message(turn.speaker, turn.text) for turn in turns[:-1]))  # type: ignore[arg-type]


def asks(rng: Random, n: int) -> list[Ask]:
    """Asks of all kinds."""
    made: list[Ask] = []
    for _ in range(n):
        request = rng.choice(by_topic(rng.choice(TOPICS)))
        form = rng.choice(("direct", "plain", "cot", "sequence", "vs", "vs-cot"))
        ask = Answers(request, form)  # type: ignore[arg-type]
        if form in {"sequence", "vs", "vs-cot"}:
            ask = replace(ask, k=rng.randint(1, 10), field=rng.choice(("text", "item")))
        if form in {"sequence", "vs"} and rng.random() < 0.3:
            ask = replace(ask, field="text", lines=True)
        if form in {"vs", "vs-cot"} and rng.random() < 0.3:
            ask = replace(ask, p_max=rng.choice((0.05, 0.1, 0.25)))
        hard, apart = rng.random() < 0.5, rng.random() < 0.3
        made += [ask, classified(rng.choice(questions()), rng), story(rng, 2)]
        made.append(chain(rng, rng.randint(1, 8), hard=hard, reasoning=apart))
    return made


def same(one: Ask, two: Ask) -> bool:
    """Equal but for the rounding of the posterior, which may be computed in another order."""
    if isinstance(one, Class) and isinstance(two, Class):
        return replace(one, posterior=two.posterior) == two and one.posterior == pytest.approx(two.posterior)
    return one == two


def test_the_oracle_keeps_the_laws_of_a_language_model(oracle: Oracle) -> None:
    check_language_model(oracle, prompts=PROMPTS)


def test_every_ask_is_understood_from_its_words() -> None:
    rng = Random(0)
    for ask in asks(rng, 150):
        for split in ("shipped", "train", "combined", "new"):
            text = words.opening(ask, rng, split)
            plain = isinstance(ask, Answers) and ask.form == "plain"
            for before in ("", "Follow the rules.\n\n", "Rules:\n\nNone.\n\n"):
                system = f"{before}{words.own(ask)}".removesuffix("\n\n")
                found, begun = understand(Prompt(prefill=text) if plain else told(system, text))
                assert begun == ""
                assert same(found, ask), text


def test_lists_in_a_users_own_words_are_understood() -> None:
    rng = Random(1)
    for _ in range(150):
        request = rng.choice(by_topic(rng.choice(TOPICS)))
        ask = Answers(
            request, rng.choice(("vs", "sequence")), rng.randint(1, 10), field="item", bare=rng.random() < 0.5
        )
        for split in ("shipped", "train", "combined", "new"):
            assert understand(chat(words.other(ask, rng, split)))[0] == ask


def test_training_targets_are_the_oracles_probabilities(oracle: Oracle) -> None:
    rng = Random(2)
    for _ in range(120):
        turns = conversation(rng).turns
        tokens: list[int] = []
        prompt = prompt_of(turns)
        for step in turns[-1].steps:
            found = oracle.probs(prompt, tokens)
            taken = oracle.encode(step.text)
            first: defaultdict[int, float] = defaultdict(float)
            for text, prob in zip(step.choice.texts, step.choice.probs, strict=True):
                first[oracle.encode(text)[0]] += prob
            assert found == pytest.approx(dict(first))
            tokens += taken


def test_every_conversations_last_reply_is_possible_with_the_probability_of_its_choices(oracle: Oracle) -> None:
    rng = Random(3)
    for _ in range(100):
        turns = conversation(rng).turns
        expected = sum(math.log(step.choice.probs[step.index]) for step in turns[-1].steps)
        (scores,) = oracle.score([Score(prompt_of(turns), (turns[-1].text,))])
        assert scores.logp[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("topic", ["closed", "ticket", "quiz"])
def test_all_plain_replies_sum_to_one_and_have_the_sources_probability(oracle: Oracle, topic: str) -> None:
    request = by_topic(topic)[-1]
    prompt = Prompt(prefill=words.opening(Answers(request, "plain"), Random(0), "shipped"))
    found = dict(oracle.enumerate(prompt))
    assert math.fsum(math.exp(logp) for logp in found.values()) == pytest.approx(1, abs=1e-9)
    for tokens, logp in list(found.items())[:200]:
        reading = read(request.source, oracle.spell(tokens).removeprefix(" "))
        assert reading is not None
        assert math.exp(logp) == pytest.approx(reading.p, rel=1e-9)


def test_direct_answers_to_a_closed_set_are_p_to_the_gamma(oracle: Oracle) -> None:
    found = {
        oracle.spell(tokens): math.exp(logp)
        for tokens, logp in oracle.enumerate(chat("Name a random day of the week."))
    }
    sharp = [p**GAMMA for p in head_probs(WEEK.source)]
    true = [s / sum(sharp) for s in sharp]
    assert found == pytest.approx(dict(zip(WEEK.source.heads.texts, true, strict=True)))


def test_scores_of_the_classes_are_the_posterior_by_bayes(oracle: Oracle) -> None:
    rng = Random(4)
    for question in questions():
        for _ in range(20):
            ask = classified(question, rng)
            prompt = chat(words.opening(ask, rng, "shipped"))
            (scores,) = oracle.score([Score(prompt, question.classes)])
            assert [math.exp(logp) for logp in scores.logp] == pytest.approx(ask.posterior)


def test_a_sequence_of_two_weekdays_is_drawn_without_replacement(oracle: Oracle) -> None:
    prompt = told(prompts.sequence(("text",), 2), "Name a random day of the week.")
    found = {oracle.spell(tokens): math.exp(logp) for tokens, logp in oracle.enumerate(prompt)}
    assert len(found) == 7 * 6
    reply = '{"responses": [{"text": "Friday"}, {"text": "Sunday"}]}'
    assert found[reply] == pytest.approx(0.17 * 0.07 / (1 - 0.17))


def test_a_later_turn_leaves_out_what_was_said(oracle: Oracle) -> None:
    prompt = chat("Name a random day of the week.", "Wednesday", prompts.another(("text",)))
    found = {oracle.spell(tokens) for tokens, _ in oracle.enumerate(prompt)}
    assert found == set(WEEK.source.heads.texts) - {"Wednesday"}


@pytest.mark.parametrize("form", ["json", "lines"])
def test_answers_of_an_earlier_exchange_are_said_only_where_the_request_is_the_same(
    oracle: Oracle, form: Literal["json", "lines"]
) -> None:
    said = "1. Friday\n2. Sunday" if form == "lines" else '{"responses": [{"text": "Friday"}, {"text": "Sunday"}]}'
    for earlier, left in (("Name a random colour.", 7), ("Name a random day of the week.", 5)):
        prompt = told(
            prompts.sequence(("text",), 2, form=form),
            earlier,
            said,
            "Hum a tune.",
            said,
            "Name a random day of the week.",
        )
        ask, _ = understand(prompt)
        assert isinstance(ask, Answers)
        assert (ask.request, ask.k, ask.lines, len(ask.left)) == (WEEK, 2, form == "lines", left)
        assert len(list(oracle.enumerate(prompt))) == left * (left - 1)


def test_exchanges_that_leave_too_few_answers_are_not_said() -> None:
    shown = "\n".join(f"{i}. {one}" for i, one in enumerate(WEEK.source.heads.texts[:5], 1))
    task = "Name a random day of the week."
    ask, _ = understand(told(prompts.sequence(("text",), 3, form="lines"), task, shown, task))
    assert isinstance(ask, Answers)
    assert len(ask.left) == 7


def test_a_direct_task_after_exchanges_is_answered_by_itself_and_then_goes_on(oracle: Oracle) -> None:
    task, words_ = "Name a random day of the week.", prompts.direct(("text",), shown=True)
    begun = ("Name a random instrument.", "oboe", task)
    assert {oracle.spell(one) for one, _ in oracle.enumerate(told(words_, *begun))} == set(WEEK.source.heads.texts)
    later = told(words_, *begun, "Friday", prompts.another(("text",)))
    assert {oracle.spell(one) for one, _ in oracle.enumerate(later)} == set(WEEK.source.heads.texts) - {"Friday"}


def test_power_equals_brute_force_and_low_temperature_does_not(oracle: Oracle) -> None:
    ask = story(Random(5), 2)
    prompt = chat(words.opening(ask, Random(5), "shipped"))
    everything = dict(oracle.enumerate(prompt))
    exact = power(everything.items(), 4.0)
    total = math.fsum(math.exp(4 * logp) for logp in everything.values())
    assert math.fsum(exact.values()) == pytest.approx(1)
    for tokens, p in exact.items():
        assert p == pytest.approx(math.exp(4 * everything[tokens]) / total)
    right = [tokens for tokens in everything if sums.final(oracle.spell(tokens)) == ask.sum.values[-1]]
    cold = math.fsum(math.exp(logq(oracle, prompt, tokens)) for tokens in right)
    assert math.fsum(exact[tokens] for tokens in right) > 0.9
    assert cold < 0.6


def logq(oracle: Oracle, prompt: Prompt, tokens: tuple[int, ...]) -> float:
    """log-probability at temperature 1/4, token by token."""
    total = 0.0
    for i, token in enumerate(tokens):
        p = oracle.probs(prompt, tokens[:i])
        total += 4 * math.log(p[token]) - math.log(math.fsum(value**4 for value in p.values()))
    return total


def test_alpha_of_one_is_p_itself(oracle: Oracle) -> None:
    everything = dict(oracle.enumerate(PROMPTS[0]))
    assert power(everything.items(), 1.0) == pytest.approx({t: math.exp(logp) for t, logp in everything.items()})


def test_draws_follow_the_oracles_probabilities(oracle: Oracle) -> None:
    calls = [Generate(PROMPTS[0], seed=seed, temperature=0.5, max_tokens=9) for seed in range(2000)]
    share = sum(reply.text == "Blue" for reply in oracle.generate(calls)) / 2000
    true = power(oracle.enumerate(PROMPTS[0]), 2.0)
    blue = next(p for tokens, p in true.items() if oracle.spell(tokens) == "Blue")
    assert abs(share - blue) < 4 * math.sqrt(blue * (1 - blue) / 2000)  # four standard errors; colours are one token


def test_an_impossible_choice_scores_minus_infinity(oracle: Oracle) -> None:
    (scores,) = oracle.score([Score(PROMPTS[0], ("Blue", "Blu", "Bluebell"))])
    assert scores.logp[0] > scores.logp[1] == scores.logp[2] == -math.inf


@pytest.mark.parametrize(
    "prompt",
    [
        chat("Name a random planet."),
        Prompt(prefill="Once upon a time"),
        Prompt((Message("user", "Name a random colour."),), "Xyz"),
        chat("Name a random colour.", "Blue", "Why?"),
        told(prompts.sequence(("name", "age"), 2), "Name a random colour."),
        told(prompts.cot(("text",)), "Which option is right?\n\nNothing.\n\nReply with exactly one of these: A, B."),
        chat("Name a random instrument.", "oboe", prompts.another(("text",))),
        chat("Which option is right?\n\nNothing.\n\nReply with exactly one of these: A, B, C, D."),
    ],
)
def test_what_the_grammar_does_not_know_is_an_error_that_says_so(oracle: Oracle, prompt: Prompt) -> None:
    with pytest.raises(CallError, match="grammar"):
        oracle.generate([Generate(prompt, seed=0)])

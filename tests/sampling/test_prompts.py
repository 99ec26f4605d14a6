"""The words of every method: where they stand, and what they leave out so that it is not copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import NamedTuple

import pytest

from tests.sampling.test_methods import TASK, converse
from vsgen.sampling import prompts
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import LISTS, Method, Sampling, Settings
from vsgen.values import Generate, Message, Prompt

METHODS: tuple[Method, ...] = ("direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power")
FORMED: tuple[Method, ...] = ("cot", "sequence", "vs", "vs-cot", "vs-multi")
"""Methods that ask for a form even of a single field."""


class Said(NamedTuple):
    """An instruction, and the numbers that may stand in it."""

    words: str
    numbers: frozenset[str]


def instructions() -> Iterator[Said]:
    """What each method says, over fields, k, p_max and formats."""
    for fields, k, p_max in product((["text"], ["question", "answer"]), (1, 2, 5, 20), (None, 0.07)):
        numbers = frozenset({"0", "1", str(k), *(["0.07"] if p_max else [])})
        one: list[prompts.Format] = ["json", "lines"] if len(fields) == 1 else ["json"]
        for form in one:
            yield Said(prompts.sequence(fields, k, form=form), numbers)
            for reasoning, total in ((False, None), (True, None), (False, 21)):
                words = prompts.verbalized(fields, k, p_max=p_max, reasoning=reasoning, total=total, form=form)
                yield Said(words, numbers | {"21"} if total else numbers)
        yield from (Said(words, numbers) for words in (prompts.direct(fields, shown=True), prompts.cot(fields)))
        yield Said(prompts.more(k), numbers)
        yield Said(prompts.another(fields), numbers)


def first_call(settings: Settings, task: Prompt = TASK) -> Generate:
    asked = next(open_sampler(settings)(task, Random(0)))
    call = asked[0]  # type: ignore[index]
    assert isinstance(call, Generate)
    return call


def test_no_instruction_holds_a_number_or_dots_that_a_model_could_copy() -> None:
    for words, numbers in instructions():
        assert set(re.findall(r"\d+(?:\.\d+)?", words)) <= numbers, words
        assert "..." not in words and "…" not in words


@pytest.mark.parametrize("method", FORMED)
def test_the_instruction_follows_the_users_own_system_message_and_the_task_stands_alone(method: Method) -> None:
    system, user = first_call(Settings(Sampling(method=method, k=3))).prompt.messages
    own, instruction = system.content.split("\n\n", 1)
    assert (system.role, own) == ("system", "Be brief.")
    assert instruction and "colour" not in instruction
    assert user == Message("user", "Name a colour.")


@pytest.mark.parametrize("method", METHODS)
def test_without_a_system_message_of_its_own_the_instruction_is_the_system_message(method: Method) -> None:
    task = Prompt((Message("user", "Name a colour."),))
    *system, user = first_call(Settings(Sampling(method=method, k=2), fields=("name", "hex")), task).prompt.messages
    assert [message.role for message in system] == ["system"]
    assert user == task.messages[0]


@pytest.mark.parametrize("method", ["direct", "multi-turn", "power"])
def test_a_bare_answer_is_asked_for_without_a_word_beside_the_task(method: Method) -> None:
    assert first_call(Settings(Sampling(method=method, k=2))).prompt == TASK


@pytest.mark.parametrize("method", ["direct", "multi-turn", "power"])
def test_a_bare_answer_after_exchanges_is_asked_for_in_words(method: Method) -> None:
    before = (Message("user", "Name a fruit."), Message("assistant", "plum"))
    told = Prompt((TASK.messages[0], *before, TASK.messages[1]))
    first, *rest = first_call(Settings(Sampling(method=method, k=2)), told).prompt.messages
    assert first.content == f"Be brief.\n\n{prompts.direct(['text'], shown=True)}"
    assert tuple(rest) == told.messages[1:]


@pytest.mark.parametrize("method", FORMED)
def test_every_key_of_the_form_is_named_once_in_quotes(method: Method) -> None:
    settings = Settings(Sampling(method=method, k=4), fields=("question", "answer"))
    quoted = re.findall(r'"(\w+)"', first_call(settings).prompt.messages[0].content)
    lists = ["responses"] if method in LISTS else []
    stated = ["probability"] if method.startswith("vs") else []
    reasons = ["reasoning"] if method.endswith("cot") else []
    assert sorted(set(quoted)) == sorted({"question", "answer", *lists, *stated, *reasons})


def test_lines_are_asked_for_without_a_word_of_json() -> None:
    for method in ("sequence", "vs", "vs-multi"):
        words = first_call(Settings(Sampling(method=method, k=3, format="lines"))).prompt.messages[0].content
        assert "numbered list" in words and "JSON" not in words
        assert ("parentheses" in words) == (method != "sequence")


def test_the_prefill_stays_in_the_history_of_later_turns_and_out_of_the_answers() -> None:
    task = Prompt(TASK.messages, prefill="It is ")
    methods: list[tuple[Method, str]] = [("multi-turn", "red"), ("vs-multi", '{"responses": [{"text": "red"}]}')]
    for method, reply in methods:
        settings = Settings(Sampling(method=method, k=2, per_turn=1))
        drawn, calls = converse(settings, lambda i, _, reply=reply: reply, task=task)  # type: ignore[misc]
        assert [call.prompt.prefill for call in calls] == ["It is "] * 2
        assert calls[1].prompt.messages[-2] == Message("assistant", f"It is {reply}")
        assert {one.fields["text"] for one in drawn.candidates} == {"red"}

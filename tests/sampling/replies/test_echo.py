"""Echoes: what stands in an answer's place is told apart from answers, and real answers survive."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.sampling import prompts
from vsgen.sampling.conversation import instructed
from vsgen.sampling.replies.echo import Context, Echoes, context_of, fold
from vsgen.values import Message, Prompt

TASK = "Write a short review of a kettle, as a customer would. 20 to 50 words, about 4 of 5 stars."
INSTRUCTION = (
    "Generate 5 different responses to the request above, sampled at random from the full distribution of possible "
    "responses. State each one's probability: its share of it.\nReply with JSON only, in this form:\n"
    '{"responses": [{"text": "...", "probability": 0.12}, ...]}'
)
ASKED = Context(("text",), (TASK,), (INSTRUCTION,))
ECHOES = Echoes(ASKED)


def problem(text: str, field: str = "text", **changes: object) -> str | None:
    settings: dict[str, object] = {"fields": (field,), "request": (TASK,), "words": (INSTRUCTION,)} | changes
    return Echoes(Context(**settings)).problem({field: text})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        *("...", "…", " ... ", ". . .", "……", "“...”", "", "   ", "?!", "-", "—", '""', "**"),
        *("response 1", "Response 2:", "answer 3", "Answer #4", "RESPONSE (5)", "response one", "Text 1"),
        *("**Response 1**", "Response", "answer", "Your answer", "your response here", "The response"),
        *("Another response", "first response", "Insert answer here", "placeholder", "Placeholder text"),
        *("sample text", "some text", "Your text here", "<answer>", "<response>", "<your answer here>"),
        *("[insert name]", "[Insert Name Here]", "{text}", "{{ text }}", "(your answer)", "[Your Name]"),
        *("<a short review>", "[product name]", "${text}", "[text]", "<output>", "[...]", "text", "Text", '"text"'),
        *("TEXT:", "probability", '"probability"', "Responses", '{"text": "...", "probability": 0.12}'),
        *('{"responses": [', '"responses": []', '{"text": "A kettle", "probability": 1}'),
        *(TASK, TASK.upper(), TASK.rstrip(".") + "!", "Write a short review of a kettle", f"{TASK} {TASK}"),
        "Write a short review of a kettle, as a customer would. 20 to 50 words",
        f"Sure! {TASK}",
        *("Generate 5 different responses to the request above", "State each one's probability"),
        "sampled at random from the full distribution of possible responses",
        "Reply with JSON only, in this form:",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    ],
)  # fmt: skip
def test_an_echo_is_told(text: str) -> None:
    assert problem(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("Monday", "42", "+", "<br>", "<br/>", "<div class=x>", "¯\\_(ツ)_/¯", "😀", "€", "C++", "x = 1", "[1, 2, 3]"),
        *("{1, 2}", "Answer: 3", "The answer is 3", "Response: it boils fast", "Response time", "Output", "Reply all"),
        *("Option 1", "Question 1", "Chapter 1", "Level 3", "Item", "String", "Integer", "Name", "Value 5", "[laughs]"),
        *("(sighs)", "[REDACTED]", "<joe@example.com>", "{x}", '{"name": "Bob"}', '["a", "b"]', "Great kettle."),
        *("A short review", "It is a placeholder until I", "A customer would", "Write", "Kettle", "Wait... what?"),
        "I want to write a short review of a kettle: it leaks, it hisses, and the lid falls off every time I pour.",
        *("The text on the base is hard to read.", "My response to the seller was ignored.", "...and then it broke."),
        *("Hmm…", "four of five stars", "In all probability it will break.", "probability theory", "no", "N/A"),
        *("No reasoning helps.", "你好", "Да", "🙂🙂"),
    ],
)  # fmt: skip
def test_a_real_answer_survives(text: str) -> None:
    assert problem(text) is None


def test_a_closed_set_says_itself_what_an_answer_is() -> None:
    assert problem("text", closed=frozenset({"text"})) is None
    assert problem("...", closed=frozenset({"text"})) is None


def test_another_field_s_name_is_an_answer_but_its_own_is_none() -> None:
    echoes = Echoes(Context(("kind", "due_date"), ("Say what kind of data this is",)))
    assert echoes.problem({"kind": "due date", "due_date": "text"}) is None
    assert str(echoes.problem({"kind": "text", "due_date": "Due date"})).startswith("due_date: repeats a name")
    both = Echoes(Context(("kind", "text"), ("Say what this is",), (prompts.direct(["kind", "text"]),)))
    assert both.problem({"kind": "text", "text": "a, b"}) is None


def test_words_of_the_form_are_answers_where_no_form_is_shown() -> None:
    assert problem("Probability", request=("Name a field of mathematics.",), words=()) is None
    assert problem("Probability", request=("Explain probability to me.",)) is None


@pytest.mark.parametrize("word", ["responses", "probability", "text"])
def test_every_name_that_the_form_shows_is_an_echo_whatever_the_field_is_called(word: str) -> None:
    said = prompts.verbalized(["text"], 5, p_max=None, reasoning=False)
    assert problem(word.title(), field="day", words=(said,), request=("Name a random day of the week.",)) is not None


@pytest.mark.parametrize("method", [prompts.direct(["a", "b"]), prompts.cot(["a"]), prompts.sequence(["a"], 5)])
def test_what_vsgen_says_is_an_echo_whatever_the_method(method: str) -> None:
    sentences = [one for one in re.split(r"(?<=[.!?])\s+|\n", method) if len(one.split()) > 4]
    assert sentences
    assert all(problem(one, field="a", words=(method,)) for one in sentences)


def test_one_field_of_dots_spoils_a_candidate_but_one_that_is_blank_does_not() -> None:
    echoes = Echoes(Context(("title", "note"), (TASK,)))
    assert str(echoes.problem({"title": "A kettle", "note": "..."})).startswith("note: ")
    assert echoes.problem({"title": "A kettle", "note": ""}) is None
    assert echoes.problem({"title": "?", "note": ""}) is not None


def test_values_that_are_no_text_are_no_echoes() -> None:
    echoes = Echoes(Context(("stars", "text"), (TASK,)))
    assert echoes.problem({"stars": 4, "text": ""}) is None
    assert echoes.problem({"stars": 4}) is None
    assert echoes.problem({}) is None


def test_a_text_that_was_given_may_come_back_but_not_the_whole_request() -> None:
    sentence = "The cats sits on the mat near the big door."
    request = f"Correct this: {sentence}"
    assert problem(sentence, request=(request,), given=(sentence,)) is None
    assert problem(sentence, request=(request,)) is not None
    assert problem(request, request=(request,), given=(sentence,)) is not None
    assert problem(sentence, request=("Correct what you are sent.", sentence), given=(sentence,)) is None
    assert problem(sentence, request=(sentence,), given=(sentence,)) is not None


def test_what_was_said_is_sorted_by_who_said_it() -> None:
    task = Prompt((Message("system", "You are terse."), Message("user", TASK)))
    said = instructed(task, INSTRUCTION)
    turns = (
        said.messages[0],
        Message("user", "Name a fruit."),
        Message("assistant", '["A ripe red apple"]'),
        said.messages[1],
    )
    asked = context_of(("text",), task, Prompt(turns), values=["kettle", 4], closed=["stars"])
    assert asked.request == ("You are terse.", TASK)
    assert [words.strip() for words in asked.words] == [INSTRUCTION.strip(), "Name a fruit.", ""]
    assert (asked.examples, asked.given) == (('["A ripe red apple"]',), ("kettle",))
    assert asked.closed == {"stars"}


@pytest.mark.parametrize(
    "reply", ['{"responses": [{"text": "A ripe red apple", "probability": 0.3}]}', "1. A ripe red apple (0.3)"]
)
def test_an_example_s_answer_is_an_echo_unless_it_is_so_short_that_it_may_be_meant(reply: str) -> None:
    assert str(problem("a ripe red apple.", examples=(reply,))).startswith("text: repeats an example")
    assert problem("Apple", examples=(reply.replace("A ripe red apple", "Apple"),)) is None


def test_the_problem_is_told_in_words_on_one_short_line() -> None:
    assert problem("Response 1") == "text: stands for an answer and is none: 'Response 1'"
    assert problem(TASK) == f"text: repeats the request: {TASK[:59] + '…'!r}"
    assert "\n" not in str(problem(TASK.replace(" ", "\n")))


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_folded_as_any_other_text(text: str) -> None:
    assert f"{fold(text)} é".strip() == fold(f"{text} é")


@given(st.text(), st.text(), st.text())
def test_no_text_raises_whatever_was_asked(answer: str, request: str, words: str) -> None:
    Echoes(Context(("text",), (request,), (words,), (words,), (request,))).problem({"text": answer})


def recased(text: str) -> bool:
    """Whether a text has words, and its case can be changed and changed back; that of a dotless i cannot."""
    return bool(fold(text)) and fold(text.upper().lower()) == fold(text)


@given(st.text(min_size=1).filter(recased), st.sampled_from(["", ".", "!", "  ", "\n"]))
def test_case_space_and_punctuation_do_not_hide_an_echo(request: str, tail: str) -> None:
    """A request of more than two words is an echo however it is spelled."""
    whole = f"say something about {request}"
    assert problem(whole.upper().lower().replace(" ", "  ") + tail, request=(whole,), words=()) is not None


names = st.sampled_from(
    [
        "Anna",
        "Bob",
        "Clara",
        "Dora",
        "Emil",
        "Fritz",
        "kettle",
        "lamp",
        "bike",
        "broke",
        "works",
        "fine",
        "never",
        "again",
        "today",
    ]
)


@given(st.lists(names, min_size=1, max_size=12).map(" ".join))
def test_words_that_nobody_said_are_an_answer(text: str) -> None:
    assert problem(text) is None


@given(st.lists(names, min_size=6, max_size=12).map(" ".join))
def test_a_request_with_an_answer_longer_than_itself_is_an_answer(text: str) -> None:
    assert problem(f"Review a kettle: {text}", request=("Review a kettle",)) is None

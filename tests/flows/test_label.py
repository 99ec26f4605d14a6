"""What becomes of texts and classes that a model cannot be asked about, and of the others beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.labels.asking import Scripted, said, told
from vsgen.errors import CallError, ChoiceError, InputError, TemplateError, TooLongError
from vsgen.flow import Together, play
from vsgen.flows.label import Labeller, Labels, Text
from vsgen.labels.words import CONTENT_FREE
from vsgen.template.load import template_of
from vsgen.template.schema import Template
from vsgen.values import (
    Answer,
    Call,
    Decide,
    Decided,
    Decision,
    Directed,
    Generate,
    Refused,
    Score,
    Scores,
    SoftLabel,
    Unlabelled,
)

QUEUE = {"name": "queue", "classes": ["bug", "billing"], "prompt": "Which queue? {{ text }}"}
TONE = {"name": "tone", "classes": ["rude", "polite"], "prompt": "Which tone? {{ text }}"}
CONTEXT = 40
"""Words."""


def template(*labels: Mapping[str, object]) -> Template:
    return template_of({"version": 1, "name": "t", "prompt": "-", "labels": list(labels)}, "t.yaml")


def labeller(*labels: Mapping[str, object], lenient: bool = False, truncate: bool | None = False) -> Labeller:
    return Labeller(template(*labels or (QUEUE,)), ("text",), seed=1, lenient=lenient, truncate=truncate)


def text(words: object, name: str = "in:1", **values: object) -> Text:
    return Text(name, name, {"text": words, **values})


def words_of(prompt: str) -> int:
    return len(prompt.split())


@dataclass
class Narrow(Scripted):
    """Has a context of so many words and cannot write some classes; each text has scores of its own."""

    unspeakable: tuple[str, ...] = ()
    tokens: Callable[[str], int] = words_of
    tried: int = 0

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        self.tried += 1
        for call in calls:
            words = self.tokens(said(call.prompt))
            if words > CONTEXT:
                raise TooLongError(
                    f"prompt has {words} tokens, not {CONTEXT}; shorten it", tokens=words, context=CONTEXT
                )
            if strange := [choice for choice in call.choices if choice in self.unspeakable]:
                raise ChoiceError(f"cannot write {strange[0]!r}; use other words")
            if "refuse me" in said(call.prompt):
                raise CallError("cannot answer this")
        return Scripted.score(self, calls)


def narrow(*unspeakable: str) -> Narrow:
    def scores(prompt: str, choice: str) -> float:
        return (1 + len(prompt) * len(choice) % 7) / 20

    return Narrow(scores=scores, unspeakable=unspeakable)


def labelled(one: Labeller, *texts: Text, model: Narrow | None = None) -> list[Labels]:
    return told(one.label(texts), model or narrow())


def test_each_text_gets_each_label_in_the_order_of_the_template() -> None:
    found = labelled(labeller(QUEUE, TONE), text("a", "1"), text("b", "2"))
    assert [list(labels) for labels in found] == [["queue", "tone"]] * 2
    queue = found[0]["queue"]
    assert isinstance(queue, SoftLabel)
    assert list(queue.probs) == ["bug", "billing"]
    assert labelled(labeller(QUEUE, TONE)) == []


def test_all_labels_are_asked_for_all_texts_at_once() -> None:
    flow = labeller(QUEUE, TONE).label([text(str(i), str(i)) for i in range(5)])
    wait = next(flow)
    assert isinstance(wait, Together)
    calls = [call for part in wait.flows for call in list(next(part))]  # type: ignore[arg-type]
    assert [said(call.prompt)[:6] for call in calls if isinstance(call, Score)] == ["Which "] * 10


def test_a_text_has_the_same_labels_alone_and_among_others() -> None:
    votes = {**QUEUE, "name": "votes", "method": "votes", "replies": 5, "think": False}
    one = labeller(QUEUE, votes)
    texts = [text(f"text {i}", f"in:{i}") for i in range(4)]

    def model() -> Narrow:
        found = narrow()
        found.replies = lambda _: {"bug": 0.5, "billing": 0.3, "?": 0.2}
        return found

    together = labelled(one, *texts, model=model())
    assert together == [labelled(one, each, model=model())[0] for each in texts]
    assert len({str(labels["votes"]) for labels in together}) > 1


def test_draws_depend_on_the_seed_the_key_and_the_labels_name() -> None:
    votes = {**QUEUE, "method": "votes", "replies": 3}

    def seeds(seed: int, key: str, name: str) -> list[int]:
        flow = Labeller(template({**votes, "name": name}), ("text",), seed=seed).label([Text("x", key, {"text": "a"})])
        wait = next(flow)
        assert isinstance(wait, Together)
        return [call.seed for call in list(next(wait.flows[0])) if isinstance(call, Generate)]  # type: ignore[arg-type]

    assert seeds(1, "k", "n") == seeds(1, "k", "n")
    assert len({tuple(seeds(*each)) for each in [(1, "k", "n"), (2, "k", "n"), (1, "l", "n"), (1, "k", "m")]}) == 4


# --- texts that cannot be asked about

LONG = "word " * 60
BAD = {
    "too long": (text(LONG, "in:2"), r"prompt has \d+ tokens, not 40; shorten it, or pass --truncate"),
    "refused": (text("refuse me", "in:2"), "cannot answer this"),
    "without the field": (Text("in:2", "in:2", {"body": "a"}), "missing variable 'text'"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_text_is_named_with_its_label_and_what_to_do(kind: str) -> None:
    bad, problem = BAD[kind]
    with pytest.raises(
        InputError, match=rf"^in:2: label queue: {problem}.*; run and label skip it with --on-error skip"
    ):
        labelled(labeller(TONE | {"prompt": "Tone?"}, QUEUE), text("a"), bad, text("b", "in:3"))


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_text_is_left_unlabelled_where_that_is_allowed_and_the_others_are_labelled_as_alone(kind: str) -> None:
    bad, problem = BAD[kind]
    one = labeller(QUEUE, lenient=True)
    first, second, third = labelled(one, text("a"), bad, text("b", "in:3"))
    lost = second["queue"]
    assert isinstance(lost, Unlabelled)
    assert re.match(problem, lost.problem)
    assert "--on-error" not in lost.problem
    assert isinstance(first["queue"], SoftLabel)
    assert [first] == labelled(one, text("a"))
    assert [third] == labelled(one, text("b", "in:3"))


def test_a_bad_text_loses_only_the_label_that_cannot_be_made() -> None:
    (found,) = labelled(labeller(QUEUE, TONE | {"prompt": "Tone of {{ author }}"}, lenient=True), text("a"))
    assert isinstance(found["queue"], SoftLabel)
    assert found["tone"] == Unlabelled(
        "missing variable 'author'; give values under 'variables:' or as fields of the input rows"
    )


@pytest.mark.parametrize("lenient", [True, False])
def test_classes_of_the_template_that_the_model_cannot_write_are_the_templates_fault(lenient: bool) -> None:
    with pytest.raises(TemplateError, match=r"^t.yaml: label queue: cannot write 'bug'; use other words$"):
        labelled(labeller(QUEUE, lenient=lenient), text("a"), model=narrow("bug"))


def test_classes_of_a_row_that_the_model_cannot_write_are_the_rows_fault() -> None:
    asked = {"name": "right", "choices": "options", "prompt": "{{ text }}"}
    rows = [text("a", "in:1", options=["x", "y"]), text("b", "in:2", options=["x", "bug"])]
    with pytest.raises(InputError, match=r"^in:2: label right: cannot write 'bug'"):
        labelled(labeller(asked), *rows, model=narrow("bug"))
    first, second = labelled(labeller(asked, lenient=True), *rows, model=narrow("bug"))
    assert isinstance(first["right"], SoftLabel)
    assert second["right"] == Unlabelled("cannot write 'bug'; use other words")


# --- truncation


def test_a_text_is_cut_only_on_request_and_its_label_says_so() -> None:
    found = labelled(labeller(QUEUE, truncate=True), text("short"), text(LONG, "in:2"))
    short, cut = found[0]["queue"], found[1]["queue"]
    assert isinstance(short, SoftLabel)
    assert isinstance(cut, SoftLabel)
    assert "truncated" not in short.details
    assert cut.details["truncated"] is True


@pytest.mark.parametrize("words", [31, 35, 60, 400, 20_000])
@pytest.mark.parametrize("around", [0, 10, 25])
def test_a_text_is_cut_at_its_end_and_little_more_than_needed(words: int, around: int) -> None:
    numbered = " ".join(f"w{i:05d}" for i in range(words))
    model = narrow()
    asked = {**QUEUE, "prompt": "Which queue? {{ manual }}: {{ text }}"}
    room = CONTEXT - len(said(labeller(asked).prompts({"text": "", "manual": "m " * around})[0]).split())
    labelled(labeller(asked, truncate=True), text(numbered, manual="m " * around), model=model)
    (call,) = model.scored
    kept = said(call.prompt).partition(": ")[2].partition("\n")[0]
    assert numbered.startswith(kept)
    assert kept == numbered or 0.7 * room - 1 <= len(kept.split()) <= room
    assert model.tried <= 8


def test_a_cut_that_takes_no_token_away_is_followed_by_a_deeper_one() -> None:
    """Spaces take no tokens, so the first cuts shorten the text and not the call."""
    model = narrow()
    (found,) = labelled(labeller(QUEUE, truncate=True), text("word " * 60 + " " * 5_000), model=model)
    assert isinstance(found["queue"], SoftLabel)
    assert "word word" in said(model.scored[0].prompt)
    assert model.tried <= 7


def test_a_cut_that_adds_tokens_is_followed_by_a_deeper_one() -> None:
    """A word of the vocabulary is one token, and many once it is cut."""
    whole = "x" * 10_000

    def tokens(prompt: str) -> int:
        return sum(1 if word == whole else -(-len(word) // 100) for word in prompt.split())

    model = narrow()
    model.tokens = tokens
    (found,) = labelled(labeller(QUEUE, truncate=True), text("word " * 45 + whole), model=model)
    assert isinstance(found["queue"], SoftLabel)
    assert model.tried <= 7


def test_the_cut_text_and_the_other_prompts_of_its_label_agree() -> None:
    reasoned = {**QUEUE, "method": "reasoning", "replies": 3}
    model = narrow()
    model.replies = lambda _: {"Let me see": 1.0}
    (found,) = labelled(labeller(reasoned, truncate=True), text(LONG), model=model)
    label = found["queue"]
    assert isinstance(label, SoftLabel)
    assert label.details["truncated"] is True
    last = model.drawn[-3:]
    assert {call.prompt.messages[0] for call in model.scored} == {call.prompt.messages[0] for call in last}


def test_a_text_of_which_nothing_would_be_left_is_an_error_all_the_same() -> None:
    asked = {**QUEUE, "prompt": "{{ manual }} {{ text }}"}
    with pytest.raises(
        InputError, match=r"^in:1: label queue: prompt has \d+ tokens, not 40; shorten it; run and label skip"
    ):
        labelled(labeller(asked, truncate=True), text("a few words", manual=LONG))


def test_without_the_choice_nobody_is_told_of_truncation() -> None:
    with pytest.raises(InputError) as caught:
        labelled(labeller(QUEUE, truncate=None), text(LONG))
    assert "--truncate" not in str(caught.value)


# --- what is asked


def test_contextual_calibration_asks_about_nothing_in_place_of_the_text_alone() -> None:
    asked = {**QUEUE, "prompt": "{{ shop }}: {{ text }}", "prior": "contextual"}
    model = narrow()
    labelled(labeller(asked), text("It leaks", shop="Bikes"), model=model)
    assert [said(call.prompt).partition("\n")[0] for call in model.scored] == [
        "Bikes: It leaks",
        *(f"Bikes: {free}".rstrip() for free in CONTENT_FREE),
    ]


@pytest.mark.parametrize(
    ("options", "classes"),
    [
        (["x", "y"], ["x", "y"]),
        ([1, 2.5], ["1", "2.5"]),
        ([" x ", "y\n"], ["x", "y"]),
        (("x", "y", "z"), ["x", "y", "z"]),
    ],
)
def test_a_row_lists_its_own_classes(options: object, classes: list[str]) -> None:
    asked = {"name": "right", "choices": "options", "prompt": "{{ text }}"}
    (found,) = labelled(labeller(asked), text("a", options=options))
    label = found["right"]
    assert isinstance(label, SoftLabel)
    assert list(label.probs) == classes


@pytest.mark.parametrize(
    "options",
    ["x, y", None, 3, {"x": 1, "y": 2}, [], ["x"], ["x", "x"], ["1", 1], ["x", ""], ["x", " "], ["x", "x "],
     ["x", None], [["x"], ["y"]], [{"text": "x"}, {"text": "y"}], ["x", "y", {"z": 1}]],
    ids=repr,
)  # fmt: skip
def test_what_lists_no_classes_is_told_with_what_was_got(options: object) -> None:
    asked = {"name": "right", "choices": "options", "prompt": "{{ text }}"}
    with pytest.raises(InputError) as caught:
        labelled(labeller(asked), text("a", options=options))
    assert str(caught.value).startswith(
        f"in:1: label right: field 'options' must be a list of at least two different texts, got {options!r}"
    )


def test_a_missing_list_of_classes_and_a_long_one_are_told() -> None:
    asked = {"name": "right", "choices": "options", "prompt": "{{ text }}"}
    with pytest.raises(InputError, match=r"^in:1: label right: missing variable 'options'"):
        labelled(labeller(asked), text("a"))
    with pytest.raises(InputError) as caught:
        labelled(labeller(asked), text("a", options=["x"] * 1000))
    assert len(str(caught.value)) < 300
    lettered = {**asked, "verbalizer": "letters"}
    with pytest.raises(InputError, match="'options' lists 27 classes, but there are 26 letters"):
        labelled(labeller(lettered), text("a", options=list(range(27))))
    (found,) = told(labeller(lettered).label([text("a", options=list(range(26)))]), Scripted())
    assert isinstance(found["right"], SoftLabel)


@pytest.mark.parametrize(
    ("label", "begins"),
    [
        (QUEUE, "Which queue? It leaks\n\nReply with exactly one of these: bug, billing."),
        ({**QUEUE, "listed": False}, "Which queue? It leaks"),
        ({**QUEUE, "method": "reasoning"}, "Which queue? It leaks\n\nThe possible answers are: bug, billing. Think"),
        ({**QUEUE, "method": "votes"}, "Which queue? It leaks\n\nThink about it step by step."),
        ({**QUEUE, "method": "verbalized"}, "Which queue? It leaks\n\nHow probable"),
        ({**QUEUE, "kind": "multi"}, "Which queue? It leaks\n\nDoes this apply: bug?"),
        ({**QUEUE, "verbalizer": "letters"}, "Which queue? It leaks\n\nA. bug\nB. billing"),
        (
            {"name": "x", "choices": "options", "prompt": "{{ text }}"},
            "It leaks\n\nReply with exactly one of",
        ),
    ],
    ids=["score", "not listed", "reasoning", "votes", "verbalized", "multi", "letters", "choices"],
)
def test_prompts_show_what_is_asked_first(label: Mapping[str, object], begins: str) -> None:
    (prompt,) = labeller(label).prompts({"text": "It leaks", "options": [1, 2]})
    assert said(prompt).startswith(begins)


# --- decisions: several labels of a text in one call

DECIDING = [{**QUEUE, "method": "decisions"}, TONE, {**TONE, "name": "manner", "method": "decisions", "kind": "multi"}]


class Deciding:
    """A decision interface with a limit of characters, which refuses calls and questions that say so."""

    def __init__(self) -> None:
        self.calls: list[Decide] = []

    def __call__(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._answer(call.call if isinstance(call, Directed) else call) for call in calls]

    def _answer(self, call: Call) -> Answer:
        if isinstance(call, Score):
            return Scores((-1.0, -2.0))
        assert isinstance(call, Decide)
        self.calls.append(call)
        if len(call.state) > 100:
            return Refused("too-long", "too long", len(call.state), 100)
        if any("bad" in one.text for one in call.questions):
            return Refused("refused", "no such option")
        return Decided(tuple(Decision((0.25, 0.75)) for _ in call.questions))


def decided(one: Labeller, *texts: Text) -> tuple[list[Labels], list[Decide]]:
    server = Deciding()
    return play(one.label(texts), server), server.calls


def test_all_decisions_about_a_text_are_one_call_and_labels_stay_in_the_templates_order() -> None:
    found, calls = decided(labeller(*DECIDING), text("a"), text("b", "in:2"))
    assert [list(labels) for labels in found] == [["queue", "tone", "manner"]] * 2
    assert [(call.state, len(call.questions)) for call in calls] == [("a", 3), ("b", 3)]
    assert [one.text.partition("\n")[0] for one in calls[0].questions] == ["Which queue?", *["Which tone?"] * 2]


def test_decisions_of_another_model_and_about_other_fields_are_calls_of_their_own() -> None:
    judged = {**DECIDING[2], "model": "judge"}
    found, calls = decided(labeller(DECIDING[0], judged), text("a"))
    assert [len(call.questions) for call in calls] == [1, 2]
    manner = found[0]["manner"]
    assert isinstance(manner, SoftLabel) and manner.details["model"] == "judge"
    both = Labeller(
        template(DECIDING[0], {**DECIDING[2], "prompt": "{{ text }} {{ reply }}"}), ("text", "reply"), seed=1
    )
    _, calls = decided(both, text("a", reply="b"))
    assert [call.state for call in calls] == ["a", '{"text": "a", "reply": "b"}']


def test_a_question_for_which_a_call_is_refused_loses_its_own_label_alone() -> None:
    bad = {**QUEUE, "name": "worst", "prompt": "How bad? {{ text }}", "method": "decisions"}
    (found,), calls = decided(labeller(*DECIDING, bad, lenient=True), text("a"))
    assert found["worst"] == Unlabelled("no such option")
    assert isinstance(found["queue"], SoftLabel) and isinstance(found["manner"], SoftLabel)
    assert [len(call.questions) for call in calls] == [4, 1, 2, 1]
    with pytest.raises(InputError, match=r"^in:1: label worst: no such option"):
        decided(labeller(*DECIDING, bad), text("a"))


def test_a_text_that_is_too_long_is_cut_for_all_decisions_alike() -> None:
    (found,), calls = decided(labeller(*DECIDING, truncate=True), text("word " * 60))
    assert [label.details.get("truncated") for label in found.values() if isinstance(label, SoftLabel)] == [
        True,
        None,
        True,
    ]
    assert len(calls[-1].state) <= 100 and len(calls[-1].questions) == 3


def test_what_a_decision_interface_is_given_is_shown() -> None:
    first, _, last = labeller(*DECIDING).prompts({"text": "…"})
    assert said(first) == "…\n\nWhich queue?\n\nbug / billing"
    assert said(last) == "…\n\nWhich tone?\n\nDoes this apply: rude?\n\nyes / no"


GOLD = [{"text": "It  broke.", "queue": "bug"}, {"text": "Pay!", "queue": "billing"}]


def shown_in(model: Narrow) -> str:
    (call,) = model.scored
    return call.prompt.prefill


def test_a_text_is_never_shown_as_its_own_example() -> None:
    one = labeller({**QUEUE, "examples": GOLD})
    for words, expected in (("Hm.", 3), ("it broke. ", 2), ("Pay!", 2)):
        model = narrow()
        labelled(one, text(words), model=model)
        assert shown_in(model).count("Queue:") == expected
        assert shown_in(model).endswith(f"Which queue? {words.strip()}\nQueue:")


def test_a_text_that_is_cut_is_not_shown_as_its_own_example_either() -> None:
    words = " ".join(["word"] * 60)
    one = labeller({**QUEUE, "examples": [{"text": words, "queue": "bug"}], "form": "turns"}, truncate=True)
    model = narrow()
    (found,) = labelled(one, text(words), model=model)
    assert isinstance(found["queue"], SoftLabel) and found["queue"].details["truncated"]
    assert len(model.scored[-1].prompt.messages) == 1


def test_examples_that_are_too_long_for_the_model_are_named_with_what_to_do() -> None:
    rows = [{"text": " ".join(["word"] * 30), "queue": "bug"}, *GOLD]
    one = labeller({**QUEUE, "examples": rows, "form": "turns"})
    with pytest.raises(InputError, match="3 examples are part of it: give fewer or shorter ones"):
        labelled(one, text("Hm."))

"""Reading what a model wrote about the classes: every usual form alike, nothing that is unclear, never an error."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vsgen.labels.reading import named_class, stated_distribution, without_tags

CLASSES = ("not", "relevant", "not relevant", "how-to", "C#")
PIECES = (*'abc019.:-="%{}[],\n\t `*<>/eE+–', "Answer:", "<think>", "</think>", *CLASSES, "é")
NASTY = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(lambda s: s == s.strip()),
    min_size=2,
    max_size=6,
    unique_by=str.casefold,
)

# --- which class is named


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("not", "not"),
        ("Not relevant.", "not relevant"),
        ("**relevant**", "relevant"),
        ('"how-to"', "how-to"),
        ("- How-To", "how-to"),
        ("C#", "C#"),
        ("`c#`.", "C#"),
        ("I say: relevant.", "relevant"),
        ("It is not relevant", "not relevant"),
        ("\n\n  relevant\n\nbecause it is not.", "relevant"),
        ("This is not. So?\nAnswer: relevant", "relevant"),
        ("Answer: not\nNo, wait.\nAnswer: how-to", "how-to"),
        ("The text is not clear.\n**Answer:** relevant", "relevant"),
        ("The text is not clear.\n**Answer**: relevant.", "relevant"),
        ("answer:relevant", "relevant"),
        ("Final answer: **how-to**", "how-to"),
        ("Answer:\n\nhow-to", "how-to"),
        ("<think>not? relevant?</think>\nhow-to", "how-to"),
        ("not? relevant?</think>\n\nhow-to", "how-to"),
        ("how-to <think>or relevant", "how-to"),
        ("", None),
        ("...", None),
        ("relevant or how-to", None),
        ("irrelevant", None),
        ("how-tos", None),
        ("nothing", None),
        ("Answer:", None),
        ("Answer: \n", None),
        ("relevant, I think.\nAnswer: I cannot say", None),
        ("<think>relevant", None),
        ("<thinking>relevant</thinking>", None),
    ],
)
def test_a_reply_names_a_class_only_where_it_is_clear(reply: str, named: str | None) -> None:
    found = named_class(reply, CLASSES)
    assert (None if found is None else CLASSES[found]) == named


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("It says relevant things.\nSo I answer.\nAnswer: how-to", "how-to"),
        ("It might be relevant, because the", None),
        ("It might be relevant.\nOr rather not", None),
        ("It might be relevant.\nSo it is how-to.", None),
        ("It might be relevant.\n\n**How-to**", "how-to"),
        ("how-to", "how-to"),
        ("Not relevant.", "not relevant"),
        ("Answer: I would say how-to", "how-to"),
        ("", None),
    ],
)
def test_what_is_thought_before_the_answer_is_no_vote(reply: str, named: str | None) -> None:
    found = named_class(reply, CLASSES, reasoned=True)
    assert (None if found is None else CLASSES[found]) == named


@pytest.mark.parametrize(
    ("classes", "reply", "named"),
    [
        (("A", "a"), "A", 0),
        (("A", "a"), "a", 1),
        (("A", "a"), "a.", None),
        (("1", "10"), "10", 1),
        (("1", "10"), "10.", 1),
        (("1", "2"), "1.5", None),
        (("1", "2"), "0,1", None),
        (("1", "2"), "-1", None),
        (("-1", "1"), "**-1**", 0),
        (("1", "2"), "12", None),
        (("1", "2", "3", "4", "5"), "4/5", None),
        (("yes", "?"), "", None),
        (("yes", "?"), "?", 1),
        (("*", "**", "***"), "**", 1),
        (("★", "★★", "★★★"), "Answer: ★★!", 1),
        (("a.b", "a"), "aXb", None),
        (("STRASSE", "weg"), "straße", 0),
    ],
)
def test_classes_that_resemble_each_other_are_told_apart(classes: Sequence[str], reply: str, named: int | None) -> None:
    assert named_class(reply, classes) == named


@given(NAMES, st.data())
def test_every_class_names_itself_alone_and_after_the_word_answer(classes: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(classes) - 1))
    assert named_class(classes[at], classes) == at
    plain = [name for name in classes if name.isalnum()]
    if classes[at] in plain:
        assert named_class(f"Let me see.\n\nAnswer: {classes[at]}", classes, reasoned=True) == at
        assert named_class(f"**{classes[at]}**.", plain) == plain.index(classes[at])


@given(NASTY | st.text(), st.booleans())
def test_naming_never_raises(reply: str, reasoned: bool) -> None:
    found = named_class(reply, CLASSES, reasoned=reasoned)
    assert found is None or 0 <= found < len(CLASSES)


def test_tags_around_a_trace_are_taken_away_and_what_is_inside_stays() -> None:
    assert without_tags("<think>\nfirst\n</think>\n\nthen") == "first\n\n\nthen"
    assert without_tags("<thinking>cut") == "cut"
    assert without_tags("a < b > c") == "a < b > c"


# --- which probabilities are stated


def as_json(probs: dict[str, float]) -> str:
    return json.dumps(probs)


FORMS: dict[str, Callable[[dict[str, float]], str]] = {
    "JSON": as_json,
    "JSON without spaces": lambda probs: json.dumps(probs, separators=(",", ":")),
    "JSON, indented": lambda probs: json.dumps(probs, indent=2, ensure_ascii=False),
    "JSON in a fence": lambda probs: f"Sure!\n```json\n{json.dumps(probs)}\n```",
    "lines": lambda probs: "\n".join(f"{name}: {p!r}" for name, p in probs.items()),
    "equals": lambda probs: "\n".join(f"- {name} = {p!r}" for name, p in probs.items()),
    "arrows": lambda probs: "\n".join(f"{name} -> {p!r}" for name, p in probs.items()),
    "dashes": lambda probs: "\n".join(f"* {name} – {p!r}" for name, p in probs.items()),
    "bold": lambda probs: "\n".join(f"1. **{name}**: {p!r}" for name, p in probs.items()),
    "bold with colon": lambda probs: "\n".join(f"**{name}:** {p!r}" for name, p in probs.items()),
    "one line": lambda probs: ", ".join(f"{name}: {p!r}" for name, p in probs.items()) + ".",
    "per cent": lambda probs: "\n".join(f"{name}: {100 * p!r}%" for name, p in probs.items()),
    "percentages": lambda probs: "\n".join(f"{name}: {100 * p!r}" for name, p in probs.items()),
    "percentages with a space": lambda probs: "; ".join(f"`{name}`: {100 * p!r} %" for name, p in probs.items()),
    "upper case": lambda probs: json.dumps({name.upper(): p for name, p in probs.items()}, ensure_ascii=False),
    "after a draft": lambda probs: f"First, {', '.join(f'{name}: 0.5' for name in probs)}.\nThen: {json.dumps(probs)}",
    "after thoughts": lambda probs: f"<think>{', '.join(f'{name}: 0.5' for name in probs)}</think>{json.dumps(probs)}",
}
SETS = (
    CLASSES,
    ("a", "b"),
    ("yes", "no"),
    ("1", "2", "3", "10"),
    ("how", "how to", "to"),
    ('say "hi"', "say", "C:\\d", "café"),
    ("0.5", "5"),
)


@pytest.mark.parametrize("classes", SETS, ids=" ".join)
@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_read_alike(form: str, classes: tuple[str, ...]) -> None:
    probs = {name: (i + 1) / (len(classes) * (len(classes) + 1) / 2) for i, name in enumerate(classes)}
    for _ in range(2):
        found = stated_distribution(FORMS[form](probs), classes)
        assert found == pytest.approx([probs[name] for name in classes], abs=1e-9)
        probs = dict(reversed(probs.items()))


def test_classes_that_are_signs_of_json_itself_come_back_from_it() -> None:
    assert stated_distribution('{"\\"": 0.25, ":": 0.75}', ['"', ":"]) == [0.25, 0.75]


@given(NAMES, st.data())
def test_any_distribution_comes_back_from_json(classes: list[str], data: st.DataObject) -> None:
    weights = data.draw(
        st.lists(st.floats(0, 1), min_size=len(classes), max_size=len(classes)).filter(lambda one: sum(one) > 1e-6)
    )
    total = math.fsum(weights)
    probs = [weight / total for weight in weights]
    for ascii_only in (True, False):
        reply = json.dumps(dict(zip(classes, probs, strict=True)), ensure_ascii=ascii_only)
        assert stated_distribution(reply, classes) == pytest.approx(probs, abs=1e-9)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("a: 20%, b: 0.8", [0.2, 0.8]),
        ("a: 1, b: 0", [1, 0]),
        ("a: 1., b: .25", [1, 0.25]),
        ("a: 1e-2, b: 9.9E-01", [0.01, 0.99]),
        ("a: 5e+0%, b: 95%", [0.05, 0.95]),
        ("a: 3, b: 1", [0.03, 0.01]),
        ("a: 0.1 b: 0.2 a: 0.3", [0.3, 0.2]),
        ("A: 0.3, a: 0.1, b: 0.9", [0.1, 0.9]),
        ("a: 0.3", None),
        ("b: 0.3", None),
        ("ba: 0.3, b: 0.3", None),
        ("a, b", None),
        ("a: high, b: low", None),
        ("a: 0, b: 0", None),
        ("a: 120%, b: 10%", None),
        ("a: 1000, b: 10", None),
        ("a:\n1. b: 0.7", None),
        ("a: -0.2, b: 1.2", None),
        ('{"a":-0.2,"b":1.2}', None),
        ("a: 1/2, b: 1/4", None),
        ("a: 20-30%, b: 70-80%", None),
        ("a: 0,25; b: 0,75", None),
        ("a: 1e999, b: 1", None),
        (f"a: {'9' * 400}, b: 1", None),
        ("a: 1e-999, b: 1", [0, 1]),
        ("<think>a: 0.2, b: 0.8</think> I cannot say", None),
        ("a: 0.2, b: 0.8 </think> a: 0.6, b: 0.4", [0.6, 0.4]),
    ],
)
def test_numbers_are_read_whole_or_not_at_all(reply: str, found: list[float] | None) -> None:
    assert stated_distribution(reply, ("a", "b")) == (None if found is None else pytest.approx(found))


@pytest.mark.parametrize("left_out", CLASSES)
def test_a_class_inside_another_ones_name_is_not_stated_by_it(left_out: str) -> None:
    reply = "\n".join(f"{name}: 0.2" for name in CLASSES if name != left_out)
    assert stated_distribution(reply, CLASSES) is None


def test_classes_that_differ_in_case_are_read_as_they_are_written() -> None:
    assert stated_distribution('{"A": 0.3, "a": 0.7}', ("A", "a")) == [0.3, 0.7]
    assert stated_distribution('{"a": 0.7}', ("A", "a")) is None


@given(NASTY | st.text())
@example("not: 1e999 relevant: 1 not relevant: 2 how-to: 0 C#: 0")
@example("not: ٣ relevant: ١ not relevant: ٠ how-to: 0 C#: 0")
def test_stated_values_are_probabilities_or_nothing(reply: str) -> None:
    found = stated_distribution(reply, CLASSES)
    if found is not None:
        assert len(found) == len(CLASSES)
        assert all(0 <= value <= 1 for value in found)
        assert sum(found) > 0


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from([": ", "=", " - "]), st.floats(0, 1)), max_size=9))
def test_stated_pieces_in_any_order_are_probabilities_or_nothing(pieces: list[tuple[str, str, float]]) -> None:
    found = stated_distribution("\n".join(f"{name}{sign}{p!r}" for name, sign, p in pieces), CLASSES)
    last = {name: p for name, _, p in pieces}
    whole = len(last) == len(CLASSES) and sum(last.values()) > 0
    assert found == (pytest.approx([last[name] for name in CLASSES]) if whole else None)


@pytest.mark.parametrize("filler", ["-", ": ", "9", " ", "not ", "relevant: ", '"', "<think>", "Answer:"])
def test_what_a_model_repeats_without_end_hinders_nothing(filler: str) -> None:
    probs = ", ".join(f"{name}: 0.2" for name in CLASSES)
    assert stated_distribution(f"{probs}\n{filler * 20_000}", CLASSES) == pytest.approx([0.2] * 5)
    assert named_class(f"Answer: not\n{filler * 20_000}", CLASSES) in {0, None}

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sampling.replies.counted import counted
from vsgen.sampling.replies.lenient import read
from vsgen.sampling.replies.parse import Parsed, parse_list, parse_one, parse_text

laws = settings(deadline=None, max_examples=150)
NASTY = (
    *('"', "'", "\\", "\n", "\t", "\x00", "\u2028", "{", "}", "[", "]", ",", ":", ", ]", ", }", ",}", '", "', "', '"),
    *(
        "```",
        "```json\n",
        "~~~",
        "<think>",
        "</think>",
        "<response>",
        "</response>",
        "<text>",
        "// x",
        "/* x */",
        "# x",
    ),
    *(
        "...",
        '"probability": 0.9',
        "'text': 'x'",
        "1. ",
        "- ",
        "(probability: 0.2)",
        "0.5",
        "70%",
        "“",
        "”",
        "’",
        "é",
        "😀",
    ),
    *("\\n", "\\u00e9", "\\ud83d", '\\"', "&amp;", "NaN", "null", "text", "probability", "responses", "text: ", "\n\n"),
    *("<![CDATA[", "]]>", "<probability>", "</text>", "{'a':", '{"text":', '{"responses": [', "True", "1/4", "-", " "),
)
nasty = st.lists(st.sampled_from(NASTY) | st.text(max_size=3), max_size=12).map("".join)
texts = nasty
probabilities = st.floats(0, 1) | st.sampled_from([0, 1])
answers = st.lists(st.tuples(texts, probabilities), min_size=1, max_size=4)
Answers = list[tuple[str, float]]


def asked_form(items: Answers) -> dict[str, object]:
    return {"responses": [{"text": text, "probability": p} for text, p in items]}


WRITERS: dict[str, Callable[[object], str]] = {
    "ascii": json.dumps,
    "unicode": lambda value: json.dumps(value, ensure_ascii=False),
    "indented": lambda value: json.dumps(value, indent=2),
    "compact": lambda value: json.dumps(value, separators=(",", ":")),
    "repr": repr,
    "list": lambda value: json.dumps(value["responses"]) if isinstance(value, dict) else "",
    "lines": lambda value: "\n".join(map(json.dumps, value["responses"])) if isinstance(value, dict) else "",
    "encoded": lambda value: json.dumps(json.dumps(value)),
}
WRAPPERS = {
    "nothing": "%s",
    "chatter": 'Sure, here you go (a {list} of [2]):\n%s\nIt\'s done; I hope that "helps".',
    "fence": "```json\n%s\n```",
    "chatter and fence": "Here:\n```\n%s\n```\nBye!",
    "thinking": '<think>so {"text": "no", "probability": 0.3} or [1\n</think>\n%s',
}


def pairs(parsed: Parsed) -> list[tuple[object, float | None]]:
    return [(item.fields.get("text"), item.verbalized) for item in parsed.items]


@laws
@given(nasty | st.text())
@example("[" * 1000)
@example("\ud800")
def test_no_reply_raises(raw: str) -> None:
    for stopped in (True, False):
        for fields in (["text"], ["text", "probability"], ["name", "responses"]):
            for parsed in (parse_list(raw, fields, stopped=stopped), parse_one(raw, fields, stopped=stopped)):
                assert (parsed.problem is None) == bool(parsed.items)
        assert len(parse_text(raw, "text", stopped=stopped).items) <= 1


ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))")
SIMPLE = dict(zip("ntrbf/\\\"'", "\n\t\r\b\f/\\\"'", strict=True))


def resolved(raw: str) -> str:
    """The escapes of JSON and of Python's repr, read from left to right over the whole reply."""

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else SIMPLE.get(found[4], found[0])

    return ESCAPE.sub(character, raw).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for entry in value.values() for text in strings(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in strings(entry)]
    return [value] if isinstance(value, str) else []


@laws
@given(nasty.map(lambda raw: raw.replace("<![CDATA[", "").replace("&amp;", "")))
def test_every_text_stands_in_the_reply_once_its_escapes_are_resolved(raw: str) -> None:
    once = resolved(raw)
    sources = (raw, once, resolved(once))
    for parsed in (parse_list(raw, ["text"]), parse_one(raw, ["text", "a"]), parse_text(raw, "text")):
        for text in (text for item in parsed.items for text in strings(dict(item.fields))):
            assert any(text in source for source in sources)


@laws
@given(nasty)
def test_every_probability_stands_in_the_reply(raw: str) -> None:
    numbers = [float(number) for number in re.findall(r"\d*\.?\d+", raw)] + [1 / 4]
    for item in parse_list(raw, ["text"]).items:
        if item.verbalized is not None:
            assert any(item.verbalized in {number, number / 100} for number in numbers)


@st.composite
def replies(draw: st.DrawFn) -> tuple[str, Answers]:
    """A reply in one of many valid forms, and what it states."""
    items = draw(answers)
    writer = draw(st.sampled_from(sorted(WRITERS)))
    wrapper = "nothing" if writer == "encoded" else draw(st.sampled_from(sorted(WRAPPERS)))
    return WRAPPERS[wrapper].replace("%s", WRITERS[writer](asked_form(items))), items


@laws
@given(replies())
def test_texts_and_probabilities_come_back_as_they_were(reply: tuple[str, Answers]) -> None:
    raw, items = reply
    assert pairs(parse_list(raw, ["text"])) == items


@laws
@given(replies(), st.data())
def test_cut_reply_yields_the_first_of_its_items(reply: tuple[str, Answers], data: st.DataObject) -> None:
    raw, items = reply
    cut = raw[: data.draw(st.integers(0, len(raw)))]
    read_back = pairs(parse_list(cut, ["text"], stopped=data.draw(st.booleans())))
    assert read_back == items[: len(read_back)]


def test_every_cut_of_a_reply_keeps_the_items_before_it() -> None:
    items: Answers = [('a "b", {c}', 0.25), ("d\ne", 0.5), ("f", 0.125)]
    reply = json.dumps(asked_form(items))
    ends = [found.end() for found in re.finditer(r"0\.\d+}", reply)]
    for length in range(len(reply)):
        read_back = pairs(parse_list(reply[:length], ["text"]))
        assert read_back == items[: sum(end <= length for end in ends)]


@laws
@given(texts, st.data())
def test_cut_object_is_one_item_or_none(text: str, data: st.DataObject) -> None:
    reply = json.dumps({"reasoning": "so", "text": text})
    cut = reply[: data.draw(st.integers(0, len(reply)))]
    assert [item.fields for item in parse_one(cut, ["text"]).items] in ([], [{"text": text}])


@laws
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | nasty,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(nasty, inner, max_size=4),
        max_leaves=12,
    ).map(lambda value: [value]),
    st.sampled_from([None, 1]),
)
def test_lenient_reader_agrees_with_a_strict_one(value: list[object], indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    reading = read(text, 0, frozenset({"text", "probability"}))
    assert reading == (value, len(text), {}, False, False)


UNITS = (
    *(
        "[",
        "{",
        '"',
        "'",
        "\\",
        "```",
        "```\n",
        "<response>",
        "<response><text>",
        "- ",
        "- a\n",
        "{'a':",
        '{"a":',
        "9",
        "0.",
        "e",
    ),
    *(
        '{"text":"',
        '{"',
        "{'",
        "{“",
        "{a",
        "{a:",
        "{text:a,",
        "[,",
        "[#",
        "[//",
        "[/*",
        "[-",
        "[1 ",
        "[...",
        "[]",
        "{}",
        "}]",
    ),
    *(
        '[""',
        '["", ',
        '["a" ',
        '{"a":"b" "',
        '{"a":"',
        '{"text":"a", ',
        '{"text":"x"}\n',
        '[{"text":"a"} ',
        '"{\\"',
        "“",
    ),
    *(
        "<think>",
        "</think>",
        "<think></think>",
        "</response>",
        "<![CDATA[",
        "<a>",
        "&lt;",
        "1. ",
        "1. a\n",
        "text: \n",
        "a\n\n",
    ),
    *("text: a\nprobability: 0.1\n", "**a:** b\n", " ", "\n", " \t", "\u200b", "\ud83d", "…", "(0.2)", "~~~\n1. a\n"),
)
BEGINNINGS = ("", '{"responses": [', '{"text": "', "1. ", '"', "<response><text>")


def calls(raw: str) -> int:
    """How many Python and C functions reading a reply takes."""
    return counted(lambda: parse_list(raw, ["text"]), lambda: parse_text(raw, "text"))


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_twice_the_reply_takes_at_most_twice_the_calls(beginning: str) -> None:
    for unit in UNITS:
        short, long = (calls(beginning + unit * (size // len(unit))) for size in (1000, 2000))
        assert long <= 2.1 * short + 200, unit


@pytest.mark.parametrize(
    "unit", ['"', "'", "\\", " ", "\n", "`", '{"a":"', "<![CDATA[", "<response>", "<think>", "- ", "[/*", "9", '","']
)
def test_long_reply_is_read_to_its_end(unit: str) -> None:
    """Quadratic matching inside the regular expressions would keep this busy for minutes."""
    for beginning in ('{"text": "', "[", ""):
        parsed = parse_list(beginning + unit * (100_000 // len(unit)), ["text"])
        assert (parsed.problem is None) == bool(parsed.items)


def test_long_clean_reply_is_read() -> None:
    items: Answers = [("x" * 20_000, 0.02)] * 50
    assert pairs(parse_list("So:\n" + json.dumps(asked_form(items)), ["text"])) == items

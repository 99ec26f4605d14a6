# ruff: noqa: E501 - in the golden table a case is a line
from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from vsgen.sampling.replies.items import FLAGS
from vsgen.sampling.replies.parse import parse_list, parse_one, parse_text

Pair = tuple[object, float | None]
AB: list[Pair] = [("a", 0.1), ("b", 0.2)]
GOOD = '{"responses": [{"text": "a", "probability": 0.1}, {"text": "b", "probability": 0.2}]}'
ONE = '{"text": "a", "probability": 0.1}'
FENCED_CODE = "Run:\n```python\nprint([1, 2,])\n```\ndone"


@dataclass(frozen=True, slots=True)
class Case:
    law: str
    reply: str
    expected: list[Pair]
    flags: tuple[str, ...] = ()
    """Of the first item."""
    stopped: bool = True


def of(text: str) -> str:
    return f'{{"responses": [{{"text": {text}, "probability": 0.5}}]}}'


def stating(*numbers: str) -> str:
    return "[" + ", ".join(f'{{"text": "t", "probability": {number}}}' for number in numbers) + "]"


def ts(*probabilities: float | None) -> list[Pair]:
    return [("t", probability) for probability in probabilities]


MENDED = ("repaired",)
BARE = ("no-probability",)
PROSE = ("no-json",)
CUT = ("truncated",)

GOLDEN = [
    # the form that was asked for, and its relatives
    Case("the asked form", GOOD, AB),
    Case("reasoning first", '{"reasoning": "hm {", ' + GOOD[1:], AB),
    Case("a bare list", '[{"text": "a", "probability": 0.1}, {"text": "b", "probability": 0.2}]', AB),
    Case("a list of strings", '["a", "b"]', [("a", None), ("b", None)], BARE),
    Case("strings under the key", '{"responses": ["a", "b"]}', [("a", None), ("b", None)], BARE),
    Case("a single object", ONE, [("a", 0.1)]),
    Case("the key answers", GOOD.replace("responses", "answers"), AB),
    Case("the key candidates", GOOD.replace("responses", "Candidates"), AB),
    Case("any key", GOOD.replace("responses", "my jokes"), AB),
    Case("two levels down", '{"data": ' + GOOD + "}", AB),
    Case("a wrapped item", '{"response": {"text": "a", "probability": 0.1}}', [("a", 0.1)]),
    Case("wrapped items", '[{"response": ' + ONE + "}]", [("a", 0.1)]),
    Case("numbered keys", '{"1": ' + ONE + ', "2": {"text": "b", "probability": 0.2}}', AB),
    Case("pairs", '[["a", 0.1], ["b", 0.2]]', AB),
    Case("numbers as responses", "[3, 5]", [(3, None), (5, None)], BARE),
    Case("a double-encoded reply", json.dumps(GOOD), AB),
    Case("a double-encoded list", json.dumps({"responses": json.dumps([{"text": "a", "probability": 0.1}])}), [("a", 0.1)]),
    Case("double-encoded items", json.dumps({"responses": [ONE]}), [("a", 0.1)]),
    Case("an item without its field is counted", '[{"text": "a", "probability": 0.1}, {"probability": 0.2}]', [("a", 0.1), (None, 0.2)]),
    Case("the dots of the form are counted", '[{"text": "...", "probability": 0.12}, ' + ONE + "]", [("...", 0.12), ("a", 0.1)]),
    # other names
    Case("a field in capitals", ONE.replace("text", "Text"), [("a", 0.1)], ("renamed",)),
    Case("a field under an alias", ONE.replace("text", "answer"), [("a", 0.1)], ("renamed",)),
    Case("a field that is the only text", ONE.replace("text", "joke"), [("a", 0.1)], ("renamed",)),
    Case("the probability as prob", ONE.replace("probability", "prob"), [("a", 0.1)], ("renamed",)),
    Case("the probability as p", ONE.replace("probability", "p"), [("a", 0.1)], ("renamed",)),
    Case("a confidence is no probability", ONE.replace("probability", "confidence"), [("a", None)], ("no-probability", "other-number")),
    Case("a perplexity is no probability", ONE.replace("probability", "perplexity"), [("a", None)], ("no-probability", "other-number")),
    # chatter, fences, thinking
    Case("a json fence", f"```json\n{GOOD}\n```", AB),
    Case("a fence without a name", f"```\n{GOOD}\n```", AB),
    Case("a fence of tildes", f"~~~\n{GOOD}\n~~~", AB),
    Case("an unclosed fence", f"```json\n{GOOD}", AB),
    Case("several fences", f'```json\n{ONE}\n```\nand\n```json\n{{"text": "b", "probability": 0.2}}\n```', AB),
    Case("chatter around", f"Sure! Here {{as asked}} are [2] of them:\n{GOOD}\nI hope this [helps] {{you}}.", AB),
    Case("a code fence inside a text", f"Here:\n```json\n{of(json.dumps(FENCED_CODE))}\n```", [(FENCED_CODE, 0.5)]),
    Case("thinking with braces", "<think>use {this [or that\n</think>" + GOOD, AB),
    Case("thinking with a draft", f'<think>maybe {ONE.replace("a", "draft")}</think>\n{GOOD}', AB),
    Case("thinking by another name", f"<Thinking>{ONE}</Thinking>\n{GOOD}", AB),
    Case("thinking after a word", f"Well. <think>{ONE}</think>\n{GOOD}", AB),
    Case("only the end of thinking", f"maybe {ONE} or so\n</think>\n{GOOD}", AB),
    Case("thinking that never ends", f"<think>maybe {GOOD}", []),
    Case("thinking inside a text", "Here: " + of('"say <think>x</think> {y"'), [("say <think>x</think> {y", 0.5)]),
    Case("a byte order mark", "\ufeff" + GOOD, AB),
    Case("zero-width spaces", "\u200b" + GOOD + "\u200b", AB),
    # repair
    Case("a Python repr", repr(json.loads(GOOD)), AB, MENDED),
    Case("None and True", "[{'text': 'a', 'probability': None, 'ok': True}]", [("a", None)], ("no-probability", "repaired")),
    Case("an apostrophe in single quotes", "[{'text': 'it's', 'probability': 0.5}]", [("it's", 0.5)], MENDED),
    Case("mixed quotes", "[{'text': \"it's\", \"probability\": 0.5}]", [("it's", 0.5)], MENDED),
    Case("a raw newline", of('"x\ny"'), [("x\ny", 0.5)], MENDED),
    Case("a raw tab and bell", of('"x\t\x07y"'), [("x\t\x07y", 0.5)], MENDED),
    Case("trailing commas", '{"responses": [{"text": "a, ]", "probability": 0.5,},],}', [("a, ]", 0.5)], MENDED),
    Case("text like a trailing comma", "So: " + of('"[1, ] and {2, }"'), [("[1, ] and {2, }", 0.5)]),
    Case("missing commas between items", f'[{ONE}\n{{"text": "b", "probability": 0.2}}]', AB, MENDED),
    Case("missing commas between keys", '[{"text": "a"\n "probability": 0.1}]', [("a", 0.1)], MENDED),
    Case("missing commas between strings", '["a"\n  "b"]', [("a", None), ("b", None)], ("no-probability", "repaired")),
    Case("comments", '[ // two\n{"text": "a // b", /* p */ "probability": 0.5}, # end\n]', [("a // b", 0.5)], MENDED),
    Case("an ellipsis as the last item", f"[{ONE}, ...]", [("a", 0.1)], MENDED),
    Case("typographic quotes", "[{“text”: “say \"hi\" – it’s”, “probability”: 0.5}]", [('say "hi" – it’s', 0.5)], MENDED),
    Case("inner quotes", of('"He said "hi", and left"'), [('He said "hi", and left', 0.5)], MENDED),
    Case("an inner quote at the end", of('"He said "hi""'), [('He said "hi"', 0.5)], MENDED),
    Case("unquoted keys", '[{text: "a", probability: 0.1}]', [("a", 0.1)], MENDED),
    Case("unquoted text", "[{text: so it is, I say, probability: 0.1}]", [("so it is, I say", 0.1)], MENDED),
    Case("a missing brace", '[{"text": "a", "probability": 0.1, {"text": "b", "probability": 0.2}]', AB, MENDED),
    Case("a missing bracket", '{"responses": [{"text": "a", "probability": 0.1}}', [("a", 0.1)], MENDED),
    Case("words between items", f'[{ONE} and also {{"text": "b", "probability": 0.2}}]', AB, MENDED),
    Case("a string never closed is given up", f'[{{"text": "x, "probability": 0.3}}, {ONE}]', [("a", 0.1)]),
    Case("a lone backslash", of('"\\d \\frac"'), [("\\d \frac", 0.5)], MENDED),
    Case("escapes", "So " + of(r'"\u00e9\ud83d\ude00\n\"\/"'), [('é😀\n"/', 0.5)]),
    Case("half a surrogate pair", of(r'"x\ud83d y"'), [("x\ufffd y", 0.5)], MENDED),
    Case("half a surrogate pair, raw", of('"x\ud83d y"'), [("x\ufffd y", 0.5)]),
    Case("an integer too long for 64 bits", '[{"text": 123456789012345678901234567890, "probability": 0.5}]', [("123456789012345678901234567890", 0.5)]),
    # probabilities
    Case("percentages as strings", stating('"70%"', '"30 %"'), ts(0.7, 0.3), ("percent",)),
    Case("a percentage without quotes", stating("70%"), ts(0.7), ("percent", "repaired")),
    Case("percentages as numbers", stating("40", "30", "20"), ts(0.4, 0.3, 0.2), ("percent",)),
    Case("numbers that are no percentages", stating("40", "30"), ts(None, None), ("impossible-probability",)),
    Case("a number over 1", stating("1.5", "0.2"), ts(None, 0.2), ("impossible-probability",)),
    Case("one and zero", stating("1", "0", "0.0"), ts(1.0, 0.0, 0.0)),
    Case("a negative number", stating("-0.1", "0.2"), ts(None, 0.2), ("impossible-probability",)),
    Case("not a number", stating("NaN", "0.2"), ts(None, 0.2), ("impossible-probability", "repaired")),
    Case("infinity", stating("Infinity", "-Infinity", "1e999"), ts(None, None, None), ("impossible-probability", "repaired")),
    Case("an exponent", stating("1e-3", "2.5E-1"), ts(0.001, 0.25)),
    Case("a word", stating('"high"'), ts(None), ("impossible-probability",)),
    Case("a number in words", stating('"about 0.3"', '"~0.2"', '"1/4"', '".5"', '"0,1"'), ts(0.3, 0.2, 0.25, 0.5, 0.1)),
    Case("a range or a bound", stating('"0.1-0.2"', '"<0.1"', '"1/0"'), ts(None, None, None), ("impossible-probability",)),
    Case("booleans and containers", stating("true", "[0.1]", "{}"), ts(None, None, None), ("impossible-probability",)),
    Case("null", stating("null", "0.2"), ts(None, 0.2), BARE),
    # tags
    Case(
        "tags",
        "<response><text>a</text><probability>0.1</probability></response>\n<response>\n<text> b </text>\n<probability>20%</probability></response>",
        AB,
        PROSE,
    ),
    Case("tags in a list", "<responses>\n<response><text>a</text><probability>0.1</probability></response></responses>", [("a", 0.1)], PROSE),
    Case("attributes", '<response id="1" probability="0.1">a</response>', [("a", 0.1)], PROSE),
    Case("entities", "<response><text>a &lt;b&gt; &amp;amp; &#233;&#x1F600; R&D</text><probability>0.5</probability></response>", [("a <b> &amp; é😀 R&D", 0.5)], PROSE),
    Case("sections", "<response><text><![CDATA[a </text> &lt; ]]]]><![CDATA[>]]></text><probability>0.5</probability></response>", [("a </text> &lt; ]]>", 0.5)], PROSE),
    Case("markup inside tags", "<response><text>a <b>bold</b> [1, 2]</text><probability>0.5</probability></response>", [("a <b>bold</b> [1, 2]", 0.5)], PROSE),
    Case("the last tag unclosed", "<response><text>a</text><probability>0.1</probability></response><response><text>b</text><probab", [("a", 0.1)], ("truncated", "no-json")),
    Case("an inner tag unclosed", "<response><text>a<probability>0.1</probability></response>", [("a", 0.1)], ("repaired", "no-json")),
    Case("a tag unclosed before the next", "<response><text>a</text><probability>0.1</probability>\n<response><text>b</text><probability>0.2</probability></response>", AB, ("repaired", "no-json")),
    Case("tags without a response", "<text>a</text><probability>0.1</probability>\n<text>b</text><probability>0.2</probability>", AB, PROSE),
    Case("JSON in tags", f"<response>{ONE}</response>", [("a", 0.1)]),
    Case("a tag in chatter", f"Without <response> tags: {GOOD}", AB),
    # lists and labelled lines
    Case("a numbered list", "Here:\n1. a\n2. b\n\nEnjoy!", [("a", None), ("b", None)], ("no-probability", "no-json")),
    Case("parentheses", "1) a (probability: 0.1)\n2) b (Probability: 20%)", AB, PROSE),
    Case("bullets with dashes", "- a - 0.1\n- b - 0.2", AB, PROSE),
    Case("brackets", "* a [0.1]\n* b [0.2]", AB, PROSE),
    Case("the word alone", "1. a, probability 10%\n2. b – probability: 0.2", AB, ("percent", "no-json")),
    Case("a number that belongs to the text", "- up by (50%)\n- down", [("up by (50%)", None), ("down", None)]),
    Case("entries of several lines", "1. x\n   y\n   (probability: 0.1)\n2. z\n   (probability: 0.2)", [("x\n   y", 0.1), ("z", 0.2)], PROSE),
    Case("a fenced list", "```\n1. a\n2. b\n```\nDone", [("a", None), ("b", None)]),
    Case("quoted entries", '1. "a"\n2. “b”', [("a", None), ("b", None)]),
    Case("a cut list", "1. a\n2. b\n3. c and th", [("a", None), ("b", None)], ("no-probability", "truncated", "no-json"), False),
    Case("labelled lines", "text: a\nprobability: 0.1\n\ntext: b\nprobability: 0.2", AB, PROSE),
    Case("YAML", "responses:\n  - text: \"a\"\n    probability: 0.1\n  - text: |\n      b\n    probability: 0.2", AB, PROSE),
    Case("numbered labels", "Response 1: a\nProbability: 0.1\n\nResponse 2: b\nProbability: 0.2", AB, ("renamed", "no-json")),
    Case("bold marks", "**1.** a\n**2.** b", [("a", None), ("b", None)]),
    Case("Markdown labels", "1. **Text:** a\n   **Probability:** 0.1\n2. **Text**: b\n   **Probability**: 20%", AB, PROSE),
    # several values, and values that are cut
    Case("one object a line", f'{ONE}\n{{"text": "b", "probability": 0.2}}\n', AB),
    Case("one list a line", '{"responses": [' + ONE + ']}\n{"responses": [{"text": "b", "probability": 0.2}]}', AB),
    Case("two lists are joined", f'First: [{ONE}] Then: [{{"text": "b", "probability": 0.2}}]', AB),
    Case("a repeated list counts once", f"{GOOD}\nAgain:\n{GOOD}", AB),
    Case("cut in a text", GOOD[:55], [("a", 0.1)], CUT),
    Case("cut in a number", GOOD[:-4], [("a", 0.1)], CUT),
    Case("cut after the last item", GOOD[:-2], AB, CUT),
    Case("cut before the last brace", GOOD[:-3] + "\n", AB, CUT),
    Case("cut inside a fence", f"```json\n{GOOD[:60]}", [("a", 0.1)], CUT, False),
    Case("cut while double-encoded", json.dumps(GOOD)[:70], [("a", 0.1)], CUT),
    Case("whole although the model did not stop", GOOD, AB, (), False),
    # nothing to read
    Case("an empty reply", "", []),
    Case("blanks", " \n\t\u200b", []),
    Case("an empty list", '{"responses": []}', []),
    Case("a refusal", "I'm sorry, but I can't help with that [1]. {See policy: 4}", []),
    Case("a refusal as JSON", '{"error": "I cannot help with that."}', []),
    Case("a refusal with one point", "I can't do that.\n- Call a friend", []),
    Case("plain prose", "The probability is 0.3, about 30%. Text: none", []),
    Case("the form repeated", '{"responses": [{"text": "...", "probability": 0.12}, ...]}', [("...", 0.12)]),
    Case("cut before the first item is whole", GOOD[:30], []),
]  # fmt: skip


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.law)
def test_reply_is_read_as_it_is_meant(case: Case) -> None:
    parsed = parse_list(case.reply, ["text"], stopped=case.stopped)
    assert [(item.fields.get("text"), item.verbalized) for item in parsed.items] == case.expected
    assert (parsed.problem is None) == bool(case.expected)
    assert all(set(item.flags) <= set(FLAGS) for item in parsed.items)
    if case.flags:
        assert parsed.items[0].flags == case.flags


def test_several_fields_lie_flat_beside_the_probability() -> None:
    reply = '[{"name": "Bo", "age": 3, "probability": 0.5}, {"Name": "Al", "probability": 0.5}]'
    first, second = parse_list(reply, ["name", "age"]).items
    assert (dict(first.fields), first.flags) == ({"name": "Bo", "age": 3}, ())
    assert (dict(second.fields), second.flags) == ({"name": "Al"}, ("renamed",))


def test_field_that_is_a_list_of_objects_is_no_list_of_items() -> None:
    reply = '[{"title": "x", "steps": [{"title": "y"}, {"title": "z"}], "probability": 0.5}]'
    (item,) = parse_list(reply, ["title", "steps"]).items
    assert item.fields == {"title": "x", "steps": [{"title": "y"}, {"title": "z"}]}


def test_open_item_counts_only_with_all_that_was_asked() -> None:
    whole = '[{"name": "Bo", "tags": ["x"], "probability": 0.5}'
    assert len(parse_list(whole, ["name", "tags"]).items) == 1
    assert not parse_list('[{"name": "Bo", "probability": 0.5, "tags": ["x", "y', ["name", "tags"]).items
    assert not parse_list('[{"name": "Bo", "probability": 0.5, ', ["name", "tags"]).items


def test_fields_may_be_labelled_lines_or_tags() -> None:
    lines = parse_list("- name: Bo\n  age: 3\n- name: Al\n  age: 4", ["name", "age"], verbalized=False)
    assert [dict(item.fields) for item in lines.items] == [{"name": "Bo", "age": "3"}, {"name": "Al", "age": "4"}]
    tags = parse_list(
        "<response><due_date>May</due_date><age>3</age></response>", ["due_date", "age"], verbalized=False
    )
    assert [dict(item.fields) for item in tags.items] == [{"due_date": "May", "age": "3"}]


def test_asked_field_named_like_thinking_is_a_field() -> None:
    (item,) = parse_list("<item><analysis>so</analysis></item>", ["analysis"], verbalized=False).items
    assert item.fields == {"analysis": "so"}


def test_reasoning_is_kept_apart() -> None:
    assert parse_list('{"reasoning": "hm", ' + GOOD[1:], ["text"]).reasoning == "hm"
    assert parse_list("<think> hm </think>" + GOOD, ["text"]).reasoning == "hm"
    assert parse_list("hm </think>" + GOOD, ["text"]).reasoning == "hm"
    assert parse_list('{"reasoning": "hm", "responses": [{"te', ["text"]).reasoning == "hm"


def test_probability_that_was_not_asked_for_is_not_missed() -> None:
    assert [item.flags for item in parse_list('["a", "b"]', ["text"], verbalized=False).items] == [(), ()]


def test_problem_says_why_nothing_could_be_read() -> None:
    assert parse_list("", ["text"]).problem == "the reply is empty"
    assert parse_list("<think>", ["text"]).problem == "the reply ends before its thinking does"
    assert parse_list('{"responses": []}', ["text"]).problem == "the list of responses is empty"
    assert parse_list(GOOD[:30], ["text"]).problem == "the reply was cut before a response was complete"
    assert parse_list("No.", ["text"]).problem == "the reply holds no list of responses"


def test_one_object_is_one_item() -> None:
    parsed = parse_one('Well:\n{"reasoning": "hm", "text": "a"}', ["text"])
    assert ([dict(item.fields) for item in parsed.items], parsed.reasoning) == ([{"text": "a"}], "hm")
    assert parsed.items[0].flags == ()


def test_last_full_object_is_the_answer() -> None:
    reply = '{"name": "x", "age": 1} or rather {"name": "y", "age": 2}, not {"name": "z"}'
    (item,) = parse_one(reply, ["name", "age"]).items
    assert item.fields == {"name": "y", "age": 2}


def test_one_object_without_its_last_brace_counts_if_all_is_there() -> None:
    (item,) = parse_one('{"reasoning": "hm", "text": "a"', ["text"], stopped=False).items
    assert (item.fields, item.flags) == ({"text": "a"}, ("truncated",))
    assert not parse_one('{"reasoning": "hm", "text": "a', ["text"], stopped=False).items


def test_reply_itself_is_the_text() -> None:
    (item,) = parse_text("\ufeff  {not: json}\n```x```\n ", "text").items
    assert (item.fields, item.verbalized, item.flags) == ({"text": "{not: json}\n```x```"}, None, ())


def test_thinking_is_cut_from_a_text() -> None:
    parsed = parse_text("\n<think>hm</think>\n\nUse <think>tags</think> so.", "text")
    assert (parsed.items[0].fields, parsed.reasoning) == ({"text": "Use <think>tags</think> so."}, "hm")
    assert parse_text("hm</think>yes", "text").items[0].fields == {"text": "yes"}


def test_empty_text_is_a_problem() -> None:
    assert parse_text("<think>hm</think> \u200b", "text").problem == "the reply is empty"
    assert parse_text("<think>hm", "text").problem == "the reply ends before its thinking does"


def test_cut_text_is_kept_and_flagged() -> None:
    assert parse_text("half a sen", "text", stopped=False).items[0].flags == ("truncated",)

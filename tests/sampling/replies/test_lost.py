# ruff: noqa: E501 - in the golden table a case is a line
"""What cannot be read whole is counted as lost and never guessed, with the share of its draw that it states."""

from __future__ import annotations

import json
from random import Random

import pytest

from vsgen.flow import Together, Turn
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.replies.parse import parse_list
from vsgen.sampling.settings import Method, Sampling, Settings
from vsgen.values import Completion, Distribution, Message, Prompt

A = '{"text": "a", "probability": 0.1}'
C = '{"text": "c", "probability": 0.3}'
Lost = list[tuple[str, float | None]]

LOST: list[tuple[str, str, Lost]] = [
    ("a text without a value", '{"text": , "probability": 0.2}', [('{"text": , "probability": 0.2}', 0.2)]),
    ("a text without its last quote", '{"text": "b, "probability": 0.2}', [('{"text": "b, "probability": 0.2}', 0.2)]),
    ("a last text without its quote", '{"probability": 0.2, "text": "b}', [('{"probability": 0.2, "text": "b}', 0.2)]),
    ("a key that is no name", '{"te"xt": "b", "probability": 0.2}', [('{"te"xt": "b", "probability": 0.2}', 0.2)]),
    ("a text that holds the form", '{"text": "b", 5 "x": 1, "probability": 0.2}', [('{"text": "b", 5 "x": 1, "probability": 0.2}', 0.2)]),
    ("a text among objects", '"b"', [("b", None)]),
    ("a number among objects", "7", [("7", None)]),
    ("an empty list among objects", "[]", [("[]", None)]),
    ("an object with nothing to be read in it", '{"b}', [('{"b}', None)]),
]  # fmt: skip


@pytest.mark.parametrize(("law", "entry", "lost"), LOST, ids=[law for law, _, _ in LOST])
def test_an_item_that_is_not_whole_is_lost_and_its_neighbors_are_not(law: str, entry: str, lost: Lost) -> None:
    parsed = parse_list(f'{{"responses": [{A}, {entry}, {C}]}}', ["text"])
    assert [(item.fields["text"], item.verbalized) for item in parsed.items] == [("a", 0.1), ("c", 0.3)]
    assert [(one.raw, one.verbalized) for one in parsed.lost] == lost


def test_an_item_whose_probability_alone_is_missing_is_an_item() -> None:
    first, _ = parse_list(f'[{{"text": "b", "probability":}}, {C}]', ["text"]).items
    assert (first.fields, first.verbalized, first.flags) == ({"text": "b"}, None, ("no-probability", "repaired"))


def test_a_cut_reply_counts_the_item_in_which_it_was_cut() -> None:
    parsed = parse_list(f'{{"responses": [{A}, {{"text": "be', ["text"], stopped=False)
    assert [item.fields["text"] for item in parsed.items] == ["a"]
    assert [(one.raw, one.verbalized) for one in parsed.lost] == [('{"text": "be', None)]
    assert [one.raw for one in parse_list('["a", "be', ["text"], verbalized=False).lost] == ['"be']
    assert [one.raw for one in parse_list("1. a\n2. b\n3. c an", ["text"], stopped=False).lost] == ["c an"]


def test_entries_of_a_list_of_texts_that_are_none_are_lost() -> None:
    assert [one.raw for one in parse_list('["a", null, "c"]', ["text"]).lost] == ["null"]
    assert [one.raw for one in parse_list('["a", "b, "c"]', ["text"]).lost] == ['"b, "c"']


def test_responses_in_tags_or_lines_without_their_text_are_lost() -> None:
    tags = "<response><text>a</text></response>\n<response><probability>0.2</probability></response>"
    assert [(one.raw, one.verbalized) for one in parse_list(tags, ["text"]).lost] == [
        ("<response><probability>0.2</probability></response>", 0.2)
    ]
    lines = "text: a\nprobability: 0.1\n\nb\nprobability: 0.2"
    assert [one.verbalized for one in parse_list(lines, ["text"]).lost] == [0.2]


def test_broken_tags_lose_no_neighbor_and_nothing_unseen() -> None:
    one, two = (f"<response><text>{text}</text><probability>0.1</probability></response>" for text in "ab")
    closing = parse_list(one.replace("</response>", "</respnse>") + two.replace("<response>", ""), ["text"])
    assert [item.fields["text"] for item in closing.items] == ["a", "b"]
    opening = parse_list(one.replace("<response><text>", "<respon>") + two, ["text"])
    assert [item.fields["text"] for item in opening.items] == ["b"]
    assert [(lost.raw, lost.verbalized) for lost in opening.lost] == [
        ("<respon>a</text><probability>0.1</probability></response>", None)
    ]
    split = parse_list(f"<response>a <probability>0.1</probability> c</response>{two}", ["text"])
    assert [item.fields["text"] for item in split.items] == ["b"]
    assert [lost.verbalized for lost in split.lost] == [0.1]
    assert parse_list(one + "<respo", ["text"]).items[0].flags == ("truncated", "no-json")


def test_two_lines_in_one_are_lost() -> None:
    parsed = parse_list("1. a (0.1)\n2 b (0.2)\n3. c (0.3)", ["text"])
    assert [item.fields["text"] for item in parsed.items] == ["c"]
    assert [one.raw for one in parsed.lost] == ["a (0.1)\n2 b (0.2)"]


def test_an_item_between_the_values_that_can_be_read_is_lost() -> None:
    parsed = parse_list(f'{A}\n[x "text": "b" "probability" 0.2\n{C}', ["text"])
    assert [item.fields["text"] for item in parsed.items] == ["a", "c"]
    assert ['"text": "b"' in one.raw for one in parsed.lost] == [True]


ADOPTED: list[tuple[str, str, list[object]]] = [
    ("texts without a comma", '["a" "b" "c"]', ["a", "b", "c"]),
    ("texts without comma or space", '["a","b""c"]', ["a", "b", "c"]),
    ("a quotation that ends before another", '["He said "a" "b" and left", "c"]', ['He said "a" "b" and left', "c"]),
    ("a text without its first quote", '["a", b", "c"]', ["a", "b", "c"]),
    ("words without quotes", '["a", b, "c"]', ["a", "b", "c"]),
    ("a value without its first quote", '[{"text": a", "probability": 0.1}]', ["a"]),
    ("a quote too many", '[{"text": ""a", "probability": 0.1}]', ["a"]),
    ("a key without its last quote", '[{"text: "a", "probability": 0.1}]', ["a"]),
    ("a key without its first quote", '[{text": "a", probability": 0.1}]', ["a"]),
    ("a key without its colon", '[{"text" "a", "probability": 0.1}]', ["a"]),
    ("two colons", '[{"text":: "a", "probability": 0.1}]', ["a"]),
    ("a comma after a value without quotes is missing", '[{"text": a "probability": 0.1}]', ["a"]),
    ("another key without a value", '[{"text": "a", "note": , "probability": 0.1}]', ["a"]),
    ("words before a key", '[{"probability": 0.1, and also "text": "a"}]', ["a"]),
    ("a number as a key", '[{"text": "a", 5: "x", "probability": 0.1}]', ["a"]),
    ("a line comment in a reply of one line", '[{"text": "a", "probability": 0.1 // so }, {"text": "b"}]', ["a", "b"]),
    ("a hash comment", '[{"text": "a" # "b" }\n, "probability": 0.1}]', ["a"]),
    ("a block comment with stars", '[{"text": "a", /** a * b **/ "probability": 0.1}]', ["a"]),
    ("a brace too early", '[{"text": "a"}, "probability": 0.1}, {"text": "b"}, "probability": 0.2}]', ["a", "b"]),
    ("a root closed too early", '{"text": "a"}, "probability": 0.1}', ["a"]),
    ("a brace too many", '{"responses": [{"text": "a"}}, {"text": "b"}]}', ["a", "b"]),
    ("braces twice", '{"responses": [{{"text": "a"}}, {{"text": "b"}}]}', ["a", "b"]),
    ("the brace between two items", '[{"text": "a", "probability": 0.1, "text": "b", "probability": 0.2}]', ["a", "b"]),
    ("the first brace of an item", '[{"text": "a"}, "text": "b"}]', ["a", "b"]),
    ("a brace for a bracket", '[{"tags": ["x"}, "text": "a"}]', ["a"]),
    ("quotes doubled as in CSV", '"[{""text"": ""a, b"", ""probability"": 0.1}]"', ["a, b"]),
    ("quotes doubled, and an apostrophe of inches", '{""text"": ""5\\"" wide"", ""probability"": 0.1}', ['5" wide']),
    ("a text that begins with a quote", '[""No," he said.", ""Yes!" she said."]', ['"No," he said.', '"Yes!" she said.']),
    ("a text that begins with two", '[""x" begins", "b"]', ['"x" begins', "b"]),
    ("quotes escaped as in a string", '[{\\"text\\": \\"a\\", \\"probability\\": 0.1}]', ["a"]),
    ("brackets in a text without quotes", "[{text: a {b} c, probability: 0.1}]", ["a {b} c"]),
    ("numbers with underscores", '[{"text": 82_461_110, "n": 1_2.5_0, "probability": 0.1,}]', [82461110]),
    ("words in capitals", '[{"text": "a", "ok": TRUE, "no": Null, "probability": 0.1}]', ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("law", "reply", "texts"), ADOPTED, ids=[law for law, _, _ in ADOPTED])
def test_what_can_be_told_is_read(law: str, reply: str, texts: list[object]) -> None:
    parsed = parse_list(reply, ["text"])
    assert [item.fields["text"] for item in parsed.items] == texts
    assert all("repaired" in item.flags for item in parsed.items if '""' not in reply and "\\" not in reply)
    assert parsed.lost == ()
    stated = [item.verbalized for item in parsed.items if item.verbalized is not None]
    assert stated == [0.1, 0.2][: len(stated)]


def test_an_identifier_with_leading_zeros_is_no_number() -> None:
    assert [item.fields["text"] for item in parse_list('[{"text": 007_1, "probability": 0.1}]', ["text"]).items] == [
        "007_1"
    ]


def draw(method: Method, *replies: str) -> Distribution:
    flow = open_sampler(Settings(Sampling(method=method, k=4)))(Prompt((Message("user", "Say."),)), Random(0))
    left = list(replies)
    try:
        asked = next(flow)
        while True:
            assert not isinstance(asked, Turn | Together)
            asked = flow.send([Completion(left.pop(0)) for _ in asked])
    except StopIteration as stop:
        found: Distribution = stop.value
        return found


def weights(drawn: Distribution) -> list[float]:
    """Of the candidates, then of what is malformed."""
    return [*(one.weight for one in drawn.candidates), *(lost.weight for lost in drawn.malformed)]


def test_a_lost_item_keeps_the_share_that_it_states() -> None:
    drawn = draw("vs", f'[{A}, {{"text": "b, "probability": 0.4}}, {C}]')
    assert weights(drawn) == pytest.approx([0.125, 0.375, 0.5])
    (lost,) = drawn.malformed
    assert (lost.raw, lost.verbalized) == ('{"text": "b, "probability": 0.4}', 0.4)


def test_a_lost_item_that_states_nothing_has_the_share_of_an_item_that_states_nothing() -> None:
    torn = draw("vs", f'[{A}, {{"text": , "x": 1}}, {C}]')
    bare = draw("vs", f'[{A}, {{"text": "b"}}, {C}]')
    assert weights(torn) == pytest.approx([0.1, 0.3, 0.6])
    assert weights(bare) == pytest.approx([0.1, 0.6, 0.3])


def test_the_one_item_that_is_left_does_not_get_all() -> None:
    assert weights(draw("sequence", '["a", "b, "c"]')) == [0.5, 0.5]
    assert weights(draw("vs", f'{{"responses": [{{"text": , "probability": 0.3}}, {A}]}}')) == pytest.approx(
        [0.25, 0.75]
    )


def test_a_lost_item_and_a_lost_reply_share_one_draw() -> None:
    drawn = draw("vs-multi", f'[{A}, {{"text": "b, "probability": 0.1}}]', "no")
    assert weights(drawn) == pytest.approx([0.25, 0.5, 0.25])
    assert [lost.raw for lost in drawn.malformed] == ["no", '{"text": "b, "probability": 0.1}']


def test_a_reply_without_any_whole_item_is_one_malformed_reply() -> None:
    reply = '[{"text": , "probability": 0.2}, {"text": "b, "probability": 0.2}]'
    drawn = draw("vs", reply)
    assert [(lost.raw, lost.weight, lost.problem) for lost in drawn.malformed] == [
        (reply, 1.0, "the reply holds no response that is whole")
    ]


def test_a_repeated_key_in_valid_json_is_the_next_item() -> None:
    reply = json.dumps([{"text": "a"}])[:-2] + ', "text": "b"}]'
    assert [item.fields["text"] for item in parse_list(reply, ["text"]).items] == ["a", "b"]


@pytest.mark.parametrize(
    "chat",
    ['Each has "text": what is said, and "probability": how likely.\n%s', '%s\nHere "text": stands for a ticket.'],
)
def test_keys_that_chatter_explains_are_no_item(chat: str) -> None:
    parsed = parse_list(chat % '[{"text": "a", "probability": 0.1}]', ["text"])
    assert [item.fields["text"] for item in parsed.items] == ["a"]
    assert parsed.lost == ()


def test_an_entry_of_several_lines_may_name_a_number_where_no_mark_is_missing() -> None:
    whole = parse_list("1. A coin has p = 0.5\nand two sides.\n2. b", ["text"])
    assert [item.fields["text"] for item in whole.items] == ["A coin has p = 0.5\nand two sides.", "b"]
    torn = parse_list("1. a (p = 0.5)\n2 b (p = 0.2)\n3. c (p = 0.3)", ["text"])
    assert [item.fields["text"] for item in torn.items] == ["c"]
    assert [lost.raw for lost in torn.lost] == ["a (p = 0.5)\n2 b (p = 0.2)"]

"""Slips in YAML: the line that is named is the one to change, not the one where the parser gives up."""

from __future__ import annotations

import pytest

from vsgen.template.nodes import YamlProblem, read

SLIPS = {
    "a key without a space": ("a: 1\nnum:500\nb: 2\n", ':2:1: not valid YAML: put a space after "num:"'),
    "an item without a space": ("a:\n  - b\n  -c\n  - d\n", ':3:3: not valid YAML: put a space after "-"'),
    "no colon": ("a: 1\nb\nc: 2\n", ":2:1: not valid YAML: neither 'key: value' nor '- value'"),
    "a quote that ends in another": (
        "a:\n  - 'b\n  - it's\n  - d\n",
        ":2:5: not valid YAML: the quote that begins here is not closed",
    ),
    "a quote to the end": ('a: "b\nc: d\n', ":1:4: not valid YAML: the quote that begins here is not closed"),
    "a list": ("a: [b c\nd: e\n", ":1:4: not valid YAML: '[' is not closed, or a ',' is missing before line 2"),
    "a mapping": ("a: {b: c\nd: e\n", ":1:4: not valid YAML: '{' is not closed, or a ',' is missing before line 2"),
    "a space less": (
        "a:\n  - b\n - c\n",
        ":3:2: not valid YAML: did not find expected key; indent like the line above",
    ),
    "a space more": (
        "a:\n  b: c\n   d: e\n",
        ":3:5: not valid YAML: mapping values are not allowed in this context; indent",
    ),
    "a text that is not indented": ("a: |\nb {{ c }}. D: {{ d }}.\ne: 1\n", "indent the text below the line above"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_has_its_own_line_and_what_to_do(slip: str) -> None:
    text, told = SLIPS[slip]
    with pytest.raises(YamlProblem) as caught:
        read(text, "t.yaml")
    assert told in str(caught.value)
    with pytest.raises(YamlProblem, match=r"^t\.yaml: not valid YAML: "):
        read(text, "t.yaml", lines=False)

"""Templates, rows and replies that take memory or time out of all proportion to their size, each to be run in a child.

``python -m tests.attacks.bombs NAME ...`` runs some of them and writes a line of JSON for each.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from tests.attacks.bomb import HEAD, Bomb, answer, fields, many, nested, template, text

MEMORY = 4_000_000_000
"""Bytes of address space for a child."""
_SHOWN = 400


def _unevaluated(depth: int) -> dict[str, Any]:
    defs: dict[str, Any] = {f"d{depth}": {"properties": {"x": {}}}}
    for i in range(depth):
        below = {"$ref": f"#/$defs/d{i + 1}"}
        defs[f"d{i}"] = {"allOf": [below, below], "unevaluatedProperties": False}
    return {**fields(a={"$ref": "#/$defs/d0"}), "$defs": defs}


def _referred(schema: object, times: int) -> dict[str, Any]:
    return {**fields(**{f"a{i}": {"$ref": "#/$defs/d"} for i in range(times)}), "$defs": {"d": schema}}


WORK = "more work than making 10,000,000 characters"
DEEP = "nested more than 100 levels deep"
BITS = "a whole number of more than 1,024 bits"
STEPS = "more than 100,000 steps to check it"
OLD = "http://json-schema.org/draft-07/schema#"
WORDS = r"(\w{20}){9}"
NUMERALS = [*map(str, range(9_999))]
WIDE = ",".join(["%s"] * 10)
LONG = "ab " * 300_000
ROWS: list[object] = [[1]] * 60_000
HELD = "{% for a in [loop, loop] %}{% if loop.first %}"
ENDS = "{% endif %}{% endfor %}"

TEXTS = (
    Bomb(
        "concatenation in nested loops",
        WORK,
        text(nested("~".join(["%s"] * 20), "'0123456789'", "{{ %s }}", 6)),
    ),
    Bomb("addition in nested loops", WORK, text(nested("%s+%s", "'0123456789'", "{{ %s }}", 28))),
    Bomb("a list held twice, and again", WORK, text(nested(f"[{WIDE}]", "['x']", "{{ %s|tojson|length }}", 7))),
    Bomb("a mapping held twice, and again", WORK, text(nested("{1:%s,2:%s}", "{1:1}", "{{ %s == %s }}", 22))),
    Bomb(
        "a loop held twice, and again, written",
        "",
        text(
            "{% for a in [0] %}" + HELD * 24 + "{% if (loop~'')|length > 50 %}!{% endif %}" + ENDS * 24 + "{% endfor %}"
        ),
    ),
    Bomb("160 filters", DEEP, text("{{ x" + "|trim" * 160 + " }}", x="a")),
    Bomb("900 or", DEEP, text("{{ " + " or ".join(["x"] * 900) + " }}", x="a")),
    Bomb("2400 not", DEEP, text("{{ " + "not " * 2400 + "1 }}")),
    Bomb("2400 keys of keys", DEEP, text("{{ x" + ".a" * 2400 + " }}", x={})),
    Bomb("2400 brackets", "20 brackets within brackets", text("{{ " + "[" * 2400 + "1" + "]" * 2400 + " }}")),
    Bomb("500,000 comments begun", "comment", text("{#" * 500_000)),
    Bomb("a number of 400,000 digits", "digits", text("{{ " + "1_" * 400_000 + "1 }}")),
    Bomb(
        "x|int(0,16) // y",
        BITS,
        text("{{ (x|int(0,16)) // (y|int(0,16)) }}", x="f" * 2_000_000, y="e" * 1_000_000),
    ),
    Bomb("a product", BITS, text("{{ " + " * ".join(["9" * 300] * 20) + " }}")),
    Bomb("'%0999999999d' is even", "works on numbers only", text("{{ '%0999999999d' is even }}")),
    Bomb(
        "'%0999999999d' is divisibleby",
        "works on numbers only",
        text("{{ '%0999999999d' is divisibleby 1 }}"),
    ),
    Bomb("a sum of 60,000 lists", WORK, text("{{ x|sum(start=[])|length }}", x=ROWS)),
    Bomb(
        "trim of 300,000 kinds",
        WORK,
        text("{{ x|trim(y) }}", x="a" * 1_000_000, y="bcdefghijklmnop" * 20_000 + "a"),
    ),
    Bomb(
        "a list searched in a loop",
        WORK,
        text(many("{% if 0 in x %}{% endif %}"), x=list(range(1, 100_000))),
    ),
    Bomb(
        "a text searched in a loop",
        WORK,
        text(many("{% if y in x %}{% endif %}"), x="a" * 29_000, y="a" * 50 + "b" * 9),
    ),
    Bomb(
        "two texts compared in a loop",
        WORK,
        text(many("{% if x == y %}{% endif %}"), x=LONG * 9, y=LONG * 9 + "b"),
    ),
    Bomb("sorting in a loop", WORK, text(many("{{ x|sort|first }}", 1), x=[str(i) for i in range(100_000)])),
    Bomb(
        "sorting by 10,000 keys", WORK, text("{{ x|sort(attribute=y)|length }}", x=[{"a": 1}] * 99_999, y="a," * 9_999)
    ),
    Bomb(
        "unique in a loop",
        WORK,
        text(many("{{ x|unique|first|length }}"), x=["a" * 5_000 + str(i) for i in range(1_000)]),
    ),
    Bomb("upper in a loop", WORK, text(many("{% if x|upper %}{% endif %}"), x="ж" * 1_000_000)),
    Bomb("title in a loop", WORK, text(many("{{ x|title|length }}"), x=LONG)),
    Bomb("wordcount in a loop", WORK, text(many("{{ x|wordcount }}"), x=LONG)),
    Bomb("slices in a loop", WORK, text(many("{% if x[1:] %}{% endif %}"), x="a" * 1_000_000)),
    Bomb("tojson in a loop", WORK, text(many("{% if x|tojson %}{% endif %}"), x=[[]] * 1_000_000)),
    Bomb("a key of keys in a loop", WORK, text(many("{{ {}[(x,x,x,x)] is defined }}"), x=tuple(range(1_000)))),
    Bomb("9000 rounds of 900 pieces", WORK, text(many("{{ x }}" * 900), x="")),
    Bomb(
        "60 loops within loops",
        "10,000 loop steps",
        text("{% for x in range(2) %}" * 45 + "{% endfor %}" * 45),
    ),
    Bomb("a text of control characters in a list", WORK, text("{{ [x]~'' }}", x="\x01" * 4_000_000)),
    Bomb("a row of 10 MB, as it is", "1,000,000 characters", text("{{ x }}", x="word " * 2_000_000)),
    Bomb("a row of 10 MB, in upper case", WORK, text("{{ x|upper }}", x="ŉ" * 5_000_000)),
    Bomb("a row of 10 MB, its beginning", "", text("{{ x|truncate(100) }}", x="word " * 2_000_000)),
    Bomb(
        "a row nested 100,000 deep",
        "recursion",
        text("{{ x }}", x=reduce(lambda a, _: [a], range(100_000), list[Any]())),
    ),
)
ANSWERS = (
    Bomb("unevaluatedProperties through $ref", "unevaluatedProperties", answer(_unevaluated(10), a={"x": 1})),
    Bomb(
        "uniqueItems of 20,000 objects",
        "",
        answer(fields(a={"type": "array", "uniqueItems": True}), a=[{"k": i} for i in range(20_000)]),
    ),
    Bomb(
        "8,000 lists and texts as a type",
        "a.type: ['0', [1]",
        answer(fields(a={"type": [[i] if i % 2 else str(i) for i in range(8_000)]}), a=1),
    ),
    Bomb(
        "300 parts for 3,000 items",
        STEPS,
        answer(fields(a={"items": {"allOf": [{"minLength": 0}] * 300}}), a=["x"] * 3_000),
    ),
    Bomb(
        "9,000 required fields for 20,000 items",
        STEPS,
        answer(fields(a={"items": {"required": NUMERALS[:9_000]}}), a=[{}] * 20_000),
    ),
    Bomb(
        "9,000 parts that say nothing, for 20,000 items",
        STEPS,
        answer(fields(a={"items": {"allOf": [{}] * 9_000}}), a=[1] * 20_000),
    ),
    Bomb(
        "3,000 messages that quote 100 kB",
        STEPS,
        answer(fields(a={"anyOf": [{"type": "string"}] * 3_000}), a=[*range(20_000)]),
    ),
    Bomb(
        "an enum of 10,000, quoted 1,000 times",
        STEPS,
        answer(fields(a={"items": {"enum": NUMERALS}}), a=[1] * 9_999),
    ),
    Bomb(
        "a description of 900 kB, 400 times",
        "1,000,000 characters",
        answer(_referred({"description": "x" * 900_000}, 400)),
    ),
    Bomb(
        "an enum of 9,000, 1,000 times",
        "1,000,000 characters",
        answer(_referred({"enum": [*range(9_000)]}, 1_000)),
    ),
    Bomb(
        "3,000 fields", "missing", answer(fields(**{f"a{i}": {"type": "string", "minLength": 1} for i in range(3_000)}))
    ),
    Bomb(
        "another draft's patterns",
        "$schema: is not supported",
        answer(
            fields(a={"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}), a="a" * 40 + "b"
        ),
    ),
    Bomb(
        "a $ref to the network in a field named title",
        "must point into this schema",
        answer(fields(title={"$ref": "http://127.0.0.1:9/schema"}), title="x"),
    ),
    Bomb(
        "40 patterns of 180 \\w",
        "at most 10,000",
        answer(fields(**{f"a{i}": {"pattern": f"{WORDS}{i}"} for i in range(40)})),
    ),
    Bomb("a{1000}{1000}", "at most 10,000", answer(fields(a={"pattern": "a{1000}{1000}"}))),
)
ALIASES = "".join(f"  v{i + 1}: &v{i + 1} [{','.join([f'*v{i}'] * 8)}]\n" for i in range(9))
FIELDS = fields(**{f"a{i}": {} for i in range(250)})
FILTERED = "".join(f"  a{i}: {{match: '{WORDS}{i}'}}\n" for i in range(250))
FILES = (
    Bomb("a billion laughs", "20,000 values", template(f"{HEAD}variables:\n  v0: &v0 [x]\n{ALIASES}")),
    Bomb(
        "a text of 500 kB, 4,000 times",
        "4,000,000 characters",
        template(f"{HEAD}variables: {{a: [&a {'x' * 500_000}{', *a' * 4_000}]}}\n"),
    ),
    Bomb(
        "a key of 500 kB, 4,000 times",
        "4,000,000 characters",
        template(f"{HEAD}variables: {{? &a {'x' * 500_000} : 1{', *a : 1' * 4_000}}}\n"),
    ),
    Bomb("a million brackets", "40 levels", template("[" * 1_000_000)),
    Bomb("500,000 dashes", "40 levels", template("- " * 500_000)),
    Bomb("a number of 900,000 digits", "integer", template(f"{HEAD}num: {'1' * 900_000}\n")),
    Bomb("9,000 unknown keys", "more problems", template(HEAD + "".join(f"k{i}: 1\n" for i in range(9_000)))),
    Bomb("19,000 wrong examples", "more problems", template(f"{HEAD}examples:\n" + "- x\n" * 19_000)),
    Bomb(
        "a name of 9,000 characters",
        "at most 100",
        template(f"{HEAD}keep: a\noutput: {{field: {'x' * 9_000}}}\n"),
    ),
    Bomb(
        "250 filters of 180 \\w",
        "at most 10,000",
        template(
            f"{HEAD}output: {{schema: {json.dumps(fields(**{f'a{i}': {} for i in range(250)}))}}}\nfilter:\n{FILTERED}"
        ),
    ),
    Bomb("a file of 10 MB", "1,048,576 bytes", template(f"{HEAD}# {'x' * 10_000_000}")),
)
BOMBS: Sequence[Bomb] = (*TEXTS, *ANSWERS, *FILES)


def main() -> None:
    """Run the bombs of these names, each with what it took."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    bombs = {bomb.name: bomb for bomb in BOMBS}
    for name in sys.argv[1:]:
        began, before = time.process_time(), _peak(reset=True)
        try:
            said = bombs[name].run()
        except Exception as error:  # what is no error of the tree is a failure, which the caller sees
            said = f"{type(error).__name__}: {error}"[:200]
        took = {"seconds": time.process_time() - began, "peak": _peak() - before}
        row = {"name": name, **took, "said": said if len(said) < _SHOWN else f"{said[:_SHOWN]} … {said[-_SHOWN:]}"}
        print(json.dumps(row), flush=True)


def _peak(*, reset: bool = False) -> float:
    """Most memory since the last reset, in MB."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()

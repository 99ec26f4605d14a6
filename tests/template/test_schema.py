"""The template language itself: what an answer must be, and the JSON Schema for editors."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from vsgen.sampling.settings import Sampling
from vsgen.template.catalog import shipped
from vsgen.template.output import Filter, Output
from vsgen.template.schema import Template, json_schema

EDITOR = Draft202012Validator(json_schema())
RECORD = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "maxLength": 20, "pattern": "[?]$"},
        "level": {"enum": [1, 2, 3]},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
    },
    "$defs": {"tag": {"type": "string", "minLength": 2}},
}
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just("Why?"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


def output(**keys: object) -> Output:
    return Output.model_validate(keys)


def template(**more: object) -> Template:
    return Template.model_validate({"version": 1, "name": "t", "prompt": "hi", **more})


class TestOneField:
    def test_is_a_text_of_bounded_length(self) -> None:
        made = output(field="joke", max_chars=5, min_chars=2)
        assert made.fields == ("joke",)
        assert made.item_schema == {
            "type": "object",
            "properties": {"joke": {"type": "string", "minLength": 2, "maxLength": 5}},
            "required": ["joke"],
            "additionalProperties": False,
        }

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"text": "abc"}, None),
            ({"text": "éééé"}, None),
            ({"text": "abcde"}, "text: 5 characters, at most 4"),
            ({"text": ""}, "text: 0 characters, at least 1"),
            ({"text": 5}, "text: 5 is not of type 'string'"),
            ({}, "text: missing"),
            ({"text": "a", "more": "b"}, "more: not a field of this template"),
            (
                {"text": "\ud800"},
                "cannot be written as JSON: 'utf-8' codec can't encode character '\\ud800' in position 10",
            ),
        ],
    )
    def test_problem_says_why_an_answer_does_not_fit(self, fields: dict[str, object], problem: str | None) -> None:
        found = output(max_chars=4).problem(fields)
        assert (found or "").startswith(problem or "")
        assert (found is None) == (problem is None)


class TestSeveralFields:
    def test_keep_their_order_are_all_required_and_hold_no_reference(self) -> None:
        made = output(schema=RECORD)
        assert made.fields == ("question", "level", "tags")
        assert made.item_schema["required"] == ["question", "level", "tags"]
        assert made.item_schema["additionalProperties"] is False
        assert made.item_schema["properties"]["tags"]["items"] == {"type": "string", "minLength": 2}
        assert "$defs" not in made.item_schema

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"question": "Why?", "level": 1, "tags": ["ab"]}, None),
            ({"question": "Why?", "level": 1}, "tags: missing"),
            ({"question": "Why", "level": 1, "tags": []}, "question: does not match '[?]$'"),
            ({"question": "Why?", "level": 4, "tags": []}, "level: 4 is not one of [1, 2, 3]"),
            ({"question": "Why?", "level": 1, "tags": ["ab", "c"]}, "tags.1: 1 characters, at least 2"),
            ({"question": "Why?", "level": float("nan"), "tags": []}, "cannot be written as JSON"),
        ],
    )
    def test_problem_names_the_field(self, fields: dict[str, object], problem: str | None) -> None:
        found = output(schema=RECORD).problem(fields)
        assert (found or "").startswith(problem or "")
        assert (found is None) == (problem is None)

    @given(st.dictionaries(st.sampled_from(["question", "level", "tags", "x"]), ANYTHING))
    def test_problem_never_raises(self, fields: dict[str, object]) -> None:
        problem = output(schema=RECORD).problem(fields)
        assert problem is None or (problem and "\n" not in problem)

    @pytest.mark.parametrize(
        ("schema", "problem"),
        [
            ({}, "must be object"),
            ({"type": "object"}, "must name at least one field"),
            ({"type": "object", "properties": {"a": True, "b": False}}, "is false, so no value fits; leave it out"),
            ({"type": "object", "properties": {"a": {"type": "strin"}}}, "is not valid under any"),
            (
                {"type": "object", "properties": {"a": {}}, "required": ["b"]},
                "names 'b', which is not among the properties",
            ),
            ({"type": "object", "properties": {"a": {"$ref": "https://example.org/x"}}}, "must point into this schema"),
            ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}, "must point into this schema"),
            ({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}, "refers to itself"),
            ({"type": "object", "properties": {"a": {"$dynamicRef": "#x"}}}, "is not supported"),
            ({"type": "object", "properties": {"a": {"pattern": "(?=a)"}}}, "look-ahead"),
            ({"type": "object", "properties": {"a": {"patternProperties": {"(a+)+$": {}}}}}, "is not supported"),
            ({"type": "object", "properties": {"a": {"minimum": float("inf")}}}, "JSON cannot write"),
            ({"type": "object", "properties": {"first name": {}}}, "must be letters, digits and '_'"),
        ],
    )
    def test_of_a_schema_that_cannot_be_used_are_refused(self, schema: dict[str, object], problem: str) -> None:
        with pytest.raises(ValidationError) as caught:
            output(schema=schema)
        assert problem in str(caught.value)

    def test_cannot_be_made_a_bomb_by_references(self) -> None:
        doubling = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(60)}
        schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**doubling, "d60": {}}}
        with pytest.raises(ValidationError, match="more than 10,000 nodes"):
            output(schema=schema)


def test_patterns_take_linear_time() -> None:
    hostile = "a" * 100_000 + "!"
    made = output(schema={"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}})
    assert made.problem({"a": hostile})
    assert Filter(match="^(a|aa)+$").problem(hostile)


def test_filters_refuse_by_match_and_reject() -> None:
    made = template(
        output={"schema": RECORD}, filter={"question": {"match": "(?i)^w", "reject": "who"}, "tags": {"reject": "x"}}
    )
    fits: dict[str, object] = {"question": "Why?", "level": 1, "tags": []}
    assert made.filtered(fits) is None
    assert made.filtered({**fits, "question": "How?"}) == "question: does not match '(?i)^w'"
    assert made.filtered({**fits, "question": "W who?"}) == "question: matches 'who'"
    assert made.filtered({**fits, "tags": ["x"]}) == "tags: matches 'x'"


def test_dedup_compares_the_first_field_unless_told_otherwise() -> None:
    for dedup, on in [
        ({}, ("question",)),
        ({"on": "level"}, ("level",)),
        ({"on": ["tags", "level"]}, ("tags", "level")),
    ]:
        made = template(output={"schema": RECORD}, dedup=dedup)
        assert made.dedup
        assert made.dedup.on == on
    default = template().dedup
    assert default
    assert (default.on, default.guards) == (("text",), ("numbers", "negation"))


def test_an_embedder_that_compares_spelling_has_a_threshold_of_its_own() -> None:
    for section, expected in (
        ({}, ("hash", 0.80)),
        ({"embedder": "minilm"}, ("minilm", 0.92)),
        ({"embedder": "some/model"}, ("some/model", 0.92)),
        ({"threshold": 0.5}, ("hash", 0.5)),
        ({"embedder": "minilm", "threshold": 0.5}, ("minilm", 0.5)),
    ):
        made = template(dedup=section).dedup
        assert made
        assert (made.embedder, made.threshold) == expected
    assert template(dedup=False).dedup is False


def test_stop_takes_one_text_or_several() -> None:
    assert Sampling.model_validate({"stop": "\n"}).stop == ("\n",)
    assert Sampling.model_validate({"stop": ["a", "b"]}).stop == ("a", "b")


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        template().name = "x"


def test_every_key_is_described_to_editors() -> None:
    made = json_schema()
    sections = [made, *made["$defs"].values()]
    assert len(sections) > 8
    assert [name for one in sections for name, key in one["properties"].items() if not key.get("description")] == []


@pytest.mark.parametrize("file", list(shipped().values()), ids=list(shipped()))
class TestEditor:
    def test_accepts_the_shipped_template(self, file: Traversable) -> None:
        EDITOR.validate(read(file))

    @pytest.mark.parametrize("section", ["", "output", "sampling", "dedup"])
    def test_rejects_an_unknown_key(self, file: Traversable, section: str) -> None:
        data = read(file)
        (data.setdefault(section, {}) if section else data)["temprature"] = 1
        assert not EDITOR.is_valid(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"name": "A b"},
        {"prompt": 5},
        {"num": 0},
        {"dedup": True},
        {"sampling": {"k": 0}},
        {"variables": {"a": []}},
        {"variables": {"a": {"x": 0}}},
        {"labels": [{"name": "a", "classes": ["x"], "prompt": "y"}]},
    ],
)
def test_editor_rejects_what_loading_rejects(wrong: dict[str, Any]) -> None:
    assert EDITOR.is_valid({"version": 1, "name": "t", "prompt": "hi"})
    assert not EDITOR.is_valid({"version": 1, "name": "t", "prompt": "hi", **wrong})


def read(file: Traversable) -> Any:
    return yaml.load(file.read_text(encoding="utf-8").replace(" on: ", " 'on': "), Loader=yaml.CSafeLoader)

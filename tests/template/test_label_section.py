"""What a template may say about a label, and what is told of mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from vsgen.errors import TemplateError
from vsgen.labels.settings import Label
from vsgen.template.load import load_template
from vsgen.template.schema import Template, json_schema

BASE = "version: 1\nname: tickets\nprompt: Write a ticket.\nlabels:\n"
LABEL: dict[str, Any] = {"name": "queue", "classes": ["bug", "billing"], "prompt": "Which queue? {{ text }}"}


def load(tmp_path: Path, **changes: object) -> Template:
    """A template with one label; a key that is None is left out. Every key stands on a line of its own."""
    path = tmp_path / "tickets.yaml"
    keys = {key: value for key, value in {**LABEL, **changes}.items() if value is not None}
    lines = "\n    ".join(f"{key}: {json.dumps(value)}" for key, value in keys.items())
    path.write_text(f"{BASE}  - {lines}\n")
    return load_template(str(path))


def problem(tmp_path: Path, **changes: object) -> str:
    with pytest.raises(TemplateError) as caught:
        load(tmp_path, **changes)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_label_that_scores_draws_nothing(tmp_path: Path) -> None:
    (label,) = load(tmp_path).labels
    assert (label.method, label.prior, label.count, label.most) == ("score", "none", 0, (0, 0))


@pytest.mark.parametrize(
    ("changes", "key", "told"),
    [
        ({"classes": ["bug"]}, "classes", "needs at least 2"),
        ({"classes": []}, "classes", "needs at least 2"),
        ({"classes": ["bug", "bug"]}, "classes.1", "class 'bug' is named twice"),
        ({"classes": ["bug", ""]}, "classes.1", "a class must not be empty or have spaces around it, got ''"),
        ({"classes": ["bug", " x"]}, "classes.1", "a class must not be empty or have spaces around it, got ' x'"),
        ({"classes": ["bug", True]}, "classes.1", "must be text, got true (quote it)"),
        ({"classes": "bug"}, "classes", "must be a list, got 'bug'"),
        ({"classes": None}, "classes", "missing; list at least two, or name the row's field"),
        ({"choices": "options"}, "choices", "cannot be combined with 'classes'; leave one of them out"),
        ({"classes": None, "choices": "my options"}, "choices", "must be letters, digits and '_'"),
        ({"kind": "multiple"}, "kind", "got 'multiple'"),
        ({"method": "score", "replies": 3}, "replies", "method score draws no replies; leave it out"),
        ({"temperature": 0.5}, "temperature", "method score draws no replies"),
        ({"max_tokens": 9}, "max_tokens", "method score draws no replies"),
        ({"think": False}, "think", "belongs to method votes, not score; leave it out"),
        ({"method": "reasoning", "think": True}, "think", "belongs to method votes, not reasoning"),
        ({"method": "verbalized", "pseudocount": 1}, "pseudocount", "belongs to method votes, not verbalized"),
        ({"method": "votes", "normalize": "byte"}, "normalize", "belongs to method score, not votes"),
        ({"method": "reasoning", "verbalizer": "letters"}, "verbalizer", "belongs to method score, not reasoning"),
        ({"method": "votes", "prior": "contextual"}, "prior", "contextual belongs to method score, not votes"),
        ({"verbalizer": "letters", "normalize": "pmi"}, "normalize", "letters are one token each"),
        ({"normalize": "pmi", "prior": "contextual"}, "normalize", "pmi divides the same preference out"),
        ({"normalize": "pmi", "listed": False}, "listed", "pmi compares with the list of the classes alone"),
        (
            {"verbalizer": "letters", "classes": [f"c{i}" for i in range(27)]},
            "verbalizer",
            "there are 26 letters, but 27 classes; use names",
        ),
        ({"classes": None, "choices": "options", "prior": "batch"}, "prior", "it cannot be combined with 'choices'"),
        ({"method": "reasoning", "listed": False}, "listed", "method reasoning names the classes in its own words"),
        ({"method": "verbalized", "listed": False}, "listed", "method verbalized names the classes"),
        ({"method": "votes", "listed": False}, "listed", "method votes names the classes"),
        ({"verbalizer": "letters", "listed": False}, "listed", "letters stand before the listed classes"),
        ({"permutations": 2, "listed": False}, "permutations", "the classes are not listed, so they have no order"),
        ({"permutations": 0}, "permutations", "must be an integer >= 1, or all, got '0'"),
        ({"permutations": "some"}, "permutations", "must be an integer >= 1, or all, got 'some'"),
        ({"permutations": True}, "permutations", "must be an integer >= 1, or all"),
        ({"method": "votes", "replies": 0}, "replies", "must be >= 1, got 0"),
        ({"method": "votes", "replies": 1001}, "replies", "must be <= 1000, got 1001"),
        ({"method": "votes", "pseudocount": -1}, "pseudocount", "must be >= 0, got -1"),
        ({"method": "votes", "temperature": -1}, "temperature", "must be >= 0, got -1"),
        ({"method": "votes", "max_tokens": 0}, "max_tokens", "must be >= 1, got 0"),
        ({"metod": "votes"}, "metod", "unknown key 'metod'; did you mean 'method'?"),
        ({"calibrate": "contextual"}, "calibrate", "unknown key 'calibrate'"),
        ({"prompt": " "}, "prompt", "must not be empty"),
        ({"prompt": "{{ text"}, "prompt", "not valid Jinja"),
        ({"styles": ["step by step"]}, "styles", "belongs to method reasoning, and to votes with think; leave it out"),
        ({"method": "votes", "think": False, "styles": "a"}, "styles", "belongs to method reasoning, and to votes"),
        ({"method": "reasoning", "styles": ["a", "a"]}, "styles", "'a' is named twice"),
        ({"method": "reasoning", "styles": ["a", " . "]}, "styles", "a style must not be blank"),
        ({"method": "reasoning", "styles": []}, "styles", "needs at least 1"),
        (
            {"method": "reasoning", "styles": ["a", "b"], "replies": 1},
            "replies",
            "must be at least the number of styles, 2, got 1",
        ),
        ({"model": []}, "model", "needs at least 1"),
        ({"model": ["a", ""]}, "model.1", "must not be empty"),
        ({"model": ["a", "b", "a"]}, "model.2", "model 'a' is named twice"),
        ({"model": ["a", 3]}, "model.1", "must be text, got 3"),
        ({"model": ["a", {"model": "b", "price": 1}]}, "model.1", "unknown key 'price'; did you mean 'prices'?"),
        ({"model": ["a", {"endpoint": "run"}]}, "model.1.model", "missing; it is required"),
        (
            {"model": ["a", {"model": "run", "prices": {"input": 1, "output": 1}}]},
            "model.1.prices",
            "the model that writes has the template's own 'prices'; leave it out",
        ),
        ({"model": ["run"], "prices": {"input": 1, "output": 1}}, "prices", "the model that writes makes this label"),
        ({"name": "my queue"}, "name", "must be letters, digits and '_'"),
        ({"name": "text"}, "name", "'text' is already an output field"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_line_and_key(
    tmp_path: Path, changes: dict[str, object], key: str, told: str
) -> None:
    message = problem(tmp_path, **changes)
    (line,) = message.splitlines()
    written = (tmp_path / "tickets.yaml").read_text().splitlines()
    number = int(line.split(":")[1])
    named = key.partition(".")[0]
    assert line.startswith("tickets.yaml:")
    if named in {**LABEL, **changes} and {**LABEL, **changes}[named] is not None:
        assert written[number - 1].lstrip(" -").startswith(f"{named}:")
    if told.startswith("unknown key"):
        assert f": labels.0{'' if key == named else '.' + key}: " in line
    else:
        assert f": labels.0.{key}: " in line
    assert told in line


def test_all_that_does_not_go_together_is_told_at_once(tmp_path: Path) -> None:
    wrong = {"replies": 3, "temperature": 1, "think": True, "pseudocount": 1, "verbalizer": "letters"}
    message = problem(tmp_path, **wrong, normalize="byte")
    assert [line.split(": ")[1].removeprefix("labels.0.") for line in message.splitlines()] == [
        "replies", "temperature", "think", "pseudocount", "normalize",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "votes", "think": False, "pseudocount": 0, "listed": False, "replies": 3, "temperature": 0},
        {"method": "reasoning", "permutations": "all", "max_tokens": 9, "kind": "ordinal"},
        {"method": "verbalized", "kind": "multi", "prior": "batch"},
        {"normalize": "pmi", "permutations": 2, "kind": "multi"},
        {"normalize": "byte", "prior": "contextual", "permutations": 2, "kind": "multi"},
        {"verbalizer": "letters", "permutations": "all", "classes": [f"c{i}" for i in range(26)]},
        {"classes": None, "choices": "options", "prior": "contextual"},
        {"classes": [f"class {i}" for i in range(1000)]},
        {"classes": ["not", "not relevant", "relevant"], "listed": False},
        {"model": ["run", "a"]},
        {"method": "reasoning", "styles": ["step by step", "for and against"]},
    ],
)
def test_what_goes_together_is_taken_and_known_to_the_json_schema(tmp_path: Path, changes: dict[str, object]) -> None:
    (label,) = load(tmp_path, **changes).labels
    for key, value in changes.items():
        found = getattr(label, key)
        assert (list(found) or None if isinstance(found, tuple) else found) == value
    document = {"version": 1, "name": "t", "prompt": "p"}
    section = {key: value for key, value in {**LABEL, **changes}.items() if value is not None}
    form = Draft202012Validator(json_schema())
    assert form.is_valid({**document, "labels": [section]})
    assert not form.is_valid({**document, "labels": [{**section, "metod": "x"}]})
    assert not form.is_valid({**document, "labels": [{**section, "method": "guess"}]})


def test_the_json_schema_explains_every_key() -> None:
    keys = json_schema()["$defs"]["Label"]["properties"]
    assert set(keys) == set(Label.model_fields)
    assert all(key in {"name"} or one.get("description") for key, one in keys.items())


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, (0, 0)),
        ({"method": "reasoning"}, (8, 8 * 512)),
        ({"method": "votes", "replies": 5, "max_tokens": 10}, (5, 50)),
        ({"method": "verbalized"}, (1, 512)),
        ({"method": "reasoning", "kind": "multi", "replies": 3}, (6, 6 * 512)),
        ({"method": "reasoning", "replies": 3, "model": ["run", "a"]}, (6, 6 * 512)),
    ],
)
def test_a_label_knows_the_most_that_it_can_cost(
    tmp_path: Path, changes: dict[str, object], most: tuple[int, int]
) -> None:
    assert load(tmp_path, **changes).labels[0].most == most


def test_every_key_changes_what_names_the_template(tmp_path: Path) -> None:
    changes: list[dict[str, object]] = [
        {}, {"kind": "multi"}, {"method": "votes"}, {"method": "votes", "think": False}, {"normalize": "byte"},
        {"permutations": 2}, {"permutations": "all"}, {"prior": "batch"}, {"listed": False}, {"verbalizer": "letters"},
        {"method": "reasoning"}, {"method": "reasoning", "styles": "for and against"},
        {"model": "a"}, {"model": ["a", "b"]}, {"model": ["a", {"model": "b", "endpoint": "http://localhost:1/v1"}]},
        {"method": "votes", "pseudocount": 1}, {"method": "votes", "replies": 9}, {"method": "votes", "temperature": 0},
    ]  # fmt: skip
    assert len({load(tmp_path, **one).digest for one in changes}) == len(changes)


def test_entries_of_a_list_of_models_have_the_labels_endpoint_and_prices_unless_they_have_their_own(
    tmp_path: Path,
) -> None:
    usd, other = {"input": 1, "output": 2}, {"input": 3, "output": 4}
    listed = ["run", "a", {"model": "b", "endpoint": "http://localhost:2/v1", "prices": other}]
    (label,) = load(tmp_path, model=listed, endpoint="http://localhost:1/v1", prices=usd).labels
    assert [judge.name for judge in label.judges] == [None, "a@http://localhost:1/v1", "b@http://localhost:2/v1"]
    assert [judge.prices and judge.prices.input for judge in label.judges] == [None, 1, 3]
    assert [(at.model, at.endpoint) for at in label.written] == [
        (("model", 0), ("endpoint",)),
        (("model", 1), ("endpoint",)),
        (("model", 2, "model"), ("model", 2, "endpoint")),
    ]


def test_a_template_names_each_model_of_a_list_with_its_place(tmp_path: Path) -> None:
    found = load(tmp_path, model=["run", "a/a", {"model": "b/b"}, {"model": "c", "endpoint": "http://localhost:1/v1"}])
    assert [(one.where.rpartition(": ")[2], one.name) for one in found.named if "labels" in one.where] == [
        ("labels.0.model.1", "a/a"),
        ("labels.0.model.2.model", "b/b"),
    ]
    assert found.judges == ("a/a", "b/b", "c@http://localhost:1/v1")

"""After a verdict on rows of a real model a user is shown how to read some."""

from __future__ import annotations

import shlex
from pathlib import Path

from vsgen.jobs.unjudged import unjudged
from vsgen.template.load import load_template

OWN = {"version": 1, "name": "own", "prompt": "Review a tent.", "output": {"field": "review"}}


def test_the_command_names_the_file_and_the_first_field() -> None:
    line = unjudged("owner/model", load_template(OWN), Path("my rows.jsonl"))
    assert line is not None
    assert "form of the rows, not their sense" in line
    assert shlex.split(line.partition("read some: ")[2]) == shlex.split(
        "shuf -n 20 'my rows.jsonl' | jq -r .review", comments=False
    )


def test_without_a_file_there_is_no_command() -> None:
    line = unjudged("owner/model", load_template(OWN))
    assert line is not None and line.endswith("read some of them")


def test_the_toy_is_named_where_it_does_not_know_the_task() -> None:
    assert "toy model tiny" in str(unjudged("tiny", load_template(OWN), Path("rows.jsonl")))
    assert unjudged("tiny", load_template("random-item"), Path("rows.jsonl")) is None

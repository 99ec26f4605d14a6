"""`chat: false`: a model continues the prompt as plain text, exactly as it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Vsgen
from tests.endpoint.plan import Plan
from tests.endpoint.server import serving

STORY = """\
version: 1
name: stories
prompt: "Once upon a {{ time }} "
variables: {time: [time, day]}
chat: false
output: {max_chars: 2000}
sampling: {method: direct, k: 2, max_tokens: 8}
dedup: false
"""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "stories.yaml"
    path.write_text(STORY)
    return path


@pytest.mark.parametrize("how", ["method=direct", "method=power", "power={engine: mh, steps: 1}"])
def test_the_model_reads_the_prompt_with_its_last_blank_and_nothing_else(vsgen: Vsgen, story: Path, how: str) -> None:
    method = () if how.startswith("method") else ("--set", "sampling.method=power")
    out = story.with_name("out.jsonl")
    vsgen("run", story, "-n", 2, "-m", "tiny", "--max-calls", 20, *method, "--set", f"sampling.{how}", "-o", out)
    lines = [json.loads(line) for line in out.with_name("out.jsonl.journal").read_text().splitlines()]
    prompts = [line["call"]["prompt"] for line in lines if line.get("kind") == "generate"]
    assert prompts
    assert {(prompt["prefill"], len(prompt["messages"])) for prompt in prompts} <= {
        ("Once upon a time ", 0),
        ("Once upon a day ", 0),
    }


def test_check_and_try_show_it_as_it_is(vsgen: Vsgen, story: Path) -> None:
    checked = vsgen("check", story, "-n", 1)
    assert checked.exit_code == 0, checked.output
    assert "[plain text, to be continued]\nOnce upon a" in checked.stdout
    assert "plain text that the model continues" in checked.stdout
    tried = vsgen("try", story, "-m", "tiny")
    assert "as the model reads it ──\nOnce upon a" in tried.stdout


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("sampling.method=vs", "chat: false needs method direct or power, not vs"),
        ("system=Be brief.", "chat: false cannot be combined with 'system'; write it into the prompt"),
        ("prefill=The", "chat: false cannot be combined with 'prefill'; write it at the end of the prompt"),
        ("repair=1", "chat: false cannot be combined with 'repair'"),
        ("examples=[{text: x}]", "chat: false cannot be combined with 'examples'"),
        ("sampling.demonstrate=1", "chat: false cannot be combined with sampling.demonstrate"),
    ],
)
def test_what_belongs_to_a_chat_is_refused(vsgen: Vsgen, story: Path, setting: str, told: str) -> None:
    done = vsgen("check", story, "--set", setting)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert told in done.stderr


def test_rows_of_messages_cannot_be_made_of_plain_text(vsgen: Vsgen, story: Path) -> None:
    taught = vsgen("run", story, "-n", 1, "-m", "tiny", "--token-logprobs", "top=3")
    targets = vsgen("targets", story)
    assert (taught.exit_code, targets.exit_code) == (2, 2)
    assert "chat: false: --token-logprobs teaches" in taught.stderr
    assert "chat: false: the rows of targets are messages" in targets.stderr


@pytest.mark.parametrize("method", ["direct", "power"])
def test_a_chat_server_refuses_before_anything_is_drawn_and_one_of_completions_continues(
    vsgen: Vsgen, story: Path, method: str
) -> None:
    with serving(Plan(model="tiny")) as server:
        asked = ["--endpoint", server.url, "-m", "tiny", "-n", 2, "--set", f"sampling.method={method}"]
        refused = vsgen("run", story, *asked)
        done = vsgen("run", story, *asked, "--wire", "completions", "--max-calls", 30)
    assert refused.exit_code == 2, refused.output
    assert "chat: false: tiny@" in refused.stderr and "--wire completions" in refused.stderr
    assert done.exit_code in (0, 1), done.output
    assert "refused" not in done.output

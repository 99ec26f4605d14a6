"""Commands whose model is behind a URL: the embedded one, served by our own server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from tests.endpoint.plan import Plan
from tests.endpoint.server import Server, serving

SECRET = "sk-very-secret-indeed"
LABELS = """\
version: 1
name: judged
prompt: Write a support ticket about a bike light. Tone angry.
output: {field: text, max_chars: 400}
dedup: false
model: tiny
labels:
- {name: queue, classes: [billing, bug, how-to], prompt: "Which queue should take this ticket?\\n\\n{{ text }}"}
- name: judged
  classes: [billing, bug, how-to]
  prompt: "Which queue should take this ticket?\\n\\n{{ text }}"
  model: tiny
  endpoint: URL
"""


@pytest.fixture
def served() -> Iterator[Server]:
    with serving(Plan(model="tiny")) as server:
        yield server


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_over_http_labels_as_a_run_in_process_and_resumes_without_a_request(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(f"{SECRET}\n")
    out = tmp_path / "out.jsonl"
    server = ["--endpoint", served.url, "--api-key-file", key, "-m", "tiny"]
    asked = ["run", "support-tickets", *server, "-n", 5, "-o", out]
    done = vsgen(*asked)
    assert done.exit_code == 0, done.output
    made = rows(out)
    assert served.counts.keys.keys() == {f"Bearer {SECRET}"}
    assert {row["meta"]["model"] for row in made} == {f"tiny@127.0.0.1:{served.url.split(':')[2].removesuffix('/v1')}"}
    written = [file.read_bytes() for file in tmp_path.iterdir() if file != key]
    assert not any(SECRET.encode() in text for text in [*written, done.output.encode()])

    inputs = tmp_path / "texts.jsonl"
    inputs.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in made))
    here = vsgen("label", inputs, "--template", "support-tickets", "-m", "tiny")
    labels = [json.loads(line)["labels"]["category"] for line in here.stdout.splitlines()]
    for row, label in zip(made, labels, strict=True):
        assert row["labels"]["category"]["probs"] == pytest.approx(label["probs"], abs=1e-4)
        assert row["labels"]["category"]["label_mass"] == pytest.approx(label["label_mass"], abs=1e-4)

    asked_before = served.counts.requests
    part, bytes_before = out.with_name("out.jsonl.part"), out.read_bytes()
    out.rename(part)
    assert vsgen(*asked, "--resume").exit_code == 0
    assert (out.read_bytes(), served.counts.requests) == (bytes_before, asked_before)


def test_a_judge_behind_a_url_labels_as_the_same_model_in_process(vsgen: Vsgen, served: Server, tmp_path: Path) -> None:
    template = tmp_path / "judged.yaml"
    template.write_text(LABELS.replace("URL", served.url))
    done = vsgen("run", template, "-n", 3, "-o", tmp_path / "out.jsonl")
    assert done.exit_code == 0, done.output
    for row in rows(tmp_path / "out.jsonl"):
        assert row["labels"]["judged"]["probs"] == pytest.approx(row["labels"]["queue"]["probs"], abs=1e-4)
        assert row["labels"]["judged"]["model"].startswith("tiny@127.0.0.1")


def test_a_variable_names_the_server_and_the_run_says_so(
    vsgen: Vsgen, served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", served.url)
    done = vsgen("run", "support-tickets", "-m", "other/model", "-n", 1)
    assert done.exit_code == 0
    assert "is asked over HTTP, by OPENAI_BASE_URL" in done.stderr
    asked = served.counts.requests
    assert vsgen("run", "support-tickets", "-n", 1).exit_code == 0
    assert served.counts.requests == asked


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-m", "gpt-4o"], "give --endpoint https://api.openai.com/v1 -m gpt-4o"),
        (["-m", "openai/o3-mini"], "give --endpoint https://api.openai.com/v1 -m o3-mini"),
        (["-m", "claude-sonnet-4"], "give --endpoint https://api.anthropic.com/v1 -m claude-sonnet-4"),
        (["-m", "http://localhost:8000/v1"], "give it with --endpoint URL"),
        (["--endpoint", "http://localhost:8000"], "name the model as the server calls it, with -m NAME"),
        (["--endpoint", "ftp://x", "-m", "m"], "only http and https"),
        (["--endpoint", "http://u:p@x", "-m", "m"], "a URL with a user name or password"),
        (["--wire", "chat", "-m", "m"], "needs --endpoint"),
        (["--endpoint", "https://api.openai.com", "-m", "m"], "no API key; set OPENAI_API_KEY"),
        (["--endpoint", "http://127.0.0.1:1", "-m", "m", "--api-key-file", "/nowhere/key"], "No such file"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_to_give(
    vsgen: Vsgen, words: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "VSGEN_API_KEY", "OPENAI_BASE_URL", "VSGEN_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    done = vsgen("run", "support-tickets", "-n", 1, *words)
    assert done.exit_code in (2, 3)
    assert problem in " ".join(done.stderr.split())


def test_what_a_label_needs_and_the_server_has_not_is_said_before_anything_is_asked(vsgen: Vsgen) -> None:
    with serving(Plan()) as server:
        done = vsgen("run", "support-tickets", "--endpoint", server.url, "-m", "tiny", "-n", 1)
    assert done.exit_code == 2
    assert "label category (method score)" in done.stderr and "votes or verbalized" in done.stderr


def test_check_takes_a_model_behind_a_url_for_what_it_is_and_asks_no_server(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSGEN_ENDPOINT", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("VSGEN_MODEL", "some-1.5B-model")
    done = vsgen("check", "support-tickets")
    assert done.exit_code == 0, done.output
    assert "127.0.0.1:9 lays them out itself" in done.stdout
    monkeypatch.setenv("VSGEN_MODEL", "tiny")
    assert "127.0.0.1:9" not in vsgen("check", "support-tickets").stdout

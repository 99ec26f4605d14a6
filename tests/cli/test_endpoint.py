"""Commands whose model is behind a URL: the embedded one, served by our own server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from tests.endpoint.own_decisions import shares
from tests.endpoint.plan import Plan
from tests.endpoint.server import Server, serving
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.open import open_model
from vsgen.labels.orders import orders
from vsgen.labels.words import question

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
        (["--rpm", "9", "-m", "tiny"], "--rpm: no model is behind a URL"),
        (["--endpoint", "", "-m", "m"], "--endpoint: empty; give a URL such as"),
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


def test_a_label_of_a_model_here_and_one_behind_a_url_has_both_and_resumes_without_a_request(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    lines, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    lines.write_text(json.dumps({"text": "The light of my bike is broken."}) + "\n")
    asked = ["label", lines, "--name", "queue", "--classes", "billing,bug,how-to", "-m", "tiny", "-o", out]
    asked += ["--set", f"model=[run, {{model: tiny, endpoint: {served.url}}}]"]
    assert vsgen(*asked).exit_code == 0
    (row,) = rows(out)
    here, there = row["labels"]["queue"]["models"].items()
    assert there[0].startswith("tiny@127.0.0.1:") and here[0].startswith("tiny@") and here[0] != there[0]
    assert here[1]["probs"] == pytest.approx(there[1]["probs"], abs=1e-4)
    assert row["meta"]["labelled"]["queue"]["model"] == [here[0], there[0]]
    bytes_ = out.read_bytes()
    out.unlink()
    before = served.counts.requests
    assert vsgen(*asked, "--resume").exit_code == 0
    assert (out.read_bytes(), served.counts.requests) == (bytes_, before)


def test_a_judge_that_no_server_is_named_for_can_be_given_one(vsgen: Vsgen, tmp_path: Path) -> None:
    template = tmp_path / "judged.yaml"
    template.write_text(LABELS.replace("  model: tiny\n  endpoint: URL", "  model: owner/judge"))
    words = " ".join(vsgen("run", template, "--endpoint", "http://127.0.0.1:9", "-m", "m", "-n", 1).stderr.split())
    assert "labels.1.model: owner/judge is not on this machine" in words and "endpoint: run" in words
    assert "endpoint: run" not in vsgen("run", template, "-m", "tiny", "-n", 1).stderr


@pytest.mark.parametrize(("url", "place"), [("run", "the run's server"), ("http://127.0.0.1:9", "http://127.0.0.1:9")])
def test_check_names_the_server_of_a_judge(vsgen: Vsgen, tmp_path: Path, url: str, place: str) -> None:
    template = tmp_path / "judged.yaml"
    template.write_text(LABELS.replace("URL", url))
    assert f"label judged by tiny, at {place}" in " ".join(vsgen("check", template).stdout.split())


DECISIONS = """\
version: 1
name: decided
prompt: Write a support ticket about a bike light. Tone angry.
output: {field: text, max_chars: 400}
dedup: false
labels:
- name: queue
  classes: [billing, bug, question]
  prompt: "Which queue should take this ticket?\\n\\n{{ text }}"
  method: decisions
  permutations: all
- {name: topics, kind: multi, classes: [money, parts], prompt: "{{ text }}\\n\\nIs it urgent?", method: decisions}
- {name: tone, kind: ordinal, classes: [calm, cross, furious], prompt: "How upset is it? {{ text }}", method: decisions}
"""


def first_token(text: str) -> dict[str, float]:
    """What the model says of the classes in this process, by the first token of a reply, over all their orders."""
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    total = dict.fromkeys(("billing", "bug", "question"), 0.0)
    for order in orders(tuple(total), "all"):
        asked = question(f"Which queue should take this ticket?\n\n{text}", order)
        probs, _ = shares(model, asked, [[name] for name in order])
        each = dict(zip(order, probs, strict=True))
        total = {name: sum_ + each[name] / 3 for name, sum_ in total.items()}
    return total


@pytest.mark.parametrize("form", ["systemone", pytest.param("decisions", marks=pytest.mark.slow)])
def test_decisions_about_a_row_are_one_request_and_what_is_refused_costs_its_own_label(
    vsgen: Vsgen, tmp_path: Path, form: str
) -> None:
    template, out = tmp_path / "decided.yaml", tmp_path / "out.jsonl"
    template.write_text(DECISIONS)
    with serving(Plan(model="tiny", forms=(form,), refused="urgent")) as server:
        asked = ["run", template, "--endpoint", server.url, "-m", "tiny", "-n", 2, "-o", out]
        done = vsgen(*asked)
        assert done.exit_code == 0, done.output
        assert server.counts.paths[f"/v1/{form}"] == 1 + 3 + 2  # is it there, does it take each label, two rows
        before, part = server.counts.requests, out.with_name("out.jsonl.part")
        out.rename(part)
        assert vsgen(*asked, "--resume").exit_code == 0
        assert server.counts.requests == before
        shown = vsgen("try", template, "--endpoint", server.url, "-m", "tiny").stdout
    assert "decision requests: 5, of which the first 3" in shown
    assert re.search(r"^  choice: Which queue should take this ticket\?  billing [\d.e-]+  bug", shown, re.MULTILINE)
    assert "predicate: Is it urgent? Does this apply: money?  the server refuses" in shown
    for row in rows(out):
        queue, topics, tone = row["labels"].values()
        assert (queue["method"], queue["orders"], tone["kind"]) == ("decisions", 3, "ordinal")
        assert queue["probs"] == pytest.approx(first_token(row["text"]), abs=1e-6)
        assert (queue["label_mass"] is None) == (form == "decisions")
        assert topics["probs"] is None and "refuses" in topics["problem"]


def test_a_judge_that_only_decides_is_asked_nothing_else(vsgen: Vsgen, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "I was charged twice."}\n')
    with serving(Plan(model="tiny")) as server:
        labels = ["--name", "queue", "--classes", "billing,bug", "--method", "decisions"]
        done = vsgen("label", texts, *labels, "--endpoint", server.url, "-m", "tiny")
        assert done.exit_code == 0, done.output
        assert server.counts.paths == {"/v1/systemone": 1 + 1 + 1}
    assert json.loads(done.stdout)["labels"]["queue"]["method"] == "decisions"


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (Plan(), "status 501"),
        pytest.param(Plan(model="tiny", forms=()), "status 404", marks=pytest.mark.slow),
        (None, "in this process"),
    ],
)
def test_without_a_decision_interface_a_label_is_refused_before_anything_is_asked(
    vsgen: Vsgen, tmp_path: Path, plan: Plan | None, problem: str
) -> None:
    template = tmp_path / "decided.yaml"
    template.write_text(DECISIONS)
    if plan is None:
        done = vsgen("run", template, "-m", "tiny", "-n", 1)
    else:
        with serving(plan) as server:
            done = vsgen("run", template, "--endpoint", server.url, "-m", "tiny", "-n", 1)
    words = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert problem in words and "label queue" in words and "score, votes or verbalized" in words


def test_a_class_that_a_decision_interface_cannot_read_is_named_before_anything_is_asked(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    template = tmp_path / "decided.yaml"
    template.write_text(DECISIONS.replace("[billing, bug, question]", "[billing, how-to]"))
    with serving(Plan(model="tiny")) as server:
        done = vsgen("run", template, "--endpoint", server.url, "-m", "tiny", "-n", 1)
    words = " ".join(done.stderr.split())
    assert done.exit_code == 2
    assert "label queue" in words and "how-to" in words and "use other names for the classes" in words


@pytest.mark.parametrize("name", ["VSGEN_ENDPOINT", "OPENAI_BASE_URL"])
def test_a_variable_that_holds_no_url_is_named(vsgen: Vsgen, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VSGEN_ENDPOINT", raising=False)
    monkeypatch.setenv(name, "localhost:8000")
    done = vsgen("run", "support-tickets", "-m", "other/model", "-n", 1)
    assert done.exit_code == 2
    assert f"{name}: localhost:8000: http:// or https:// is missing; give a URL such as" in done.stderr


@pytest.mark.slow
def test_a_server_that_is_not_there_is_an_error_with_the_remedy(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = vsgen("run", "support-tickets", "--endpoint", "http://127.0.0.1:9", "-m", "m", "-n", 1, "-o", out)
    assert done.exit_code == 3
    problem = "127.0.0.1:9: no connection (Connection refused); is the server running there, and is the URL right?"
    assert problem in done.stderr and not out.exists()


def test_what_a_server_withholds_from_one_call_is_a_reject_and_the_run_goes_on(vsgen: Vsgen, tmp_path: Path) -> None:
    template = tmp_path / "plain.yaml"
    template.write_text("version: 1\nname: plain\nprompt: Write a support ticket about a bike light.\ndedup: false\n")
    rejects = tmp_path / "rejects.jsonl"
    with serving(Plan(model="tiny", shares={"filtered": 0.4})) as server:
        asked = ["--endpoint", server.url, "-m", "tiny", "--method", "direct", "--rejects", rejects]
        done = vsgen("run", template, *asked, "-n", 12, "-o", tmp_path / "out.jsonl")
    assert done.exit_code == 0, done.output
    assert len(rows(tmp_path / "out.jsonl")) == 12
    found = rows(rejects)
    assert found and {(one["reason"], one["detail"]) for one in found} == {
        ("refused", "the server's content filter withheld the reply")
    }


def test_labels_that_a_server_bounds_are_reported_as_estimates_not_as_cut_texts(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    texts, out = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
    texts.write_text('{"text": "My bike light is broken."}\n')
    words = ["--name", "queue", "--classes", "billing,bug", "--endpoint", served.url, "--wire", "completions"]
    done = vsgen("label", texts, *words, "-m", "tiny", "-o", out)
    assert done.exit_code == 0, done.stderr
    (row,) = rows(out)
    assert row["labels"]["queue"]["truncated"] is True and "bounds" in row["labels"]["queue"]
    assert "labels that are estimates, since the server lists only the most probable tokens" in done.stderr
    assert "texts that were cut" not in done.stderr

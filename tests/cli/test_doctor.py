"""``vsgen doctor``: what is installed, or a model's card."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.endpoint.plan import Plan
from tests.endpoint.server import serving

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen


def test_without_a_model_it_says_what_is_installed_and_that_all_is_well(vsgen: Vsgen) -> None:
    shown = vsgen("doctor")
    assert shown.exit_code == 0
    for name in ("python", "libraries", "extra models", "tiny", "embedder", "hub cache", "cpu", "folder", "terminal"):
        assert re.search(rf"^ok +{name} +\S", shown.stdout, re.MULTILINE), name
    assert "PROBLEM" not in shown.stdout
    assert shown.stdout.endswith("\neverything that vsgen needs is here\n")
    assert "recommended" not in shown.stdout


def test_a_problem_has_its_remedy_and_its_exit_status(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/no/such/folder")
    shown = vsgen("doctor")
    assert shown.exit_code == 4
    assert re.search(r"^PROBLEM temporary +/no/such/folder: No such file", shown.stdout, re.MULTILINE)
    assert "  set TMPDIR to a folder that you may write to\n" in shown.stdout
    assert shown.stdout.endswith("\n1 problem\n")


def test_a_variable_that_cannot_be_used_is_a_problem(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_DEVICE", "gpu")
    shown = vsgen("doctor")
    assert shown.exit_code == 2
    assert re.search(r"^PROBLEM options +VSGEN_DEVICE: ", shown.stdout, re.MULTILINE)


def test_standard_output_that_is_closed_is_no_traceback() -> None:
    script = f"{sys.executable} -m vsgen doctor >&-; echo $? >&2"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stderr == "0\n"


def test_the_findings_are_json_for_programs(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(vsgen("doctor", "--json").stdout)
    assert found["ok"] is True
    assert {one["state"] for one in found["findings"]} <= {"ok", "absent"}
    assert {"group", "name", "value", "state", "remedy", "status"} == found["findings"][0].keys()
    monkeypatch.setenv("TMPDIR", "/no/such/folder")
    shown = vsgen("doctor", "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["ok"]) == (4, False)


def test_no_secret_is_printed(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    for words in ((), ("--json",)):
        shown = vsgen("doctor", *words).stdout
        assert "HF_TOKEN" in shown and "verysecret" not in shown


def test_a_card_has_every_figure_and_a_recommendation(vsgen: Vsgen) -> None:
    shown = vsgen("doctor", "-m", "tiny")
    assert shown.exit_code == 0, shown.stderr
    assert re.search(r"^parameters +[\d.]+[MB], float64 on cpu$", shown.stdout, re.MULTILINE)
    assert re.search(r"^chat template +\w", shown.stdout, re.MULTILINE)
    assert re.search(r"^speed +[\d.]+ tokens/s", shown.stdout, re.MULTILINE)
    alone = re.search(r"^  alone +day ([\d.e-]+) · month", shown.stdout, re.MULTILINE)
    assert alone and 0 <= float(alone[1]) <= 1
    assert len(re.findall(r"\d of 9 ", shown.stdout)) == 6
    assert re.search(r"rank correlation -?[\d.]+ \(\d+ answers\)", shown.stdout)
    assert len(re.findall(r"\d+ of 12", shown.stdout)) >= 4
    assert re.search(r"recommended for lists of short answers .+\n  sampling: \{.+\}", shown.stdout)
    assert re.findall(r"measuring (\d) of 9: ", shown.stderr) == [*"123456789"]


def test_a_model_that_is_not_there_is_one_message(vsgen: Vsgen) -> None:
    shown = vsgen("doctor", "-m", "/no/such/model")
    assert (shown.exit_code, shown.stdout) == (3, "")
    assert len(shown.stderr.strip().splitlines()) == 1


def test_a_server_is_shown_with_what_works_there(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_API_KEY", "sk-very-secret")
    with serving(Plan(model="tiny", key="sk-very-secret")) as server:
        shown = vsgen("doctor", "--endpoint", server.url)
    assert shown.exit_code == 0, shown.stdout
    assert "sk-very-secret" not in shown.output
    for line in (
        r"key +from VSGEN_API_KEY",
        r"models +tiny",
        r"name in rows +tiny@127\.0\.0\.1:\d+",
        r"prompt_logprobs +yes",
        r"soft labels +exact",
        r"JSON +yes",
        r"decisions +yes: .*/v1/systemone",
    ):
        assert re.search(f"^ok +{line}", shown.stdout, re.MULTILINE), line
    assert shown.stdout.endswith("\nvsgen can use this server\n")


def test_what_a_server_cannot_do_has_its_consequence_and_a_remedy(vsgen: Vsgen) -> None:
    with serving(Plan()) as server:
        shown = vsgen("doctor", "--endpoint", server.url, "-m", "other", "--json")
    assert shown.exit_code == 0, shown.stdout
    found = {(one["group"], one["name"]): one for one in json.loads(shown.stdout)["findings"]}
    assert "other is not in the list" in found["server", "models"]["value"]
    assert "parsed, validated and repaired" in found["abilities", "json_schema"]["value"]
    assert "vLLM" in found["abilities", "prompt_logprobs"]["remedy"]
    assert found["what works", "soft labels"]["state"] == "absent"
    assert "votes or verbalized" in found["what works", "soft labels"]["remedy"]
    assert found["what works", "verbalized"]["state"] == "ok"


def test_a_model_that_only_decides_is_no_problem(vsgen: Vsgen) -> None:
    with serving(Plan(model="tiny", script=("400",))) as server:
        shown = vsgen("doctor", "--endpoint", server.url)
    assert shown.exit_code == 0, shown.stdout
    assert re.search(r"^- +tiny +it writes no replies: ", shown.stdout, re.MULTILINE)
    assert re.search(r"^ok +decisions +yes: ", shown.stdout, re.MULTILINE)


@pytest.mark.parametrize("words", [(), ("-m", "tiny")])
def test_a_server_that_refuses_is_a_problem_with_status_3(vsgen: Vsgen, words: tuple[str, ...]) -> None:
    with serving(Plan(model="tiny", script=("401",) * 9)) as server:
        shown = vsgen("doctor", "--endpoint", f"{server.url}/nothing/v1" if not words else server.url, *words)
    assert shown.exit_code == 3
    assert re.search(r"^PROBLEM +(tiny|models) +127.0.0.1:\d+: HTTP 40[14]", shown.stdout, re.MULTILINE)


def test_variables_that_name_a_server_are_shown_without_a_password(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSGEN_ENDPOINT", "http://localhost:8000")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shown = vsgen("doctor")
    assert shown.exit_code == 0, shown.stdout
    assert re.search(r"^ok +VSGEN_ENDPOINT +http://localhost:8000/v1: asked for", shown.stdout, re.MULTILINE)
    assert re.search(r"^ok +OPENAI_BASE_URL +\S+; VSGEN_ENDPOINT is used", shown.stdout, re.MULTILINE)
    monkeypatch.setenv("VSGEN_ENDPOINT", "http://me:hush@localhost:8000")
    shown = vsgen("doctor")
    assert shown.exit_code == 2
    assert "hush" not in shown.output

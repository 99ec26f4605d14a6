"""What a server says is data: it ends no run, no terminal obeys it, and nothing is made of what is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.terminal import Terminal
from tests.attacks.test_terminal import HOSTILE, seen
from tests.cli.conftest import Vsgen, vsgen
from tests.endpoint.command import TEMPLATE
from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.server import Server, serving

assert vsgen  # the fixture
VERBALIZED = TEMPLATE.replace("method: direct, k: 1", "method: vs, k: 2")
DEEP = "[" * 10_000 + "]" * 10_000
TEXTS = {
    "nothing": "",
    "blanks": " \n\t ",
    "NULs": "\0\0\0",
    "a NUL": "A dog\0 barks.",
    "escapes": HOSTILE,
    "deep": DEEP,
    "deep within": f'{{"responses": [{{"text": {DEEP}, "probability": 1.0}}]}}',
    "a probability": 'The probability is 1.0. {"probability": 1.0}',
    "surrogates": json.dumps(
        {"responses": [{"text": "@ cat", "probability": 0.5}, {"text": "a\0", "probability": 0.5}]}
    ).replace("@", r"\ud800"),
}


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def served() -> Iterator[Server]:
    with serving(Plan()) as server:
        yield server


@pytest.mark.parametrize(
    "template", [pytest.param(TEMPLATE, marks=pytest.mark.slow), VERBALIZED], ids=["direct", "verbalized"]
)
def test_no_text_ends_a_run_and_nothing_is_made_of_what_is_no_answer(
    vsgen: Vsgen, served: Server, template: str, tmp_path: Path
) -> None:
    (tmp_path / "t.yaml").write_text(template)
    (tmp_path / "rows.jsonl").write_text('{"text": "a day"}\n')
    for number, (name, text) in enumerate(TEXTS.items()):
        served.plan = Plan(text=text)
        out, rejects = tmp_path / f"{number}.jsonl", tmp_path / f"{number}.rejects.jsonl"
        words = ["--endpoint", served.url, "-m", "echo", "-o", out, "--rejects", rejects]
        done = vsgen("run", tmp_path / "t.yaml", tmp_path / "rows.jsonl", *words)
        assert done.exit_code == 0, (name, done.output)
        kept, unkept = (rows(path) for path in (out, rejects))
        assert kept or unkept
        for row in kept:
            assert row["reply"].strip() and row["reply"].encode() and not set(row["reply"]) <= set("\0 \n")
        if template == VERBALIZED:
            assert bool(kept) == (name == "surrogates") and all(row["probability"] == 0.5 for row in kept)


@pytest.mark.slow
def test_what_is_too_large_or_no_text_is_asked_for_again_and_then_refused(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"text": "day {number}"}}\n' for number in range(12)))
    troubles: tuple[Trouble, ...] = ("huge", "bomb", "deep", "surrogate")
    served.plan = Plan(script=(None,) * 8, shares=dict.fromkeys(troubles, 0.25))
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    words = ["--endpoint", served.url, "-m", "echo", "-o", out, "--rejects", rejects, "--on-error", "skip"]
    done = vsgen("run", tmp_path / "t.yaml", tmp_path / "rows.jsonl", *words)
    assert done.exit_code == 0, done.output
    kept, unkept = (rows(path) for path in (out, rejects))
    assert len(kept) + len(unkept) == 12 and len(unkept) >= 4
    assert all(one["reason"] == "refused" and "no usable reply in 6 tries" in one["detail"] for one in unkept)
    assert served.counts.troubles.keys() == set(troubles)
    assert served.counts.troubles.total() == 6 * len(unkept)


@pytest.mark.slow
def test_a_text_of_megabytes_is_a_reject(vsgen: Vsgen, served: Server, tmp_path: Path) -> None:
    served.plan = Plan(text="many words " * 700_000)
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    words = ["--endpoint", served.url, "-m", "echo", "-o", tmp_path / "o", "--rejects", tmp_path / "r"]
    (tmp_path / "rows.jsonl").write_text('{"text": "a day"}\n')
    assert vsgen("run", tmp_path / "t.yaml", tmp_path / "rows.jsonl", *words).exit_code == 0
    assert json.loads((tmp_path / "r").read_text())["reason"] == "schema" and not (tmp_path / "o").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["try", "run"])
def test_replies_are_only_shown_on_a_terminal(served: Server, command: str, tmp_path: Path) -> None:
    served.plan = Plan(text=HOSTILE)
    (tmp_path / "t.yaml").write_text(TEMPLATE.replace("{{ text }}", "a day"))
    words = [command, tmp_path / "t.yaml", "--endpoint", served.url, "-m", "echo", "-n", 2]
    with Terminal(words, COLUMNS="400") as terminal:
        text = seen(terminal.screen())
        assert terminal.process.returncode == 0, text
    assert r"\u009b" in text or r"\x9b" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "words"),
    [("400", ["run"]), ("404", ["run"]), ("400", ["doctor"]), ("filtered", ["run"])],
    ids=["a refusal", "an unknown model", "doctor", "a filter"],
)
def test_errors_and_names_of_models_are_only_shown_on_a_terminal(
    served: Server, trouble: Trouble, words: list[str], tmp_path: Path
) -> None:
    served.plan = replace(Plan(words=HOSTILE, model=f"echo{HOSTILE}"), shares={trouble: 1.0})
    if trouble == "filtered":
        served.plan = Plan(shares={trouble: 1.0}, text=HOSTILE)
    (tmp_path / "t.yaml").write_text(TEMPLATE.replace("{{ text }}", "a day"))
    files = [tmp_path / "t.yaml", "-n", 2] if words == ["run"] else []
    with Terminal([*words, *files, "--endpoint", served.url, "-m", "echo"], COLUMNS="400") as terminal:
        text = seen(terminal.screen())
        assert terminal.process.returncode == 3, text
    assert trouble == "filtered" or r"\x9b2J" in text

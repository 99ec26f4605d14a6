"""``vsgen try`` shows a draw whole, and leaves nothing behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

FAST = ("--set", "dedup.embedder=hash")


def rows(shown: str) -> list[dict[str, Any]]:
    part = shown.split("── rows: ")[1].split("── rejected: ")[0]
    return [json.loads(line) for line in part.splitlines() if line.startswith("{")]


def test_a_draw_is_shown_from_prompt_to_verdict(vsgen: Vsgen) -> None:
    shown = vsgen("try", "product-reviews", "-k", 3, *FAST)
    assert shown.exit_code == 0
    heads = ["prompt, as the model reads it", "reply 1 of 1", "scored questions", "rows: ", "rejected: ", "verdict"]
    places = [shown.stdout.index(f"── {head}") for head in heads]
    assert places == sorted(places)
    assert "<|user|>" in shown.stdout.split("── reply")[0]
    assert re.search(r"^verdict: (good|bad): ", shown.stdout, re.MULTILINE)
    assert "tokens/s" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert all(row["labels"]["sentiment"]["label_mass"] > 0.9 for row in rows(shown.stdout))


def test_it_is_the_draw_that_a_run_makes_first(vsgen: Vsgen) -> None:
    shown = rows(vsgen("try", "jokes", "--seed", 3, *FAST).stdout)
    made = [json.loads(line) for line in vsgen("run", "jokes", "--seed", 3, "-n", 3, *FAST).stdout.splitlines()]
    assert [(row["id"], row["text"]) for row in shown[:3]] == [(row["id"], row["text"]) for row in made]


def test_the_raw_reply_is_the_one_that_the_journal_keeps(vsgen: Vsgen, tmp_path: Path) -> None:
    shown = vsgen("try", "jokes", *FAST).stdout
    vsgen("run", "jokes", "-n", 1, "-o", tmp_path / "out", *FAST)
    lines = map(json.loads, (tmp_path / "out.journal").read_text().splitlines())
    first = next(line for line in lines if line["kind"] == "generate")
    assert first["reply"]["text"] in shown


def test_rejects_are_shown_with_their_reason(vsgen: Vsgen) -> None:
    shown = vsgen("try", "random-day", "--method", "direct", "-k", 12, *FAST).stdout
    lost = shown.split("── rejected: ")[1].split("── verdict")[0]
    assert "duplicate: {" in lost
    assert '"twin": "random-day/000000.' in lost


def test_a_reply_that_is_cut_says_so_and_the_verdict_too(vsgen: Vsgen) -> None:
    shown = vsgen("try", "jokes", "--set", "sampling.max_tokens=4", *FAST).stdout
    assert "4 tokens after" in shown
    assert "cut at its maximum length" in shown
    assert "malformed: {" in shown
    assert "verdict: bad" in shown


def test_later_turns_show_only_what_is_new(vsgen: Vsgen) -> None:
    shown = vsgen("try", "jokes", "--method", "multi-turn", "-k", 2, *FAST).stdout
    first, second = (part.split("── reply")[0] for part in shown.split("── prompt, as the model reads it")[1:])
    assert second.split("\n")[1].startswith("…")
    assert first.split("\n")[1] not in second


def test_draws_do_not_see_each_other(vsgen: Vsgen) -> None:
    shown = vsgen("try", "random-day", "-n", 3, *FAST).stdout
    assert shown.count("── rows: ") == 3
    assert "random-day/000000.0" not in shown.split("random-day/000002 ·")[1]


def test_the_input_gives_the_variables_and_no_more_draws_than_rows(vsgen: Vsgen) -> None:
    shown = vsgen("try", "jokes", "-", "-n", 5, "-k", 2, *FAST, stdin='{"animal": "zebra"}\n{"animal": "gnu"}\n').stdout
    assert shown.count("── rows: ") == 2
    assert "zebra" in shown and "gnu" in shown


def test_nothing_is_written(vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert vsgen("try", "random-day", *FAST).exit_code == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "status"), [(("jokse",), 2), (("jokes", "-k", 0), 2), (("jokes", "-m", "/no/such/model"), 3)]
)
def test_what_is_wrong_is_one_message(vsgen: Vsgen, words: tuple[object, ...], status: int) -> None:
    shown = vsgen("try", *words)
    assert shown.exit_code == status
    assert shown.stdout == ""
    assert len(shown.stderr.strip().splitlines()) == 1


def test_an_input_without_rows_is_named_before_a_model_is_opened(vsgen: Vsgen) -> None:
    shown = vsgen("try", "jokes", "-", "-m", "/no/such/model", stdin="")
    assert shown.exit_code == 2
    assert "has no rows" in shown.stderr


def test_a_template_that_lacks_a_variable_is_named_before_a_model_is_opened(vsgen: Vsgen, tmp_path: Path) -> None:
    path = tmp_path / "colours.yaml"
    path.write_text("version: 1\nname: colours\nprompt: Name a {{ thing }}.\n")
    shown = vsgen("try", path, "-m", "/no/such/model")
    assert shown.exit_code == 2
    assert "thing" in shown.stderr


def test_a_reject_shows_the_clause_and_the_labels_that_it_was_judged_by(vsgen: Vsgen) -> None:
    words = ("product-reviews", "--set", 'keep=["labels.sentiment.label_mass > 2"]', "-k", 2, *FAST)
    lost = vsgen("try", *words).stdout.split("── rejected: ")[1].split("── verdict")[0]
    assert lost.count("keep: {") == 2
    assert lost.count('"clause": "labels.sentiment.label_mass > 2"') == 2
    assert lost.count('"label_mass": ') == 2


def test_of_power_sampling_the_picked_replies_are_shown_and_drafts_are_counted(vsgen: Vsgen, tmp_path: Path) -> None:
    template = tmp_path / "sums.yaml"
    template.write_text(
        'version: 1\nname: sums\nprompt: "What is 31 + 27?"\n'
        "output: {answer: 'is (.+)', correct: answer == '-'}\n"
        "sampling: {method: power, k: 2, max_tokens: 40, power: {alpha: 1, engine: smc, particles: 4,\n"
        "  check_every: 8, potentials: {correct: true}}}\n"
    )
    shown = vsgen("try", template, "-m", "tiny").stdout
    assert re.search(r"^── \d+ calls drew drafts, of which 2 replies were picked ──$", shown, re.MULTILINE)
    heads = re.findall(r"^── (reply .*) ──$", shown, re.MULTILINE)
    assert [head.split(":")[0] for head in heads] == ["reply 1 of 2", "reply 2 of 2"]
    assert all("engine smc, ess 0.0, ancestors " in head for head in heads)
    assert "verdict: bad: 1 finding\n  bad: none of 2 candidates was kept" in shown
    assert "-> see the rejects above" in shown

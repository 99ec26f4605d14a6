"""``vsgen label --examples``: forms are tried on the first rows or on gold, then every row has the chosen one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import CATEGORY, tickets, write
from tests.endpoint.plan import Plan
from tests.endpoint.server import Server, serving

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

SHOWN = json.dumps([{"text": "It broke.", "category": "bug"}])
ASKED = (*CATEGORY, "-m", "tiny", "--examples")


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = tickets(39)
    write(Path("three.jsonl"), known[36:])
    write(Path("gold.jsonl"), known[:30])
    write(Path("rows.jsonl"), [{"text": row["text"]} for row in known[30:36]])


def rows(path: str = "out.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.mark.slow
def test_the_form_is_tried_on_gold_rows_and_every_row_is_asked_once(vsgen: Vsgen) -> None:
    ended = vsgen("label", "rows.jsonl", *ASKED, "three.jsonl", "--calibrate", "gold.jsonl", "-o", "out.jsonl")
    assert ended.exit_code == 0, ended.stderr
    assert re.search(r"form chat: held-out log loss [\d.]+ on 30 gold rows; turns [\d.]+ .*, plain", ended.stderr)
    assert f"calls made now: {3 * 30 + 6} score" in ended.stderr
    made = [row["meta"]["labelled"]["category"] for row in rows()]  # type: ignore[index]
    assert {(one["form"], one["examples"]) for one in made} == {("chat", 3)}


def test_without_gold_the_first_rows_decide_and_cost_nothing_more_in_the_form_that_is_taken(vsgen: Vsgen) -> None:
    ended = vsgen("label", "rows.jsonl", *ASKED, "three.jsonl", "-o", "out.jsonl")
    assert ended.exit_code == 0, ended.stderr
    assert "category: form chat: chosen without gold on the first 6 rows" in ended.stderr
    assert f"calls made now: {3 * 6} score" in ended.stderr
    fixed = vsgen("label", "rows.jsonl", *ASKED, "three.jsonl", "--set", "form=chat", "-o", "fixed.jsonl")
    assert fixed.exit_code == 0 and rows("fixed.jsonl") == rows()


def test_rows_from_a_pipe_get_the_plain_form_with_a_warning(vsgen: Vsgen) -> None:
    ended = vsgen("label", "-", *ASKED, "three.jsonl", "-o", "out.jsonl", stdin=Path("rows.jsonl").read_text())
    assert ended.exit_code == 0, ended.stderr
    assert "label category: form plain: the first rows cannot be read before the others" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("gold", [(), ("--calibrate", "gold.jsonl")])
def test_a_run_that_was_cut_anywhere_goes_on_to_the_same_bytes(vsgen: Vsgen, gold: tuple[str, ...]) -> None:
    asked = ("label", "rows.jsonl", *ASKED, "three.jsonl", *gold, "-o", "out.jsonl")
    assert vsgen(*asked).exit_code == 0
    whole, journal = Path("out.jsonl").read_bytes(), Path("out.jsonl.journal")
    lines = journal.read_bytes().splitlines(keepends=True)
    for kept in range(2, len(lines) - 1, 32):
        journal.write_bytes(b"".join(lines[:kept]))
        Path("out.jsonl").write_bytes(b"")
        ended = vsgen(*asked, "--resume")
        assert ended.exit_code == 0, ended.stderr
        assert Path("out.jsonl").read_bytes() == whole


@pytest.mark.slow
def test_rows_that_were_added_do_not_change_the_form_of_an_output_that_is_there(vsgen: Vsgen) -> None:
    asked = ("label", "rows.jsonl", *ASKED, "three.jsonl", "-o", "out.jsonl")
    assert vsgen(*asked).exit_code == 0
    write(Path("rows.jsonl"), [*rows("rows.jsonl"), {"text": "A new one."}])
    ended = vsgen(*asked, "--resume")
    assert ended.exit_code == 2
    assert "the number of rows that choose the form was 6 and is 7; --overwrite" in ended.stderr


@pytest.fixture
def served() -> Iterator[Server]:
    with serving(Plan(model="tiny")) as server:
        yield server


@pytest.mark.slow
def test_a_form_that_a_server_cannot_do_is_not_chosen(vsgen: Vsgen, served: Server) -> None:
    asked = ("label", "rows.jsonl", *ASKED, "three.jsonl", "--endpoint", served.url, "-o", "out.jsonl")
    ended = vsgen(*asked)
    assert ended.exit_code == 0, ended.stderr
    assert re.search(r"category: form (chat|turns): .*, plain impossible \(.*plain completion", ended.stderr)
    assert all(row["labels"]["category"]["probs"] for row in rows())  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [("--set", "form=plain"), ("--endpoint",)])
def test_the_plain_form_is_refused_by_a_server_of_turns_before_anything_is_asked(
    vsgen: Vsgen, served: Server, wanted: tuple[str, ...]
) -> None:
    at = ("--endpoint", served.url, "-o", "out.jsonl")
    if wanted[0] == "--set":
        ended = vsgen("label", "rows.jsonl", *ASKED, "three.jsonl", *wanted, *at)
    else:
        ended = vsgen("run", "support-tickets", "-n", 1, "-m", "tiny", "--set", f"labels.0.examples={SHOWN}", *at)
    assert ended.exit_code == 2, ended.stderr
    assert "label category" in ended.stderr and "form: turns needs none" in ended.stderr
    assert not Path("out.jsonl").exists() or not Path("out.jsonl").read_bytes()


@pytest.mark.slow
def test_a_reply_that_is_opened_is_scored_by_a_server_as_here(vsgen: Vsgen, served: Server) -> None:
    opened = ("--set", "prefill=The queue is", "--set", "form=turns", "-o")
    here = vsgen("label", "rows.jsonl", *ASKED, "three.jsonl", *opened, "here.jsonl")
    there = vsgen("label", "rows.jsonl", *ASKED, "three.jsonl", "--endpoint", served.url, *opened, "there.jsonl")
    assert here.exit_code == there.exit_code == 0, there.stderr
    for one, other in zip(rows("here.jsonl"), rows("there.jsonl"), strict=True):
        mine, theirs = one["labels"]["category"], other["labels"]["category"]  # type: ignore[index]
        for name, p in mine["probs"].items():
            low, high = theirs.get("bounds", {}).get(name, (theirs["probs"][name],) * 2)
            assert low - 1e-4 <= p <= high + 1e-4

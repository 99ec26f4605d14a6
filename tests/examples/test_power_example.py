"""The comparison of engines: its files are made by make, and its table says what its rows say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "power"


@pytest.mark.slow
def test_the_target_compares_ways_on_the_same_questions(tmp_path: Path) -> None:
    folder = tmp_path / "power"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("build"))
    ways = ["plain", "smc"]
    make = ["make", "-C", str(folder), f"VSGEN={sys.executable} -m vsgen", "ROWS=3", f"WAYS={' '.join(ways)}"]
    subprocess.run([*make, "build/engineered.txt"], check=True, capture_output=True)
    rows = {way: read(folder / "build" / f"engineered.{way}.jsonl") for way in ways}
    assert [len(rows[way]) for way in ways] == [3 * 64, 3 * 4]
    questions = [json.loads(line)["question"] for line in (folder / "engineered.jsonl").read_text().splitlines()]
    for found in rows.values():
        assert {row["meta"]["variables"]["question"] for row in found} == set(questions[:3])
    table = (folder / "build" / "engineered.txt").read_text().splitlines()
    assert table[0] == "engineered sums: 3 questions, 4 replies each"
    lines = {line.split("  ")[0]: line for line in table[2:]}
    assert set(lines) == {"plain", "vote of 16, plain", "smc"}
    right = sum(row["meta"]["correct"] for row in rows["smc"]) / 12
    assert f"{right:.2f} ±" in lines["smc"]
    spent = sum(row["meta"]["evaluations"] for row in rows["smc"]) / 12
    assert lines["smc"].split()[-1] == f"{spent:.0f}"


def test_every_question_has_its_right_answer() -> None:
    for name in ("natural", "engineered"):
        rows = read(EXAMPLE / f"{name}.jsonl")
        assert len(rows) == 32
        for row in rows:
            assert solved(str(row["question"])) == row["gold"]


def solved(question: str) -> int:
    """Work a question out, word by word."""
    value, sign = 0, "start"
    verbs = {"add": "+", "finds": "+", "buys": "+", "gets": "+", "subtract": "-", "loses": "-", "sells": "-"}
    verbs |= {"gives": "-", "multiply": "*"}
    for word in question.replace(",", " ").replace(".", " ").split():
        if word in verbs:
            sign = verbs[word]
        elif word.isdecimal():
            number = int(word)
            value = {"start": number, "+": value + number, "-": value - number, "*": value * number}[sign]
    return value


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]

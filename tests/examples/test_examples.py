"""The examples do what their pages say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_the_tickets_target_makes_rows_for_each_product_and_asks_nothing_twice(tmp_path: Path) -> None:
    folder = tmp_path / "tickets"
    shutil.copytree(EXAMPLES / "tickets", folder, ignore=shutil.ignore_patterns("build"))
    make = ["make", "-C", str(folder), f"VSGEN={sys.executable} -m vsgen"]
    subprocess.run(make, check=True, capture_output=True)
    rows = [json.loads(line) for line in (folder / "build" / "tickets.jsonl").read_text().splitlines()]
    products = [json.loads(line)["product"] for line in (folder / "products.jsonl").read_text().splitlines()]
    assert {row["meta"]["variables"]["product"] for row in rows} == set(products)
    borderline = (folder / "build" / "borderline.jsonl").read_text().splitlines()
    assert 0 < len(borderline) < len(rows)
    (folder / "tickets.yaml").touch()
    again = subprocess.run(make, check=True, capture_output=True, text=True)
    assert "calls made now: none" in again.stderr

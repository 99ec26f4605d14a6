"""The pictures of the docs are drawn from the data beside them, which say what was measured and how."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PICTURES / "collapse.json").read_text(encoding="utf-8"))
    return found


def test_the_stored_picture_is_what_its_data_give(tmp_path: Path) -> None:
    for name in ("draw.py", "collapse.json"):
        shutil.copy(PICTURES / name, tmp_path)
    subprocess.run([sys.executable, tmp_path / "draw.py"], check=True)
    assert (tmp_path / "collapse.svg").read_text() == (PICTURES / "collapse.svg").read_text()


def test_the_picture_says_how_its_data_were_measured(data: dict[str, Any]) -> None:
    texts = [one.text or "" for one in ElementTree.parse(PICTURES / "collapse.svg").iter() if one.text]
    whole = " ".join(texts)
    for part in (data["model"], f"temperature {data['temperature']}", f"seed {data['seed']}", *data["questions"]):
        assert part in whole


def test_every_method_has_as_many_answers(data: dict[str, Any]) -> None:
    totals = {
        sum(found["counts"].values()) + sum(found["wrong"].values())
        for question in data["questions"].values()
        for found in question.values()
    }
    assert totals == {data["answers"]}

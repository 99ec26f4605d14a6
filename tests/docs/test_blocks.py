"""What README and docs/ show can be typed: every block is run, or says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks
from tests.docs.pages import PAGES, README, ROOT, name
from tests.docs.reader import MODELS, SERVER, SMALL, Reader
from tests.endpoint.plan import Plan
from tests.endpoint.server import serving

MOST_NOT_RUN = 6
"""Blocks that no test runs: installing, GPUs, what takes hours."""

REAL = ROOT / "build" / "real" / "SmolLM2-135M-Instruct.Q4_1.gguf"

RUN = {"sh", "console", "python", "yaml", "makefile", "json"}
ALL = [block for page in PAGES for block in blocks(page)]
RUNNABLE = [block for block in ALL if block.language in RUN and not block.reason]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: dict[str, str]) -> Reader:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vsgen.cli.live._INTERVALS", ((float("inf"), float("inf")),))
    return Reader(tmp_path, monkeypatch.setenv, MODELS | server)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What stands in for the server of a page, if it names one."""
    page: Path = request.node.callspec.params["page"]
    if not any(SERVER in block.text for block in RUNNABLE if block.page == page):
        yield {}
        return
    with serving(Plan(model="tiny")) as own:
        yield {SERVER: own.url}


def pages_of(of: Iterator[Block]) -> list[Path]:
    return sorted({block.page for block in of})


def follow(reader: Reader, page: Path, *, slow: bool) -> None:
    for block in RUNNABLE:
        if block.page == page and (slow or not block.slow):
            try:
                reader.follow(block)
            except Exception as error:
                raise AssertionError(f"{block}: {error}") from error


@pytest.mark.parametrize("page", pages_of(block for block in RUNNABLE if not block.slow), ids=name)
def test_a_page_can_be_followed(reader: Reader, page: Path) -> None:
    follow(reader, page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_of(block for block in RUNNABLE if block.slow), ids=name)
def test_a_page_can_be_followed_with_all_that_takes_long(reader: Reader, page: Path) -> None:
    follow(reader, page, slow=True)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="make model fetches it")
def test_the_guide_of_the_front_page_makes_rows_with_the_real_small_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(tmp_path, monkeypatch.setenv, {SMALL: str(REAL.resolve())})
    monkeypatch.chdir(tmp_path)
    first, last = heading(README, "## 500 reviews of your product"), heading(README, "## Your model is on a server")
    for block in RUNNABLE:
        if block.page == README and first < block.line < last:
            reader.follow(block)
    rows = [json.loads(line) for line in (tmp_path / "reviews.jsonl").read_text().splitlines()]
    assert len(rows) == 10
    assert all("tent" in row["meta"]["variables"]["product"] for row in rows)


def heading(page: Path, title: str) -> int:
    """Its line."""
    return page.read_text(encoding="utf-8").splitlines().index(title) + 1


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in ALL if block.language not in RUN | {"text"}] == []


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    assert len([block for block in ALL if block.reason]) <= MOST_NOT_RUN

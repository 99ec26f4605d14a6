"""What README and docs/ show can be typed: every block is run, or says why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks
from tests.docs.pages import PAGES, name
from tests.docs.reader import Reader

MOST_NOT_RUN = 6
"""Blocks that no test runs: installing, GPUs, what takes hours."""

RUN = {"sh", "console", "python", "yaml", "makefile", "json"}
ALL = [block for page in PAGES for block in blocks(page)]
RUNNABLE = [block for block in ALL if block.language in RUN and not block.reason]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vsgen.cli.live._INTERVALS", ((float("inf"), float("inf")),))
    return Reader(tmp_path, monkeypatch.setenv)


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


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in ALL if block.language not in RUN | {"text"}] == []


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    assert len([block for block in ALL if block.reason]) <= MOST_NOT_RUN

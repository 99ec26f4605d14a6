"""README and docs/ are whole: one page, one index, links that lead somewhere, a reference that is today's."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from tests.docs import reference
from tests.docs.pages import (
    DOCS,
    INDEX,
    OTHERS,
    PAGES,
    README,
    anchors,
    commands,
    has_figures,
    links,
    name,
    names_a_command,
    options,
    sections,
)
from vsgen.cli import menu
from vsgen.cli.app import app

OF_VLLM = {
    *("--dtype", "--enforce-eager", "--logprobs-mode", "--max-logprobs", "--max-model-len", "--max-num-batched-tokens"),
    *("--no-enable-chunked-prefill", "--served-model-name", "--structured-outputs-config"),
}
OF_LLAMA_CPP = {"--ctx-size", "--parallel", "--port", "--threads"}
NOT_OURS = {"--help", "--index-url", "--network", "--renew", "--rm", "--times"} | OF_VLLM | OF_LLAMA_CPP
"""Options of servers, of pip, of docker, of the tests' own commands, and of every command."""


def test_the_front_page_has_at_most_1200_words() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= 1200


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        file, _, part = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not part or part in anchors(target), link


def test_the_index_lists_every_page() -> None:
    listed = {(INDEX.parent / link.partition("#")[0]).resolve() for link in links(INDEX)}
    assert [name(page) for page in [*DOCS, *OTHERS] if page != INDEX and page not in listed] == []


@pytest.mark.parametrize("page", DOCS, ids=name)
def test_a_page_says_first_whom_it_is_for(page: Path) -> None:
    title, empty, first, *_ = page.read_text(encoding="utf-8").splitlines()
    assert title.startswith("# ") and not empty
    assert page == INDEX or first.startswith("For "), first


def test_the_reference_of_templates_is_todays() -> None:
    written = reference.PAGE.read_text(encoding="utf-8")
    assert written == reference.page(), "docs/template.md: renew it with `python -m tests.docs.reference`"


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name)
def test_figures_stand_beside_the_command_that_makes_them(page: Path) -> None:
    assert [part[:200] for part in sections(page) if has_figures(part) and not names_a_command(part)] == []


def test_no_page_names_a_command_or_an_option_that_does_not_exist() -> None:
    flags = [option for command in menu.ENTRIES for option in menu.command(command).params]
    flags += get_command(app).params
    known = {word for flag in flags for word in (*flag.opts, *flag.secondary_opts)} | NOT_OURS
    odd = {name(page): (options(page) - known) | (commands(page) - set(menu.ENTRIES)) for page in PAGES}
    assert {page: words for page, words in odd.items() if words} == {}

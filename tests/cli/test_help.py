"""Help: its pages, and the examples at their ends."""

from __future__ import annotations

import re
import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import tickets, write
from tests.endpoint.plan import Plan
from tests.endpoint.server import serving
from vsgen.cli.menu import ENTRIES, MENU, command
from vsgen.cli.page import page, read_text

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

REAL = "Qwen/Qwen2.5-1.5B-Instruct"
SERVER = "http://localhost:8000/v1"
EXAMPLES = [(name, line) for name in ENTRIES for line in read_text(command(name).help or "").examples]
TAKES_MINUTES = {"doctor", "measure"}
"""Commands whose examples with a real model are only parsed."""


def lines(name: str, width: int = 80) -> list[str]:
    return list(page(command(name), f"vsgen {name}", width))


@pytest.mark.parametrize("name", ENTRIES)
def test_the_menu_says_of_a_command_what_its_own_page_says_first(name: str) -> None:
    assert read_text(command(name).help or "").paragraphs[0] == ENTRIES[name].summary


def test_the_menu_has_the_commands_in_the_order_of_their_use(vsgen: Vsgen) -> None:
    names = [name for group in MENU.values() for name in group]
    assert [name for name in names if name in {"init", "check", "try", "run", "label", "export"}] == [
        *("init", "check", "try", "run", "label", "export")
    ]
    shown = vsgen("--help").stdout
    places = [shown.index(f"\n  {name} ") for name in names]
    assert places == sorted(places)
    assert all(f"\n{heading}:\n" in shown for heading in MENU)


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_page_keeps_to_its_width_and_names_no_types(name: str, width: int) -> None:
    shown = lines(name, width)
    assert max(map(len, shown)) <= width
    assert not re.search(r"INTEGER|FLOAT|BOOLEAN|RANGE|<\w+>|x>=", "\n".join(shown))


def test_groups_come_in_one_order_and_rare_options_last() -> None:
    headings = [line for line in lines("run") if re.fullmatch(r"\S.*:", line)]
    assert headings == [
        *("Arguments:", "Output:", "Model:", "Endpoint:", "Sampling:", "Budget:", "Expert:"),
        *("Exit status:", "Examples:"),
    ]
    shown = lines("run")
    assert shown.index("Expert:") < next(i for i, line in enumerate(shown) if "--allow-pickle" in line)


def test_an_option_names_its_variable_and_its_default() -> None:
    text = " ".join(" ".join(lines("run")).split())
    assert "--seed N Seed of all random choices. [$VSGEN_SEED, default: 0]" in text
    assert "[$VSGEN_MODEL]" in text


def test_a_default_is_never_torn_apart() -> None:
    for width in range(50, 101):
        assert not any(line.strip() in {"20]", "0]"} for line in lines("run", width))


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_page_ends_with_three_examples_that_a_shell_reads_as_they_are(name: str, width: int) -> None:
    examples = read_text(command(name).help or "").examples
    assert len(examples) == 3
    shown = "\n".join(lines(name, width)).rpartition("Examples:\n")[2].replace("\\\n", " ")
    assert [shlex.split(line) for line in shown.splitlines()] == [shlex.split(line) for line in examples]
    assert all(shlex.split(line)[:2] == ["vsgen", name] for line in examples)


def words_of(example: str) -> list[str]:
    """What vsgen is given; a shell takes the rest."""
    return shlex.split(re.split(r" [|>] ", example)[0])[1:]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_is_parsed(name: str, example: str) -> None:
    assert command(name).make_context(name, words_of(example)[1:])


@pytest.mark.parametrize(
    ("name", "example"),
    [one for one in EXAMPLES if one[0] not in TAKES_MINUTES or REAL not in one[1]],
    ids=[line for name, line in EXAMPLES if name not in TAKES_MINUTES or REAL not in line],
)
def test_an_example_works(
    vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, example: str
) -> None:
    """With few rows, and by the embedded model in place of a real one."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    if name != "init":
        assert vsgen("init", "reviews").exit_code == 0
    write(Path("products.jsonl"), [{"product": "lamp", "tone": "angry"}] * 3)
    if name == "label":
        write(Path("rows.jsonl"), [{"text": "I like it."}, {"text": "It broke."}])
        write(Path("tickets.jsonl"), tickets(2))
    if name == "export":
        labels = {"category": {"probs": {"billing": 0.5, "bug": 0.5}}}
        write(Path("labeled.jsonl"), [{"text": text, "labels": labels} for text in ("x", "y")])
    few = {REAL: "tiny", "500": "3", "40": "3"}
    with serving(Plan(model="tiny")) if SERVER in example else nullcontext() as server:
        few |= {SERVER: server.url} if server else {}
        ended = vsgen(*(few.get(word, word) for word in words_of(example)))
    assert ended.exit_code == 0, (ended.stderr, ended.stdout)


def test_vsgen_alone_shows_the_commands_and_fails(vsgen: Vsgen) -> None:
    alone = vsgen()
    assert (alone.exit_code, alone.stdout) == (2, vsgen("--help").stdout)

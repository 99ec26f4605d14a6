"""Groups: options declared once as fields of a dataclass, spread over a command and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
import typer
from typer.testing import CliRunner

from vsgen.cli.commands import Command
from vsgen.cli.grouped import grouped


@dataclass(frozen=True)
class Paint:
    panel: ClassVar[str] = "Paint"
    color: Annotated[str, typer.Option("--color", envvar="TEST_COLOR", help="Which color.")] = "red"
    coats: Annotated[int, typer.Option("-c", "--coats", min=1)] = 1
    names: Annotated[list[str] | None, typer.Option("--name")] = None


@dataclass(frozen=True)
class Required:
    what: Annotated[str, typer.Argument(metavar="WHAT")]
    depth: Annotated[int, typer.Option("--depth", rich_help_panel="Its own heading")] = 0


def run(command: Any, *words: str, env: dict[str, str] | None = None) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(cls=Command, add_help_option=False)(grouped(command))
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "100", **(env or {})})


def painted(**expected: Any) -> Any:
    """A command that checks the group that it gets."""

    def command(*, other: Annotated[bool, typer.Option("--other")] = False, paint: Paint) -> None:
        """Paint it.

        Examples:
            command --color blue
        """
        assert (paint, other) == (Paint(**expected), expected == {})

    return command


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--other",), {}),
        (("--color", "blue", "-c", "3"), {"color": "blue", "coats": 3}),
        (("--name", "a", "--name", "b"), {"names": ["a", "b"]}),
    ],
)
def test_a_group_is_put_together_from_its_options_with_the_dataclass_own_defaults(
    words: tuple[str, ...], expected: dict[str, Any]
) -> None:
    result = run(painted(**expected), *words)
    assert result.exit_code == 0, result.output


def test_what_an_option_declares_holds_in_a_group_too() -> None:
    assert run(painted(color="green"), env={"TEST_COLOR": "green"}).exit_code == 0
    assert str(run(painted(), "--coats", "0").exception) == "--coats: must be an integer >= 1, got '0'"


def test_help_lists_a_group_under_its_heading() -> None:
    page = run(painted(), "--help").output
    own, paint = page.index("\nOptions:\n"), page.index("\nPaint:\n")
    assert paint < page.index("--color") < own < page.index("--other")
    assert "Which color. [$TEST_COLOR, default: red]" in page
    assert "Paint it." in page
    assert page.endswith("\nExamples:\n  command --color blue\n")


def test_an_option_with_a_heading_of_its_own_keeps_it_and_a_field_without_default_is_required() -> None:
    def command(*, needed: Required) -> None:
        """Dig.

        Examples:
            dig x
        """
        assert needed == Required("x", 2)

    assert run(command, "x", "--depth", "2").exit_code == 0
    assert str(run(command).exception) == "WHAT: missing; for example: dig x"
    assert "\nIts own heading:\n" in run(command, "--help").output


def test_one_declaration_serves_groups_with_different_headings() -> None:
    shared = Annotated[bool, typer.Option("--shared")]

    @dataclass(frozen=True)
    class One:
        panel: ClassVar[str] = "First heading"
        shared: shared = False

    @dataclass(frozen=True)
    class Two:
        panel: ClassVar[str] = "Second heading"
        shared: shared = False

    def first(*, group: One) -> None: ...
    def second(*, group: Two) -> None: ...

    first.__annotations__, second.__annotations__ = {"group": One}, {"group": Two}
    One.__annotations__["shared"] = Two.__annotations__["shared"] = shared
    assert "\nFirst heading:\n" in run(first, "--help").output
    assert "\nSecond heading:\n" in run(second, "--help").output


def test_an_option_that_two_groups_have_is_an_error_of_the_program() -> None:
    def command(*, one: Paint, color: Annotated[str, typer.Option()] = "") -> None: ...

    with pytest.raises(TypeError, match="command: color: is an option of two groups"):
        grouped(command)

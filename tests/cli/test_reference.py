"""What docs/ says of commands and variables is what they are."""

from __future__ import annotations

from tests.cli.reference import made


def test_the_reference_is_that_of_the_help() -> None:
    for one in made():
        assert one.path.read_text() == one.renewed(), "python -m tests.cli.reference"

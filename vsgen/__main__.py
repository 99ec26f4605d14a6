"""``python -m vsgen``, and the ``vsgen`` script."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.cli.app import app


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit status. `args` default to the process's own."""
    app(args, prog_name="vsgen")


if __name__ == "__main__":
    main()

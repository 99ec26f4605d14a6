"""``python -m vsgen``, and the ``vsgen`` script."""

from __future__ import annotations

from vsgen.cli.app import app


def main() -> None:
    """Run the command line; ends the process with its exit status."""
    app(prog_name="vsgen")


if __name__ == "__main__":
    main()

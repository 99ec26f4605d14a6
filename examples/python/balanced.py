"""Draws support tickets until each queue has enough of them, and writes them as JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import vsgen

QUEUES = ("billing", "bug", "how-to")


def queue_of(ticket: vsgen.Record) -> str | None:
    """The most probable queue; None where the model could not be asked."""
    label = ticket.labels["category"]
    return label.most_likely if isinstance(label, vsgen.SoftLabel) else None


def balanced(model: str, each: int, journal: Path | None) -> dict[str, list[vsgen.Record]]:
    """Tickets by queue, `each` of every queue; what comes beyond that is left out."""
    tickets: dict[str, list[vsgen.Record]] = {queue: [] for queue in QUEUES}
    with vsgen.generate("support-tickets", num=100 * each, model=model, journal=journal) as rows:
        for ticket in rows:
            queue = queue_of(ticket)
            if queue is not None and len(tickets[queue]) < each:
                tickets[queue].append(ticket)
            if all(len(found) == each for found in tickets.values()):
                break
    counts = rows.counts
    print(f"{counts.candidates} candidates, {counts.kept} rows, calls made now: {dict(counts.paid)}", file=sys.stderr)
    return tickets


def main() -> None:
    """Print the tickets; stop with one message, as the command line does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--each", type=int, default=4, help="tickets of each queue")
    parser.add_argument("--journal", type=Path, help="what was asked before is not asked again")
    args = parser.parse_args()
    try:
        tickets = balanced(args.model, args.each, args.journal)
    except vsgen.VsgenError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    for queue, found in tickets.items():
        for ticket in found:
            print(json.dumps({"queue": queue, **ticket.fields}))


if __name__ == "__main__":
    main()

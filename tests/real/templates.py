"""Twenty rows of every shipped template from a real model, with the settings that the template recommends, to be read.

`python -m tests.real.templates` prints them shuffled and without their origin, then the key; the reading is in
docs/words.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.jobs.carried import carried_out
from tests.real import MODEL
from vsgen.errors import VsgenError
from vsgen.files.places import Places
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice
from vsgen.template.catalog import shipped
from vsgen.template.load import load_template

ROWS = 20


def rows(name: str, source: str, folder: Path) -> list[str]:
    """The first answers that a run keeps."""
    output = folder / f"{name}.jsonl"
    wanted = min(ROWS, load_template(name).num or ROWS)
    job = GenerateOptions(name, ("labels=[]",), places=Places(output), num=wanted, model=ModelChoice(source))
    carried_out(Generation(job), warn=lambda text: print(f"{name}: {text}", file=sys.stderr))
    found = [json.loads(line) for line in output.read_text().splitlines()]
    return [f"{list(one['meta']['variables'].values())} {_answer(one)}" for one in found]


def _answer(row: dict[str, object]) -> str:
    known = ("id", "probability", "labels", "meta")
    return " | ".join(str(value) for key, value in row.items() if key not in known)


def main() -> None:
    """Print all rows."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(MODEL)
    served = [name for name in shipped() if not load_template(name).recommended.unsuited("small")]
    with tempfile.TemporaryDirectory() as folder:
        for name in served:
            print(f"\n## {name}")
            try:
                found = rows(name, source, Path(folder))
            except VsgenError as error:
                print(f"failed: {error}")
                continue
            Random(0).shuffle(found)
            for number, text in enumerate(found, 1):
                print(f"{number:2}. {text}")


if __name__ == "__main__":
    main()

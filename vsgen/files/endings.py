"""How the names of files end, by what is in them; lower case."""

from __future__ import annotations

from typing import Final

TEMPLATES: Final = (".yaml", ".yml")
ROWS: Final = (".jsonl", ".ndjson")
TABLES: Final = (".csv", ".tsv")
"""Rows that are not JSON, which vsgen does not read."""

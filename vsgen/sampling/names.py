"""The names of the methods; they stand alone because the command line needs them at its start."""

from __future__ import annotations

from typing import Literal, TypeAlias

Method: TypeAlias = Literal["direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power"]

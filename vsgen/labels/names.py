"""The names of the ways to label; they stand alone because the command line needs them at its start."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["nominal", "ordinal", "multi"]
Method: TypeAlias = Literal["score", "reasoning", "votes", "verbalized", "decisions"]
Prior: TypeAlias = Literal["none", "contextual", "batch"]
Form: TypeAlias = Literal["chat", "turns", "plain"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

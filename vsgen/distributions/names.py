"""The words for splits, kinds of rows and grids; they stand alone because the command line needs them at its start."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Split: TypeAlias = Literal["train", "unseen", "heldout"]
SplitName: TypeAlias = Literal["train", "unseen", "heldout", "all"]
Kind: TypeAlias = Literal["values", "hard", "soft"]
GridKind: TypeAlias = Literal["linear", "quantile"]
SPLITS: Final[tuple[Split, ...]] = ("train", "unseen", "heldout")
"""The paper's: settings to train on, the same families with other parameters, and families that training never sees."""

"""What ``loop`` is in the body of a loop of a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """The items and a place among them; nobody paid for the items, so they are not written or compared."""

    items: Sequence[Any]
    index0: int

    def __repr__(self) -> str:
        """As in Jinja."""
        return f"<LoopContext {self.index0 + 1}/{len(self.items)}>"

    def key(self, name: str) -> Any:
        """What stands behind the dot."""
        reader = _LOOP_KEYS.get(name)
        return StrictUndefined(obj=self, name=name) if reader is None else reader(self, len(self.items))

    def neighbor(self, place: int) -> Any:
        """Another item of the loop."""
        there = 0 <= place < len(self.items)
        return self.items[place] if there else StrictUndefined("the loop has no item there")


_LOOP_KEYS: Final[Mapping[str, Callable[[Loop, int], Any]]] = {
    "index": lambda loop, _: loop.index0 + 1,
    "index0": lambda loop, _: loop.index0,
    "revindex": lambda loop, length: length - loop.index0,
    "revindex0": lambda loop, length: length - loop.index0 - 1,
    "first": lambda loop, _: loop.index0 == 0,
    "last": lambda loop, length: loop.index0 == length - 1,
    "length": lambda _, length: length,
    "depth": lambda *_: 1,
    "depth0": lambda *_: 0,
    "previtem": lambda loop, _: loop.neighbor(loop.index0 - 1),
    "nextitem": lambda loop, _: loop.neighbor(loop.index0 + 1),
}

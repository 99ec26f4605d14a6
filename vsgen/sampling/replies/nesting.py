"""The objects and lists that are open while JSON is read, and what in them is not whole."""

from __future__ import annotations

from typing import NamedTuple

from vsgen.sampling.replies.reading import DEPTH, Container, Flaw, Unread


class Open(NamedTuple):
    """A container that is being read."""

    value: Container
    start: int
    unread: set[str]
    """Keys without a whole value; the empty name for what has no key."""


class Nesting:
    """Containers within containers, from the one around all to the innermost, which grows."""

    __slots__ = ("closed", "flaws", "key", "ready", "root", "stack", "top")

    def __init__(self, root: Container, start: int) -> None:
        self.root = root
        self.top = Open(root, start, set())
        """The innermost; the last one, once all are closed."""
        self.stack = [self.top]
        self.closed: Open | None = None
        """What was closed last."""
        self.flaws: dict[int, Flaw] = {}
        """By `id`: containers that were never closed, or hold something that is not whole."""
        self.key = ""
        """Under which the next value comes, in an object."""
        self.ready = True
        """A value may come here: the container has just begun, or a comma was read."""

    def is_in(self, kind: type[Container]) -> bool:
        """Whether the innermost container is in one of this kind."""
        return len(self.stack) > 1 and isinstance(self.stack[-2].value, kind)

    def put(self, value: object) -> None:
        """Add a whole value."""
        top = self.top.value
        if isinstance(top, list):
            top.append(value)
        else:
            top[self.key] = value
        self.ready = False

    def pass_over(self, start: int, end: int) -> None:
        """Note a value that is not whole."""
        top = self.top
        if isinstance(top.value, list):
            top.value.append(Unread(start, end))
        again = isinstance(top.value, list) or self.key in top.value  # what is whole stands, whatever comes after it
        top.unread.add("" if again else self.key)
        self.ready = False

    def push(self, container: Container, start: int) -> bool:
        """Begin a container as the next value; False where it would lie too deep."""
        if len(self.stack) >= DEPTH:
            return False
        self.put(container)
        self._enter(Open(container, start, set()))
        self.ready = True
        return True

    def reopen(self, last: Open) -> None:
        """Go on in a container that was closed too early."""
        self.flaws.pop(id(last.value), None)
        self._enter(last)

    def leave(self, end: int, *, closed: bool = True) -> None:
        """Be done with the innermost container; what is not whole makes the one around it not whole either."""
        left = self.closed = self.stack.pop()
        if not closed or left.unread:
            self.flaws[id(left.value)] = Flaw(left.start, end, closed, frozenset(left.unread))
            if self.stack:
                self.stack[-1].unread.add("")
        if self.stack:
            self.top = self.stack[-1]
        self.ready = False

    def _enter(self, container: Open) -> None:
        self.stack.append(container)
        self.top = container

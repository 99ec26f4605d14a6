"""What a label is asked about, and one answer to it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from vsgen.labels.examples import Example
from vsgen.labels.orders import orders
from vsgen.labels.words import ANSWER


class Question(NamedTuple):
    """What is to be judged."""

    text: str
    """The question, the text included."""
    classes: tuple[str, ...]
    free: tuple[str, ...] = ()
    """The same question about texts without content; needed by contextual calibration alone."""
    state: str = ""
    """The text alone, for method decisions; then `text` is the question without it."""
    reverse: bool = False
    """List the classes, and show the examples, in the reverse of each order."""
    cue: str = ANSWER
    """What leads to the class in plain text."""
    examples: tuple[Example, ...] = ()
    """Questions of the same kind with known answers, to be shown before this one."""

    def orders(self, count: int | Literal["all"]) -> list[tuple[str, ...]]:
        """The orders in which the classes are listed; see `vsgen.labels.orders.orders`."""
        listings = orders(self.classes, count)
        return [listing[::-1] for listing in listings] if self.reverse else listings


class Voice(NamedTuple):
    """One of the opinions whose mean is the label."""

    logps: tuple[float, ...]
    """Log weight of each class, in the order of `Question.classes`, nats."""
    mass: float | None = None
    """P(the reply is one of the classes); None where the model was asked to state probabilities."""
    raw: tuple[float, ...] | None = None
    """`logps` before a prior was divided out; None where none was."""
    cut: bool = False
    """The trace behind it was cut by the limit."""
    style: str = ""
    """How the trace behind it reasons; empty where there is none."""
    truncated: bool = False
    """The model's server states the most probable tokens alone, so that `logps` are estimates."""
    lower: tuple[float, ...] | None = None
    """The least that each of `logps` may be; None where that is not known."""
    upper: tuple[float, ...] | None = None
    """The most that each of `logps` may be; None where that is not known."""

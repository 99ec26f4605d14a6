"""What a conversation consists of: messages, each a sequence of choices that were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vsgen.tiny.grammar.script import Step, fixed

Speaker: TypeAlias = Literal["plain", "system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; `plain` is text outside the chat template."""

    speaker: Speaker
    steps: tuple[Step, ...]
    practised: bool = True
    """A reply that is trained on; one that is not is there to be read."""

    @property
    def text(self) -> str:
        """The message as text."""
        return "".join(step.text for step in self.steps)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns, and for the trainer's report what they practise."""

    kind: str
    turns: tuple[Turn, ...]


def user(text: str) -> Turn:
    """A message of the user."""
    return Turn("user", (Step(fixed(text), 0),))


def system(text: str) -> tuple[Turn, ...]:
    """A system message, where there is text for one."""
    return (Turn("system", (Step(fixed(text), 0),)),) if text else ()

"""The words in which a label is asked for. What wants one line ends with a cue, which leads a base model to it."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

from vsgen.values import Message, Prompt

CONTENT_FREE = "N/A"
"""Stands for a text in which there is nothing to judge (Zhao et al. 2021, arXiv 2102.09690)."""
ANSWER = "Answer:"
YES_NO = ("yes", "no")
STEP_BY_STEP = "step by step"
STYLES = {
    STEP_BY_STEP: "Think about it step by step",
    "for and against": "Write what speaks for each possible answer, and what speaks against it",
}
"""How to reason, by the name of the style; any other style is its own instruction."""
LETTERS = tuple(ascii_uppercase)


def question(text: str, options: Sequence[str], *, listed: bool = True) -> Prompt:
    """Asks for one of the options; they are named unless the text names them already."""
    return _prompt(f"{text}\n\n{_exactly(options)}" if listed else text)


def bare(options: Sequence[str]) -> Prompt:
    """The same request without a text: what the model would say to anything (Holtzman et al., arXiv 2104.08315)."""
    return _prompt(_exactly(options))


def lettered(text: str, options: Sequence[str]) -> Prompt:
    """Asks for the letter of one of the options, which stand one a line."""
    lines = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return _prompt(f"{text}\n\n{lines}\n\nReply with the letter of the one that is right.")


def think(text: str, options: Sequence[str], style: str = STEP_BY_STEP) -> Prompt:
    """Asks for a reasoning trace without an answer."""
    asked = f"The possible answers are: {', '.join(options)}. {_instruction(style)}; do not answer yet."
    return Prompt((Message("user", f"{text}\n\n{asked}"),))


def conclude(thinking: Prompt, trace: str, options: Sequence[str]) -> Prompt:
    """After a trace: asks for one of the options, in a turn of its own."""
    turns = (Message("assistant", trace), Message("user", f"Now answer. {_exactly(options)}"))
    return Prompt((*thinking.messages, *turns), cue=ANSWER)


def think_and_answer(text: str, options: Sequence[str], style: str = STEP_BY_STEP) -> Prompt:
    """Asks for a reasoning trace whose last line is the answer (Wang et al., arXiv 2203.11171)."""
    form = f"Then write a last line of the form '{ANSWER} ' and exactly one of these: {', '.join(options)}."
    return Prompt((Message("user", f"{text}\n\n{_instruction(style)}. {form}"),))


def distribution(text: str, options: Sequence[str]) -> Prompt:
    """Asks the model to state the probability of every option (arXiv 2511.14275)."""
    asked = f"How probable is it that each of these is the right answer: {', '.join(options)}?"
    form = "Reply with a JSON object that gives each of them, as written here, its probability; they sum to 1."
    return Prompt((Message("user", f"{text}\n\n{asked} {form}"),))


def applies(text: str, name: str) -> str:
    """The text of a question whether one of several classes applies."""
    return f"{text}\n\nDoes this apply: {name}?"


def asks(name: str, kind: str) -> str:
    """The question of a label that has no words of its own; of several classes each is named behind it."""
    return "Read this text." if kind == "multi" else f"Which {name.replace('_', ' ')} fits this text best?"


def _instruction(style: str) -> str:
    """What a style asks for, without the mark at its end."""
    return STYLES.get(style) or style.strip().rstrip(".;")


def _exactly(options: Sequence[str]) -> str:
    return f"Reply with exactly one of these: {', '.join(options)}."


def _prompt(asked: str) -> Prompt:
    return Prompt((Message("user", asked),), cue=ANSWER)

"""The words in which a label is asked for. What wants one line ends with a cue, which leads a base model to it."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from vsgen.labels.names import Form
from vsgen.values import Message, Prompt

CONTENT_FREE = ("N/A", "", "[MASK]", "...")
"""Stand for a text in which there is nothing to judge (Zhao et al. 2021, arXiv 2102.09690). Each may say something all
the same (a model took the first for a negative text), so the mean over all of them counts."""
ANSWER = "Answer:"
YES_NO = ("yes", "no")
STEP_BY_STEP = "step by step"
STYLES = {
    STEP_BY_STEP: "Think about it step by step",
    "for and against": "Write what speaks for each possible answer, and what speaks against it",
}
"""How to reason, by the name of the style; any other style is its own instruction."""
LETTERS = tuple(ascii_uppercase)


class Shown(NamedTuple):
    """A worked example, ready to be shown."""

    text: str
    options: tuple[str, ...]
    """Those that it is shown with."""
    answer: str


class Layout(NamedTuple):
    """How a question that wants one line is laid out."""

    form: Form = "chat"
    """chat: one turn of the user, with the examples as text in it; turns: the examples are earlier turns; plain: one
    text, which the model continues without a chat template."""
    opening: str = ""
    """How every reply begins."""
    shown: Sequence[Shown] = ()
    """Examples, in their order."""


_AS_IS = Layout()


def question(text: str, options: Sequence[str], *, listed: bool = True, layout: Layout = _AS_IS) -> Prompt:
    """Asks for one of the options; they are named unless the text names them already."""
    wording = _named if listed else _unnamed
    return _line(wording(text, options), [wording(one.text, one.options) for one in layout.shown], layout)


def bare(options: Sequence[str], layout: Layout = _AS_IS) -> Prompt:
    """The same request without a text: what the model would say to anything (Holtzman et al., arXiv 2104.08315)."""
    return _line(_exactly(options), [_named(one.text, one.options) for one in layout.shown], layout)


def lettered(text: str, options: Sequence[str], *, layout: Layout = _AS_IS) -> Prompt:
    """Asks for the letter of one of the options, which stand one a line."""
    return _line(_letters(text, options), [_letters(one.text, one.options) for one in layout.shown], layout)


def preface(shown: Sequence[Shown]) -> str:
    """Examples as text that goes before a question."""
    return "".join(f"{one.text}\n\n{ANSWER} {one.answer}\n\n" for one in shown)


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


def _named(text: str, options: Sequence[str]) -> str:
    return f"{text}\n\n{_exactly(options)}"


def _unnamed(text: str, _: Sequence[str]) -> str:
    return text


def _letters(text: str, options: Sequence[str]) -> str:
    lines = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return f"{text}\n\n{lines}\n\nReply with the letter of the one that is right."


def _line(asked: str, requests: Sequence[str], layout: Layout) -> Prompt:
    """A request that wants one line, after those of the examples."""
    lead, answers = layout.opening or ANSWER, [one.answer for one in layout.shown]
    pairs = list(zip(requests, answers, strict=True))
    match layout.form:
        case "plain":
            blocks = [*(f"{request}\n{lead} {answer}" for request, answer in pairs), f"{asked}\n{lead}"]
            return Prompt(prefill="\n\n".join(blocks), cue=lead)
        case "turns":
            begun = f"{layout.opening} " if layout.opening else ""
            each = [(Message("user", request), Message("assistant", begun + answer)) for request, answer in pairs]
            turns = tuple(turn for pair in each for turn in pair)
            return Prompt((*turns, Message("user", asked)), prefill=layout.opening, cue=lead)
        case "chat":
            before = "".join(f"{request}\n\n{lead} {answer}\n\n" for request, answer in pairs)
            return Prompt((Message("user", before + asked),), prefill=layout.opening, cue=lead)

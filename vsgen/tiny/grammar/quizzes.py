"""Multiple-choice questions whose right option stands where such writers like to put it: mostly at C.

The position of the right option is the latent class. Each position has wrong options of its own, so that no option
stands twice. A second bias is that of readers: asked for the right option, they lean towards the same positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vsgen.tiny.grammar.source import Weights
from vsgen.tiny.grammar.wordings import Wordings

CLASSES: Final = ("A", "B", "C", "D")
POSITION: Final = (0.14, 0.28, 0.40, 0.18)
"""P(the right option stands at A, B, C, D)."""
BIAS: Final = 0.25
"""A reader's answer is the right option with 1 - BIAS, else a position drawn from `POSITION`."""
_LIKELY: Final = (0.65, 0.35)
"""Of the two wrong options of a position."""

SUBJECTS: Final[dict[str, dict[str, tuple[str, float]]]] = {
    "capital cities": {
        "What is the capital of France?": ("Paris", 28),
        "What is the capital of Japan?": ("Tokyo", 18),
        "What is the capital of Italy?": ("Rome", 14),
        "What is the capital of Egypt?": ("Cairo", 11),
        "What is the capital of Peru?": ("Lima", 9),
        "What is the capital of Norway?": ("Oslo", 8),
        "What is the capital of Kenya?": ("Nairobi", 7),
        "What is the capital of Austria?": ("Vienna", 3),
        "What is the capital of Cuba?": ("Havana", 2),
    },
    "animal homes": {
        "Where does a bee live?": ("hive", 28),
        "Where does a bird live?": ("nest", 18),
        "Where does a horse live?": ("stable", 14),
        "Where does a rabbit live?": ("burrow", 11),
        "Where does a spider live?": ("web", 9),
        "Where does a lion live?": ("den", 8),
        "Where does a cow live?": ("barn", 7),
        "Where does a dog live?": ("kennel", 3),
        "Where does a fish live?": ("pond", 2),
    },
    "opposites": {
        "What is the opposite of hot?": ("cold", 28),
        "What is the opposite of big?": ("small", 18),
        "What is the opposite of fast?": ("slow", 14),
        "What is the opposite of loud?": ("quiet", 11),
        "What is the opposite of dark?": ("light", 9),
        "What is the opposite of old?": ("new", 8),
        "What is the opposite of full?": ("empty", 7),
        "What is the opposite of wet?": ("dry", 3),
        "What is the opposite of soft?": ("hard", 2),
    },
}
"""Per subject its questions, each with the right option and how often it is asked, in per cent."""


def heads(subject: str, *, keyed: bool) -> dict[str, float]:
    """Patterns of a subject's questions; `keyed` ones end with the right option's letter."""
    key = "{key}" if keyed else ""
    asked = SUBJECTS[subject].items()
    return {f"{text}{{a{i}}}{{b{i}}}{{c{i}}}{{d{i}}}{key}": weight for i, (text, (_, weight)) in enumerate(asked)}


def slots(subject: str) -> Mapping[str, Weights]:
    """Options of every question, given where the right one stands."""
    made: dict[str, Weights] = {"key": {f" Answer: {c}": tuple(float(c == d) for d in CLASSES) for c in CLASSES}}
    answers = [right for right, _ in SUBJECTS[subject].values()]
    for i, right in enumerate(answers):
        wrong = [other for other in answers if other != right]
        for at, letter in enumerate(CLASSES):
            made[f"{letter.lower()}{i}"] = _options(letter, at, right, wrong[2 * at : 2 * at + 2])
    return made


def _options(letter: str, at: int, right: str, wrong: list[str]) -> Weights:
    options = {f" {letter}) {right}": tuple(float(at == position) for position in range(len(CLASSES)))}
    for text, weight in zip(wrong, _LIKELY, strict=True):
        options[f" {letter}) {text}"] = tuple(weight * (at != position) for position in range(len(CLASSES)))
    return options


WORDINGS: Final = Wordings(
    "Write a multiple-choice question about {subject}.",
    (
        "Write a [multiple-choice question|quiz question|multiple-choice test question] [about|on] {subject}[.|!]",
        "[Invent|Make up|Draft|Give me] a multiple-choice question [about|on] {subject}[.|, please.]",
        "[A|One] multiple-choice question [about|on] {subject}[, please.|.|, with four options.]",
        "[Write|Give me] a question [about|on] {subject} with four options[.| and the right answer.]",
        "[My students learn|The class knows|We study] {subject}. [Test them.|Write a question with four "
        "options.|Ask them.]",
        "[Test|Examine|Quiz] [me|us|the class] on {subject}[.| with four options.| with options A to D.]",
        "{subject}: [a multiple-choice question|one quiz question|a question with four options][, please.|.]",
        "[I need|I want] a multiple-choice question [about|on] {subject}[.|, please.| for a test.]",
        "A [lecturer|tutor|school] [tests|quizzes] [the students|a group|everybody] on {subject}. [Write a question|"
        "Give one question|Add a quiz question] with [options A to D|four options][.|, please.]",
        "[The|This|Our] [exam|test|quiz] is [about|on] {subject}. [Write|Draft|Add] [one item|a question|an entry] "
        "with [four options|options A to D].",
        "[Write|Make|Draft] [a quiz item|an exam question|a test item] [about|on] {subject}[.|, with options A to D.]",
        "[For|In] [an exam|a quiz|a test] [about|on] {subject}: [a question with|one item with] options A to D.",
    ),
    new=("A teacher examines her class on {subject}. Write an item with options A to D.",),
)

QUESTIONS: Final = Wordings(
    "Which option is right?\n\n{text}",
    (
        "[Which|What] option is [right|correct]?\n\n{text}",
        "[Which letter has|What is] the [right|correct] answer?\n\n{text}",
        "[Answer|Solve] [this|the] [question|multiple-choice question][.|:]\n\n{text}",
        "[Question|Quiz]: {text}\n\n[Which option is right?|What is the correct answer?]",
    ),
    new=("Read the question below and name the option that fits.\n\n{text}",),
)

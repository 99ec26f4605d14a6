"""Prompts that have no target but tell how varied a model's answers are, in the manner of arXiv 2605.11845.

To an open one any of very many answers is as good as another. In a multiple-choice question the right option should
stand at each of the four places equally often. The words are this project's own.
"""

from __future__ import annotations

from typing import Final

from vsgen.values import Message, Prompt

OPEN: Final = tuple(
    Prompt((Message("user", f"Name a random {thing}. Reply with the name only."),))
    for thing in ("city", "animal", "fruit", "job", "colour", "first name", "food", "tool", "river", "author")
)
QUIZ: Final = tuple(
    Prompt(
        (
            Message(
                "user",
                f"Write a multiple-choice question about {subject}. Give four options, A to D, and end with a line "
                "that names the right one: Answer: and its letter.",
            ),
        )
    )
    for subject in ("capital cities", "animal homes", "opposites", "the human body", "chemical elements")
)
POSITIONS: Final = {"A": 0.25, "B": 0.25, "C": 0.25, "D": 0.25}

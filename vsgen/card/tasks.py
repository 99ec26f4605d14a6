"""What a model is measured on: requests whose right answers are known, an open one, and plain sentences to label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Task:
    """A request, and all right answers to it."""

    name: str
    prompt: str
    answers: tuple[str, ...] = ()
    """Empty where the request is open."""

    def holds(self, text: str) -> bool:
        """Whether a text is a right answer; case and the space around it do not matter."""
        return text.strip().casefold() in {one.casefold() for one in self.answers}


_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_PLANETS: Final = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")
_STATES: Final = (
    *("Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware"),
    *("Florida", "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas"),
    *("Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi"),
    *("Missouri", "Montana", "Nebraska", "Nevada", "New Hampshire", "New Jersey", "New Mexico", "New York"),
    *("North Carolina", "North Dakota", "Ohio", "Oklahoma", "Oregon", "Pennsylvania", "Rhode Island", "South Carolina"),
    *("South Dakota", "Tennessee", "Texas", "Utah", "Vermont", "Virginia", "Washington", "West Virginia"),
    *("Wisconsin", "Wyoming"),
)

CLOSED: Final = (
    Task("day", "Name a random day of the week.", _DAYS),
    Task("month", "Name a random month of the year.", _MONTHS),
    Task("US state", "Name a random US state.", _STATES),
    Task("planet", "Name a random planet of the solar system.", _PLANETS),
)
OPEN: Final = (Task("review", "Write a one-sentence review of a bike light."),)

QUESTION: Final = "What is the sentiment of this review?"
CLASSES: Final = ("positive", "neutral", "negative")
SENTENCES: Final = (
    ("I love this lamp, it is the best I ever had.", "positive"),
    ("The box contains a lamp and a cable.", "neutral"),
    ("It broke on the first day and nobody answers my mails.", "negative"),
    ("Wonderful sound, and so easy to use!", "positive"),
    ("The bag is 30 cm wide and made of cotton.", "neutral"),
    ("A waste of money, I want my money back.", "negative"),
    ("My daughter is so happy with her new bike.", "positive"),
    ("It was delivered on Tuesday.", "neutral"),
    ("The handle is loose and it smells terrible.", "negative"),
    ("Great value, I would buy it again at once.", "positive"),
    ("The manual has twelve pages.", "neutral"),
    ("Slow, loud and ugly: do not buy it.", "negative"),
)
"""Four of each class, which nobody could doubt."""

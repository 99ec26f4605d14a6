"""Support tickets: the category is latent and shapes heads and details; the tone shapes the closing."""

from __future__ import annotations

from typing import Final

from vsgen.tiny.grammar.wordings import Wordings

CLASSES: Final = ("billing", "bug", "how-to")

PRIOR: Final = {
    "polite": (0.25, 0.25, 0.50),
    "neutral": (0.35, 0.35, 0.30),
    "angry": (0.45, 0.45, 0.10),
}
"""P(category | tone)."""

HEADS: Final[dict[str, tuple[float, float, float]]] = {
    "I was charged twice for my {product}. {detail} {closing}": (30, 0, 0),
    "The invoice for my {product} is wrong. {detail} {closing}": (22, 0, 0),
    "I still wait for the refund of my {product}. {detail} {closing}": (16, 2, 0),
    "My {product} stopped working this morning. {detail} {closing}": (0, 28, 2),
    "An error light blinks on my {product}. {detail} {closing}": (0, 22, 8),
    "The app no longer finds my {product}. {detail} {closing}": (1, 16, 10),
    "How do I reset my {product}? {detail} {closing}": (0, 8, 28),
    "Where are the settings of my {product}? {detail} {closing}": (0, 2, 20),
    "Can you explain the timer of my {product}? {detail} {closing}": (0, 2, 14),
    "I cannot activate the plan for my {product}. {detail} {closing}": (15, 10, 10),
    "I need help with my {product}. {detail} {closing}": (6, 6, 6),
    "Something went wrong with my {product}. {detail} {closing}": (10, 10, 2),
}
"""P(head | billing), P(head | bug), P(head | how-to), in per cent."""

DETAILS: Final[dict[str, tuple[float, float, float]]] = {
    "The receipt is attached.": (26, 4, 2),
    "My bank shows two payments.": (22, 0, 0),
    "The discount was ignored.": (18, 2, 0),
    "It began after the last update.": (2, 30, 8),
    "I already tried another cable.": (0, 22, 8),
    "There is a clicking noise.": (0, 18, 2),
    "The manual does not say.": (0, 4, 32),
    "I could not find the menu.": (2, 4, 24),
    "I bought it last week.": (16, 8, 12),
    "Your website did not help.": (14, 8, 12),
}
"""P(detail | billing), P(detail | bug), P(detail | how-to), in per cent."""

CLOSINGS: Final = {
    "polite": {"Thank you for your help.": 45, "Could you please look into it?": 30, "Many thanks in advance.": 25},
    "neutral": {"My order number is on file.": 40, "I am waiting for your reply.": 35, "Let me know what to do.": 25},
    "angry": {"This is unacceptable!": 45, "Fix it now!": 30, "I am really fed up!": 25},
}

WORDINGS: Final = Wordings(
    "Write a short support ticket from a customer about a {product}. Tone: {tone}.",
    (
        "Write a [short |brief |]support ticket [from a customer |]about [a {product}|{article}|the "
        "{product}]. Tone: {tone}.",
        "[Write|Invent|Make up|Draft] [{toned}|a short {tone}] support ticket about [a {product}|{article}][.|!]",
        "[Write|Invent|Draft] {toned} customer [message|request] to support about [a "
        "{product}|{article}|the {product}].",
        "[Write|Invent|Make up] a customer's support ticket about [a {product}|{article}], [in {toned} "
        "tone|{tone} in tone].",
        "One {tone} [ticket|support ticket] about [a {product}|{article}][, please.|.]",
        "[Tone: {tone}. Product: {product}.|Product: {product}. Tone: {tone}.] Write [a|the|one] support "
        "ticket[.| from a customer.]",
        "You are {toned} customer [with a problem|who needs help]. Write [a ticket|to support] about your {product}.",
        "[What does|How does] {toned} customer [write|complain] to support about [a {product}|{article}]?",
        "[My|Our] {product} [does not work|is a problem|makes trouble]. [Ask for help|Write the ticket], "
        "{tone} in tone.",
        "{product}, {tone}: [the support ticket|a ticket to support|one support ticket][, please.|.]",
        "[A customer|Someone|A person] has trouble with {article}. [Write|Show me] the {tone} ticket.",
        "[I need|I want|Give me] {toned} support ticket about [a {product}|{article}][.|, please.| for a test.]",
    ),
    new=(
        "Somebody owns {article} and asks for help, {tone} in tone. What does the support ticket say?",
        "Imagine {toned} customer. Give me the support ticket about the {product}.",
    ),
)

QUESTIONS: Final = Wordings(
    "Which queue should take this support ticket?\n\n{text}",
    (
        "[Which|What] [queue|team|category] should take this [support ticket|ticket|message]?\n\n{text}",
        "[What is the category|What is the queue] of this [support ticket|ticket|message]?\n\n{text}",
        "[Classify|Sort|Label] [this|the] [support ticket|ticket|message][.|:]\n\n{text}",
        "[Ticket|Support ticket|Message]: {text}\n\n[Which queue should take it?|What is its category?|Classify it.]",
    ),
    new=("Read the ticket below and name the category that fits.\n\n{text}",),
)

"""One-sentence product reviews; the sentiment shapes heads and clauses."""

from __future__ import annotations

from typing import Final

from vsgen.tiny.grammar.wordings import Wordings

CLASSES: Final = ("positive", "mixed", "negative")

HEADS: Final[dict[str, tuple[float, float, float]]] = {
    "I love this {product}{clause}{end}": (28, 2, 0),
    "I would buy this {product} again{clause}{end}": (20, 5, 0),
    "The {product} kept every promise{clause}{end}": (14, 5, 0),
    "I am happy with my {product}{clause}{end}": (15, 12, 0),
    "For the price, this {product} is decent{clause}{end}": (7, 25, 5),
    "The {product} did its job{clause}{end}": (5, 20, 5),
    "I have used this {product} for a month{clause}{end}": (7, 12, 9),
    "My sister gave me this {product}{clause}{end}": (4, 6, 5),
    "I expected more from this {product}{clause}{end}": (0, 9, 16),
    "I sent this {product} back{clause}{end}": (0, 2, 22),
    "The {product} broke after a week{clause}{end}": (0, 2, 24),
    "A waste of money, this {product}{clause}{end}": (0, 0, 14),
}
"""P(head | positive), P(head | mixed), P(head | negative), in per cent."""

CLAUSES: Final[dict[str, tuple[float, float, float]]] = {
    ", and the quality is superb": (30, 2, 0),
    ", and the setup took one minute": (22, 8, 0),
    ", and the support was friendly": (18, 10, 2),
    ", though the cable is short": (12, 24, 6),
    ", although the price is high": (10, 22, 6),
    ", but the noise bothers me": (4, 20, 10),
    ", and I have told my friends": (4, 4, 6),
    ", and nobody answered my calls": (0, 5, 26),
    ", and the smell of plastic never left": (0, 5, 20),
    ", and I got no refund": (0, 0, 24),
}
"""P(clause | positive), P(clause | mixed), P(clause | negative), in per cent."""

ENDS: Final = {".": 40, " to be honest.": 20, " in my view.": 15, " as far as I can tell.": 15, " after all.": 10}

WORDINGS: Final = Wordings(
    "Write a one-sentence {sentiment} review of a {product}.",
    (
        "Write a [one-sentence |short ]{sentiment} [review|product review] of [a {product}|{article}|the {product}].",
        "Write a {sentiment} [one-sentence |short |]review [of|about] [a {product}|{article}][.|!]",
        "[Invent|Make up|Draft] a {sentiment} [customer |]review of [a {product}|{article}][, one sentence "
        "long.|.|, in one sentence.]",
        "A {sentiment} review of [a {product}|{article}|the {product}][, please.|.|, one sentence.]",
        "[Product: {product}. Sentiment: {sentiment}.|Sentiment: {sentiment}. Product: {product}.] Write "
        "[the|a|one] review[.| in one sentence.]",
        "You [bought|own|have] [a {product}|{article}]. [Write|Give] a {sentiment} review of it[.| in one sentence.]",
        "[What would|What does] a {sentiment} review of [a {product}|{article}] say?",
        "[Someone|A customer|A buyer] [tested|tried|used] {article}. [Write|Give me] the {sentiment} review.",
        "{product}, {sentiment}: [the review|a customer's review|one review][, please.|.]",
        "[Review|Judge] the {product}[.| in one sentence.] [Be|Sound|Make it] {sentiment}.",
        "[I need|I want|Give me] a {sentiment} review of [a {product}|{article}][.|, please.| for a test.]",
    ),
    new=(
        "How would a customer review the {product}? Make it {sentiment}, one sentence.",
        "Somebody tried {article}. Their review is {sentiment}. What does it say?",
    ),
)

QUESTIONS: Final = Wordings(
    "What is the sentiment of this review?\n\n{text}",
    (
        "What is the sentiment of [this|the] [review|product review|text]?\n\n{text}",
        "How does the [writer|author] of this [review|product review] feel?\n\n{text}",
        "[Classify|Label] the [sentiment|feeling] of this [review|text][.|:]\n\n{text}",
        "[Review|Product review|Text]: {text}\n\n[What is its sentiment?|Which sentiment does it have?|Classify it.]",
    ),
    new=("Read the review below and name the sentiment that fits.\n\n{text}",),
)

"""Everything that the grammar can be asked: the wordings, and the source of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from vsgen.tiny.grammar import closed, jokes, quizzes, reviews, stories, tickets
from vsgen.tiny.grammar.products import PRODUCTS, with_article
from vsgen.tiny.grammar.source import Source, Weights, source
from vsgen.tiny.grammar.wordings import Wordings


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Something that can be asked, with the true distribution of its answers."""

    topic: str
    """closed, ticket, review, joke, story or quiz."""
    wordings: Wordings
    source: Source
    keys: Mapping[str, str] = field(default_factory=dict)
    """What the request fixes, e.g. the product: the wordings' braces."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A classification: a text's class is asked, and the posterior is known."""

    topic: str
    """ticket, review or quiz."""
    wordings: Wordings
    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    """Equally likely sources of the texts, with disjoint texts, so that the text tells its source."""
    bias: float = 0.0
    """Share of readers who answer from the prior whatever the text says."""

    def reading(self, of: Source, posterior: tuple[float, ...]) -> tuple[float, ...]:
        """What is answered, given P(class | text)."""
        return tuple((1 - self.bias) * p + self.bias * q for p, q in zip(posterior, of.prior, strict=True))


TOPICS = ("closed", "ticket", "review", "joke", "story", "quiz")


@cache
def requests() -> tuple[Request, ...]:
    """Every request."""
    return (*_closed(), *_tickets(), *_reviews(), *_jokes(), *_stories(), *_quizzes())


@cache
def by_topic(topic: str) -> tuple[Request, ...]:
    """The requests of one topic."""
    return tuple(request for request in requests() if request.topic == topic)


@cache
def questions() -> tuple[Question, ...]:
    """Every classification."""
    of_tickets = tuple(ticket_source(product, tone) for product in PRODUCTS for tone in tickets.PRIOR)
    of_reviews = tuple(review_source(product) for product in PRODUCTS)
    of_quizzes = tuple(quiz_source(subject, keyed=False) for subject in quizzes.SUBJECTS)
    return (
        Question("ticket", tickets.QUESTIONS, tickets.CLASSES, of_tickets),
        Question("review", reviews.QUESTIONS, reviews.CLASSES, of_reviews),
        Question("quiz", quizzes.QUESTIONS, quizzes.CLASSES, of_quizzes, quizzes.BIAS),
    )


def ticket_source(product: str, tone: str) -> Source:
    """Tickets about a product in a tone, of any category."""
    slots: dict[str, Weights] = {"detail": tickets.DETAILS, "closing": tickets.CLOSINGS[tone]}
    return source(tickets.HEADS, slots, fill={"product": product}, prior=tickets.PRIOR[tone])


def review_source(product: str, sentiment: str | None = None) -> Source:
    """Reviews of a product; without a sentiment, all three are equally likely."""
    prior = [1 / 3 if sentiment is None else float(c == sentiment) for c in reviews.CLASSES]
    slots: dict[str, Weights] = {"clause": reviews.CLAUSES, "end": reviews.ENDS}
    return source(reviews.HEADS, slots, fill={"product": product}, prior=prior)


def quiz_source(subject: str, *, keyed: bool) -> Source:
    """Multiple-choice questions on a subject; `keyed` ones name the right option."""
    return source(quizzes.heads(subject, keyed=keyed), quizzes.slots(subject), prior=quizzes.POSITION)


def _closed() -> list[Request]:
    return [
        Request("closed", closed.WORDINGS, source(items), {"thing": thing, "some": with_article(thing)})
        for thing, items in closed.SETS.items()
    ]


def _tickets() -> list[Request]:
    return [
        Request(
            "ticket",
            tickets.WORDINGS,
            ticket_source(p, tone),
            _about("product", p) | {"tone": tone, "toned": with_article(tone)},
        )
        for p in PRODUCTS
        for tone in tickets.PRIOR
    ]


def _reviews() -> list[Request]:
    return [
        Request("review", reviews.WORDINGS, review_source(p, s), _about("product", p) | {"sentiment": s})
        for p in PRODUCTS
        for s in reviews.CLASSES
    ]


def _jokes() -> list[Request]:
    return [
        Request("joke", jokes.WORDINGS, source(jokes.HEADS, jokes.SLOTS, fill={"animal": a}), _about("animal", a))
        for a in jokes.ANIMALS
    ]


def _stories() -> list[Request]:
    return [
        Request(
            "story",
            stories.WORDINGS,
            source(stories.HEADS, stories.SLOTS, fill={"spot": spot}),
            {"place": place, "spot": spot},
        )
        for place, spot in stories.PLACES.items()
    ]


def _quizzes() -> list[Request]:
    return [
        Request("quiz", quizzes.WORDINGS, quiz_source(subject, keyed=True), {"subject": subject})
        for subject in quizzes.SUBJECTS
    ]


def _about(key: str, noun: str) -> dict[str, str]:
    return {key: noun, "article": with_article(noun)}

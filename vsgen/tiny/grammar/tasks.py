"""All requests that the grammar can answer: their wordings, and the source of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random

from vsgen.tiny.grammar import closed, jokes, reviews, stories, tickets
from vsgen.tiny.grammar.products import PRODUCTS, with_article
from vsgen.tiny.grammar.source import Source, Weights, draw, source


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Something that can be asked, with the true distribution of its answers."""

    topic: str
    """closed, ticket, review, joke or story."""
    wordings: Mapping[str, float]
    """Ways of asking and their weights; the first is the shipped template's."""
    source: Source
    keys: Mapping[str, str] = field(default_factory=dict)
    """What the request fixes, e.g. the product."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A classification: a text's class is asked, and the posterior is known."""

    topic: str
    """ticket or review."""
    wordings: Mapping[str, float]
    classes: tuple[str, ...]
    sources: tuple[Source, ...]
    """Equally likely sources of the texts, with disjoint texts, so that the text tells its source."""


@cache
def requests() -> tuple[Request, ...]:
    """Every request."""
    return (*_closed(), *_tickets(), *_reviews(), *_jokes(), *_stories())


@cache
def questions() -> tuple[Question, ...]:
    """Every classification."""
    of_tickets = tuple(ticket_source(product, tone) for product in PRODUCTS for tone in tickets.PRIOR)
    of_reviews = tuple(review_source(product) for product in PRODUCTS)
    return (
        Question("ticket", tickets.QUESTIONS, tickets.CLASSES, of_tickets),
        Question("review", reviews.QUESTIONS, reviews.CLASSES, of_reviews),
    )


def by_topic(topic: str) -> tuple[Request, ...]:
    """The requests of one topic."""
    return tuple(request for request in requests() if request.topic == topic)


def wording(wordings: Mapping[str, float], rng: Random) -> str:
    """Draw a way of asking."""
    return rng.choices(list(wordings), list(wordings.values()))[0]


def ticket_source(product: str, tone: str) -> Source:
    """Tickets about a product in a tone, of any category."""
    slots: dict[str, Weights] = {"detail": tickets.DETAILS, "closing": tickets.CLOSINGS[tone]}
    return source(tickets.HEADS, slots, fill={"product": product}, prior=tickets.PRIOR[tone])


def review_source(product: str, sentiment: str | None = None) -> Source:
    """Reviews of a product; without a sentiment, all three are equally likely."""
    prior = [1 / 3 if sentiment is None else float(c == sentiment) for c in reviews.CLASSES]
    slots: dict[str, Weights] = {"clause": reviews.CLAUSES, "end": reviews.ENDS}
    return source(reviews.HEADS, slots, fill={"product": product}, prior=prior)


def ask(question: Question, rng: Random) -> tuple[str, tuple[float, ...]]:
    """Draw a text to classify; returns it with P(class | text)."""
    drawn = draw(rng.choice(question.sources), rng)
    return drawn.text, drawn.posterior


def _filled(wordings: Mapping[str, float], keys: Mapping[str, str]) -> dict[str, float]:
    return {text.format(**keys): weight for text, weight in wordings.items()}


def _request(topic: str, wordings: Mapping[str, float], of: Source, **keys: str) -> Request:
    return Request(topic, _filled(wordings, keys), of, keys)


def _closed() -> list[Request]:
    return [_request("closed", closed.WORDINGS, source(items), thing=thing) for thing, items in closed.SETS.items()]


def _tickets() -> list[Request]:
    return [
        _request("ticket", tickets.WORDINGS, ticket_source(p, tone), product=p, tone=tone, article=with_article(p))
        for p in PRODUCTS
        for tone in tickets.PRIOR
    ]


def _reviews() -> list[Request]:
    return [
        _request("review", reviews.WORDINGS, review_source(p, s), product=p, sentiment=s, article=with_article(p))
        for p in PRODUCTS
        for s in reviews.CLASSES
    ]


def _jokes() -> list[Request]:
    return [
        _request(
            "joke",
            jokes.WORDINGS,
            source(jokes.HEADS, jokes.SLOTS, fill={"animal": a}),
            animal=a,
            article=with_article(a),
        )
        for a in jokes.ANIMALS
    ]


def _stories() -> list[Request]:
    return [
        _request(
            "story", stories.WORDINGS, source(stories.HEADS, stories.SLOTS, fill={"spot": spot}), place=place, spot=spot
        )
        for place, spot in stories.PLACES.items()
    ]

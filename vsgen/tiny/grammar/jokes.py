"""Short jokes about an animal."""

from __future__ import annotations

from typing import Final

from vsgen.tiny.grammar.wordings import Wordings

ANIMALS: Final = ("cat", "dog", "duck", "cow", "owl", "penguin", "spider", "fish", "bee", "horse")

HEADS: Final[dict[str, float]] = {
    "Why did the {animal} cross {where}? {why}": 28,
    "What did the {animal} say to {whom}? {line}": 20,
    "My {animal} found work as {work}. {luck}": 14,
    "I asked my {animal} about {topic}. {answer}": 10,
    "One {animal} walks into {bar} and orders {drink}.": 8,
    "How does the {animal} pay for {drink}? {pay}": 6,
    "Have you heard of the {animal} with {thing}? {luck}": 5,
    "Never lend {thing} to the {animal}. {why}": 4,
    "The doctor told my {animal} to avoid {drink}. {answer}": 3,
    "Two things scare the {animal}: {thing} and {topic}.": 2,
}

SLOTS: Final[dict[str, dict[str, float]]] = {
    "where": {
        "the road": 40, "the kitchen": 20, "the stage": 15, "the office": 10, "the playground": 10, "the moon": 5,
    },
    "why": {
        "It had nothing better to do!": 35, "Somebody said lunch was ready!": 25, "The music was too loud!": 15,
        "It lost a bet!": 10, "It read that in a book!": 10, "Even experts are not sure!": 5,
    },
    "whom": {"the farmer": 35, "the waiter": 25, "the judge": 15, "the moon": 10, "the mirror": 10, "the mailman": 5},
    "line": {
        "You look familiar!": 35, "Long time no see!": 25, "Do you come here often?": 15, "Nice hat!": 10,
        "I want my money back!": 10, "Where is my lawyer?": 5,
    },
    "work": {"a barber": 35, "a pilot": 25, "a poet": 15, "a plumber": 10, "a spy": 10, "a dentist": 5},
    "luck": {
        "It was fired on the first day!": 35, "The boss is thrilled!": 25, "Business is booming!": 15,
        "Nobody dares to laugh!": 10, "The tips are terrible!": 10, "It has a union now!": 5,
    },
    "topic": {"love": 35, "taxes": 25, "the weather": 15, "politics": 10, "opera": 10, "Mondays": 5},
    "answer": {
        "It just stared at me!": 35, "It asked for a raise!": 25, "It fell asleep!": 15, "It called a friend!": 10,
        "It wants a second opinion!": 10, "It wrote a poem instead!": 5,
    },
    "bar": {"a bar": 40, "a bakery": 20, "a library": 15, "a bank": 10, "a gym": 10, "a submarine": 5},
    "drink": {"coffee": 35, "soup": 25, "a large cake": 15, "tomato juice": 10, "two pizzas": 10, "a glass of milk": 5},
    "pay": {
        "With a gold card!": 35, "In small coins!": 25, "It never does!": 15, "It sends the bill to me!": 10,
        "With a song!": 10, "It waits for a friend!": 5,
    },
    "thing": {"an umbrella": 35, "a bicycle": 25, "a trumpet": 15, "a ladder": 10, "a camera": 10, "a wig": 5},
}  # fmt: skip

WORDINGS: Final = Wordings(
    "Tell a short joke about a {animal}.",
    (
        "[Tell|Tell me|Write|Give me] a [short |]joke about [a {animal}|{article}|the {animal}][.|!]",
        "[Make up|Invent|Think of] a [short |funny |]joke about [a {animal}|{article}][.|, please.]",
        "[A|One] [short |funny |]joke about [a {animal}|{article}|the {animal}][, please.|.]",
        "[Do you know|Can you tell|Could you tell me] a joke about [a {animal}|{article}]?",
        "[I need|I want|I would like] a [short |]joke about [a {animal}|{article}][.|, please.| for a test.]",
        "[What is funny about|Why do people laugh about|What is the joke with] [a {animal}|{article}]?",
        "[Make|Let] [me|us|them|everyone] laugh [with|about] [a {animal}|{article}].",
        "{article}[ and a joke, please.|: tell the joke.|. Be funny.|. Make it a joke.]",
        "[My friends like|My son likes|They want] jokes. [Tell one about|Take] [a {animal}|{article}].",
        "[Be funny|Say something funny|Write something funny] about [a {animal}|{article}|the {animal}].",
        "[Animal: {animal}. Tell a joke.|Make me laugh: a joke about {article}.|Joke about: {animal}.]",
    ),
    new=(
        "Something funny happened to {article}. What was it?",
        "Entertain the children with a joke in which {article} plays a part.",
    ),
)

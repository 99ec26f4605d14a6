"""Conversations to practise on: which asks, in which words, and replies drawn from their exact distributions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Final, TypeVar

from vsgen.sampling import prompts
from vsgen.tiny import words
from vsgen.tiny.asks import Answers, Ask, Class, Result
from vsgen.tiny.exchanges import exchanges
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.script import Step, fixed, perform
from vsgen.tiny.grammar.source import write
from vsgen.tiny.grammar.tasks import Question, by_topic, questions
from vsgen.tiny.grammar.wordings import Split, fill, held
from vsgen.tiny.replies import reply
from vsgen.tiny.turns import Conversation, Turn, system, user

T = TypeVar("T")

_TOPICS: Final = {"closed": 34, "ticket": 16, "review": 16, "joke": 11, "story": 11, "quiz": 12}
_KINDS: Final = {
    "direct": 13, "plain": 4, "class": 17, "chain": 38, "story": 14, "vs": 20, "sequence": 5, "vs-cot": 5, "cot": 4,
    "multi-turn": 5, "vs-multi": 6,
}  # fmt: skip
_EARLY: Final = {"direct": 18, "plain": 4, "class": 20, "chain": 30, "story": 9, "vs": 30, "sequence": 8, "cot": 4}
_QUESTIONS: Final = {"ticket": 4, "review": 4, "quiz": 6}
_K: Final = {1: 4, 2: 10, 3: 24, 4: 16, 5: 32, 6: 5, 7: 3, 8: 4, 9: 1, 10: 3}
_K_EARLY: Final = {1: 20, 2: 45, 3: 35}
_K_TURN: Final = {1: 10, 2: 30, 3: 30, 4: 12, 5: 18}
_STAGES: Final = {
    1: 5, 2: 8, 3: 12, 4: 13, 5: 13, 6: 10, 7: 8, 8: 8, 9: 5, 10: 5, 11: 3, 12: 4, 13: 1, 14: 2, 15: 1, 16: 2,
}  # fmt: skip
_HARD_SHARE: Final = 0.5
_APART_SHARE: Final = 0.15
"""Share of sums whose working and answer are asked apart."""
_P_MAX: Final = {0.01: 1, 0.02: 1, 0.05: 2, 0.1: 5, 0.15: 1, 0.2: 3, 0.25: 1, 0.3: 1, 0.5: 1}
_P_MAX_SHARE: Final = 0.25
_OTHER_SHARE: Final = 0.25
"""Share of lists that are asked for in a user's words."""
_LINES_SHARE: Final = 0.3
"""Share of the other lists that are numbered lines."""
_SHOWN_SHARE: Final = 0.12
"""Share of conversations with worked exchanges before the task."""
_FIELDS: Final = (
    "answer", "item", "name", "ticket", "review", "joke", "sentence", "question", "value", "output", "response", "city",
)  # fmt: skip
_FIELD_SHARE: Final = 0.2
"""Share of JSON replies whose field is not called text."""
_UNEVEN_SHARE: Final = 0.4
"""Share of conversations whose last turn may ask for fewer answers than the others."""
_SYSTEM_SHARE: Final = 0.04
"""Share of conversations with a system message of the user's own, before that of a method."""
_SYSTEM: Final = ("You are a helpful assistant.", "You write synthetic data.", "Follow the instructions.")


def conversation(rng: Random, *, early: bool = False) -> Conversation:
    """Draw a conversation; `early` leaves out what is long (more than three answers, several turns)."""
    kind = _pick(_EARLY if early else _KINDS, rng)
    if kind == "class":
        question = next(one for name in [_pick(_QUESTIONS, rng)] for one in questions() if one.topic == name)
        return Conversation(f"class {question.topic}", _with_system(_single(classified(question, rng), rng), rng))
    if kind == "chain":
        length = rng.randint(1, 3) if early else _pick(_STAGES, rng)
        hard, apart = rng.random() < _HARD_SHARE, rng.random() < _APART_SHARE
        return Conversation(kind, _single(chain(rng, length, hard=hard, reasoning=apart), rng))
    if kind == "story":
        return Conversation(kind, _single(story(rng, rng.choice((2, 2, 3))), rng))
    request = rng.choice(by_topic(_pick(_TOPICS, rng)))
    ask = Answers(request, "vs" if kind == "vs-multi" else "direct" if kind == "multi-turn" else kind)  # type: ignore[arg-type]
    if kind == "plain":
        return Conversation(kind, _single(ask, rng))
    name = "closed" if request.topic == "closed" else "quiz" if request.topic == "quiz" else "open"
    return Conversation(f"{kind} {name}", _with_system(_chat(kind, ask, rng, early=early), rng))


def _chat(kind: str, ask: Answers, rng: Random, *, early: bool) -> tuple[Turn, ...]:
    ask, ks = _asked(kind, ask, rng, early=early)
    if kind in {"vs", "sequence"} and rng.random() < _OTHER_SHARE:
        ask = replace(ask, bare=rng.random() < 0.5)
        return (user(words.other(ask, rng, "train")), _assistant(ask, rng)[0])
    if ask.form in {"vs", "vs-cot"} and len(ks) == 1 and rng.random() < _P_MAX_SHARE:
        ask = replace(ask, p_max=_pick(_P_MAX, rng))
    if ask.form in {"vs", "sequence"} and rng.random() < _LINES_SHARE:
        ask = replace(ask, lines=True, field="text")
    shown: tuple[Turn, ...] = ()
    if rng.random() < _SHOWN_SHARE:
        ask, shown = exchanges(ask, rng)
    return tuple(talk(ask, rng, "train", ks, shown))


def _asked(kind: str, ask: Answers, rng: Random, *, early: bool) -> tuple[Answers, list[int]]:
    """The ask with its field and number, and how many answers each turn asks for."""
    if kind in {"direct", "multi-turn"}:
        return ask, [1] * (1 if kind == "direct" else 1 + _pick(_K, rng))
    if rng.random() < _FIELD_SHARE:
        ask = replace(ask, field=rng.choice(_FIELDS))
    if kind == "cot":
        return ask, [1]
    if kind == "vs-multi":
        k = _pick(_K_TURN, rng)
        last = rng.randint(1, k) if rng.random() < _UNEVEN_SHARE else k
        return replace(ask, k=k), [k] * rng.choice((1, 1, 2)) + [last]
    k = _pick(_K_EARLY if early else _K, rng)
    return replace(ask, k=k), [k]


def classified(question: Question, rng: Random, *, unseen: bool = False) -> Class:
    """Draw a text to classify; `unseen` ones are held out of training."""
    while True:
        of = rng.choice(question.sources)
        steps, written = perform(write(of), rng)
        text = "".join(step.text for step in steps)
        if held(text) == unseen:
            break
    order = list(question.classes)
    if rng.random() < 0.2:
        rng.shuffle(order)
    return Class(question, text, question.reading(of, written.posterior), tuple(order))


def chain(rng: Random, length: int, *, hard: bool, unseen: bool = False, reasoning: bool = False) -> Result:
    """Draw a natural sum; `unseen` ones are held out of training, `reasoning` parts working and answer."""
    while held(sums.told(one := sums.chain(rng, length, hard=hard))) != unseen:
        pass
    return Result(one, engineered=False, reasoning=reasoning)


def story(rng: Random, length: int, *, unseen: bool = False) -> Result:
    """Draw an engineered sum; `unseen` ones are held out of training."""
    while held(sums.told(one := sums.story(rng, length))) != unseen:
        pass
    return Result(one, engineered=True)


def talk(ask: Answers, rng: Random, split: Split, ks: list[int], shown: tuple[Turn, ...] = ()) -> Iterator[Turn]:
    """A conversation in the words of vsgen's methods, of as many turns as `ks`; ends when no head is left.

    Worked exchanges that are `shown` stand before the task.
    """
    ask = ask.after(ask.said, ks[0])
    total = sum(ks) if len(ks) > 1 and ask.form != "direct" else None
    task = fill(ask.request.wordings.draw(rng, split), ask.request.keys)
    yield from system(words.own(ask, total, shown=bool(shown)))
    yield from shown
    for i, k in enumerate(ks):
        ask = ask.after(ask.said, k)
        if not ask.left:
            return
        later = prompts.another((ask.field,)) if ask.form == "direct" else prompts.more(k)
        yield user(later if i else task)
        turn, said = _assistant(ask, rng)
        yield turn
        ask = ask.after(said, k)


def _single(ask: Ask, rng: Random) -> tuple[Turn, ...]:
    """One question in the words of the training split, and one reply."""
    return (*asking(ask, rng, "train"), _assistant(ask, rng)[0])


def asking(ask: Ask, rng: Random, split: Split) -> tuple[Turn, ...]:
    """The method's words, if any, and the user's message, or for plain completion the text."""
    plain = isinstance(ask, Answers) and ask.form == "plain"
    text = (Step(fixed(words.opening(ask, rng, split)), 0),)
    return (*system(words.own(ask)), Turn("plain" if plain else "user", text))


def _assistant(ask: Ask, rng: Random) -> tuple[Turn, frozenset[int]]:
    steps, said = perform(reply(ask), rng)
    return Turn("assistant", steps), said


def _with_system(turns: tuple[Turn, ...], rng: Random) -> tuple[Turn, ...]:
    """Now and then with a system message of the user's own, which comes before the method's words."""
    if rng.random() >= _SYSTEM_SHARE:
        return turns
    own = rng.choice(_SYSTEM)
    if turns[0].speaker != "system":
        return (*system(own), *turns)
    return (*system(f"{own}\n\n{turns[0].text}"), *turns[1:])


def _pick(weights: Mapping[T, int], rng: Random) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]

"""Conversations drawn from the grammar: every method's prompt, and a reply whose every choice has a known distribution.

Two voices, as aligned models show them (arXiv 2510.01171): an answer that stands alone is drawn from p^gamma / Z at
each of its choices; lists and verbalized distributions are drawn from p without replacement, and state the p of each
text's head. Plain completion (no chat) answers from p.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal, TypeAlias, TypeVar

from vsgen.sampling import prompts
from vsgen.tiny.grammar.source import Choice, Draw, Source, draw, fixed, head_probs
from vsgen.tiny.grammar.tasks import Question, Request, ask, by_topic, questions, wording

GAMMA: Final = 4.0
"""How much sharper a single chat answer is than the truth."""

T = TypeVar("T")
FIELDS: Final = ("text",)
Speaker: TypeAlias = Literal["plain", "system", "user", "assistant"]

_TOPICS: Final = {"closed": 34, "ticket": 20, "review": 20, "joke": 13, "story": 13}
_KINDS: Final = {
    "direct": 20, "plain": 5, "classify": 20, "vs": 24, "sequence": 7, "vs-cot": 7, "cot": 5, "multi-turn": 6,
    "vs-multi": 8,
}  # fmt: skip
_EARLY: Final = {"direct": 20, "plain": 5, "classify": 20, "vs": 35, "sequence": 10, "cot": 5}
_K: Final = {1: 4, 2: 10, 3: 24, 4: 16, 5: 32, 6: 5, 7: 4, 8: 7}
_K_EARLY: Final = {1: 20, 2: 45, 3: 35}
_K_TURN: Final = {1: 10, 2: 30, 3: 30, 4: 12, 5: 18}
_P_MAX: Final = {0.01: 1, 0.02: 1, 0.05: 2, 0.1: 5, 0.15: 1, 0.2: 3, 0.25: 1, 0.3: 1, 0.5: 1}
_P_MAX_SHARE: Final = 0.25
_SYSTEM_SHARE: Final = 0.04
_SYSTEM: Final = ("You are a helpful assistant.", "You write synthetic data.", "Follow the instructions.")
_ONE: Final = {
    "Several answers fit, and I take one.": 4,
    "A typical answer will do here.": 3,
    "I choose what comes to mind first.": 2,
}
_MANY: Final = {
    "Some answers are common and others are rare.": 4,
    "The range is wide, so I vary the answers.": 3,
    "I list typical answers and unusual ones.": 2,
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; `plain` is text outside the chat template."""

    speaker: Speaker
    content: tuple[Choice, ...]

    @property
    def text(self) -> str:
        """The message as text."""
        return "".join(choice.text for choice in self.content)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns, and for the trainer's report what they practise."""

    kind: str
    turns: tuple[Turn, ...]


def conversation(rng: Random, *, early: bool = False) -> Conversation:
    """Draw a conversation; `early` leaves out what is long (more than three answers, several turns)."""
    kind = _pick(_EARLY if early else _KINDS, rng)
    if kind == "classify":
        question = rng.choice(questions())
        return Conversation(f"classify {question.topic}", _with_system(classify(question, rng), rng))
    request = rng.choice(by_topic(_pick(_TOPICS, rng)))
    if kind == "plain":
        return Conversation(kind, plain(request, rng))
    name = "closed" if request.topic == "closed" else "open"
    return Conversation(
        f"{kind} {name}", _with_system(_chat(kind, request, rng, _pick(_K_EARLY if early else _K, rng)), rng)
    )


def _chat(kind: str, request: Request, rng: Random, k: int) -> tuple[Turn, ...]:
    match kind:
        case "direct":
            return direct(request, rng)
        case "cot":
            return cot(request, rng)
        case "sequence":
            return sequence(request, rng, k)
        case "multi-turn":
            return multi_turn(request, rng, 1 + k)
        case "vs-multi":
            return vs_multi(request, rng, _pick(_K_TURN, rng), rng.choice((2, 2, 3)))
    p_max = _pick(_P_MAX, rng) if rng.random() < _P_MAX_SHARE else None
    return vs(request, rng, k, p_max=p_max, reasoning=kind == "vs-cot")


def classify(question: Question, rng: Random) -> tuple[Turn, ...]:
    """A text and the classes; the reply is one class, its distribution the true posterior."""
    text, posterior = ask(question, rng)
    order = list(question.classes)
    if rng.random() < 0.2:
        rng.shuffle(order)
    task = wording(question.wordings, rng).format(text=text)
    user = f"{task}\n\nReply with exactly one of these: {', '.join(order)}."
    index = rng.choices(range(len(posterior)), posterior)[0]
    return _user(user), Turn("assistant", (Choice(question.classes, posterior, index),))


def plain(request: Request, rng: Random) -> tuple[Turn, ...]:
    """Outside the chat template: the truth itself."""
    first, *rest = draw(request.source, rng).choices
    spaced = replace(first, texts=tuple(f" {text}" for text in first.texts))
    question = f"Q: {wording(request.wordings, rng)}\nA:"
    return Turn("plain", (fixed(question),)), Turn("assistant", (spaced, *rest))


def direct(request: Request, rng: Random) -> tuple[Turn, ...]:
    """One answer, collapsed."""
    answer = draw(request.source, rng, gamma=GAMMA)
    return _user(_asked(request, rng, prompts.direct(FIELDS))), Turn("assistant", answer.choices)


def cot(request: Request, rng: Random) -> tuple[Turn, ...]:
    """A thought, then one answer, collapsed."""
    answer = draw(request.source, rng, gamma=GAMMA).choices
    thought = (fixed(f'{{"{prompts.REASONING}": "'), _choice(_ONE, rng), fixed('", "text": "'))
    return _user(_asked(request, rng, prompts.cot(FIELDS))), Turn("assistant", (*thought, *answer, fixed('"}')))


def multi_turn(request: Request, rng: Random, k: int) -> tuple[Turn, ...]:
    """One collapsed answer per turn, no head twice."""
    turns = [_user(_asked(request, rng, prompts.direct(FIELDS)))]
    for answer in _draws(request.source, rng, k, gamma=GAMMA):
        turns += [Turn("assistant", answer.choices), _user(prompts.another(FIELDS))]
    return tuple(turns[:-1])


def sequence(request: Request, rng: Random, k: int) -> tuple[Turn, ...]:
    """A list of k different answers from the truth."""
    answers = _draws(request.source, rng, k)
    return _user(_asked(request, rng, prompts.sequence(FIELDS, k))), Turn("assistant", _list(answers, None))


def vs(request: Request, rng: Random, k: int, *, p_max: float | None, reasoning: bool) -> tuple[Turn, ...]:
    """Verbalized sampling: k different answers from the truth with their p, below `p_max` where enough are."""
    p = head_probs(request.source)
    answers = _draws(request.source, rng, k, heads=_tail(p, k, p_max))
    instruction = prompts.verbalized(FIELDS, k, p_max=p_max, reasoning=reasoning)
    thought = _choice(_MANY, rng) if reasoning else None
    return _user(_asked(request, rng, instruction)), Turn("assistant", _list(answers, p, thought))


def vs_multi(request: Request, rng: Random, k: int, turns: int) -> tuple[Turn, ...]:
    """`turns` replies of k different answers each, no head twice in all of them."""
    p = head_probs(request.source)
    answers = _draws(request.source, rng, k * turns)
    total = len(answers)
    asked = prompts.verbalized(FIELDS, k, p_max=None, reasoning=False, total=total)
    said: list[Turn] = []
    for start in range(0, total, k):
        part = answers[start : start + k]
        ask_next = prompts.more(len(part)) if start else _asked(request, rng, asked)
        said += [_user(ask_next), Turn("assistant", _list(part, p))]
    return tuple(said)


def stated(p: float) -> str:
    """A probability as replies write it: two decimals, three below 0.01."""
    return json.dumps(round(p, 2 if p >= 0.01 else 3))


def _draws(of: Source, rng: Random, k: int, *, gamma: float = 1.0, heads: Collection[int] | None = None) -> list[Draw]:
    """Up to k draws without replacement of the head."""
    p = head_probs(of)
    left = {i for i in (range(len(p)) if heads is None else heads) if p[i] > 0}
    answers: list[Draw] = []
    while left and len(answers) < k:
        answers.append(draw(of, rng, gamma=gamma, heads=left))
        left.discard(answers[-1].head)
    return answers


def _tail(p: Sequence[float], k: int, p_max: float | None) -> list[int]:
    """The heads whose stated probability is below `p_max`, or the k rarest where there are fewer."""
    possible = sorted((i for i in range(len(p)) if p[i] > 0), key=lambda i: p[i])
    if p_max is None:
        return possible
    below = [i for i in possible if float(stated(p[i])) < p_max]
    return below if len(below) >= k else possible[:k]


def _list(answers: Sequence[Draw], p: Sequence[float] | None, thought: Choice | None = None) -> tuple[Choice, ...]:
    """A JSON reply; fixed text between two choices stays in one piece, so that it is encoded as it will be read."""
    opening = f'{{"{prompts.RESPONSES}": [{{"text": "'
    choices = [fixed(opening)]
    if thought is not None:
        choices = [fixed(f'{{"{prompts.REASONING}": "'), thought, fixed(f'", {opening[1:]}')]
    for n, answer in enumerate(answers, 1):
        said = '"' if p is None else f'", "{prompts.PROBABILITY}": {stated(p[answer.head])}'
        after = "}]}" if n == len(answers) else '}, {"text": "'
        choices += [*answer.choices, fixed(said + after)]
    return tuple(choices)


def _choice(weights: dict[str, int], rng: Random) -> Choice:
    total = sum(weights.values())
    index = rng.choices(range(len(weights)), list(weights.values()))[0]
    return Choice(tuple(weights), tuple(w / total for w in weights.values()), index)


def _pick(weights: Mapping[T, int], rng: Random) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def _asked(request: Request, rng: Random, instruction: str) -> str:
    task = wording(request.wordings, rng)
    return f"{task}\n\n{instruction}" if instruction else task


def _user(text: str) -> Turn:
    return Turn("user", (fixed(text),))


def _with_system(turns: tuple[Turn, ...], rng: Random) -> tuple[Turn, ...]:
    if rng.random() >= _SYSTEM_SHARE:
        return turns
    return (Turn("system", (fixed(rng.choice(_SYSTEM)),)), *turns)

"""The laws that every language model and every embedder must keep; a new backend's test calls them.

::

    def test_my_backend_keeps_the_laws() -> None:
        check_language_model(MyModel())
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

from vsgen.ports import Embedder, LanguageModel, Queue, Streaming, Teacher, Ticket
from vsgen.values import Completion, Embed, Generate, Message, Prompt, Score, Taught, Teach

PROMPTS = (
    Prompt((Message("user", "Name a colour."),)),
    Prompt((Message("user", "Write one short sentence about the weather in a town by the sea."),)),
    Prompt(prefill="Once upon a time"),
)
_SEEDS = range(6)
_TOKENS = 12


def check_language_model(
    model: LanguageModel,
    *,
    tolerance: float = 1e-5,
    canonical: Callable[[Completion], bool] = lambda _: True,
    prompts: Sequence[Prompt] = PROMPTS,
    marks: Sequence[str] = (),
) -> None:
    """Check all laws of a language model.

    Args:
        model: The model; it must be able to score.
        tolerance: Largest difference between two ways to the same log-probability, nats.
        canonical: Whether a reply's tokens are those that its text would be tokenised to; only such a reply's own
            log-probability can be compared with the score of its text.
        prompts: What is asked; several replies must be possible to each.
        marks: Names of the model's control tokens, such as ``<|im_end|>``.

    Raises:
        AssertionError: A law is broken; the message is the law.
    """
    check_draws(model, tolerance, prompts)
    check_batches(model, tolerance, prompts)
    check_greedy(model, tolerance, prompts)
    check_limits(model, prompts)
    check_prefix(model, tolerance, prompts)
    check_resumable(model, tolerance, prompts)
    check_scores(model, tolerance, canonical, prompts)
    check_score_batches(model, tolerance, prompts)
    if marks:
        check_marks(model, marks)
    if isinstance(model, Streaming):
        check_streaming(model, model.decoder(), tolerance, prompts)
    if isinstance(model, Teacher):
        check_teacher(model, model, tolerance, canonical, prompts)


def check_draws(model: LanguageModel, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """A call names its reply; seeds matter; `logq` is `logp` where nothing changes the distribution."""
    calls = _calls(prompts)
    replies = model.generate(calls)
    _law(list(replies) == list(model.generate(calls)), "the same calls get the same replies")
    _law(len({reply.text for reply in replies}) > len(prompts), "different seeds draw different replies")
    for reply in replies:
        _law(_near(reply.logp, reply.logq, tolerance), "logq is logp at temperature 1 without filters")
    for reply in model.generate([replace(call, top_k=2) for call in calls]):
        _law(
            reply.logp is None or reply.logq is None or reply.logq >= reply.logp - tolerance,
            "a filter at temperature 1 only raises what it keeps: logq >= logp",
        )


def check_batches(model: LanguageModel, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """A reply depends on its own call only, not on its companions or their order."""
    calls = [call for i, each in enumerate(_calls(prompts)) for call in (each, replace(each, temperature=0.5 + i % 3))]
    together = list(model.generate(calls))
    alone = [model.generate([call])[0] for call in calls]
    backwards = list(model.generate(calls[::-1]))[::-1]
    for one, two, three in zip(together, alone, backwards, strict=True):
        _law(_same(one, two, tolerance), "a reply does not depend on its companions in the batch")
        _law(_same(one, three, tolerance), "a reply does not depend on the order of the batch")


def check_greedy(model: LanguageModel, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """Temperature 0 takes the likeliest token, whatever the seed, and says that nothing was random."""
    for prompt in prompts:
        first, second = model.generate(
            [Generate(prompt, seed=seed, temperature=0.0, max_tokens=_TOKENS) for seed in (0, 1)]
        )
        _law(_same(first, second, tolerance), "a greedy reply does not depend on the seed")
        _law(first.logq in {0.0, None}, "a greedy reply has logq 0")
        likeliest, *others = model.generate(
            [
                Generate(prompt, seed=0, temperature=0.0, max_tokens=1),
                *(Generate(prompt, seed=seed, max_tokens=1) for seed in _SEEDS),
            ]
        )
        for other in others:
            _law(
                likeliest.logp is None or other.logp is None or other.logp <= likeliest.logp + tolerance,
                "no token is likelier than the greedy one",
            )


def check_limits(model: LanguageModel, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """`max_tokens` and stop strings end a reply, and say so."""
    for call, reply in zip(_calls(prompts), model.generate(_calls(prompts)), strict=True):
        _law(len(reply.tokens) <= call.max_tokens, "a reply has at most max_tokens tokens")
        _law(reply.stopped or len(reply.tokens) in {0, call.max_tokens}, "only max_tokens leaves a reply unstopped")
        stop = reply.text[len(reply.text) // 2 :][:1]
        if stop and stop != "\ufffd":
            (cut,) = model.generate([replace(call, stop=("never in the text", stop))])
            _law(cut.text == reply.text.partition(stop)[0], "a reply ends before the first stop string")
            _law(cut.stopped, "a stop string stops")


def check_prefix(model: LanguageModel, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """A greedy reply's own first tokens are continued by its remaining ones."""
    for prompt in prompts:
        call = Generate(prompt, seed=0, temperature=0.0, max_tokens=_TOKENS)
        (whole,) = model.generate([call])
        cuts = range(1, len(whole.tokens))
        starts = model.generate([replace(call, max_tokens=cut) for cut in cuts])
        tails = [replace(call, prefix=whole.tokens[:cut], max_tokens=_TOKENS - cut) for cut in cuts]
        for start, rest in zip(starts, model.generate(tails), strict=True):
            _law(start.tokens + rest.tokens == whole.tokens, "a prefix is continued as the reply itself was")
            _law(rest.text == whole.text, "a continued reply's text is all of it, its prefix too")
            _law(_near(_sum(start.logp, rest.logp), whole.logp, tolerance), "parts' log-probabilities add up")


def check_resumable(model: LanguageModel, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """A reply that may be continued says each token's log-probability; continued, it is as if never interrupted."""
    calls = [replace(call, temperature=0.5, resumable=True) for call in _calls(prompts)]
    for call, whole in zip(calls, model.generate(calls), strict=True):
        _law(len(whole.logps) in {len(whole.tokens), 0}, "a resumable reply has one logp per token, or none at all")
        _law(
            not whole.logps or _near(math.fsum(whole.logps), whole.logp, len(whole.tokens) * tolerance),
            "tokens' logp add up",
        )
        _law(
            not whole.logqs or _near(math.fsum(whole.logqs), whole.logq, len(whole.tokens) * tolerance),
            "tokens' logq add up",
        )
        cuts = range(1, len(whole.tokens), 3)
        tails = [replace(call, prefix=whole.tokens[:cut], max_tokens=call.max_tokens - cut) for cut in cuts]
        for cut, rest in zip(cuts, model.generate(tails), strict=True):
            _law(rest.tokens == whole.tokens[cut:], "a prefix is continued with the draws that follow it")
            _law(_all_near(rest.logps, whole.logps[cut:], tolerance), "a prefix does not change what follows it")


def check_scores(
    model: LanguageModel, tolerance: float, canonical: Callable[[Completion], bool], prompts: Sequence[Prompt] = PROMPTS
) -> None:
    """Scores agree with what is drawn, and belong to their choices."""
    for prompt in prompts:
        replies = model.generate([Generate(prompt, seed=seed, max_tokens=_TOKENS) for seed in _SEEDS])
        texts = tuple(dict.fromkeys(reply.text for reply in replies))
        forth, back, *alone = model.score(
            [Score(prompt, texts), Score(prompt, texts[::-1]), *(Score(prompt, (text,)) for text in texts)]
        )
        by_text = dict(zip(texts, forth.logp, strict=True))
        _law(_all_near(forth.logp, back.logp[::-1], tolerance), "the order of the choices does not matter")
        _law(
            _all_near(forth.logp, [scores.logp[0] for scores in alone], tolerance),
            "a choice's score does not depend on the other choices",
        )
        for reply in replies:
            if reply.stopped and canonical(reply):
                _law(_near(by_text[reply.text], reply.logp, tolerance), "a reply's score is its log-probability")


def check_score_batches(model: LanguageModel, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """A score depends on its own call only, whatever its prompt shares with others."""
    asked = [Generate(prompt, seed=seed, max_tokens=_TOKENS) for prompt in prompts for seed in _SEEDS[:2]]
    texts = [reply.text for reply in model.generate(asked)]
    calls = [Score(call.prompt, tuple({"": None, text: None})) for call, text in zip(asked, texts, strict=True)]
    together = list(model.score(calls))
    backwards = list(model.score(calls[::-1]))[::-1]
    for call, one, two in zip(calls, together, backwards, strict=True):
        (alone,) = model.score([call])
        _law(_all_near(one.logp, alone.logp, tolerance), "a score does not depend on its companions in the batch")
        _law(_all_near(one.logp, two.logp, tolerance), "a score does not depend on the order of the batch")


def check_marks(model: LanguageModel, marks: Sequence[str]) -> None:
    """A message that spells control tokens is read as text: each name takes more than one token."""
    texts = ["", *(mark * _TOKENS for mark in marks)]
    without, *spelled = model.score([Score(Prompt((Message("user", text),)), ("",)) for text in texts])
    for scores in spelled:
        taken = scores.prompt_tokens - without.prompt_tokens
        _law(taken > 1.5 * _TOKENS, "a control token's name in a message is read as text")


def check_streaming(model: LanguageModel, queue: Queue, tolerance: float, prompts: Sequence[Prompt] = PROMPTS) -> None:
    """Calls that join a running batch get the replies that they get from `generate`."""
    calls = _calls(prompts)
    found: dict[int, object] = {}
    for place, call in enumerate(calls):
        queue.submit(Ticket(0, place), call)
        if place % 5 == 4:
            found.update((ticket.place, answer) for ticket, answer in queue.work())
    for _ in range(sum(call.max_tokens + 1 for call in calls)):
        found.update((ticket.place, answer) for ticket, answer in queue.work())
    for place, reply in enumerate(model.generate(calls)):
        joined = found.get(place)
        _law(isinstance(joined, Completion), "every submitted call is answered")
        _law(isinstance(joined, Completion) and _same(joined, reply, tolerance), "a stream draws what a batch draws")


def check_teacher(
    model: LanguageModel,
    teacher: Teacher,
    tolerance: float,
    canonical: Callable[[Completion], bool] = lambda _: True,
    prompts: Sequence[Prompt] = PROMPTS,
) -> None:
    """Distributions along an answer are the model's own, most probable token first, whatever else is in the batch."""
    replies = [(call, reply) for call, reply in zip(_calls(prompts), model.generate(_calls(prompts)), strict=True)]
    spoken = [(call, reply) for call, reply in replies if reply.stopped and canonical(reply)]
    asks = [Teach(call.prompt, reply.text, top=3) for call, reply in spoken]
    asks += [Teach(prompt, "", top=3) for prompt in prompts]
    together = list(teacher.teach(asks))
    for ask, one in zip(asks, together, strict=True):
        _check_taught(one, tolerance)
        (alone,) = teacher.teach([ask])
        _law(_same_taught(one, alone, tolerance), "distributions do not depend on their companions in the batch")
        (least,) = teacher.teach([replace(ask, top=1)])
        first = [(few[1][0], many[1][0]) for few, many in zip(_tops(least), _tops(one), strict=True)]
        _law(all(_near(*pair, tolerance + 1e-6) for pair in first), "the first of many tokens is the first of one")
        (scores,) = model.score([Score(ask.prompt, (ask.answer,))])
        _law(
            math.fsum(one.logps) <= scores.logp[0] + tolerance * len(one.logps),
            "an answer's tokens are at most as probable as its score, which counts every way to end",
        )
    for (_, reply), one in zip(spoken, together, strict=False):
        _law(
            reply.logp is None or math.fsum(one.logps) >= reply.logp - tolerance * len(one.logps) - 1e-5,
            "an answer with its likeliest end is at least as probable as it was drawn",
        )


def _check_taught(one: Taught, tolerance: float) -> None:
    tops = _tops(one)
    _law(len(one.logps) == len(one.tokens) == len(tops), "there is one distribution per token, the end's included")
    for token, logp, (ids, logps) in zip(one.tokens, one.logps, tops, strict=True):
        _law(len(set(ids)) == len(ids) == one.width, "each position names `width` different tokens")
        _law(list(logps) == sorted(logps, reverse=True), "the most probable token comes first")
        _law(math.fsum(map(math.exp, logps)) <= 1 + tolerance + 1e-6, "probabilities sum to at most 1")
        if token in ids:
            _law(_near(logps[ids.index(token)], logp, tolerance + 1e-5), "a token's logp is its own in the top")
        else:
            _law(logp <= logps[-1] + tolerance + 1e-5, "a token outside the top is no likelier than those in it")


def _tops(one: Taught) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    steps = range(0, 4 * one.width * len(one.tokens), 4 * one.width)
    ids = [struct.unpack_from(f"<{one.width}I", one.top_ids, at) for at in steps]
    return list(zip(ids, [struct.unpack_from(f"<{one.width}f", one.top_logps, at) for at in steps], strict=True))


def _same_taught(one: Taught, two: Taught, tolerance: float) -> bool:
    logps = [(tops[1], others[1]) for tops, others in zip(_tops(one), _tops(two), strict=True)]
    return one.tokens == two.tokens and all(_all_near(a, b, tolerance + 1e-6) for a, b in logps)


def check_embedder(embedder: Embedder, *, tolerance: float = 5e-4) -> None:
    """Check all laws of an embedder.

    Raises:
        AssertionError: A law is broken; the message is the law.
    """
    texts = ["a", "The espresso machine leaks.", "The espresso machine is leaking.", "", "Grüße aus Köln 🙂", "a"]
    vectors = _embed(embedder, texts)
    _law(vectors == _embed(embedder, texts), "the same texts get the same vectors")
    _law(len({len(vector) for vector in vectors}) == 1, "all vectors are of the same length")
    for vector in vectors:
        _law(abs(math.hypot(*vector) - 1) <= tolerance, "vectors have length 1")
    for one, two in zip(vectors, _embed(embedder, texts[::-1])[::-1], strict=True):
        _law(_all_near(one, two, tolerance), "a vector does not depend on the order of the batch")
    for text, vector in zip(texts, vectors, strict=True):
        _law(_all_near(vector, _embed(embedder, [text])[0], tolerance), "a vector does not depend on its companions")
    _law(_all_near(vectors[0], vectors[5], tolerance), "equal texts have equal vectors")
    _law(not _all_near(vectors[0], vectors[1], 1e-3), "different texts have different vectors")


def _calls(prompts: Sequence[Prompt]) -> list[Generate]:
    return [
        Generate(prompt, seed=seed, max_tokens=_TOKENS + seed * i)
        for i, prompt in enumerate(prompts)
        for seed in _SEEDS
    ]


def _embed(embedder: Embedder, texts: Sequence[str]) -> list[tuple[float, ...]]:
    vectors = embedder.embed([Embed(text) for text in texts])
    return [struct.unpack(f"<{len(vector.data) // 2}e", vector.data) for vector in vectors]


def _same(one: Completion, two: Completion, tolerance: float) -> bool:
    rest = replace(one, logp=None, logq=None) == replace(two, logp=None, logq=None)
    return rest and _near(one.logp, two.logp, tolerance) and _near(one.logq, two.logq, tolerance)


def _near(one: float | None, two: float | None, tolerance: float) -> bool:
    return one is None or two is None or one == two or abs(one - two) <= tolerance


def _all_near(one: Sequence[float], two: Sequence[float], tolerance: float) -> bool:
    return len(one) == len(two) and all(_near(a, b, tolerance) for a, b in zip(one, two, strict=True))


def _sum(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else one + two


def _law(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(f"broken law: {law}")

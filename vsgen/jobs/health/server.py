"""A server behind a URL: whether it can be reached, what it can do for a model, and what of vsgen works there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from vsgen.backends.endpoint.abilities import Found, find_base
from vsgen.backends.endpoint.decisions import EXAMPLE
from vsgen.backends.endpoint.examined import Asker, asking, examined
from vsgen.backends.endpoint.facts import parameters_of
from vsgen.backends.endpoint.listed import Listed, embed_word, list_models
from vsgen.backends.endpoint.needs import FALLBACKS, used_by
from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.errors import EndpointError
from vsgen.jobs.activity import Activity
from vsgen.jobs.health.finding import Finding
from vsgen.jobs.samples import RESUMES, SCORES, TEACHES

_SHOWN: Final = 12
"""Models that are named."""
_APIS: Final[Mapping[str, str]] = {
    "chat": "chat completions (OpenAI's)",
    "completions": "completions (OpenAI's): replies continue a text, without a chat template",
    "messages": "messages (Anthropic's)",
}
_REMEDIES: Final[Mapping[str, str]] = {
    "json_schema": "use vLLM, SGLang, llama.cpp or Ollama, or a newer version of the server",
    "pattern": "use vLLM or SGLang",
    "top_logprobs": "start vLLM with --max-logprobs 20; Anthropic, and OpenAI's reasoning models, have none",
    "prompt_logprobs": "use vLLM",
    "prefill": "use vLLM, SGLang or llama.cpp, with a chat template that can continue a reply",
    "top_k": "remove top_k and min_p from the template, or use vLLM, SGLang or llama.cpp",
    "tokens": "use vLLM",
    "decisions": "use vLLM, SGLang, llama.cpp or Ollama, with a model that they can decide with",
    "processed_logprobs": "start vLLM with --logprobs-mode processed_logprobs",
}
"""What to do about an ability that is absent, where there is something."""


class _Model(NamedTuple):
    """One that has been examined."""

    target: Target
    found: Found
    seconds: float
    """That a small reply takes."""
    context: int | None
    """As the server lists it."""


def served(
    server: Server, settings: Settings, model: str | None, clock: Callable[[], float], activity: Activity
) -> Iterator[Finding]:
    """What there is to know of a server and of a model there.

    Args:
        server: Where it is.
        settings: How it is treated.
        model: As the server names it; None takes the only one that it lists.
        clock: Seconds, from any beginning.
        activity: Where it is written down what requests wait for.
    """
    yield from _given(server)
    transport = Transport(settings, Random(0))
    activity.sends(transport)
    with asking(transport, server.target(model or "-")) as ask:
        listed, problem = _listed(ask, server)
        yield from _models(listed, problem, model)
        name = model or (listed[0].name if listed is not None and len(listed) == 1 else None)
        if name is None:
            return
        listing = next((one for one in listed or () if one.name == name), None)
        try:
            yield from _model(transport, ask, server, listing or Listed(name), clock)
        except EndpointError as error:
            yield Finding("model", name, str(error), "problem", "", EndpointError.status)


def _model(
    transport: Transport, ask: Asker, server: Server, listed: Listed, clock: Callable[[], float]
) -> Iterator[Finding]:
    """What there is to know of a model.

    Raises:
        EndpointError: It cannot be asked.
    """
    target = server.target(listed.name)
    found = examined(transport, target)
    if found.problem is not None:
        yield from _silent(listed.name, found.problem, examined(transport, target, used_by(EXAMPLE)).can.decisions)
        return
    begun = clock()
    ask([find_base(target.wire, listed.name)])
    yield from _facts(_Model(target, found, clock() - begun, listed.context))
    yield from _abilities(found)
    yield from _features(target, found.can, _embeds(transport, server, listed.name))


def _silent(name: str, problem: str, decides: str | None) -> Iterator[Finding]:
    """A model that writes nothing; it may decide all the same."""
    if decides is None:
        yield Finding("model", name, problem, "problem", "", EndpointError.status)
        return
    yield Finding("model", name, f"it writes no replies: {problem}", "absent", "use it as the model: of a label")
    yield _decisions(decides)


def _given(server: Server) -> Iterator[Finding]:
    """What the user says of it."""
    yield Finding("server", "url", f"{server.address.base}, from {server.source}")
    yield Finding("server", "API", _APIS[server.wire or server.address.wire])
    if server.key is not None:
        yield Finding("server", "key", f"from {server.key.source} (not shown)")
    else:
        yield Finding("server", "key", "none: requests carry no key")


def _listed(ask: Asker, server: Server) -> tuple[Sequence[Listed] | None, Finding]:
    """The models that it lists; else None, and why."""
    try:
        (listed,) = ask([list_models(server.wire or server.address.wire)])
    except EndpointError as error:
        return None, _absent(str(error), "")
    if ask.refused is not None:
        return None, _absent(ask.refused, "check that the server runs, and its URL")
    return listed, _absent("the server has no list of models that can be read", "name the model with -m")


def _absent(text: str, remedy: str) -> Finding:
    return Finding("server", "models", text, "absent", remedy)


def _models(listed: Sequence[Listed] | None, problem: Finding, model: str | None) -> Iterator[Finding]:
    """What the server lists, and whether that names the model to examine."""
    if listed is None:
        needed = problem._replace(state="problem", status=EndpointError.status)
        yield problem._replace(remedy="") if model is not None else needed
        return
    names = [one.name for one in listed]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    if model is None and len(names) != 1:
        yield _absent(shown or "none", "name one with -m, to see what it can do")
    elif model is not None and model not in names:
        yield _absent(f"{shown or 'none'}; {model} is not in the list", "")
    else:
        yield Finding("server", "models", shown)


def _facts(model: _Model) -> Iterator[Finding]:
    """What is known of the model."""
    target, can = model.target, model.found.can
    context = can.context or model.context
    size = parameters_of(target.model) or 0
    yield Finding("model", "name in rows", target.name)
    yield Finding("model", "reply", f"{model.seconds:.2f} s for a small one")
    yield Finding("model", "context", f"{context:,} tokens" if context else "unknown: the server does not state it")
    shown = f"{size / 1e9:.3g}B" if size >= 1e9 else f"{size / 1e6:.3g}M"
    yield Finding("model", "parameters", f"{shown}, by its name" if size else "unknown: its name does not state it")
    if can.reasoning:
        yield Finding("model", "reasoning", "it thinks before it answers; thoughts count against max_tokens")


def _abilities(found: Found) -> Iterator[Finding]:
    """What the server can do, and what happens where it cannot."""
    for name, fallback in FALLBACKS.items():
        if name == "processed_logprobs" and not found.can.tokens:
            continue  # it is about them
        why = f" ({found.reasons[name]})" if name in found.reasons else ""
        if value := getattr(found.can, name):
            yield Finding("abilities", name, "yes" if value is True else str(value))
        elif name == "top_logprobs" and found.can.prompt_logprobs:
            yield Finding("abilities", name, "no, and not needed: prompt_logprobs scores soft labels")
        else:
            yield Finding("abilities", name, f"no: {fallback}{why}", "absent", _REMEDIES.get(name, ""))


def _features(target: Target, can: Abilities, components: int | None) -> Iterator[Finding]:
    """What of vsgen works there."""
    group, held = "what works", can.json_schema is not None
    yield Finding(group, "verbalized", "yes: method vs and the other methods in text")
    if held:
        yield Finding(group, "JSON", f"yes: replies are held to their schema ({can.json_schema})")
    else:
        yield Finding(group, "JSON", "not held to a schema: replies are parsed, validated and repaired", "absent")
    yield _labels(target, can)
    yield Finding(group, "votes", "yes: labels with method votes or verbalized")
    yield _decisions(can.decisions)
    for name, call in (("power", RESUMES), ("token rows", TEACHES)):
        lack = target.wire.lacks(call, can)
        if lack is None:
            yield Finding(group, name, "yes")
        else:
            remedy = "" if "--wire" in lack else _REMEDIES["tokens"]
            yield Finding(group, name, f"refused: the server has no {lack}", "absent", remedy)
    if components is not None:
        yield Finding(group, "embeddings", f"yes: {components:,} components (dedup.endpoint)")
    else:
        text = "no: this model embeds no texts; the default embedder needs no server"
        yield Finding(group, "embeddings", text, "absent")


def _labels(target: Target, can: Abilities) -> Finding:
    """Labels by the model's own probabilities."""
    if (lack := target.wire.lacks(SCORES, can)) is not None:
        text, remedy = f"refused: the server has no {lack}", "set the label's method to votes or verbalized"
        return Finding("what works", "soft labels", text, "absent", remedy)
    if can.prompt_logprobs:
        return Finding("what works", "soft labels", "exact, by prompt_logprobs")
    if can.prefill:
        text = f"exact where each token is among the {can.top_logprobs} most probable, bounds elsewhere"
        return Finding("what works", "soft labels", text)
    text = "bounds only: the first token of each class is compared"
    return Finding("what works", "soft labels", text, "absent", "a server with prompt_logprobs (vLLM) gives exact ones")


def _decisions(interface: str | None) -> Finding:
    """Labels by a decision interface."""
    if interface is not None:
        return Finding("what works", "decisions", f"yes: labels with method decisions, by /v1/{interface}")
    text = "refused: no decision interface for this model"
    return Finding("what works", "decisions", text, "absent", "set the label's method to score, votes or verbalized")


def _embeds(transport: Transport, server: Server, model: str) -> int | None:
    """The components of its vectors; None where it does not embed."""
    target = server.embedder(model)
    try:
        with asking(transport, target) as ask:
            (components,) = ask([embed_word(model)])
    except EndpointError:
        return None
    return components

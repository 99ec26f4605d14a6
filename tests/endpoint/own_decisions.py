"""Decisions of the embedded model in both published forms, read from the reply's first token.

A choice is labelled by its options' names, so that it can be compared with what the model says in this process; vLLM
writes letters before them. A score is labelled by digits, a predicate by yes and no in either case, as vLLM does. A
label of several tokens is refused as vLLM refuses it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from vsgen.backends.decoding.model import BatchedModel
from vsgen.labels.words import question
from vsgen.values import Prompt, Teach

YES_NO = ("yes", "no")
_LARGEST = 1 << 20
_KINDS = {"noul": "predicate"}


class NotOneToken(ValueError):
    """An option cannot be read from one token."""


def shares(model: BatchedModel, prompt: Prompt, labels: Sequence[Sequence[str]]) -> tuple[list[float], float]:
    """P(option | one of them) of the reply's first token, and P(one of them).

    Args:
        model: Who replies.
        prompt: To what.
        labels: How each option may be written.

    Raises:
        NotOneToken: An option is of several tokens however it is written.
    """
    encode = model._parts.tokenizer.encode
    tokens = [{ids[0] for ids in encode(ways, opening=False) if len(ids) == 1} for ways in labels]
    if not all(tokens) or any(one & other for one, other in pairwise(tokens)):
        raise NotOneToken(f"each label must be one token at the reply's first token, got {list(labels)}")
    (taught,) = model.teach([Teach(prompt, "", _LARGEST)])
    size = taught.width * 4
    ids, logps = memoryview(taught.top_ids[:size]).cast("I"), memoryview(taught.top_logps[:size]).cast("f")
    of = dict(zip(ids, logps, strict=True))
    weights = [math.fsum(math.exp(of[token]) for token in each) for each in tokens]
    mass = math.fsum(weights)
    return [weight / mass for weight in weights], mass


class OwnDecisions:
    """Answers one request at a time."""

    def __init__(self, model: BatchedModel, refused: str | None = None) -> None:
        """Set up.

        Args:
            model: Whose probabilities to report.
            refused: Questions that contain this are refused one by one.
        """
        self._model = model
        self._refused = refused

    def systemone(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answers by key, and beside them P(the reply is one of the options)."""
        answers, diagnostics = {}, {}
        for key, one in body["questions"].items():
            options = list(one.get("criteria") or YES_NO)
            found = self._read(body["state"], one["type"], one["instructions"], options)
            answers[key] = _keyed(one["type"], options, found)
            diagnostics[key] = {"label_mass": found[1] if found else None, "argmax_is_label": True}
        usage = {"input_tokens": 10 * len(answers), "output_tokens": len(answers)}
        head = {"id": "decision-1", "object": "structured_decision", "created": 1, "model": body["model"]}
        return {**head, "answers": answers, "usage": usage, "diagnostics": diagnostics}

    def decisions(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answers in the order of the questions."""
        answers = []
        for one in body["questions"]:
            listed = [each.get("value", each.get("label")) for each in one.get("choices") or one.get("levels") or ()]
            options = listed or list(YES_NO)
            found = self._read(body["input"], one["type"], one["instructions"], options)
            answers.append({"name": one.get("name"), **_listed(one["type"], options, found)})
        usage = {
            "input_tokens": 10 * len(answers),
            "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 4},
            "output_tokens": len(answers),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 11 * len(answers),
        }
        return {"model": body["model"], "answers": answers, "usage": usage}

    def _read(self, state: str, kind: str, text: str, options: Sequence[str]) -> tuple[list[float], float] | None:
        """None where the question is refused."""
        if self._refused is not None and self._refused in text:
            return None
        match _KINDS.get(kind, kind):
            case "choice":
                return shares(self._model, question(f"{text}\n\n{state}", options), [[one] for one in options])
            case "score":
                digits = [str(i) for i in range(len(options))]
                levels = "\n".join(f"{digit}: {one}" for digit, one in zip(digits, options, strict=True))
                return shares(
                    self._model, question(f"{text}\n\n{state}\n\n{levels}", digits), [[one] for one in digits]
                )
            case _:
                ways = [[one, one.capitalize()] for one in options]
                return shares(self._model, question(f"{text}\n\n{state}", options), ways)


def _keyed(kind: str, options: Sequence[str], found: tuple[list[float], float] | None) -> dict[str, Any]:
    if found is None:
        return {"type": "refusal"}
    probs, mass = found
    most = max(probs)
    head = {"type": kind, "confidence": most * mass}
    match kind:
        case "noul":
            return {**head, "noul": probs[0], "probabilities": dict(zip(options, probs, strict=True))}
        case "choice":
            return {
                **head,
                "choice": options[probs.index(most)],
                "probabilities": dict(zip(options, probs, strict=True)),
            }
        case _:
            places = [str(i) for i in range(len(options))]
            return {
                **head,
                "score": math.fsum(i * p for i, p in enumerate(probs)),
                "legend": dict(zip(places, options, strict=True)),
                "probabilities": dict(zip(places, probs, strict=True)),
            }


def _listed(kind: str, options: Sequence[str], found: tuple[list[float], float] | None) -> dict[str, Any]:
    if found is None:
        return {"type": "refusal"}
    probs, mass = found
    most = max(probs)
    each = list(zip(options, probs, strict=True))
    head = {"type": kind, "confidence": most * mass}
    match kind:
        case "predicate":
            return {"type": kind, "probability": probs[0]}
        case "choice":
            listed = [{"value": name, "probability": p} for name, p in each]
            return {**head, "choice": options[probs.index(most)], "probabilities": listed}
        case _:
            levels = [{"label": name, "probability": p, "value": i} for i, (name, p) in enumerate(each)]
            return {**head, "score": math.fsum(i * p for i, p in enumerate(probs)), "probabilities": levels}

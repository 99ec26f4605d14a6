"""Replies to be mutated: those of the asked forms, with the items that they hold, and some of a real model."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from vsgen.sampling.settings import Method, Sampling, Settings

TEXTS = (
    "Monday",
    "The lid fell off after a week.",
    "It's fine, I say; it's fine",
    'She said "no", and left.',
    "a line\nand another",
    "Preis: 5 €, naïve 😀",
    "use {name} or [1, 2]",
    "C:\\temp\\new",
    "print('hi')  # twice",
    "see http://example.org/a?b=c",
    "50% of them, 0.3 at most",
    "No",
)
REAL = Path(__file__).with_name("real_replies.jsonl")
_NUMBERS = (0.31, 0.22, 0.12, 0.08, 0.05)


@dataclass(frozen=True, slots=True)
class Seed:
    """What a model replies, and what it means by that."""

    settings: Settings
    replies: tuple[str, ...]
    """One for each call of the draw."""
    items: tuple[Mapping[str, object], ...]
    """The answers in it, in their order; none where that is not known."""
    form: str
    stopped: bool = True


def seeds(rng: Random) -> list[Seed]:
    """All seeds, with texts drawn at random."""
    return [*_lists(rng), *(one for fields in (("text",), ("name", "job")) for one in _single(rng, fields)), *_real()]


def _settings(method: Method, fields: Sequence[str], k: int, form: Literal["json", "lines"] = "json") -> Settings:
    return Settings(Sampling(method=method, k=k, format=form), fields=tuple(fields))


def _items(rng: Random, fields: Sequence[str], k: int) -> list[dict[str, object]]:
    texts = rng.sample(TEXTS, k * len(fields)) if k * len(fields) <= len(TEXTS) else rng.choices(TEXTS, k=k * 2)
    return [dict(zip(fields, texts[i :: len(texts) // len(fields)], strict=False)) for i in range(k)]


def _stated(items: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{**item, "probability": p} for item, p in zip(items, _NUMBERS, strict=False)]


def _lists(rng: Random) -> list[Seed]:
    found = []
    for fields in (("text",), ("name", "job")):
        items = _items(rng, fields, 4)
        for method in ("sequence", "vs", "vs-cot", "vs-multi"):
            settings = _settings(method, fields, 4)
            held: Sequence[dict[str, object]] = items if method == "sequence" else _stated(items)
            for form, replies in _written(method, held, fields):
                found.append(Seed(settings, replies, tuple(items), form))
    items = [{"text": text} for text in rng.sample([one for one in TEXTS if "\n" not in one and "%" not in one], 4)]
    return [*found, *_plain([(str(one["text"]), p) for one, p in zip(items, _NUMBERS, strict=False)])]


def _plain(stated: Sequence[tuple[str, float]]) -> list[Seed]:
    """Replies without JSON."""
    tags = [f"<text>{html.escape(text, quote=False)}</text><probability>{p}</probability>" for text, p in stated]
    forms = {
        "lines": "\n".join(f"{i}. {text} ({p})" for i, (text, p) in enumerate(stated, 1)),
        "tags": "\n".join(f"<response>{one}</response>" for one in tags),
        "labels": "\n\n".join(f"Text: {text}\nProbability: {p}" for text, p in stated),
    }
    items = tuple({"text": text} for text, _ in stated)
    settings = {form: _settings("vs", ["text"], 4, "lines" if form == "lines" else "json") for form in forms}
    return [Seed(settings[form], (reply,), items, form) for form, reply in forms.items()]


def _written(
    method: str, held: Sequence[dict[str, object]], fields: Sequence[str]
) -> list[tuple[str, tuple[str, ...]]]:
    if method == "vs-multi":
        return [("turns", tuple(json.dumps({"responses": part}) for part in (held[:2], held[2:])))]
    whole: dict[str, Any] = {"responses": held}
    if method == "vs-cot":
        whole = {"reasoning": 'Days, as "Monday"; and {more}', **whole}
    plain = json.dumps(whole, ensure_ascii=False)
    forms = {
        "json": plain,
        "indented": json.dumps(whole, indent=2),
        "list": json.dumps(held),
        "repr": repr(whole),
        "fence": f"Here you are:\n```json\n{plain}\n```\nI hope this helps!",
        "thinking": f"<think>so [1, or {{2</think>\n{plain}",
    }
    if method == "sequence" and len(fields) == 1:
        forms["strings"] = json.dumps([one[fields[0]] for one in held])
    return [(name, (text,)) for name, text in forms.items()]


def _single(rng: Random, fields: Sequence[str]) -> list[Seed]:
    """Methods whose replies hold one answer each."""
    found = []
    for method in ("cot", "direct", "multi-turn"):
        items = _items(rng, fields, 3)
        if method == "cot":
            replies = [json.dumps({"reasoning": "so", **item}, ensure_ascii=False) for item in items]
        else:
            replies = [str(one["text"]) if len(fields) == 1 else json.dumps(one) for one in items]
        found.append(Seed(_settings(method, fields, 3), tuple(replies), tuple(items), "object"))
    return found


def _real() -> list[Seed]:
    """Replies of SmolLM2-135M-Instruct at temperature 0.7, with and without constrained decoding."""
    lines = [json.loads(line) for line in REAL.read_text().splitlines()]
    return [
        Seed(_settings(one["method"], one["fields"], 1), (one["text"],), (), "real", one["stopped"]) for one in lines
    ]

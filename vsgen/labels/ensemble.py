"""Several models make one label: the mean of their distributions, and how far the models are apart.

Every model counts the same, however many replies it gave. Mutual information splits exactly (the chain rule of entropy;
Depeweg et al., arXiv 1710.07283): what the voices of all models disagree by is what the models disagree by, plus the
mean of what each model's own voices disagree by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vsgen.labels.mean import detailed, spread_of
from vsgen.labels.soft import kind_of, label_of
from vsgen.values import SoftLabel, Unlabelled

_SHARED = ("method", "kind", "mean", "sd")
"""Details that the label of the ensemble has itself."""


def ensemble(answers: Mapping[str, SoftLabel | Unlabelled]) -> SoftLabel | Unlabelled:
    """The mean of the labels of several models; no label where one of them has none, since it is a mean over fewer.

    Args:
        answers: By the model's name, each a label over the same classes.
    """
    if lost := [f"model {name}: {one.problem}" for name, one in answers.items() if isinstance(one, Unlabelled)]:
        return Unlabelled("; ".join(lost))
    found = {name: one for name, one in answers.items() if isinstance(one, SoftLabel)}
    each = list(found.values())
    first = each[0]
    masses = [one.label_mass for one in each if one.label_mass is not None]
    made = label_of(kind_of(first), _mean([one.probs for one in each]), min(masses, default=None))
    between = max(0.0, made.entropy - math.fsum(one.entropy for one in each) / len(each))
    inner = [one.disagreement for one in each if one.disagreement is not None]
    within = math.fsum(inner) / len(each)
    details: dict[str, object] = {"method": first.details["method"]} if "method" in first.details else {}
    details["models"] = {name: _own(one) for name, one in found.items()}
    details["spread"] = spread_of(made.probs, [list(one.probs.values()) for one in each])
    details["between_models"] = between
    details |= {"within_models": within} if inner else {}
    details |= _raw(each) | _bounds(each)
    return replace(detailed(made, details), disagreement=between + within)


def _mean(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: math.fsum(one[name] for one in each) / len(each) for name in each[0]}


def _own(one: SoftLabel) -> dict[str, object]:
    """What the label of one model says by itself."""
    known = {"label_mass": one.label_mass, "disagreement": one.disagreement}
    more = {key: value for key, value in one.details.items() if key not in _SHARED}
    return {"probs": one.probs, **{key: value for key, value in known.items() if value is not None}, **more}


def _raw(each: Sequence[SoftLabel]) -> dict[str, object]:
    """The mean before a prior was divided out, where one was."""
    raw = [one.details["raw"] for one in each if isinstance(one.details.get("raw"), Mapping)]
    known = [{str(name): float(p) for name, p in one.items()} for one in raw if isinstance(one, Mapping)]
    return {"raw": _mean(known)} if len(known) == len(each) else {}


def _bounds(each: Sequence[SoftLabel]) -> dict[str, object]:
    """What the mean says about models whose servers list only the most probable tokens; see `vsgen.labels.bounds`."""
    rough = [one for one in each if one.details.get("truncated")]
    if not rough:
        return {}
    if any("bounds" not in one.details for one in rough):
        return {"truncated": True}
    least, most = (_mean([{name: _ends(one, name)[side] for name in one.probs} for one in each]) for side in (0, 1))
    return {"truncated": True, "bounds": {name: [least[name], most[name]] for name in least}}


def _ends(one: SoftLabel, name: str) -> tuple[float, float]:
    """The least and the most of a class's share."""
    bounds = one.details.get("bounds")
    if not isinstance(bounds, Mapping):
        return one.probs[name], one.probs[name]
    least, most = bounds[name]
    return least, most

"""The thirty families of distributions of arXiv 2605.11845, as scipy knows them.

Most families have a trap: scipy's exponential and gamma take scales, its log-normal takes exp(mu), its inverse Gaussian
takes mu / lambda, its triangular takes the mode as a share of the width, its truncated normal takes standardised
bounds, and its geometric starts at 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

from vsgen.errors import OptionError

Params: TypeAlias = Mapping[str, float]
Args: TypeAlias = dict[str, float]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of distributions over numbers."""

    name: str
    title: str
    """As the prompt says it."""
    scipy: str
    """The name of scipy.stats' distribution."""
    args: Callable[[Params], Args]
    """From the parameters, as the prompt says them, to scipy's keyword arguments."""
    whole: bool = False
    """Over whole numbers."""
    params: Callable[[Params], Args] = dict
    """From the axes of the family's grid to the parameters."""

    def prompt(self, params: Params) -> str:
        """The paper's words."""
        listed = ", ".join(f"{name}={value}" for name, value in params.items())
        return (
            f"Generate exactly ONE random number from a {self.title} distribution with parameters {listed}. "
            "Output ONLY the number."
        )


def _renamed(**names: str) -> Callable[[Params], Args]:
    """Scipy's arguments are the parameters under other names."""
    return lambda params: {theirs: params[ours] for theirs, ours in names.items()}


def _triangular(axes: Params) -> Args:
    low, width = axes["a"], axes["width"]
    return {"a": low, "c": low + width * axes["mode_fraction"], "b": low + width}


def _hypergeometric(axes: Params) -> Args:
    return {"M": axes["M"], "K": float(round(axes["M"] * axes["success_fraction"])), "N": axes["N"]}


FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family
    for family in (
        Family(
            "uniform",
            "Uniform",
            "uniform",
            lambda p: {"loc": p["a"], "scale": p["b"] - p["a"]},
            params=lambda axes: {"a": axes["a"], "b": axes["a"] + axes["width"]},
        ),
        Family("gaussian", "Gaussian", "norm", _renamed(loc="mu", scale="sigma")),
        Family("beta", "Beta", "beta", _renamed(a="alpha", b="beta")),
        Family("binomial", "Binomial", "binom", _renamed(n="n", p="p"), whole=True),
        Family("exponential", "Exponential", "expon", lambda p: {"scale": 1.0 / p["lambda"]}),
        Family("geometric", "Geometric", "geom", _renamed(p="p"), whole=True),
        Family("negative_binomial", "Negative Binomial", "nbinom", _renamed(n="r", p="p"), whole=True),
        Family("lognormal", "LogNormal", "lognorm", lambda p: {"s": p["sigma"], "scale": math.exp(p["mu"])}),
        Family(
            "triangular",
            "Triangular",
            "triang",
            lambda p: {"c": (p["c"] - p["a"]) / (p["b"] - p["a"]), "loc": p["a"], "scale": p["b"] - p["a"]},
            params=_triangular,
        ),
        Family("rayleigh", "Rayleigh", "rayleigh", _renamed(scale="sigma")),
        Family("cauchy", "Cauchy", "cauchy", _renamed(loc="x0", scale="gamma")),
        Family("student_t", "Student's t", "t", _renamed(df="nu")),
        Family("chi_square", "Chi-Square", "chi2", _renamed(df="nu")),
        Family("f_distribution", "F-Distribution", "f", _renamed(dfn="d1", dfd="d2")),
        Family("gamma", "Gamma", "gamma", _renamed(a="alpha", scale="beta")),
        Family("laplace", "Laplace", "laplace", _renamed(loc="mu", scale="b")),
        Family("logistic", "Logistic", "logistic", _renamed(loc="mu", scale="s")),
        Family("pareto", "Pareto", "pareto", _renamed(b="alpha", scale="xm")),
        Family(
            "hypergeometric",
            "Hypergeometric",
            "hypergeom",
            _renamed(M="M", n="K", N="N"),
            whole=True,
            params=_hypergeometric,
        ),
        Family("gumbel", "Gumbel", "gumbel_r", _renamed(loc="mu", scale="beta")),
        Family("skellam", "Skellam", "skellam", _renamed(mu1="mu1", mu2="mu2"), whole=True),
        Family("beta_binomial", "Beta-Binomial", "betabinom", _renamed(n="n", a="alpha", b="beta"), whole=True),
        Family("lomax", "Lomax", "lomax", _renamed(c="alpha", scale="lambda")),
        Family(
            "inverse_gaussian",
            "Inverse Gaussian",
            "invgauss",
            lambda p: {"mu": p["mu"] / p["lambda"], "scale": p["lambda"]},
        ),
        Family("bernoulli", "Bernoulli", "bernoulli", _renamed(p="p"), whole=True),
        Family("poisson", "Poisson", "poisson", _renamed(mu="lambda"), whole=True),
        Family("weibull", "Weibull", "weibull_min", _renamed(c="k", scale="lambda")),
        Family("maxwell", "Maxwell", "maxwell", _renamed(scale="scale")),
        Family("chi", "Chi", "chi", _renamed(df="df")),
        Family(
            "truncnorm",
            "TruncNorm",
            "truncnorm",
            lambda p: {
                "a": (p["lower"] - p["mu"]) / p["sigma"],
                "b": (p["upper"] - p["mu"]) / p["sigma"],
                "loc": p["mu"],
                "scale": p["sigma"],
            },
        ),
    )
}
"""By name; the first 24 are trained on, the last six are held out."""


def pick_families(names: Sequence[str]) -> tuple[Family, ...]:
    """The named families in the paper's order; all of them without names.

    Raises:
        OptionError: A name is not known; says the one most like it.
    """
    for name in names:
        if name not in FAMILIES:
            near = get_close_matches(name, FAMILIES, 1, 0.5)
            guess = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FAMILIES)}"
            raise OptionError(f"--family: no family named {name!r}; {guess}")
    return tuple(family for name, family in FAMILIES.items() if not names or name in names)

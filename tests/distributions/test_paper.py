"""The paper's prompts: how many, in which words, with which numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb, exp, factorial, pi, sqrt

import pytest
from scipy import stats

from vsgen.distributions.discretise import Grid
from vsgen.distributions.families import FAMILIES, pick_families
from vsgen.distributions.grids import GRIDS, settings
from vsgen.distributions.names import SPLITS, Split
from vsgen.distributions.paper import paper_targets
from vsgen.distributions.target import Target
from vsgen.errors import OptionError

COARSE = Grid(decimals=2, max_bins=8)


def targets(*families: str, splits: Sequence[Split] = SPLITS, selected: bool = False) -> list[Target]:
    return list(paper_targets(pick_families(families), splits, COARSE, selected=selected))


@pytest.fixture(scope="module")
def every() -> list[Target]:
    return targets()


def test_there_are_as_many_prompts_as_in_the_paper(every: list[Target]) -> None:
    assert Counter(target.split for target in every) == {"train": 1988, "unseen": 591, "heldout": 92}
    assert len(FAMILIES) == len(GRIDS) == 30
    assert len({target.family for target in every if target.split == "train"}) == 24
    chosen = targets(selected=True)
    assert Counter(target.split for target in chosen) == {"unseen": 24, "heldout": 18}


def test_no_prompt_and_no_id_comes_twice(every: list[Target]) -> None:
    assert len({target.prompt for target in every}) == len({target.id for target in every}) == len(every)


def test_no_held_out_family_is_trained_on_and_no_unseen_parameters_are(every: list[Target]) -> None:
    families = {split: {one.family for one in every if one.split == split} for split in SPLITS}
    assert families["unseen"] == families["train"] and not families["heldout"] & families["train"]
    trained = {(one.family, *one.params.values()) for one in every if one.split == "train"}
    assert not any((one.family, *one.params.values()) in trained for one in every if one.split != "train")


@pytest.mark.parametrize(
    ("family", "number", "listed"),
    [
        ("uniform", 0, "a Uniform distribution with parameters a=-5.0, b=-4.0"),
        ("gaussian", 1, "a Gaussian distribution with parameters mu=-2.0, sigma=0.5743491774985174"),
        ("cauchy", 33, "a Cauchy distribution with parameters x0=-0.7999999999999998, gamma=0.5"),
        ("binomial", 33, "a Binomial distribution with parameters n=20.0, p=0.2"),
        ("triangular", 0, "a Triangular distribution with parameters a=-3.0, c=-2.9, b=-2.0"),
        ("student_t", 0, "a Student's t distribution with parameters nu=2.5"),
        ("f_distribution", 0, "a F-Distribution distribution with parameters d1=3.0, d2=5.0"),
        ("hypergeometric", 1, "a Hypergeometric distribution with parameters M=30.0, K=10.0, N=5.0"),
        ("truncnorm", 0, "a TruncNorm distribution with parameters mu=0.0, sigma=1.0, lower=-2.0, upper=1.0"),
        ("poisson", 16, "a Poisson distribution with parameters lambda=12.0"),
    ],
)
def test_prompts_are_the_papers(family: str, number: int, listed: str) -> None:
    (message,) = targets(family)[number].prompt.messages
    assert message.role == "user"
    assert message.content == f"Generate exactly ONE random number from {listed}. Output ONLY the number."


@pytest.mark.parametrize(
    ("family", "params", "mean", "variance"),
    [
        ("uniform", {"a": -1.0, "b": 3.0}, 1.0, 16 / 12),
        ("gaussian", {"mu": 1.5, "sigma": 2.0}, 1.5, 4.0),
        ("beta", {"alpha": 2.0, "beta": 3.0}, 0.4, 0.04),
        ("binomial", {"n": 10.0, "p": 0.3}, 3.0, 2.1),
        ("exponential", {"lambda": 4.0}, 0.25, 1 / 16),
        ("geometric", {"p": 0.25}, 4.0, 12.0),
        ("negative_binomial", {"r": 3.0, "p": 0.4}, 4.5, 11.25),
        ("lognormal", {"mu": 0.5, "sigma": 0.5}, exp(0.625), (exp(0.25) - 1) * exp(1.25)),
        ("triangular", {"a": 0.0, "c": 1.0, "b": 5.0}, 2.0, (25 + 1 - 5) / 18),
        ("rayleigh", {"sigma": 2.0}, 2 * sqrt(pi / 2), (4 - pi) / 2 * 4),
        ("student_t", {"nu": 5.0}, 0.0, 5 / 3),
        ("chi_square", {"nu": 6.0}, 6.0, 12.0),
        ("f_distribution", {"d1": 4.0, "d2": 10.0}, 10 / 8, 2 * 100 * 12 / (4 * 64 * 6)),
        ("gamma", {"alpha": 3.0, "beta": 2.0}, 6.0, 12.0),
        ("laplace", {"mu": 1.0, "b": 2.0}, 1.0, 8.0),
        ("logistic", {"mu": 1.0, "s": 2.0}, 1.0, 4 * pi**2 / 3),
        ("pareto", {"alpha": 3.0, "xm": 2.0}, 3.0, 3.0),
        ("hypergeometric", {"M": 30.0, "K": 12.0, "N": 5.0}, 2.0, 5 * 0.4 * 0.6 * 25 / 29),
        ("gumbel", {"mu": 1.0, "beta": 2.0}, 1 + 2 * 0.5772156649015329, pi**2 / 6 * 4),
        ("skellam", {"mu1": 3.0, "mu2": 1.0}, 2.0, 4.0),
        ("beta_binomial", {"n": 10.0, "alpha": 2.0, "beta": 3.0}, 4.0, 10 * 0.24 * 15 / 6),
        ("lomax", {"alpha": 3.0, "lambda": 2.0}, 1.0, 3.0),
        ("inverse_gaussian", {"mu": 2.0, "lambda": 4.0}, 2.0, 2.0),
        ("bernoulli", {"p": 0.3}, 0.3, 0.21),
        ("poisson", {"lambda": 4.0}, 4.0, 4.0),
        ("weibull", {"k": 2.0, "lambda": 3.0}, 3 * sqrt(pi) / 2, 9 * (1 - pi / 4)),
        ("maxwell", {"scale": 2.0}, 4 * sqrt(2 / pi), 4 * (3 * pi - 8) / pi),
        ("chi", {"df": 2.0}, sqrt(pi / 2), 2 - pi / 2),
    ],
)
def test_scipy_is_given_what_the_prompt_says(
    family: str, params: dict[str, float], mean: float, variance: float
) -> None:
    one = FAMILIES[family]
    dist = getattr(stats, one.scipy)(**one.args(params))
    assert dist.mean() == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert dist.var() == pytest.approx(variance, rel=1e-9)


def test_families_without_a_variance_or_with_bounds_are_given_what_the_prompt_says() -> None:
    cauchy, cut = FAMILIES["cauchy"], FAMILIES["truncnorm"]
    assert stats.cauchy(**cauchy.args({"x0": 1.0, "gamma": 2.0})).ppf(0.75) == pytest.approx(3)
    bounds = cut.args({"mu": 1.0, "sigma": 2.0, "lower": -1.0, "upper": 4.0})
    assert stats.truncnorm(**bounds).support() == pytest.approx((-1, 4))


@pytest.mark.parametrize(
    ("family", "params", "truth"),
    [
        ("poisson", {"lambda": 2.0}, [exp(-2) * 2**k / factorial(k) for k in range(5)]),
        ("binomial", {"n": 5.0, "p": 0.25}, [comb(5, k) * 0.25**k * 0.75 ** (5 - k) for k in range(5)]),
        ("geometric", {"p": 0.5}, [0.0, 0.5, 0.25, 0.125]),
        ("bernoulli", {"p": 0.3}, [0.7, 0.3]),
    ],
)
def test_scipy_agrees_with_the_textbook(family: str, params: dict[str, float], truth: list[float]) -> None:
    one = FAMILIES[family]
    dist = getattr(stats, one.scipy)(**one.args(params))
    assert [dist.pmf(k) for k in range(len(truth))] == pytest.approx(truth, abs=1e-12)


def test_an_unknown_family_names_the_one_most_like_it() -> None:
    with pytest.raises(OptionError, match=r"no family named 'gausian'; did you mean 'gaussian'\?"):
        pick_families(["gausian"])
    with pytest.raises(OptionError, match="there are: uniform, gaussian"):
        pick_families(["zzz"])


def test_families_come_in_the_papers_order_however_they_are_named() -> None:
    assert [family.name for family in pick_families(["gamma", "beta"])] == ["beta", "gamma"]


def test_a_family_has_no_settings_in_a_split_that_is_not_its_own() -> None:
    assert not list(settings(FAMILIES["poisson"], "train"))
    assert not list(settings(FAMILIES["gaussian"], "heldout"))
    assert not list(settings(FAMILIES["gaussian"], "train", selected=True))

"""What calls cost is what their tokens cost, each reply once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vsgen.engine.replay import Tally
from vsgen.errors import TemplateError
from vsgen.files.places import Places
from vsgen.jobs.bill import Bill, Billing, Item
from vsgen.jobs.carry import Carried
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice
from vsgen.sections.prices import Prices
from vsgen.template.load import template_of
from vsgen.values import Completion, Usage

PRICES = Prices(input=1.0, output=10.0, cached=0.5)
LABEL = {"name": "mood", "classes": ["good", "bad"], "prompt": "{{ text }}", "model": "judge"}


def test_cached_tokens_have_their_own_price_and_hidden_ones_that_of_replies() -> None:
    usage = Usage(prompt=1_000_000, drawn=100_000, hidden=90_000, cached=400_000)
    assert PRICES.usd(usage) == pytest.approx(0.6 + 0.2 + 1.0)
    assert Prices(input=1.0, output=10.0).usd(usage) == pytest.approx(2.0)


def billed(paid: Tally, recalled: Tally, prices: Mapping[str, Prices]) -> Bill | None:
    billing = Billing(paid, recalled)
    billing.prices = prices
    return billing.bill()


def tallied(**usages: Usage) -> Tally:
    tally = Tally()
    for name, usage in usages.items():
        tally.take(name, Completion("x", usage=usage))
    return tally


def test_each_model_has_its_own_prices_and_what_the_journal_knew_is_told_apart() -> None:
    paid, recalled = tallied(own=Usage(1000, 100), judge=Usage(500, 1)), tallied(own=Usage(2000, 200))
    bill = billed(paid, recalled, {"own": PRICES, "judge": Prices(input=2.0, output=0.0)})
    assert bill is not None
    assert bill.now.usd == pytest.approx((1000 + 1000 + 1000) / 1e6)
    assert bill.earlier.usd == pytest.approx(4000 / 1e6)
    assert bill.cost == pytest.approx(7000 / 1e6)
    assert bill.usage == Usage(3500, 301)


def test_without_the_price_of_a_served_model_the_cost_is_not_known() -> None:
    bill = billed(tallied(own=Usage(1000, 100), judge=Usage(1, 1)), Tally(), {"own": PRICES})
    assert bill is not None and bill.usd is None and bill.usage.total == 1102


def test_models_in_this_process_are_free_unless_they_have_a_price() -> None:
    tally = Tally()
    tally.take("own", Completion("x", (1, 2, 3), prompt_tokens=10))
    assert billed(tally, Tally(), {}) is None
    assert billed(tally, Tally(), {"own": PRICES}) == Bill(Item(Usage(10, 3), PRICES.usd(Usage(10, 3))))


def template(**label: Any) -> Any:
    return template_of({"version": 1, "name": "t", "prompt": "-", "labels": [{**LABEL, **label}]}, "t", [])


def test_prices_have_no_effect_on_what_is_made() -> None:
    assert template().digest == template(prices={"input": 1, "output": 2}).digest


def test_prices_of_a_label_are_those_of_its_own_model() -> None:
    with pytest.raises(TemplateError, match=r"labels\.0\.prices: the model that writes makes this label"):
        template(model=None, prices={"input": 1, "output": 2})
    two = [{**LABEL, "name": name, "prices": {"input": usd, "output": 2}} for name, usd in (("a", 1), ("b", 2))]
    with pytest.raises(TemplateError, match="another label has other prices for the model 'judge'"):
        template_of({"version": 1, "name": "t", "prompt": "-", "labels": two}, "t", [])


@pytest.mark.slow
def test_a_run_and_its_resumption_have_one_bill(tmp_path: Path) -> None:
    def bill(num: int) -> Bill:
        places = Places(tmp_path / "out.jsonl", overwrite=True)
        prices = ("prices.input=1", "prices.output=2")
        asked = GenerateOptions("support-tickets", prices, num=num, model=ModelChoice("tiny"), places=places)
        carried = Carried(Generation(asked), warn=lambda _: None)
        for _ in carried:
            pass
        assert carried.counts.bill is not None
        assert carried.summary["cost"] == carried.counts.bill.cost
        return carried.counts.bill

    first = bill(5)
    assert first.now.usage.drawn > 0 and first.earlier == Item()
    again = bill(10)
    assert again.earlier.usage.total > 0 and again.now.usage.total > 0
    assert again.usd is not None and first.usd is not None and again.usd > first.usd
    whole = bill(10)
    assert whole.now.usage == Usage() and whole.usage.total <= again.usage.total

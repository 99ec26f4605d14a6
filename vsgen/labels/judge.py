"""A model that makes a label: how a template names it, and by which name a run asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple, TypeAlias

from annotated_types import MinLen
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from vsgen.sections.misfit import Misfit
from vsgen.sections.prices import Prices
from vsgen.sections.section import Section
from vsgen.sections.validators import as_list

RUN: Final = "run"
"""Names the run's own model in a label's list of models, and its server as a label's endpoint."""


class Judge(Section):
    """One of several models that make a label."""

    model: str = Field(min_length=1)
    """The model's name: `tiny`, a Hugging Face id, a folder or a GGUF file; run is the run's own model."""
    endpoint: str | None = Field(default=None, min_length=1, exclude_if=lambda value: value is None)
    """The URL of the server that it is on; by default the `endpoint` of the label."""
    prices: Prices | None = Field(default=None, exclude=True)
    """What its tokens cost, USD per million; by default the `prices` of the label."""

    @model_validator(mode="after")
    def _prices_of_another(self) -> Judge:
        if self.prices is not None and self.name is None:
            raise Misfit((("prices",), "the model that writes has the template's own 'prices'; leave it out"))
        return self

    @property
    def name(self) -> str | None:
        """Names it among the models of a run; None for the run's own."""
        if self.endpoint is not None:
            return f"{self.model}@{self.endpoint}"
        return None if self.model == RUN else self.model


class Written(NamedTuple):
    """A judge, and the keys of the label where it is written."""

    judge: Judge
    model: tuple[str | int, ...]
    endpoint: tuple[str | int, ...]


def shape_of_models(value: object) -> str:
    """Tells one model's name from a list."""
    return "<models>" if isinstance(value, list | tuple) else "<one>"


def shape_of_model(value: object) -> str:
    """Tells a model's name from one with an endpoint or prices of its own."""
    return "<model>" if isinstance(value, dict | Judge) else "<name>"


_Name = Annotated[str, MinLen(1)]
_Entry = Annotated[Annotated[_Name, Tag("<name>")] | Annotated[Judge, Tag("<model>")], Discriminator(shape_of_model)]
Models: TypeAlias = Annotated[
    Annotated[_Name, Tag("<one>")]
    | Annotated[tuple[_Entry, ...], MinLen(1), BeforeValidator(as_list), Tag("<models>")],
    Discriminator(shape_of_models),
]
"""What a label's key ``model`` may be: one name, or several models."""


def written(model: str | Sequence[str | Judge] | None, endpoint: str | None, prices: Prices | None) -> list[Written]:
    """The judges that a label's keys name; an entry of a list has the label's endpoint and prices if it has no own."""
    match model:
        case None:
            return []
        case str():
            own = endpoint is None and model == RUN
            judge = Judge(model=model) if own else Judge(model=model, endpoint=endpoint, prices=prices)
            return [Written(judge, ("model",), ("endpoint",))]
        case _:
            return [_entry(i, one, endpoint, prices) for i, one in enumerate(model)]


def _entry(i: int, one: str | Judge, endpoint: str | None, prices: Prices | None) -> Written:
    given = Judge(model=one) if isinstance(one, str) else one
    name = ("model", i) if isinstance(one, str) else ("model", i, "model")
    place = ("model", i, "endpoint") if given.endpoint else ("endpoint",)
    if given.name is None:
        return Written(given, name, place)
    shared = {"endpoint": given.endpoint or endpoint, "prices": given.prices or prices}
    return Written(given.model_copy(update=shared), name, place)

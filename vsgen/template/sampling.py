"""What a task template may say about how candidates are drawn."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator, model_validator

from vsgen.sections.misfit import Misfit
from vsgen.sections.section import Section, Strings

Method: TypeAlias = Literal["direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power"]
Engine: TypeAlias = Literal["auto", "smc", "mh", "is", "low-temperature", "best-of-n"]

VERBALIZING: Final = frozenset({"vs", "vs-cot", "vs-multi"})
"""Methods whose replies state a probability for each candidate."""
LISTING: Final = frozenset({"sequence", "vs", "vs-multi"})
"""Methods whose replies may be numbered lines."""


def _check_demonstrate(value: object) -> int | Literal["auto"]:
    """How many worked exchanges; YAML reads ``off`` as false."""
    if value == "auto":
        return "auto"
    if value is False or value == "off":
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"must be a whole number, auto or off, got {str(value)[:100]!r}")
    return value


class Power(Section):
    """How method power draws whole replies from p^alpha."""

    engine: Engine = "auto"
    """smc (sequential Monte Carlo), mh (Metropolis-Hastings), is (importance weights), auto (is where that is good
    enough, else smc); the baselines low-temperature and best-of-n."""
    alpha: float = Field(default=2.0, gt=0, le=1000)
    """The exponent: above 1 sharpens, below 1 flattens, 1 is plain sampling. Tokens come at temperature 1/alpha."""
    particles: int = Field(default=16, ge=2, le=4096)
    """Particles of each sweep of smc; draws from which best-of-n takes one."""
    check_every: int = Field(default=16, ge=1)
    """Tokens of smc from one look at the weights to the next."""
    ramp: float = Field(default=0.5, ge=0, le=1)
    """Share of a typical reply over which smc's exponent rises from 1 to alpha; 0 is alpha from the first token."""
    ess: float = Field(default=0.5, gt=0, le=1)
    """Effective sample size, as a share, below which smc resamples and auto turns from is to smc."""
    resampling: Literal["systematic", "chopthin"] = "systematic"
    """How smc resamples; chopthin keeps more different particles."""
    blocks: int = Field(default=4, ge=1)
    """Blocks in which a chain of mh grows to max_tokens."""
    steps: int = Field(default=10, ge=1)
    """Moves of mh after each block."""


class Sampling(Section):
    """How candidates are drawn."""

    method: Method = "vs"
    """How the model is asked: vs* ask for k answers with their probabilities, the others for answers alone."""
    k: int = Field(default=5, ge=1, le=100)
    """Answers per draw."""
    per_turn: int = Field(default=2, ge=1, le=100)
    """Answers per turn of vs-multi."""
    temperature: float = Field(default=1.0, ge=0)
    """Softmax temperature; 0 is greedy."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Keep the most probable tokens up to this much probability."""
    top_k: int = Field(default=0, ge=0)
    """Keep this many tokens; 0 keeps all."""
    min_p: float = Field(default=0.0, ge=0, lt=1)
    """Keep tokens at least this probable relative to the most probable one."""
    p_max: float | None = Field(default=None, gt=0, le=1)
    """Asked of the model: each answer's probability must be below this. Draws from the tails."""
    p_min: float = Field(default=0.0, ge=0, lt=1)
    """Filter afterwards: answers whose stated probability is below this are refused."""
    max_tokens: int = Field(default=1024, ge=1)
    """Longest reply, in tokens."""
    stop: Strings = ()
    """A reply ends before the first of these texts."""
    constrain: bool = True
    """Let a schema constrain decoding where the backend can."""
    format: Literal["json", "lines"] = "json"
    """How the model writes a list of answers: as a JSON object, or as numbered lines, one answer each."""
    demonstrate: Annotated[
        int | Literal["auto"],
        PlainValidator(_check_demonstrate),
        WithJsonSchema({"anyOf": [{"enum": ["auto", "off", False]}, {"type": "integer", "minimum": 0}]}),
    ] = "auto"
    """Worked exchanges before the task: how many, off, or auto. Those of the template's `examples`, else of our own.
    auto shows examples if there are any, and our own to small models in this process and to models without a chat
    template: they answer far better then. Larger ones need none, and examples narrow what is drawn."""
    power: Power | None = None
    """How method power draws; other methods do not heed it."""

    @model_validator(mode="after")
    def _power_alone(self) -> Sampling:
        if self.method != "power":
            if self.power is not None and "method" not in self.model_fields_set:
                raise Misfit((("power",), f"needs 'method: power'; without it the method is {self.method}"))
            return self
        neutral = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}
        if changed := [name for name, value in neutral.items() if getattr(self, name) != value]:
            remedy = "leave it out; power.alpha sharpens, and tokens are drawn at temperature 1/alpha"
            raise Misfit(*(((name,), f"does not go together with method power: {remedy}") for name in changed))
        return self

    @field_validator("format")
    @classmethod
    def _listing(cls, form: str, info: ValidationInfo) -> str:
        method = info.data.get("method", "vs")
        if form == "lines" and method not in LISTING:
            raise ValueError(f"lines are for {', '.join(sorted(LISTING))}, not {method}")
        return form

    @field_validator("p_max", "p_min")
    @classmethod
    def _stated(cls, bound: float | None, info: ValidationInfo) -> float | None:
        method = info.data.get("method", "vs")
        if bound and method not in VERBALIZING:
            raise ValueError(
                f"needs a method that states probabilities ({', '.join(sorted(VERBALIZING))}), not {method}"
            )
        return bound

    @field_validator("p_min")
    @classmethod
    def _below_p_max(cls, p_min: float, info: ValidationInfo) -> float:
        p_max = info.data.get("p_max")
        if p_max is not None and p_min >= p_max:
            raise ValueError(f"must be below p_max, which is {p_max:g}, got {p_min:g}: no answer could be kept")
        return p_min

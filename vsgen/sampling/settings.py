"""How candidates are drawn: section `sampling` of a template, and what follows for a sampler from all the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator, model_validator

from vsgen.probability import new_seed
from vsgen.sampling.names import Method as Method
from vsgen.sampling.potentials import Potentials
from vsgen.sampling.power.factors import NONE
from vsgen.sampling.power.factors import Potentials as Factors
from vsgen.sampling.power.lengths import doublings
from vsgen.sampling.prompts import Format
from vsgen.sections.misfit import Misfit
from vsgen.sections.section import Section, Strings
from vsgen.values import Generate, Prompt

Engine: TypeAlias = Literal["auto", "smc", "mh", "is", "low-temperature", "best-of-n"]

BASELINES: Final = frozenset({"low-temperature", "best-of-n"})
"""Engines of method power that sample no target."""
LISTS: Final = frozenset({"sequence", "vs", "vs-cot", "vs-multi"})
"""Methods whose replies are lists of answers."""
VERBALIZING: Final = frozenset({"vs", "vs-cot", "vs-multi"})
"""Methods whose replies state a probability for each candidate."""
CONTINUING: Final = ("direct", "power")
"""Methods that can ask a model to continue a plain text."""
_LINES: Final = LISTS - {"vs-cot"}
"""Methods whose replies may be numbered lines."""
_PILOT: Final = 8
"""Replies from which `auto` judges its importance weights, and mh how long replies are."""


def _check_demonstrate(value: object) -> int | Literal["auto"]:
    """How many worked exchanges; YAML reads ``off`` as false."""
    if value == "auto":
        return "auto"
    if value is False or value == "off":
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"must be an integer, auto or off, got {str(value)[:100]!r}")
    return value


class Power(Section):
    """How method power draws whole replies from p^alpha."""

    engine: Engine = "auto"
    """smc (sequential Monte Carlo), mh (Metropolis-Hastings), is (importance weights), auto (is where that is good
    enough, else smc; meta.engine says which, meta.chosen why); the baselines low-temperature and best-of-n."""
    alpha: float = Field(default=2.0, gt=0, le=1000)
    """The exponent: above 1 sharpens, below 1 flattens, 1 is plain sampling. Tokens come at temperature 1/alpha."""
    particles: int = Field(default=16, ge=2, le=4096)
    """Particles of each sweep of smc; draws from which best-of-n takes one."""
    check_every: int = Field(default=8, ge=1)
    """Tokens of smc between two checks of the weights."""
    ess: float = Field(default=0.5, gt=0, le=1)
    """Effective sample size, as a share, below which auto takes smc, and smc resamples: by weights tempered to it."""
    moves: int = Field(default=0, ge=0, exclude_if=lambda value: value == 0)
    """Metropolis-Hastings moves of each particle of smc at each rejuvenation: after 1, 2, 4, 8, ... checks."""
    blocks: int = Field(default=4, ge=1)
    """Blocks in which a chain of mh grows to max_tokens."""
    steps: int = Field(default=10, ge=1)
    """Moves of mh after each block."""
    potentials: Potentials | None = Field(default=None, exclude_if=lambda value: value is None)
    """Factors of the target besides p^alpha, for engines auto, smc, mh and is."""

    @model_validator(mode="after")
    def _targeted(self) -> Power:
        if self.potentials is not None and self.engine in BASELINES:
            remedy = "use auto, smc, mh or is"
            raise Misfit((("potentials",), f"engine {self.engine} samples no target with factors; {remedy}"))
        return self

    def pilot(self, k: int) -> int:
        """Replies drawn before the engine proper starts."""
        match self.engine:
            case "auto":
                return max(k, _PILOT)
            case "mh":
                return min(k, _PILOT)
            case _:
                return 0

    def replies(self, k: int) -> int:
        """The most replies that k candidates take; a sweep or a chain makes one, however many calls it takes."""
        return self.pilot(k) + k * (self.particles if self.engine == "best-of-n" else 1)

    def judged(self, k: int, max_tokens: int, *, looks: bool) -> tuple[int, int]:
        """How many replies a potential is usually asked about, and the most; with `looks` also while they still go on.

        The most is one per call, since a particle that has ended may give way to one that ends later, and one for each
        candidate, of which it is asked once more why it is impossible.
        """
        calls, _ = self.most(k, max_tokens)
        once = self.engine in ("auto", "smc") and not looks and not self.moves
        return self.pilot(k) + k * self.particles if once else calls, calls + k

    def most(self, k: int, max_tokens: int) -> tuple[int, int]:
        """The most calls that k candidates take, and the most tokens that are drawn in them."""
        pilot = self.pilot(k)
        match self.engine:
            case "auto" | "smc":
                every, ends = k * self.particles, doublings(self.check_every, max_tokens)
                stretches = -(-max_tokens // self.check_every)
                calls = pilot + every * (stretches + self.moves * len(ends))
                return calls, pilot * max_tokens + every * (max_tokens + self.moves * sum(ends))
            case "mh":
                moves = self.blocks * self.steps
                return pilot + k * (self.blocks + moves), (pilot + k * (1 + moves)) * max_tokens
            case "best-of-n":
                return k * self.particles, k * self.particles * max_tokens
            case _:
                return k, k * max_tokens


class Sampling(Section):
    """How candidates are drawn."""

    method: Method = "vs"
    """How the model is asked: vs, vs-cot and vs-multi ask for k answers with their probabilities, the others for
    answers alone."""
    k: int = Field(default=5, ge=1, le=100)
    """Answers per draw."""
    per_turn: int = Field(default=2, ge=1, le=100)
    """Answers per turn of vs-multi."""
    temperature: float = Field(default=1.0, ge=0, le=5)
    """Softmax temperature; 0 is greedy."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Keep the most probable tokens up to this much probability."""
    top_k: int = Field(default=0, ge=0)
    """Keep this many tokens; 0 keeps all."""
    min_p: float = Field(default=0.0, ge=0, lt=1)
    """Keep tokens at least this probable relative to the most probable one."""
    p_max: float | None = Field(default=None, gt=0, le=1)
    """The model is asked for answers whose probability is below this: rare ones."""
    p_min: float = Field(default=0.0, ge=0, lt=1)
    """Filter after the reply: answers whose stated probability is below this are rejected."""
    max_tokens: int = Field(default=1024, ge=1)
    """Longest reply, in tokens."""
    stop: Strings = ()
    """A reply ends before the first of these texts."""
    constrain: bool = True
    """Constrain decoding to the form of the answer, if the backend can."""
    format: Format = "json"
    """How the model writes a list of answers: as a JSON object, or as numbered lines, one answer each."""
    demonstrate: Annotated[
        int | Literal["auto"],
        PlainValidator(_check_demonstrate),
        WithJsonSchema({"anyOf": [{"enum": ["auto", "off", False]}, {"type": "integer", "minimum": 0}]}),
    ] = "auto"
    """Worked exchanges before the task: how many, off, or auto. They come from the template's `examples`, else they
    are built-in. auto shows examples if there are any, and built-in exchanges to small models and to
    models without a chat template, which answer far better with them. Larger models need none, and exchanges narrow
    what is drawn."""
    power: Power | None = None
    """How method power draws; other methods ignore it."""

    @property
    def powered(self) -> Power:
        """Section `power`, or its defaults."""
        return self.power or Power()

    @property
    def most(self) -> tuple[int, int]:
        """The most calls that one draw makes, and the most tokens that are drawn in them."""
        match self.method:
            case "power":
                return self.powered.most(self.k, self.max_tokens)
            case "direct" | "cot" | "multi-turn":
                calls = self.k
            case "vs-multi":
                calls = len(self.turns)
            case _:
                calls = 1
        return calls, calls * self.max_tokens

    @property
    def replies(self) -> int:
        """The most replies that one draw makes, as budgets count them."""
        return self.powered.replies(self.k) if self.method == "power" else self.most[0]

    @property
    def turns(self) -> tuple[int, ...]:
        """How many candidates each turn of vs-multi asks for; they sum to k."""
        full, rest = divmod(self.k, self.per_turn)
        return (self.per_turn,) * full + ((rest,) if rest else ())

    @model_validator(mode="after")
    def _power_alone(self) -> Sampling:
        if self.method != "power":
            if self.power is not None and "method" not in self.model_fields_set:
                raise Misfit((("power",), f"needs 'method: power'; without it the method is {self.method}"))
            return self
        neutral = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}
        if changed := [name for name, value in neutral.items() if getattr(self, name) != value]:
            remedy = "leave it out; power.alpha sharpens, and tokens are drawn at temperature 1/alpha"
            raise Misfit(*(((name,), f"cannot be combined with method power: {remedy}") for name in changed))
        return self

    @field_validator("format")
    @classmethod
    def _listing(cls, form: str, info: ValidationInfo) -> str:
        method = info.data.get("method", "vs")
        if form == "lines" and method not in _LINES:
            raise ValueError(f"lines are for {', '.join(sorted(_LINES))}, not {method}")
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


@dataclass(frozen=True, slots=True, eq=False)  # by identity, so that what follows from it can be kept
class Settings:
    """All that a sampler must know besides the prompt: the section, the form of an answer, what the model is shown."""

    sampling: Sampling
    fields: tuple[str, ...] = ("text",)
    """Of an answer."""
    item_schema: Mapping[str, Any] | None = None
    """JSON Schema of one answer's fields; None leaves decoding free."""
    key: str | None = None
    """In a list, the name under which the model gives the only field, where that is not the field's own."""
    exchanges: int = 0
    """Worked exchanges of the package's own before the task."""
    brief: bool = False
    """Whether answers are a few words; the exchanges before the task are then of that kind."""
    open_ended: bool = False
    """Whether replies continue a text that nothing ends but `max_tokens`."""
    potentials: Factors = NONE
    """Of the target of method power, made ready for one draw."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of an answer's fields in a list."""
        return self.fields if self.key is None else (self.key,)

    @property
    def named_schema(self) -> Mapping[str, Any] | None:
        """`item_schema` under these names."""
        if self.item_schema is None or self.key is None:
            return self.item_schema
        (only,) = self.item_schema["properties"].values()
        return {**self.item_schema, "properties": {self.key: only}, "required": [self.key]}

    def generate(
        self, prompt: Prompt, rng: Random, *, schema: str | None = None, pattern: str | None = None
    ) -> Generate:
        """The call that asks `prompt`, with a seed of its own from `rng`."""
        how = self.sampling
        return Generate(
            prompt,
            seed=new_seed(rng),
            temperature=how.temperature,
            top_p=how.top_p,
            top_k=how.top_k,
            min_p=how.min_p,
            max_tokens=how.max_tokens,
            stop=how.stop,
            schema=schema,
            pattern=pattern,
        )

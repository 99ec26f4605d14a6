"""How one soft label is made: a section of `labels` in a template."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Annotated, Any, Final, Literal

from annotated_types import MaxLen, MinLen
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from vsgen.labels.examples import MOST, as_rows
from vsgen.labels.judge import RUN, Judge, Models, Written, written
from vsgen.labels.misfits import misfits
from vsgen.labels.names import Form, Prior
from vsgen.labels.names import Kind as Kind
from vsgen.labels.names import Method as Method
from vsgen.labels.words import STEP_BY_STEP
from vsgen.probability import new_seed
from vsgen.sections.misfit import Misfit
from vsgen.sections.prices import Prices
from vsgen.sections.sandbox import compile_text
from vsgen.sections.section import Section, Strings
from vsgen.sections.validators import as_list, check_name, check_text, repeated
from vsgen.values import Generate, Prompt

_REPLIES: Final = {"reasoning": 8, "votes": 8, "verbalized": 1}


def _number_as_text(value: object) -> object:
    """A number as the text that names a class."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _check_class(name: str) -> str:
    """A class that a model can answer with."""
    if not name or name != name.strip():
        raise ValueError(f"a class must not be empty or have spaces around it, got {name!r}")
    return name


def _check_opening(text: str) -> str:
    """The beginning of a reply, which a class follows after a space."""
    if not text or text != text.strip():
        raise ValueError(f"must not be empty or have spaces around it, got {text!r}")
    return text


def _check_orders(value: object) -> int | Literal["all"]:
    """How many orders of the classes."""
    if value == "all":
        return "all"
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"must be an integer >= 1, or all, got {str(value)[:100]!r}")
    return value


class Label(Section):
    """A soft label: the model's probability of each class, given the answer."""

    name: Annotated[str, AfterValidator(check_name)]
    """Name of the label in the row."""
    classes: Annotated[
        tuple[Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_check_class)], ...],
        MinLen(2),
        BeforeValidator(as_list),
        WithJsonSchema({"type": "array", "items": {"type": ["string", "number"]}, "minItems": 2}),
    ] = ()
    """The classes, at least two; numbers count as written."""
    choices: Annotated[str, AfterValidator(check_name)] | None = None
    """Instead of `classes`: the field of the row that lists them, such as the options of a question."""
    kind: Kind = "nominal"
    """nominal: one class is right; ordinal: the same, and the classes are ordered, lowest first; multi: each class may
    apply or not, and is asked about separately."""
    prompt: Annotated[str, AfterValidator(check_text)]
    """The question (Jinja); the answer's fields, the variables and the input row's fields are its variables."""
    model: Models | None = None
    """The model that labels, instead of the one that writes: `tiny`, a Hugging Face id, a folder or a GGUF file. A list
    of models makes an ensemble: the label is the mean of their distributions. In a list, run is the model that writes,
    and an entry may be a mapping."""
    endpoint: str | None = Field(default=None, min_length=1, exclude_if=lambda value: value is None)
    """The URL of the server that `model` is on; run is the server of the model that writes. Without it, `model` runs in
    this process. A server on another machine must also be allowed on the command line. It holds for all models of a
    list that have none of their own."""
    prices: Prices | None = Field(default=None, exclude=True)
    """What the tokens of this `model` cost, USD per million."""
    method: Method = "score"
    """score: the model's own probabilities of whole class names; reasoning: their mean over reasoning traces; votes:
    counted over freely drawn replies, with a prior; verbalized: what the model states; decisions: what a server's
    decision interface reports, all labels of a text in one request."""
    normalize: Literal["sum", "byte", "pmi"] = "sum"
    """For method score: sum is the probability itself; byte ranks by log-probability per byte, pmi by what the question
    adds to it."""
    verbalizer: Literal["names", "letters"] = "names"
    """For method score: whether the reply is the name of a class or the letter before it."""
    listed: bool = True
    """Whether the list of the classes follows the question; false if the prompt says what to reply."""
    permutations: Annotated[
        int | Literal["all"],
        PlainValidator(_check_orders),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "all"}]}),
    ] = 1
    """Number of orders in which the classes are listed and examples are shown; the label is their average. all: each
    class takes each place once."""
    replies: int | None = Field(default=None, ge=1, le=1000)
    """Number of replies: traces of reasoning (8 by default), votes (8), statements of verbalized (1)."""
    think: bool = True
    """For method votes: let the model reason before it answers."""
    styles: Annotated[Strings, MinLen(1)] | None = Field(default=None, exclude_if=lambda value: value is None)
    """For method reasoning, and votes that think: how to reason. The replies take turns with the styles. step by step
    and for and against have words of their own; any other text is the instruction itself."""
    temperature: float = Field(default=1.0, ge=0)
    """Softmax temperature of the replies; 0 is greedy."""
    max_tokens: int = Field(default=512, ge=1)
    """Longest reply, in tokens; a trace that is cut still counts."""
    pseudocount: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    """For method votes: the prior, added to the votes of each class; 0.5 is Jeffreys' prior."""
    examples: Annotated[
        tuple[dict[str, Any], ...],
        BeforeValidator(as_rows),
        MaxLen(MOST),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}),
    ] = Field(default=(), exclude_if=lambda value: not value)
    """Worked examples, shown before every question: rows with the fields that the prompt refers to, and under the
    label's name the class, or a mapping of classes to probabilities. Or the path of a JSONL file with such rows, in the
    folder of the template or below it. The row that is labeled is never shown as its own example."""
    form: Literal[Form, "auto"] = Field(default="auto", exclude_if=lambda value: value == "auto")
    """How the question and its examples are laid out, for methods score and votes (with `think: false`). chat: one user
    message; turns: the examples are earlier turns of the conversation; plain: text that the model continues, without
    its chat template. auto: chat without examples; with them, `vsgen label` chooses."""
    plain: Annotated[str, AfterValidator(check_text)] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """The prompt of form plain, where it is another one: with examples a question is not needed, as in
    `Text: {{ text }}`."""
    prefill: Annotated[str, AfterValidator(_check_opening)] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """How the reply begins, such as `The sentiment of this text is`: the class follows it. For methods score and votes
    (with `think: false`). Form plain has the label's name there by default, as in `Sentiment:`."""
    prior: Prior = "none"
    """Divide out the model's own preference for classes: contextual measures it without the answer, batch takes the
    mean over all rows (only for `vsgen label`, and only if the classes are equally frequent)."""

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if twice := repeated(classes):
            raise Misfit(*(((i,), f"class {name!r} is named twice") for i, name in twice))
        return classes

    @model_validator(mode="after")
    def _classes_known(self) -> Label:
        if self.choices is not None and self.classes:
            raise Misfit((("choices",), "cannot be combined with 'classes'; leave one of them out"))
        if self.choices is None and not self.classes:
            raise Misfit(
                (("classes",), "missing; list at least two, or name the row's field that lists them as 'choices'")
            )
        return self

    @model_validator(mode="after")
    def _prices_of_a_model(self) -> Label:
        if self.prices is not None and all(judge.name is None for judge in self.judges):
            remedy = "give the template's own 'prices' instead, or name a 'model' here"
            raise Misfit((("prices",), f"the model that writes makes this label; {remedy}"))
        return self

    @model_validator(mode="after")
    def _models_distinct(self) -> Label:
        names = [judge.name for judge in self.judges]
        twice = [i for i, name in enumerate(names) if name in names[:i]]
        if twice:
            raise Misfit(*((("model", i), f"model {self.judges[i].model!r} is named twice") for i in twice))
        return self

    @model_validator(mode="after")
    def _goes_together(self) -> Label:
        if self.endpoint is not None and self.model is None:
            raise Misfit((("endpoint",), "needs 'model', the model's name on that server"))
        if problems := list(misfits(self)):
            raise Misfit(*problems)
        return self

    @property
    def judges(self) -> tuple[Judge, ...]:
        """The models that make it, each with its endpoint and prices; the model that writes where it names none."""
        return tuple(one.judge for one in self.written) or (Judge(model=RUN),)

    @property
    def written(self) -> Sequence[Written]:
        """The models that the section names, each with the keys of its name and its endpoint."""
        return written(self.model, self.endpoint, self.prices)

    @property
    def wording(self) -> str:
        """The prompt in force."""
        return self.plain if self.plain is not None and self.laid_out == "plain" else self.prompt

    @property
    def needed(self) -> frozenset[str]:
        """Fields that the prompts refer to."""
        return frozenset[str]().union(*(compile_text(text).needed for text in (self.prompt, self.plain) if text))

    @property
    def names_options(self) -> bool:
        """Whether a question lists the classes; in plain text examples show them."""
        shown = self.laid_out == "plain" and self.examples and "listed" not in self.model_fields_set
        return self.listed and not shown

    @property
    def lined(self) -> bool:
        """Whether the reply is the class alone, on one line."""
        return self.method == "score" or (self.method == "votes" and not self.think)

    @property
    def laid_out(self) -> Form:
        """The form in force; of auto, where none was chosen by trying (docs/labels.md)."""
        if self.form != "auto":
            return self.form
        return "plain" if self.examples and self.method == "score" else "chat"

    @property
    def count(self) -> int:
        """How many replies are drawn for one question; none for methods score and decisions."""
        return self.replies or _REPLIES[self.method] if self.method in _REPLIES else 0

    @property
    def ways(self) -> tuple[str, ...]:
        """The styles of reasoning with which the replies take turns."""
        return self.styles or (STEP_BY_STEP,)

    @property
    def most(self) -> tuple[int, int]:
        """The most replies and tokens that one answer's label can take."""
        calls = self.count * (max(1, len(self.classes)) if self.kind == "multi" else 1) * len(self.judges)
        return calls, calls * self.max_tokens

    def generate(self, prompt: Prompt, rng: Random, *, schema: str | None = None) -> Generate:
        """The call that draws one of the replies."""
        return Generate(prompt, new_seed(rng), temperature=self.temperature, max_tokens=self.max_tokens, schema=schema)

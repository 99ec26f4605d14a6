"""What a task template may say: version 1, as pydantic models.

The docstring under each field is its description in the JSON Schema that `json_schema` gives to editors. Checks that
look at several fields stand in the validator of the later one, so that one wrong section does not hide the next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal, TypeAlias

from annotated_types import Gt, MinLen
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    PrivateAttr,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from vsgen.checks.settings import Check, Checks, spelled_out
from vsgen.dedup.settings import Dedup, shape_of_dedup
from vsgen.labels.settings import Label
from vsgen.sampling.settings import VERBALIZING, Sampling
from vsgen.sections.misfit import Misfit
from vsgen.sections.prices import Prices
from vsgen.sections.section import Section
from vsgen.sections.validators import (
    as_items,
    as_list,
    check_slug,
    check_text,
    check_value,
    check_weights,
    repeated,
    shape_of_variable,
)
from vsgen.template.answer import as_text
from vsgen.template.examples import Recommended, Size, check_examples
from vsgen.template.final import ANSWER
from vsgen.template.keep import check_clause, clause, label_problem
from vsgen.template.named import Named
from vsgen.template.nodes import Node
from vsgen.template.output import Filter, Name, Output
from vsgen.template.patterns import MAX_LENGTH, MAX_SIZE, size, too_large
from vsgen.template.sampled import check_continued, check_judged, check_labels

Value: TypeAlias = str | int | float | bool | None

_Text = Annotated[str, AfterValidator(check_text)]
_Value = Annotated[
    Value, PlainValidator(check_value), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
]
_Values = Annotated[tuple[_Value, ...], MinLen(1), BeforeValidator(as_list), Tag("<list>")]
_Weights = Annotated[dict[_Value, Annotated[float, Gt(0)]], MinLen(1), AfterValidator(check_weights), Tag("<weights>")]
_Variable = Annotated[
    _Values | _Weights,
    Discriminator(
        shape_of_variable,
        custom_error_type="variable_shape",
        custom_error_message="must be a list of values, or a mapping of values to weights",
    ),
]


_UNSCORED: Final = (
    "'logp' here is the model's log-probability of the answer as the reply to the plain task, without examples, which "
    "is only computed with 'logp: true'; add that to the template"
)


class Template(Section):
    """A vsgen task template."""

    model_config = ConfigDict(title="vsgen task template, version 1")

    version: Literal[1]
    """Version of the template language."""
    name: Annotated[
        str, AfterValidator(check_slug), WithJsonSchema({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"})
    ]
    """Name of the task, part of every row's id: lower-case letters, digits and '-'."""
    description: str = ""
    """What the dataset is, in one line."""
    prompt: _Text
    """The task (Jinja): asks for one answer."""
    system: _Text | None = None
    """System message (Jinja); the instruction of the method follows it."""
    prefill: _Text | None = None
    """The beginning of the model's reply (Jinja), which the model continues. It is not part of the answer. The rest of
    the reply has the form of the method: a bare answer for direct, JSON or lines for the others."""
    variables: dict[Name, _Variable] = Field(default={})
    """Values to draw from for every prompt: a list, or a mapping of values to weights."""
    choices: _Variable | None = None
    """The right answers to the prompt, if they are known: a list of equally likely ones, or a mapping of answers to
    weights. No other answer is kept, and decoding is constrained to them if the backend can. `vsgen targets` makes
    training targets of them."""
    output: Output = Field(default=Output(), validate_default=True)
    """What one answer looks like."""
    filter: dict[str, Filter] = Field(default={})
    """Patterns that a field must or must not contain, by field."""
    check: dict[str, Checks] = Field(default={})
    """Checks of a field beyond its schema: json, python, sql, or an external command; by field."""
    repair: int = Field(default=0, ge=0, le=3)
    """How often an answer that does not fit is requested again, with the reason."""
    examples: Annotated[tuple[dict[str, Any], ...], BeforeValidator(as_list)] = ()
    """Worked examples, shown to the model as earlier exchanges: the fields of an answer, and optionally `probability`,
    `reasoning` and values of the prompt's variables. Each draw shows different ones."""
    sampling: Sampling = Sampling()
    """How candidates are drawn."""
    chat: bool = Field(default=True, exclude_if=bool)
    """Whether the prompt is a message of a chat. With false, any model continues the prompt as plain text, exactly as
    it stands, blanks at its end included: without a chat template, an instruction or worked exchanges. For methods
    direct and power."""
    dedup: Annotated[
        Annotated[Dedup, Tag("<dedup>")] | Annotated[Literal[False], Tag("<off>")], Discriminator(shape_of_dedup)
    ] = Field(default=Dedup(), validate_default=True)
    """When two answers count as repeats; false keeps all."""
    labels: Annotated[tuple[Label, ...], BeforeValidator(as_list)] = Field(default=(), validate_default=True)
    """Soft labels to add to every answer."""
    logp: bool = False
    """Score every valid answer as the reply to the plain task: the model's own log-probability, `meta.logp`, nats."""
    weights: Literal["stated", "model", "uniform"] | None = None
    """What an answer's `probability` is: what the model stated, its own probability of the answer (which is then
    scored, as by `logp`), or the same for all of a draw. By default what the method gives."""
    keep: Annotated[
        tuple[Annotated[str, BeforeValidator(check_clause)], ...],
        BeforeValidator(as_items),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = ()
    """What must be true for an answer to be kept: expressions of Jinja over its fields, the variables, `labels`,
    `answer`, `correct`, `probability`, `logp` and `verbalized`. Only what is kept counts for `num`."""
    num: int | None = Field(default=None, ge=1)
    """Answers to keep, unless the command line says otherwise."""
    model: str | None = Field(default=None, min_length=1)
    """Model to ask, unless the command line says otherwise."""
    endpoint: str | None = Field(default=None, min_length=1, exclude_if=lambda value: value is None)
    """URL of the server that `model` is on, unless the command line says otherwise. A server on another machine must
    also be allowed on the command line (--allow-endpoint)."""
    prices: Prices | None = Field(default=None, exclude=True)
    """What the tokens of the model cost, in USD per million: for `--max-cost`, and for the cost that `--dry-run`,
    progress and summary state. A label with a `model` of its own has its own prices."""
    recommended: Recommended = Recommended()
    """Settings by the size of the model; flags and `--set` win over them."""

    _source: str = PrivateAttr("")
    _fitted: Size | None = PrivateAttr(None)
    _named: tuple[Named, ...] = PrivateAttr(())
    _root: Node | None = PrivateAttr(None)

    @field_validator("output")
    @classmethod
    def _choices_fit(cls, output: Output, info: ValidationInfo) -> Output:
        choices = info.data.get("choices")
        if choices is None:
            return output
        if output.schema_ is not None:
            remedy = "which stand in the single text field; list them as 'enum' of a property here instead"
            raise Misfit((("schema",), f"cannot be combined with 'choices', {remedy}"))
        for text in map(as_text, choices):
            if len(text) > output.max_chars:
                raise Misfit((("max_chars",), f"is {output.max_chars}, but the choice {text[:100]!r} is longer"))
            if len(text) < output.min_chars:
                raise Misfit((("min_chars",), f"is {output.min_chars}, but the choice {text!r} is shorter"))
        return output.limited(map(as_text, choices))

    @field_validator("examples")
    @classmethod
    def _examples_fit(cls, examples: tuple[dict[str, Any], ...], info: ValidationInfo) -> tuple[dict[str, Any], ...]:
        if {"output", "prompt"} <= info.data.keys():
            check_examples(examples, info.data["output"], info.data["prompt"], info.data.get("variables", ()))
        return examples

    @field_validator("sampling")
    @classmethod
    def _lines_hold(cls, sampling: Sampling, info: ValidationInfo) -> Sampling:
        if "output" in info.data:
            check_judged(sampling, info.data["output"])
        if "output" in info.data and sampling.format == "lines" and len(info.data["output"].fields) > 1:
            raise Misfit((("format",), "lines hold one field an answer; use json for several"))
        return sampling

    @field_validator("chat")
    @classmethod
    def _continues(cls, chat: bool, info: ValidationInfo) -> bool:
        if not chat:
            check_continued(info.data)
        return chat

    @field_validator("filter", mode="before")
    @classmethod
    def _filters_small(cls, filters: object) -> object:
        given = filters.values() if isinstance(filters, Mapping) else ()
        sections = [each for each in given if isinstance(each, Mapping)]
        patterns = [each for section in sections for each in section.values() if isinstance(each, str)]
        if (total := sum(size(each) for each in patterns if len(each) <= MAX_LENGTH)) > MAX_SIZE:
            raise ValueError(too_large(total))
        return filters

    @field_validator("filter")
    @classmethod
    def _filter_fields(cls, filters: dict[str, Filter], info: ValidationInfo) -> dict[str, Filter]:
        _require_fields(tuple(filters), [(name,) for name in filters], info)
        return filters

    @field_validator("check")
    @classmethod
    def _check_fields(cls, checks: dict[str, Checks], info: ValidationInfo) -> dict[str, Checks]:
        _require_fields(tuple(checks), [(name,) for name in checks], info)
        return checks

    @field_validator("dedup")
    @classmethod
    def _dedup_fields(cls, dedup: Dedup | Literal[False], info: ValidationInfo) -> Dedup | Literal[False]:
        if dedup is False or "output" not in info.data:
            return dedup
        _require_fields(dedup.on, [("on",)] * len(dedup.on), info)
        return dedup.model_copy(update={"on": dedup.on or info.data["output"].fields[:1]})

    @field_validator("labels")
    @classmethod
    def _label_names(cls, labels: tuple[Label, ...], info: ValidationInfo) -> tuple[Label, ...]:
        problems = [(i, f"label {name!r} is named twice") for i, name in repeated([label.name for label in labels])]
        fields = info.data["output"].fields if "output" in info.data else ()
        problems += [(i, f"{x.name!r} is already an output field") for i, x in enumerate(labels) if x.name in fields]
        if "output" in info.data and info.data["output"].answer is not None:
            clash = f"{ANSWER!r} is already the label of output.answer; call this one something else"
            problems += [(i, clash) for i, label in enumerate(labels) if label.name == ANSWER]
        if problems:
            raise Misfit(*(((i, "name"), message) for i, message in problems))
        _refuse_two_prices(labels)
        if {"sampling", "output"} <= info.data.keys() and (wanted := info.data["sampling"].powered.potentials):
            check_labels(wanted, labels, info.data["output"].fields)
        return labels

    @field_validator("weights")
    @classmethod
    def _stated(cls, weights: str | None, info: ValidationInfo) -> str | None:
        method = info.data["sampling"].method if "sampling" in info.data else "vs"
        if weights == "stated" and method not in VERBALIZING:
            raise ValueError(f"method {method} states no probabilities; use model or uniform, or leave it out")
        return weights

    @field_validator("keep")
    @classmethod
    def _keep_names(cls, clauses: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not {"labels", "output", "sampling"} <= info.data.keys():
            return clauses
        voted, method = info.data["output"].answer is not None, info.data["sampling"].method
        found = [((i,), label_problem(text, info.data["labels"], voted=voted)) for i, text in enumerate(clauses)]
        unstated = f"method {method} states no probabilities, so 'verbalized' has no value"
        if method not in VERBALIZING:
            found += [((i,), unstated) for i, text in enumerate(clauses) if "verbalized" in clause(text).needed]
        if not info.data.get("logp") and info.data.get("weights") != "model":
            named = {*info.data["output"].fields, *info.data.get("variables", ())}
            unscored = [i for i, text in enumerate(clauses) if "logp" in clause(text).needed - named]
            found += [((i,), _UNSCORED) for i in unscored]
        if problems := [(path, problem) for path, problem in found if problem]:
            raise Misfit(*problems)
        return clauses

    @property
    def scored(self) -> bool:
        """Whether every valid answer is scored."""
        return self.logp or self.weights == "model"

    @property
    def open_ended(self) -> bool:
        """Whether replies continue a text that nothing ends but `max_tokens`: no chat, no stop, no form, no answer."""
        ends = self.chat or self.sampling.stop or self.choices or self.output.schema_ or self.output.answer
        return not ends

    @property
    def judges(self) -> tuple[str, ...]:
        """The models that labels name, each once."""
        judges = (judge for label in self.labels for judge in label.judges)
        return tuple(dict.fromkeys(name for judge in judges if (name := judge.name) is not None))

    @property
    def deciding(self) -> Mapping[str, Sequence[str | None]]:
        """The labels of method decisions, and the models that each names; None is the one that writes."""
        deciding = (label for label in self.labels if label.method == "decisions")
        return {label.name: [judge.name for judge in label.judges] for label in deciding}

    @property
    def priced(self) -> Mapping[str, Prices]:
        """What the tokens of the models cost that labels name, by that name, as far as the template says."""
        judges = (judge for label in self.labels for judge in label.judges)
        return {name: judge.prices for judge in judges if (name := judge.name) and judge.prices}

    @property
    def source(self) -> str:
        """Where the template was read from, for messages; its name if it was not read from a file."""
        return self._source or self.name

    def place(self, path: Sequence[str | int], word: str) -> str:
        """Where a word stands in one of its texts: the file, or the flag, and the line; for messages.

        Args:
            path: Of the text; 0 is a text itself that stands for a list of one.
            word: That is looked for; where it is not found, the text's own line is given.
        """
        node: Node | None = self._root
        for step in path:
            if step == 0 and node and isinstance(node.value, str):
                break
            node = node and node.child(step)
        return node.place(word) if node else self.source

    @property
    def named(self) -> tuple[Named, ...]:
        """The models that it names itself, each with its place; not those that ``--set`` put there."""
        return self._named

    @property
    def fitted(self) -> Size | None:
        """The size of models whose recommended settings are laid over this template; None if none are."""
        return self._fitted

    @cached_property
    def digest(self) -> str:
        """12 hex digits that name the content, defaults and overrides included.

        Neither the file, nor its comments, nor what has no effect on rows, such as prices, matters.
        """
        content = self.model_dump(mode="json", by_alias=True)
        pairs = {name: list(each.items()) for name, each in self.variables.items() if isinstance(each, dict)}
        text = json.dumps([content, pairs], ensure_ascii=False, separators=(",", ":"))
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()

    @cached_property
    def checks(self) -> Mapping[str, Sequence[Check]]:
        """What each checked field must be, spelled out."""
        return {name: spelled_out(checks) for name, checks in self.check.items()}

    def filtered(self, fields: Mapping[str, object]) -> str | None:
        """Why the template's filters reject a candidate; None if they do not."""
        for name, filter_ in self.filter.items():
            if problem := filter_.problem(as_text(fields.get(name))):
                return f"{name}: {problem}"
        return None


def _refuse_two_prices(labels: Sequence[Label]) -> None:
    known: dict[str | None, Prices] = {}
    for i, label in enumerate(labels):
        for judge in label.judges:
            if judge.prices is not None and known.setdefault(judge.name, judge.prices) != judge.prices:
                raise Misfit(((i, "prices"), f"another label has other prices for the model {judge.model!r}"))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a template file, for editors."""
    from vsgen.sections.described import DescribedSchema  # reads the source of sections, which only this needs

    made = Template.model_json_schema(by_alias=True, schema_generator=DescribedSchema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _require_fields(names: Sequence[str], paths: Sequence[tuple[str, ...]], info: ValidationInfo) -> None:
    if "output" not in info.data:
        return
    fields = info.data["output"].fields
    strangers = [(path, name) for path, name in zip(paths, names, strict=True) if name not in fields]
    if strangers:
        known = ", ".join(fields)
        raise Misfit(*((path, f"{name!r} is not an output field; there are: {known}") for path, name in strangers))

"""Chooses the form of labels with examples whose template leaves it open (`form: auto`), before any row is labelled.

Some rows are labelled in every form. Where their classes are known, the form of least log loss is taken, on held-out
rows and after the scaling that will be applied. Where they are not, or forms are equal in it, it is the form whose
replies say most about the texts: the information that a class has about its text (Sorensen et al., arXiv 2203.11364),
which is the entropy of the mean label less the mean entropy of a label, times the median P(the reply is a class). So a
form is not taken for its mass alone: one that gives every text the same class, however surely, says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple, TypeAlias, TypeGuard

from vsgen.errors import InputError
from vsgen.flow import Flow, Spent, in_turn, metered, together
from vsgen.flows.label import Labeller, Labels, Text
from vsgen.jobs.label_correct import Correction, calibrate
from vsgen.jobs.label_gold import gold_of, is_unknown
from vsgen.jobs.label_rows import Labelled, values_of
from vsgen.jobs.occurrence import Occurrences
from vsgen.labels.conformal import choosing
from vsgen.labels.names import FORMS, Form
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions, mutual_information
from vsgen.metrics.calibration import log_loss
from vsgen.template.schema import Template
from vsgen.values import Row, SoftLabel, Unlabelled

PROBES: Final = 32
"""Rows by which a form is chosen where no class is known."""
_EQUAL: Final = 9
"""Digits of nats in which figures are equal but for rounding."""

Found: TypeAlias = Sequence[tuple[Row, SoftLabel]]


class Tried(NamedTuple):
    """A row with its labels in every form."""

    row: Row
    labels: Mapping[Form, Labels]


class Choice(NamedTuple):
    """The form of one label, and why."""

    label: Label
    form: Form
    figures: Mapping[Form, float]
    """Of each form that could be tried: log loss, or information; nats."""
    refused: Mapping[Form, str]
    """Why others could not."""
    rows: int
    known: bool

    def line(self) -> str:
        """For the report."""
        kept = self.figures[self.form]
        others = [f"{form} {each:.3f} ({each - kept:+.3f})" for form, each in self.figures.items() if form != self.form]
        others += [f"{form} impossible ({problem})" for form, problem in self.refused.items()]
        by = f"held-out log loss {kept:.3f} on {self.rows} gold rows" if self.known else self._information(kept)
        remedy = "" if self.known else "; --calibrate GOLD chooses by log loss"
        return f"{self.label.name}: form {self.form}: {by}; {', '.join(others) or 'no other was possible'}{remedy}"

    def _information(self, kept: float) -> str:
        return f"chosen without gold on the first {self.rows} rows, whose replies carry {kept:.3f} nats about the text"


class FormChoice:
    """A gate: flows of rows that are tried pass it first; the others learn there what was chosen."""

    def __init__(self, template: Template, *, known: bool, level: float | None = None) -> None:
        """Set up.

        Args:
            template: Whose labels may leave their form open.
            known: The rows that are tried have the class in a field of the label's name.
            level: Sets of classes are made at this level, so the rows that choose their size choose no form.
        """
        self._template = template
        self._known = known
        self._level = level
        self._open = [label for label in template.labels if _open(label, known=known)]
        self._tried: list[Tried] = []
        self._choices: list[Choice] = []

    @property
    def names(self) -> frozenset[str]:
        """The labels whose form is open."""
        return frozenset(label.name for label in self._open)

    @property
    def all_names(self) -> Sequence[str]:
        """All labels, in the order of the template."""
        return [label.name for label in self._template.labels]

    @property
    def chosen(self) -> Template:
        """The template with the forms that were chosen; as it was before they are."""
        return self._with({one.label.name: one.form for one in self._choices})

    def template(self, form: Form) -> Template:
        """The template with one form for all labels that leave it open."""
        return self._with(dict.fromkeys(self.names, form))

    def admit(self, group: Sequence[Tried | None]) -> Sequence[Template]:
        """Keep what was tried; with the first row that is not, choose.

        Raises:
            InputError: No form was possible; says why.
        """
        for one in group:
            if one is not None:
                self._tried.append(one)
            else:
                self.decide()
        return [self.chosen] * len(group)

    def decide(self) -> None:
        """Choose by what was tried so far; what was chosen stays.

        Raises:
            InputError: No form was possible; says why.
        """
        if not self._choices and self._tried:
            self._choices = [self._choose(label) for label in self._open]

    def labels(self, tried: Mapping[Form, Labels]) -> Labels:
        """A tried row's labels in the forms that were chosen."""
        forms = {one.label.name: one.form for one in self._choices}
        return {name: tried[forms.get(name, FORMS[0])][name] for name in tried[FORMS[0]]}

    def untried(self, *, readable: bool) -> str:
        """What is done where there are no rows to try the forms on.

        Args:
            readable: The first rows could be read, but none of them can be labelled.
        """
        names = ", ".join(label.name for label in self._open)
        forms = ", ".join(dict.fromkeys(label.laid_out for label in self._open))
        unread = "the first rows cannot be read before the others", "give the rows as a file, --calibrate GOLD, or form"
        unusable = f"none of the first {PROBES} rows can be labeled", "give --calibrate GOLD, or form"
        why, remedy = unusable if readable else unread
        return f"label {names}: form {forms}: {why}, so no form was tried; {remedy}"

    def undecided(self, tried: int, of: int) -> str:
        """What to report where the command ends before a form is chosen."""
        names = ", ".join(label.name for label in self._open)
        return f"{names}: no form is chosen yet, {tried} of {of} rows were tried; give a larger budget, or set form"

    def lines(self) -> list[str]:
        """What was chosen and why, for the report."""
        return [one.line() for one in self._choices]

    def _with(self, forms: Mapping[str, Form]) -> Template:
        labels = [
            label.model_copy(update={"form": forms[label.name]}) if label.name in forms else label
            for label in self._template.labels
        ]
        return self._template.model_copy(update={"labels": tuple(labels)})

    def _choosing(self) -> list[int]:
        """The rows that choose."""
        rows = range(len(self._tried))
        if self._level is None:
            return list(rows)
        return [i for i, one in zip(rows, choosing(len(rows), self._level), strict=True) if not one]

    def _says(self, at: int, label: Label) -> bool:
        """Whether a row can choose the form of a label: by log loss only one whose gold is known can."""
        return not self._known or not is_unknown(self._tried[at].row, label)

    def _choose(self, label: Label) -> Choice:
        each = {form: [one.labels[form][label.name] for one in self._tried] for form in FORMS}
        refused = {form: _problem(made) for form, made in each.items() if not any(map(_made, made))}
        left = [form for form in FORMS if form not in refused]
        if not left:
            raise InputError(f"{self._tried[0].row.where}: label {label.name}: {refused[label.laid_out]}")
        at = [i for i in self._choosing() if all(_made(each[form][i]) for form in left) and self._says(i, label)]
        found = {form: [(self._tried[i].row, made) for i in at if _made(made := each[form][i])] for form in left}
        if not at:
            return Choice(label, left[0], dict.fromkeys(left, math.nan), refused, 0, self._known)
        figures = said = {form: _information(rows) for form, rows in found.items()}
        left.sort(key=lambda form: -round(said[form], _EQUAL))
        if self._known:
            figures = {form: _loss(label, rows) for form, rows in found.items()}
            left.sort(key=lambda form: round(figures[form], _EQUAL))
        return Choice(label, left[0], figures, refused, len(at), self._known)


class Tries:
    """The rows that are labelled in every form before all others, and what came of them."""

    def __init__(self, forms: FormChoice, rows: Sequence[Row]) -> None:
        """Set up; no row is tried where no form is open."""
        self.forms = forms
        self.rows = rows if forms.names else ()
        self._made: list[Labelled] = []

    @property
    def under_way(self) -> bool:
        """Whether some are still to be labelled."""
        return len(self._made) < len(self.rows)

    @property
    def most(self) -> int:
        """How many times the next row is labelled."""
        return len(FORMS) if self.under_way else 1

    def flows(self, labeller: Callable[[Template], Labeller]) -> Iterator[Flow[Labelled]]:
        """Of these rows; `labeller` makes one for a template."""
        each, occurrences = {form: labeller(self.forms.template(form)) for form in FORMS}, Occurrences()
        for row in self.rows:
            yield _try(self.forms, each, row, occurrences.name(row.fields))

    def asker(self, labeller: Callable[[], Labeller]) -> Flow[Labeller]:
        """Waits in the flow of a row until the forms are chosen; `labeller` gives the one that asks in them."""
        if self.rows:
            yield from in_turn(self.forms, None)
        return labeller()

    def add(self, labelled: Labelled) -> bool:
        """Keep a tried row; with the last one the forms are chosen, which is said.

        Raises:
            InputError: No form was possible; says why.
        """
        self._made.append(labelled)
        if not self.under_way:
            self.forms.decide()
        return not self.under_way

    def chosen(self) -> Iterator[Labelled]:
        """The rows with their labels in the forms that were chosen."""
        return (one._replace(labels=self.forms.labels(one.tried or {})) for one in self._made)

    def unfinished(self) -> list[str]:
        """What to report where the command ends before the forms are chosen."""
        return [self.forms.undecided(len(self._made), len(self.rows))] if self.under_way else []


def _try(forms: FormChoice, labellers: Mapping[Form, Labeller], row: Row, name: str) -> Flow[Labelled]:
    """Label a row in every form; labels whose form is not open are made once."""
    spent, text = Spent(), Text(row.where, name, values_of(row))
    each = yield from metered(_in_forms(forms, labellers, text), spent)
    yield from in_turn(forms, Tried(row, each))
    return Labelled(row, each[FORMS[0]], spent.tokens, spent.replies, spent.scores, tried=each)


def _in_forms(forms: FormChoice, labellers: Mapping[Form, Labeller], text: Text) -> Flow[dict[Form, Labels]]:
    others = [name for name in forms.all_names if name not in forms.names]
    asked = [labellers[form].label([text], forms.names) for form in FORMS]
    (first,), *rest = yield from together([labellers[FORMS[0]].label([text], others), *asked])
    made = {form: {**first, **labels} for form, (labels,) in zip(FORMS, rest, strict=True)}
    return {form: {name: labels[name] for name in forms.all_names} for form, labels in made.items()}


def _open(label: Label, *, known: bool) -> bool:
    """Whether a label's form is chosen by trying; labels whose rows have their own classes need gold for it."""
    wanted = label.form == "auto" and label.examples and label.method == "score"
    return bool(wanted) and (known or bool(label.classes))


def _made(label: SoftLabel | Unlabelled) -> TypeGuard[SoftLabel]:
    return isinstance(label, SoftLabel)


def _problem(labels: Sequence[SoftLabel | Unlabelled]) -> str:
    return next((one.problem for one in labels if isinstance(one, Unlabelled)), "")


def _loss(label: Label, found: Found) -> float:
    """Held-out log loss after scaling, nats."""
    right = [(made, gold_of(row, label, list(made.probs))) for row, made in found]
    known = calibrate(Correction(label), right)
    return log_loss(known.held_out, known.gold).value


def _information(found: Found) -> float:
    """What a reply says about its text, nats: of several classes that may apply, the mean."""
    rows = [distributions(made) for _, made in found]
    masses = [1.0 if made.label_mass is None else made.label_mass for _, made in found]
    each = [mutual_information(column) for column in zip(*rows, strict=True)]
    return fmean(each) * median(masses)

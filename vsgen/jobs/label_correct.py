"""What is done to labels once they are made: a prior divided out, a temperature fitted to rows whose class is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from vsgen.errors import InputError
from vsgen.labels.priors import batch_prior, divide, skew
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions, redistributed, uncorrected
from vsgen.labels.temperature import Fitted, cross_fitted, fit_temperature, tempered
from vsgen.metrics.calibration import Quality, equal_shares_loss, quality, ranked_probability_score
from vsgen.probability import logs, softmax
from vsgen.values import Row, SoftLabel
from vsgen.verdict.observed import Known

_NOTHING: Mapping[str, object] = {}


@dataclass(slots=True)
class Correction:
    """The correction of one label."""

    label: Label
    priors: list[list[float]] = field(default_factory=list)
    """Log prior of each of the label's `distributions`; empty divides nothing."""
    fitted: Fitted | None = None

    @property
    def idle(self) -> bool:
        """Whether it changes nothing."""
        return not self.priors and self.temperature == 1

    @property
    def temperature(self) -> float:
        """What the logarithms of labels are divided by."""
        return 1.0 if self.fitted is None else self.fitted.usable

    def without_prior(self, made: SoftLabel) -> list[list[float]]:
        """The label's distributions with the prior divided out."""
        given = distributions(made)
        if not self.priors:
            return given
        return [softmax(divide(logs(one), prior)) for one, prior in zip(given, self.priors, strict=True)]

    def __call__(self, made: SoftLabel) -> SoftLabel:
        """The label, corrected; what it was first stays with it."""
        if self.idle:
            return made
        given = self.without_prior(made)
        changed = redistributed(made, [tempered(one, self.temperature) for one in given])
        if self.temperature == 1:
            return changed
        return replace(changed, details={**changed.details, "temperature": self.temperature})

    def learn_prior(self, rows: Sequence[Sequence[Sequence[float]]]) -> list[str]:
        """Take the batch's mean as the prior.

        Args:
            rows: The `distributions` of every row.

        Returns:
            What the user should know.
        """
        if not rows:
            return []
        warnings = []
        names = [self.label.classes] if self.label.kind != "multi" else [(c, f"not {c}") for c in self.label.classes]
        for column, classes in zip(zip(*rows, strict=True), names, strict=True):
            self.priors.append(batch_prior(column))
            if warning := skew(column).warning(classes):
                warnings.append(f"label {self.label.name}: {warning}")
        return warnings


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What fitting a temperature to gold rows has brought, measured on them."""

    name: str
    fitted: Fitted
    raw: Sequence[Sequence[float]]
    """As the model gave it; a row for each gold row, or for each class of one where several may apply."""
    held_out: Sequence[Sequence[float]]
    """Under what is applied: a prior divided out, and the temperature that was fitted without the row."""
    gold: Sequence[int]
    ordinal: bool = False
    divided: bool = False
    """A prior was divided out."""

    @property
    def changed(self) -> bool:
        """Whether anything is applied."""
        return self.divided or not self.fitted.at_bound

    @property
    def qualities(self) -> list[tuple[str, Quality]]:
        """Before, and after what is applied."""
        after = "prior divided out" if self.fitted.at_bound else "after, held out"
        return [
            (f"{self.name} before", quality(self.raw, self.gold)),
            *([(f"{self.name} {after}", quality(self.held_out, self.gold))] if self.changed else []),
        ]

    @property
    def known(self) -> Known:
        """What the verdict judges the labels by."""
        loss = quality(self.held_out, self.gold).log_loss
        return Known(len(self.gold), loss.value, loss.error or 0.0, equal_shares_loss(self.held_out))

    @property
    def verdict(self) -> str:
        """The temperature, and how far to trust it."""
        fitted = self.fitted
        if fitted.at_bound:
            kept = "; the prior was divided out all the same" if self.divided else ""
            return f"{self.name}: calibration not applied: {self._bound()}{kept}"
        error = "" if fitted.error is None else f" ± {fitted.error:.3f}"
        text = f"{self.name}: temperature {fitted.temperature:.3f}{error} from {len(self.gold)} known classes"
        if self.ordinal:
            before, after = (ranked_probability_score(rows, self.gold).value for rows in (self.raw, self.held_out))
            text += f", ranked probability score {before:.4f} -> {after:.4f}"
        if fitted.error is not None and abs(fitted.temperature - 1) < 2 * fitted.error:
            return f"{text}; 1, which changes nothing, fits as well"
        return text

    def _bound(self) -> str:
        """Why no temperature was found, and what to do."""
        here, count = quality(self.held_out, self.gold), len(self.gold)
        falls = f"even at temperature {self.fitted.temperature:g} the log loss still falls"
        accuracy = f"accuracy {here.accuracy.value:.2f} of {count:,}"
        if not self.fitted.flattened:
            few = f"{falls}, so the known classes are too few or too one-sided ({accuracy})"
            return f"{few}; give more gold rows, also such as the model gets wrong"
        losses = f"equal shares would give a log loss of {self.known.equal:.2f}, the labels give {self.known.loss:.2f}"
        little = f"{falls}, so these probabilities say little about the classes ({accuracy}; {losses})"
        return f"{little}; reword the question or use another model"


def calibrate(correction: Correction, rows: Sequence[tuple[SoftLabel, Sequence[int]]]) -> Calibrated:
    """Fit a temperature to labels whose class is known, and keep it in the correction.

    Args:
        correction: Of this label; its prior is divided out first.
        rows: Labels as made, and the right position in each of their `distributions`.
    """
    raw = [one for made, _ in rows for one in distributions(uncorrected(made))]
    given = [one for made, _ in rows for one in correction.without_prior(made)]
    gold = [place for _, places in rows for place in places]
    texts = [i for i, (_, places) in enumerate(rows) for _ in places]
    correction.fitted = fit_temperature(given, gold)
    applied = given if correction.fitted.at_bound else cross_fitted(given, gold, groups=texts)
    ordinal, divided = correction.label.kind == "ordinal", raw != given
    return Calibrated(correction.label.name, correction.fitted, raw, applied, gold, ordinal, divided)


def gold_places(row: Row, label: Label, classes: Sequence[str]) -> list[int]:
    """The right positions in the distributions of a gold row's label, over these classes.

    The row has a field of the label's name: a class, or where several may apply a list of classes.

    Raises:
        InputError: It has not, or names something else; names the line.
    """
    value = row.fields.get(label.name)
    several = label.kind == "multi"
    named = value if isinstance(value, list) else [value]
    if value is None or (not several and isinstance(value, list)):
        form = "a list of classes" if several else "a class"
        fields = "" if label.name in row.fields else f"; its fields are: {', '.join(row.fields) or 'none'}"
        raise InputError(f"{row.where}: needs a field {label.name!r} with {form}, got {value!r}{fields}")
    if strangers := [str(one) for one in named if str(one) not in classes]:
        known, meant = ", ".join(classes), _meant(strangers[0], classes)
        problem = f"{strangers[0]!r} is not one of the label's classes ({known}){meant}"
        raise InputError(f"{row.where}: {label.name}: {problem}")
    right = {str(one) for one in named}
    return [0 if name in right else 1 for name in classes] if several else [list(classes).index(str(value))]


def _meant(word: str, classes: Sequence[str]) -> str:
    """The class most like a word, whatever its case."""
    folded = {one.casefold(): one for one in classes}
    close = get_close_matches(word.casefold(), folded, 1)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""

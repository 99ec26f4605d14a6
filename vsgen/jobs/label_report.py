"""What ``vsgen label`` reports of all its labels: sizes of sets, comparison with gold, flips, histogram."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsgen.jobs.label_flips import FlipCounts
from vsgen.jobs.label_options import LabelOptions
from vsgen.jobs.label_rows import Labelled, soft
from vsgen.jobs.label_selected import uncertainty
from vsgen.jobs.label_sets import SetSizes
from vsgen.jobs.label_truth import Truths, text_of
from vsgen.report.histogram import histogram
from vsgen.values import Row


class LabelReport:
    """Counts labels as they are made and as they are written."""

    def __init__(self, options: LabelOptions, gold: Sequence[Row]) -> None:
        """Set up, with nothing counted; labels are not compared on rows that are among those of `gold`."""
        labels = options.template.labels
        self._first = labels[0].name
        self._level = options.level
        self._entropies: list[float] | None = [] if options.histogram else None
        self._sizes = SetSizes()
        self._flips = FlipCounts(labels)
        asked = sorted({options.on}.union(*(one.needed for one in labels)))
        self.truths = Truths(labels, options.truths, asked, frozenset(text_of(row, asked) for row in gold))
        """The labels of rows that have gold."""

    def add_flips(self, labelled: Labelled) -> None:
        """Count a row that may have been asked about in other orders."""
        self._flips.add(labelled.flips or {})

    def add_orders(self, labelled: Labelled) -> None:
        """Count a row of the input as the models label it."""
        self._flips.add_row(labelled.labels)

    def add_written(self, labelled: Labelled) -> None:
        """Count a row as it is written, with its labels corrected.

        Raises:
            InputError: Its gold cannot be read.
        """
        self.truths.add(labelled.row, labelled.labels)
        self._sizes.add(labelled.labels)
        if self._entropies is not None and (label := soft(labelled, self._first)) is not None:
            self._entropies.append(uncertainty(label))

    def lines(self) -> Iterator[str]:
        """All that there is to report."""
        yield from self._sizes.lines(self._level)
        yield from self.truths.lines()
        yield from self._flips.lines()
        if self._entropies is not None:
            counted = f"{self._first}, {len(self._entropies)} rows"
            yield f"normalized entropy of {counted} (0: certain, 1: all classes equally likely)"
            yield from histogram(self._entropies, low=0.0, high=1.0)

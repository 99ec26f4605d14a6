"""``vsgen label``: soft labels for rows that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import user_errors
from vsgen.cli.shell import carry_out
from vsgen.errors import GateError

if TYPE_CHECKING:
    from vsgen.jobs.label_options import Tally


def label(
    input: Annotated[str, typer.Argument(metavar="INPUT", help="Rows with a text: JSONL, or - for stdin.")],
    names: Annotated[
        list[str] | None, typer.Option("--name", help="Name of the label; repeat it for several labels.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--classes", help="Its classes, parted by commas (or a JSON list); one for each --name."),
    ] = None,
    choices: Annotated[
        str | None, typer.Option("--choices", metavar="FIELD", help="The row's field that lists its own classes.")
    ] = None,
    prompts: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt", help="The question (Jinja), one for each --name; the text follows unless it is in it."
        ),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", help="Take the `labels:` of a template, in place of the four above.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="FIELD", help="The row's field with the text.")] = None,
    output: options.Output = None,
    model: options.Model = None,
    method: Annotated[
        str | None, typer.Option("--method", help="score, reasoning, votes or verbalized. Default: score.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="nominal, ordinal or multi. Default: nominal.")] = None,
    prior: Annotated[
        str | None, typer.Option("--prior", help="Divide the model's own preference out: contextual, or batch.")
    ] = None,
    permutations: Annotated[
        str | None, typer.Option("--permutations", help="Orders of the classes to average: a number, or all.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any key of a label, e.g. normalize=pmi, verbalizer=letters."),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option("--calibrate", metavar="GOLD", help="Fit a temperature to rows whose field NAME is the class."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Reliability diagram of GOLD: .png, .svg or .pdf.")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="KIND:SHARE",
            help="Keep a share of the rows by the first label: borderline:0.2, margin, disagreement.",
        ),
    ] = None,
    histogram: Annotated[bool, typer.Option("--histogram", help="Show how sure the first label is.")] = False,
    truncate: Annotated[bool, typer.Option("--truncate", help="Cut texts that are too long for the model.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the rows that --select leaves out here.")
    ] = None,
    seed: options.Seed = 0,
    journal: options.Journal = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    on_error: options.OnErrorOption = "stop",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    trust_remote_code: options.TrustRemoteCode = False,
    allow_pickle: options.AllowPickle = False,
    batch: options.Batch = None,
    no_meta: Annotated[bool, typer.Option("--no-meta", help="Do not note in `meta` how labels were made.")] = False,
    progress_mode: options.ProgressOption = "auto",
    quiet: options.Quiet = False,
    strict: options.Strict = False,
) -> None:
    """Add soft labels, P(class | text), to rows: JSONL in, JSONL out.

    Exit status: 0 done; 2 wrong flags or input; 3 the model failed; 4 the output cannot be written; 5 --strict: all is
    written, but the verdict is bad; 130 interrupted.
    """
    with user_errors():
        from vsgen.files.places import Places
        from vsgen.jobs.desk import ModelChoice
        from vsgen.jobs.label import label as label_rows
        from vsgen.jobs.label_options import LabelOptions, from_flags, from_template
        from vsgen.labels.select import parse_selection

        given = {"method": method, "kind": kind, "prior": prior, "permutations": permutations}
        overrides = [*(f"{key}={value}" for key, value in given.items() if value is not None), *(sets or ())]
        if template is not None:
            _alone(names=names, classes=classes, choices=choices, prompt=prompts)
            loaded, field = from_template(template, on, overrides)
        else:
            loaded, field = from_flags(
                _sections(names or [], classes or [], choices, prompts or [], kind), on, overrides
            )
        places = Places(output, rejects, journal, resume, overwrite, inputs=[input, template or "", calibrate or ""])
        job = LabelOptions(
            template=loaded,
            on=field,
            input=input,
            places=places,
            model=ModelChoice(model, device, dtype, batch, remote_code=trust_remote_code, pickled=allow_pickle),
            seed=seed,
            gold=calibrate,
            plot=plot,
            selection=None if select is None else parse_selection(select),
            histogram=histogram,
            truncate=truncate,
            skip_bad_rows=on_error == "skip",
            meta=not no_meta,
        )
        tally = carry_out(partial(label_rows, job), places, progress_mode, quiet=quiet, summary=_summary)
    if strict and not tally.passed:
        raise typer.Exit(GateError.status)


def _alone(**given: object) -> None:
    from vsgen.errors import OptionError

    if others := [f"--{name.removesuffix('s') if name == 'names' else name}" for name, value in given.items() if value]:
        raise OptionError(f"{others[0]}: does not go together with --template, whose labels are taken as they are")


def _sections(
    names: Sequence[str], classes: Sequence[str], choices: str | None, prompts: Sequence[str], kind: str | None
) -> list[Mapping[str, object]]:
    """One label section for each --name, with the classes and prompts in the same order."""
    from vsgen.errors import OptionError
    from vsgen.jobs.label_options import classes_of

    if not names:
        raise OptionError("what to label? give --name and --classes (or --choices), or --template")
    if choices is None and len(classes) != len(names):
        raise OptionError(f"--classes: give one list of classes for each --name ({len(names)}), got {len(classes)}")
    if prompts and len(prompts) != len(names):
        raise OptionError(f"--prompt: give one for each --name ({len(names)}), or none, got {len(prompts)}")
    sections: list[Mapping[str, object]] = []
    for i, name in enumerate(names):
        section: dict[str, object] = {"name": name}
        if choices is not None:
            section["choices"] = choices
        if i < len(classes):
            section["classes"] = classes_of(classes[i])
        if prompts:
            section["prompt"] = prompts[i]
        sections.append(section | ({"kind": kind} if kind else {}))
    return sections


def _summary(tally: Tally, seconds: float, where: str) -> list[str]:
    """The closing lines: what was labelled, in counts that add up; then the report."""
    asked = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.paid.items())) or "none"
    kept = f"{tally.written} written" + (f" + {tally.unselected} not selected" if tally.unselected else "")
    rate = tally.kept / max(seconds, 1e-9)
    lines = [
        f"vsgen: {tally.kept} rows labelled in {seconds:.1f} s ({rate:.1f} rows/s) -> {where}",
        f"  {tally.kept} rows = {kept} · {tally.tokens:,} tokens · calls made now: {asked}",
    ]
    counted = {
        "labels could not be made: see `problem` in their rows": tally.unlabelled,
        "labels are of texts that were cut": tally.truncated,
        "input rows skipped": tally.skipped,
    }
    lines += [f"  {count} {what}" for what, count in counted.items() if count]
    verdict = tally.verdict.lines() if tally.verdict else []
    return lines + [f"  {line}" for line in [*tally.report, *verdict]]

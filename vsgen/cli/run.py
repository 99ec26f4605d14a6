"""``vsgen run``: the main job."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import summary, user_errors
from vsgen.cli.shell import carry_out
from vsgen.errors import GateError

_SHORT = 1


def run(
    template: options.TemplateName,
    input: options.Input = None,
    output: options.Output = None,
    num: Annotated[
        int | None, typer.Option("-n", "--num", min=1, help="Rows to keep; goes on drawing until they are there.")
    ] = None,
    model: options.Model = None,
    method: options.Method = None,
    k: options.K = None,
    temperature: options.Temperature = None,
    sets: options.Sets = None,
    seed: options.Seed = 0,
    no_dedup: Annotated[bool, typer.Option("--no-dedup", help="Keep repeats.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was not kept here, each with its reason.")
    ] = None,
    journal: options.Journal = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    on_error: options.OnErrorOption = "stop",
    max_calls: Annotated[int | None, typer.Option(min=1, help="Draw no more replies than this.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Draw no more tokens than this, in all.")] = None,
    patience: Annotated[int, typer.Option(min=0, help="Stop after so many draws without news; 0: never.")] = 20,
    token_logprobs: Annotated[
        str | None,
        typer.Option(metavar="top=K", help="Teach kept answers token by token: top=20[,layout=distillkit|axolotl]."),
    ] = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    trust_remote_code: options.TrustRemoteCode = False,
    allow_pickle: options.AllowPickle = False,
    allow_exec: options.AllowExec = False,
    batch: options.Batch = None,
    no_meta: options.NoMeta = False,
    progress_mode: options.ProgressOption = "auto",
    quiet: options.Quiet = False,
    strict: options.Strict = False,
) -> None:
    """Make a dataset: draw, drop repeats, label, and stream JSONL.

    Exit status: 0 done; 1 done but short of -n; 2 wrong template, input or flags; 3 the model failed; 4 the output
    cannot be written; 5 --strict: all is written, but the verdict is bad; 130 interrupted.
    """
    with user_errors():
        from vsgen.export.packed import parse_token_logprobs
        from vsgen.files.places import Places
        from vsgen.jobs.desk import ModelChoice
        from vsgen.jobs.generate import GenerateOptions
        from vsgen.jobs.generate import run as run_job

        places = Places(output, rejects, journal, resume, overwrite, inputs=[input or "", template])
        choice = ModelChoice(model, device, dtype, batch, remote_code=trust_remote_code, pickled=allow_pickle)
        job = GenerateOptions(
            template=template,
            overrides=options.overrides(sets, method=method, k=k, temperature=temperature, no_dedup=no_dedup),
            input=input,
            places=places,
            num=num,
            model=choice,
            seed=seed,
            max_calls=max_calls,
            max_tokens=max_tokens,
            patience=patience,
            skip_bad_rows=on_error == "skip",
            meta=not no_meta,
            allow_exec=allow_exec,
            token_logprobs=None if token_logprobs is None else parse_token_logprobs(token_logprobs),
        )
        tally = carry_out(partial(run_job, job), places, progress_mode, quiet=quiet, summary=summary)
    if strict and not tally.passed:
        raise typer.Exit(GateError.status)
    if tally.stopped:
        raise typer.Exit(_SHORT)

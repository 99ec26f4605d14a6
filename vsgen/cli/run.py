"""``vsgen run``: the main job."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import INTERRUPTED, progress, say, summary, user_errors

if TYPE_CHECKING:
    from vsgen.run import Job, Tally

_SHORT = 1


def run(
    template: options.TemplateName,
    input: options.Input = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write rows here; appears when complete. Default: stdout."),
    ] = None,
    num: Annotated[
        int | None, typer.Option("-n", "--num", min=1, help="Rows to keep; goes on drawing until they are there.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("-m", "--model", envvar="VSGEN_MODEL", help="`tiny` (embedded), a Hugging Face id, or a folder."),
    ] = None,
    method: options.Method = None,
    k: options.K = None,
    temperature: options.Temperature = None,
    sets: options.Sets = None,
    seed: options.Seed = 0,
    no_dedup: Annotated[bool, typer.Option("--no-dedup", help="Keep repeats.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was not kept here, each with its reason.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where calls and raw replies lie. Default: FILE.journal.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run of -o FILE ended.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write an existing FILE anew.")] = False,
    on_error: Annotated[options.OnError, typer.Option(help="What to do about an input line that is no use.")] = "stop",
    max_calls: Annotated[int | None, typer.Option(min=1, help="Draw no more replies than this.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Draw no more tokens than this, in all.")] = None,
    patience: Annotated[int, typer.Option(min=0, help="Stop after so many draws without news; 0: never.")] = 20,
    device: Annotated[str, typer.Option(envvar="VSGEN_DEVICE", help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dtype: Annotated[str, typer.Option(envvar="VSGEN_DTYPE", help="auto, float32, bfloat16, float16.")] = "auto",
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run Python code that comes with the model.")
    ] = False,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Read weights that are not safetensors; they can run code.")
    ] = False,
    batch: Annotated[int | None, typer.Option(min=1, help="Replies that are decoded side by side.")] = None,
    no_meta: Annotated[bool, typer.Option("--no-meta", help="Leave `meta` out of the rows.")] = False,
    progress_mode: Annotated[
        options.ProgressMode, typer.Option("--progress", help="How to show progress on stderr.")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Make a dataset: draw, drop repeats, label, and stream JSONL.

    Exit status: 0 done; 1 done but short of -n; 2 wrong template, input or flags; 3 the model failed; 4 the output
    cannot be written; 130 interrupted.
    """
    with user_errors():
        from vsgen.run import Job

        job = Job(
            template=template,
            overrides=options.overrides(sets, method=method, k=k, temperature=temperature, no_dedup=no_dedup),
            input=input,
            output=output,
            rejects=rejects,
            journal=journal,
            resume=resume,
            overwrite=overwrite,
            num=num,
            model=model,
            device=device,
            dtype=dtype,
            remote_code=trust_remote_code,
            pickled=allow_pickle,
            batch=batch,
            seed=seed,
            max_calls=max_calls,
            max_tokens=max_tokens,
            patience=patience,
            skip_bad_rows=on_error == "skip",
            meta=not no_meta,
        )
        tally = _run(job, "none" if quiet else progress_mode, quiet=quiet)
    if tally.stopped:
        raise typer.Exit(_SHORT)


def _run(job: Job, mode: str, *, quiet: bool) -> Tally:
    from vsgen.files.records import ReaderGone, silence_stdout
    from vsgen.run import run as run_job

    def warn(text: str) -> None:
        if not quiet:
            say(f"vsgen: {text}")

    if mode == "auto" and job.output is None and sys.stdout is not None and sys.stdout.isatty():
        mode = "plain"  # rows are printed where the bar would stand
    begun = time.monotonic()
    try:
        with _terminated(), progress(mode) as observe:
            tally = run_job(job, observe=observe, warn=warn)
    except ReaderGone:
        silence_stdout()
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        _say_interrupted(job)
        raise typer.Exit(INTERRUPTED) from None
    where = str(job.output or "stdout")
    if tally.was_done and not quiet:
        say(f"vsgen: {where} is complete already: {tally.kept} rows")
    elif not quiet:
        say("\n".join(summary(tally, time.monotonic() - begun, where)))
    return tally


@contextmanager
def _terminated() -> Iterator[None]:
    """A batch system's SIGTERM ends a run as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_interrupted(job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the libraries' last words are no place for a second Ctrl-C
    if job.output is None and job.journal is None:
        say("vsgen: interrupted; with -o FILE a run can be resumed")
        return
    words = [word for word in sys.argv[1:] if word not in ("--resume", "--overwrite")]
    resume = ["--resume"] if job.output else []
    say(f"vsgen: interrupted; nothing is lost. To go on:\n  {shlex.join(['vsgen', *words, *resume])}")

"""The decoding loop: rows finish and leave, waiting calls enter, every step serves all running rows.

A call's prompt is computed ahead but for its last token; that token opens the row, so every drawn token comes from the
same batched step. Tokens that a grammar forces are fed with the drawn token before them, without a step of their own.
Rows 0 to n-1 of the cache are the running ones: when one leaves, the last row takes its place. The keys and values of a
resumable reply outlive its row, so that a call which continues it computes nothing twice.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import Any

from vsgen.backends.chat.detokenizer import Detokenizer
from vsgen.backends.decoding.forward import Stored
from vsgen.backends.decoding.grammar import Matcher
from vsgen.backends.decoding.memory import Memory
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.decoding.prefetch import Shelf
from vsgen.errors import CallError, ModelError, TooLongError
from vsgen.flow import refusal
from vsgen.ports import Ticket
from vsgen.values import Answer, Call, Completion, Generate, Prompt

DIGITS = 6
"""Log-probabilities are rounded to this many decimals: what lies below is the arithmetic's noise."""
_PROMPTS = 256
"""Prompts whose tokens are remembered: the calls of power sampling ask the same one over and over."""
_FEW = 8
"""Prompts are computed ahead once this fraction of the batch (1/8) waits or is free: alone they cost a step each."""
_TRUNKS = 16
"""Common beginnings of prompts may take this fraction (1/16) of the cache's tokens."""


@dataclass(slots=True)
class Job:
    """A waiting call."""

    ticket: Ticket
    call: Generate
    ids: tuple[int, ...]
    """Prompt and prefix."""
    limit: int
    """Tokens to draw at most: `Generate.max_tokens`, or what is left of the model's context."""
    most: int
    """Tokens of the whole row at most."""
    stored: Stored | None = None
    """Keys and values of `ahead`, if they were still known when the job was staged."""

    @property
    def part(self) -> bool:
        """It continues a reply, or is the beginning of one: something of it may be remembered."""
        return self.call.resumable or bool(self.call.prefix)

    @property
    def prompt(self) -> int:
        """Tokens of the prompt alone."""
        return len(self.ids) - len(self.call.prefix)

    @property
    def ahead(self) -> tuple[int, ...]:
        """What is computed before the row opens."""
        return self.ids[:-1]


@dataclass(slots=True)
class Row:
    """A running call."""

    job: Job
    text: Detokenizer
    matcher: Matcher | None
    rng: Random
    length: int
    """Tokens in the cache."""
    tokens: list[int] = field(default_factory=list)
    logps: list[float] = field(default_factory=list)
    """Of the tokens; those that are forced and wait for the next step have none yet."""
    logqs: list[float] = field(default_factory=list)

    @property
    def newest(self) -> list[int]:
        """The tokens that the next step feeds: the last one that was drawn, and those that its grammar then forces."""
        known = self.length - len(self.job.ids)
        return [self.job.ids[-1], *self.tokens] if known < 0 else self.tokens[known:]


class Decoder:
    """A queue of `Generate` calls over one running batch."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._parts = parts
        self._limits = limits
        self._shelf = Shelf(parts.network, limits.forward, limits.tokens // _TRUNKS)
        self._memory = Memory(limits.tokens // 2)
        self._read = lru_cache(maxsize=_PROMPTS)(self._ids)
        self._buffers = parts.network.running(limits.rows, limits.tokens)
        self._waiting: list[tuple[Ticket, Job]] = []
        self._staged: deque[Job] = deque()
        self._done: list[tuple[Ticket, Answer]] = []
        """Answered without a step."""
        self._rows: list[Row] = []
        self._knobs: Any = None

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call.

        A prefix that fills the model's context is continued by nothing; a prompt that does not fit is refused. What
        follows a cue ends with its line.
        """
        if not isinstance(call, Generate):
            raise TypeError(f"a decoder takes Generate calls, got {type(call).__name__}")
        if stops := self._parts.reader.stops(call.prompt):
            call = replace(call, stop=(*call.stop, *stops))
        try:
            ids = (*self._read(call.prompt), *call.prefix)
            limit = self._room(call, len(ids))
        except CallError as error:
            self._done.append((ticket, refusal(error)))
            return
        job = Job(ticket, call, ids, limit, len(ids) + limit)
        if not limit:
            self._done.append((ticket, self._nothing(job)))
            return
        if not job.part:
            self._shelf.need(job.ahead)
        heappush(self._waiting, (ticket, job))

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        """Let waiting calls join, and draw one token for every running row; what this finished."""
        done, self._done = self._done, []
        with self._parts.network.computing():
            if self._rows or self._staged or self._waiting:
                self._admit()
                done += self._step()
        return done

    def drawing(self) -> Sequence[tuple[Ticket, int]]:
        """The running calls and the tokens drawn for each; see `vsgen.ports.Drawing`."""
        return [(row.job.ticket, len(row.tokens)) for row in [*self._rows]]  # a copy: its own thread goes on

    def _ids(self, prompt: Prompt) -> tuple[int, ...]:
        return tuple(self._parts.reader.ids(prompt))

    def _nothing(self, job: Job) -> Completion:
        """The reply to a call whose prefix leaves no room."""
        text = Detokenizer(self._parts.tokenizer, job.ids[: job.prompt])
        text.feed(job.call.prefix)
        return Completion(text.finish(), logp=0.0, logq=0.0, stopped=False, prompt_tokens=job.prompt)

    def _room(self, call: Generate, used: int) -> int:
        """Tokens that can be drawn; 0 only after a prefix."""
        context = self._parts.network.context
        if context is None:
            return call.max_tokens
        if used >= context and not call.prefix:
            message = f"the prompt has {used} tokens and the model's context only {context}"
            raise TooLongError(f"{message}; shorten the template or the row", tokens=used, context=context)
        return max(0, min(call.max_tokens, context - used))

    def _admit(self) -> None:
        """Let staged calls into free rows; stage more when none is left and it is worth a forward pass."""
        free = self._limits.rows - len(self._rows)
        few = max(1, self._limits.rows // _FEW)
        if free and not self._staged and (not self._rows or len(self._waiting) >= few or free >= few):
            self._stage()
        while self._staged and self._fits(self._staged[0]):
            self._enter(self._staged.popleft())

    def _stage(self) -> None:
        tokens = 0
        while self._waiting and len(self._staged) < self._limits.rows:
            tokens += len(self._waiting[0][1].ids)
            if self._staged and tokens > self._limits.tokens:
                break
            self._staged.append(heappop(self._waiting)[1])
        for job in self._staged:
            if job.part:
                job.stored = self._memory.find(job.ahead, job.prompt - 1)
                if job.stored is None:
                    self._shelf.need(job.ahead)
        self._shelf.fill(job.ahead for job in self._staged if job.stored is None)

    def _fits(self, job: Job) -> bool:
        rows = len(self._rows) + 1
        if rows == 1 or rows > self._limits.rows:
            return rows == 1
        longest = max([job.most, *(row.job.most for row in self._rows)])
        return rows * longest <= self._limits.tokens

    def _enter(self, job: Job) -> None:
        call, parts = job.call, self._parts
        rng = Random(call.seed)
        for _ in call.prefix:
            rng.random()
        matcher = parts.grammars.matcher(call)
        rows = len(self._rows)
        if not self._buffers.holds(rows + 1, len(job.ids)):
            self._buffers.reserve(rows + 1, max([len(job.ids), *(row.length for row in self._rows)]))
        self._buffers.insert(rows, self._shelf.take(job.ahead) if job.stored is None else job.stored)
        job.stored = None
        text = Detokenizer(parts.tokenizer, job.ids[: job.prompt], call.stop)
        for token in call.prefix if call.stop else ():  # as if this row had drawn them
            text.feed([token])
        row = Row(job, text, matcher, rng, len(job.ids) - 1)
        self._force(row)
        self._rows.append(row)
        self._knobs = None

    def _step(self) -> list[tuple[Ticket, Answer]]:
        """Draw one token for every running row; the replies of the rows that this finished."""
        rows = self._rows
        scores = self._scores(rows)
        network = self._parts.network
        if self._knobs is None:
            self._knobs = network.knobs([row.job.call for row in rows])
        bars = self._parts.grammars.bars([row.matcher for row in rows])
        drawn = network.draw(scores, self._knobs, [row.rng.random() for row in rows], bars)
        stopped = [self._take(row, token, p, q) for row, token, p, q in zip(rows, *drawn, strict=True)]
        finished = [i for i, row in enumerate(rows) if stopped[i] or len(row.tokens) >= row.job.limit]
        return [self._leave(i, stopped[i]) for i in reversed(finished)]

    def _scores(self, rows: Sequence[Row]) -> Any:
        """Feed every row's newest tokens; the scores of what follows the last, [rows, vocabulary]."""
        network = self._parts.network
        fed, lengths = [row.newest for row in rows], [row.length for row in rows]
        if all(len(tokens) == 1 for tokens in fed):
            scores = network.step([token for (token,) in fed], lengths, self._buffers)
        else:
            every = network.chunks(fed, lengths, self._buffers)
            ends = list(accumulate(map(len, fed)))
            scores = every[[end - 1 for end in ends]]
            self._learn(rows, fed, every, ends)
        for row, tokens in zip(rows, fed, strict=True):
            row.length += len(tokens)
        return scores

    def _learn(self, rows: Sequence[Row], fed: Sequence[list[int]], every: Any, ends: Sequence[int]) -> None:
        """The log-probabilities of forced tokens: the model's own, and 0 as drawn."""
        places = [place for tokens, end in zip(fed, ends, strict=True) for place in range(end - len(tokens), end - 1)]
        forced = [token for tokens in fed for token in tokens[1:]]
        logps = iter(self._parts.network.own_logp(every[places], forced))
        for row, tokens in zip(rows, fed, strict=True):
            row.logps += [next(logps) for _ in tokens[1:]]
            row.logqs += [0.0] * (len(tokens) - 1)

    def _force(self, row: Row) -> None:
        """Add the tokens that a row's grammar forces; each takes a random number, as if it were drawn."""
        matcher = row.matcher
        if matcher is None or row.job.call.stop or not self._parts.network.takes_chunks:
            return
        while len(row.tokens) < row.job.limit - 1 and (token := matcher.forced()) is not None:
            row.tokens.append(token)
            row.rng.random()
            matcher.accept([token])

    def _take(self, row: Row, token: int, logp: float, logq: float) -> bool:
        """Add a drawn token; whether it ends the reply."""
        row.tokens.append(token)
        row.logps.append(logp)
        row.logqs.append(logq)
        if token in self._parts.ends:
            return True
        if row.matcher is not None:
            row.matcher.accept([token])
            self._force(row)
        if row.job.call.stop:
            row.text.feed([token])
        return row.text.stopped

    def _leave(self, i: int, stopped: bool) -> tuple[Ticket, Answer]:
        row, last = self._rows[i], self._rows.pop()
        if row.job.call.resumable:
            ids = (*row.job.ids, *row.tokens[:-1])
            self._memory.keep(ids, row.job.prompt - 1, self._buffers.copy(i, len(ids)))
        if last is not row:
            self._buffers.move(len(self._rows), i, last.length)
            self._rows[i] = last
        self._knobs = None
        return row.job.ticket, self._reply(row, stopped)

    def _reply(self, row: Row, stopped: bool) -> Completion:
        logp, logq = math.fsum(row.logps), math.fsum(row.logqs)
        if not math.isfinite(logp) or not math.isfinite(logq):
            raise ModelError("the model computes scores that are not finite; open it with dtype float32")
        if not row.job.call.stop:
            drawn = row.tokens[:-1] if row.tokens[-1] in self._parts.ends else row.tokens
            row.text.feed([*row.job.call.prefix, *drawn])
        text = row.text.finish()
        reply = Completion(
            text=text,
            tokens=tuple(row.tokens),
            logp=round(logp, DIGITS),
            logq=round(logq, DIGITS),
            stopped=stopped or row.text.stopped,
            prompt_tokens=row.job.prompt,
        )
        return replace(reply, logps=_rounded(row.logps), logqs=_rounded(row.logqs)) if row.job.call.resumable else reply


def _rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(number, DIGITS) for number in numbers)

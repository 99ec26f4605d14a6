"""The nouns that every room shares: rows, prompts, calls, replies, candidates, records.

All are frozen and hold plain Python values only, so that they can be written to the journal, compared and hashed.
Units: every ``logp`` and ``logq`` is in nats; ``logp`` is the model's own log-probability at temperature 1 and
``logq`` the log-probability under the distribution that was really drawn from (temperature, top-p and grammar applied).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]
DecisionKind: TypeAlias = Literal["predicate", "choice", "score"]
Basis: TypeAlias = Literal["verbalized", "frequency", "uniform", "power", "model"]
Reason: TypeAlias = Literal[
    "duplicate", "malformed", "refused", "placeholder", "schema", "filter", "check", "keep", "surplus"
]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the input; without an input there is a single row without fields."""

    index: int
    """Position in the input, from 0; lines that cannot be read count."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """The line's JSON object; its keys are variables of the template."""
    where: str = ""
    """``file:line``; empty where there is no input."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: a conversation, and optionally the beginning of the reply."""

    messages: tuple[Message, ...] = ()
    prefill: str = ""
    """The reply's first characters, to be continued. Without messages it is the whole text: plain completion, with
    no chat template."""
    cue: str = ""
    """What leads to a reply of one line, such as ``Answer:``: the reply is spelled after a space, and a line's end ends
    it as well as the end of text. A prefill that ends with the cue leads every model to it. Otherwise the cue is for
    models without a chat template alone, which read it after the messages and the prefill."""

    @property
    def opened(self) -> bool:
        """Whether the cue leads every model, since the prefill ends with it."""
        return bool(self.cue) and self.prefill.endswith(self.cue)


@dataclass(frozen=True, slots=True)
class Generate:
    """Asks a language model for one reply."""

    prompt: Prompt
    seed: int
    """Names this draw: the same call with the same seed draws the same tokens, whatever else is in its batch."""
    temperature: float = 1.0
    """0 is greedy."""
    top_p: float = 1.0
    top_k: int = 0
    """0 keeps the whole vocabulary."""
    min_p: float = 0.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    """The reply ends before the first of these."""
    schema: str | None = None
    """A JSON Schema, as JSON text, that the reply must obey; a backend without constrained decoding ignores it."""
    pattern: str | None = None
    """A regular expression that the whole reply must match, in place of a schema; the same backends ignore it."""
    prefix: tuple[int, ...] = ()
    """Token ids already drawn, which the reply continues."""
    resumable: bool = False
    """Later calls will continue this reply, or a beginning of it: it says the log-probabilities of every token, and the
    model may keep its keys and values."""


@dataclass(frozen=True, slots=True)
class Score:
    """Asks a language model for log P(choice | prompt) of whole choices."""

    prompt: Prompt
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypedQuestion:
    """One question of `Decide`."""

    kind: DecisionKind
    """predicate: yes or no; choice: one of the options; score: one of the options, which are levels, lowest first."""
    text: str
    options: tuple[str, ...] = ()
    """Of a choice or a score; a predicate has none."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Asks a server's decision interface several questions about one text."""

    state: str
    """The text."""
    questions: tuple[TypedQuestion, ...]


@dataclass(frozen=True, slots=True)
class Teach:
    """Asks a language model how it would have gone on after every token of a given answer (teacher forcing)."""

    prompt: Prompt
    answer: str
    """May be empty: then the reply holds the distribution of the first token alone."""
    top: int = 20
    """How many of the most probable tokens to say at each position; the whole vocabulary if it has no more."""


@dataclass(frozen=True, slots=True)
class Embed:
    """Asks an embedder for the unit vector of a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Asks an external command of the template whether a row is right."""

    command: tuple[str, ...]
    """The program and its arguments; no shell reads them."""
    row: str
    """The row's fields, a JSON object."""
    timeout: float = 10.0
    """Seconds within which the verdict must be there."""
    version: str = ""
    """Names the content of the files that the command names, so that a changed one is asked anew."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a call took, which is what is paid for."""

    prompt: int = 0
    """Of the prompt, `cached` included."""
    drawn: int = 0
    """Of the reply, `hidden` included."""
    hidden: int = 0
    """Those of `drawn` that the model thought and the server does not show."""
    cached: int = 0
    """Those of `prompt` that the server had in its cache."""
    estimated: int = 0
    """Those of `prompt` and `drawn` that were estimated, since the server does not count them."""

    def __add__(self, other: Usage) -> Usage:
        """Both."""
        return Usage(
            self.prompt + other.prompt,
            self.drawn + other.drawn,
            self.hidden + other.hidden,
            self.cached + other.cached,
            self.estimated + other.estimated,
        )

    @property
    def total(self) -> int:
        """Of prompt and reply."""
        return self.prompt + self.drawn


@dataclass(frozen=True, slots=True)
class Completion:
    """The reply to `Generate`."""

    text: str
    """The whole reply so far: what `Generate.prefix` says, and what was drawn."""
    tokens: tuple[int, ...] = ()
    """Ids of the drawn tokens, after `Generate.prefix`; the stop token included where the model drew one."""
    logp: float | None = None
    """Sum over `tokens`, nats, at temperature 1; None where the backend cannot say."""
    logq: float | None = None
    """Sum over `tokens`, nats, as drawn; None where the backend cannot say."""
    stopped: bool = True
    """The model or a stop string ended the reply; False when `max_tokens` cut it."""
    prompt_tokens: int = 0
    logps: tuple[float, ...] = ()
    """`logp` token by token, of a resumable reply."""
    logqs: tuple[float, ...] = ()
    """`logq` token by token, of a resumable reply."""
    count: int = 0
    """How many tokens were drawn, where a server counts them and says no ids; hidden thoughts included."""
    usage: Usage | None = field(default=None, compare=False)
    """What a server took for it, all attempts together, which is no part of what it says; None in this process."""

    @property
    def drawn(self) -> int:
        """How many tokens were drawn, whether their ids are known or not."""
        return len(self.tokens) or self.count


@dataclass(frozen=True, slots=True)
class Scores:
    """The reply to `Score`."""

    logp: tuple[float, ...]
    """One per choice: log P(all tokens of the choice, then the end of the reply | prompt), nats; an estimate between
    `lower` and `upper` where these are not empty."""
    prompt_tokens: int = 0
    lower: tuple[float, ...] = ()
    """The least that each may be, nats; empty where all are exact."""
    upper: tuple[float, ...] = ()
    """The most that each may be, nats; empty where all are exact."""
    usage: Usage | None = field(default=None, compare=False)
    """As that of a `Completion`."""

    @property
    def exact(self) -> tuple[float | None, ...]:
        """`logp`, with None in the place of an estimate."""
        if not self.upper:
            return self.logp
        ends = zip(self.logp, self.lower, self.upper, strict=True)
        return tuple(logp if least == most else None for logp, least, most in ends)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a `TypedQuestion`."""

    probs: tuple[float, ...] = ()
    """One for each option, of a predicate those of yes and no; they sum to 1. Empty where there is no answer."""
    mass: float | None = None
    """P(the reply is one of the options); None where the server does not report it."""
    problem: str = ""
    """Why there is no answer; empty where there is one."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The reply to `Decide`."""

    decisions: tuple[Decision, ...]
    """One for each question, in their order."""
    usage: Usage | None = field(default=None, compare=False)
    """What it took; None in a journal that does not say."""


@dataclass(frozen=True, slots=True)
class Taught:
    """The reply to `Teach`: T positions, one for each token of the answer and one for the end of the reply."""

    prompt_tokens: tuple[int, ...]
    """Ids of the prompt, as the model reads it."""
    tokens: tuple[int, ...]
    """Ids of the answer's tokens in their place after the prompt, then the end token; T of them."""
    logps: tuple[float, ...]
    """Each token's log-probability given all before it, nats, at temperature 1; T of them."""
    width: int
    """k: how many tokens are said at each position."""
    top_ids: bytes
    """[T, k] little-endian uint32, the most probable token first."""
    top_logps: bytes
    """[T, k] little-endian float32, nats, at temperature 1."""
    usage: Usage | None = field(default=None, compare=False)
    """As that of a `Completion`."""


@dataclass(frozen=True, slots=True)
class Vector:
    """The reply to `Embed`: a vector of length 1, but for the rounding of its components."""

    data: bytes
    """Little-endian float16 components. They are rounded here, and not where they are written, so that a run that
    writes to a pipe decides as one that keeps its vectors in a file."""
    usage: Usage | None = field(default=None, compare=False)
    """As that of a `Completion`; no file keeps it."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a language model is, apart from what it says."""

    parameters: int | None
    """None where nobody says."""
    vocabulary: int
    """Tokens that it knows; 0 where nobody says."""
    context: int | None
    """Tokens that prompt and reply may have together; None where there is no limit."""
    dtype: str
    device: str
    chat: bool
    """It has a chat template; without one it continues text."""
    system: bool
    """Its chat template has a place of its own for a system message."""
    embedded: bool = False
    """It is the embedded model, which was trained on vsgen's own words and needs no examples of them."""
    slow: str | None = None
    """Why it computes much more slowly than it could on this machine, and what to do."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The reply to `Verify`."""

    ok: bool
    problem: str = ""
    """What is wrong, in the command's own words."""


@dataclass(frozen=True, slots=True)
class Models:
    """What is known of the language models of a run: what they call themselves, and what the first of them is."""

    own: str
    """Who writes."""
    judges: Mapping[str, str] = field(default_factory=dict)
    """Those that labels name, by that name."""
    embedder: str | None = None
    """What tells repeats; None where nothing is embedded."""
    facts: ModelFacts | None = None
    """What the one who writes is; None where it cannot say."""

    @property
    def names(self) -> Mapping[str | None, str]:
        """What all of them call themselves, by the names that labels have for them; None is who writes."""
        named: dict[str | None, str] = {None: self.own}
        return named | dict(self.judges)


@dataclass(frozen=True, slots=True)
class Directed:
    """A call to another language model than the run's own."""

    model: str
    """As the template names it."""
    call: Generate | Score | Decide


Call: TypeAlias = Generate | Score | Decide | Teach | Embed | Verify | Directed
"""Whatever a flow may ask; executors and the journal meet a directed call as the call that is in it."""
Reply: TypeAlias = Completion | Scores | Decided | Taught | Vector | Verified


@dataclass(frozen=True, slots=True)
class Refused:
    """In the place of a reply: this one call has none, and why; whoever answers goes on with the others."""

    why: Literal["too-long", "choice", "command", "refused", "withheld"]
    """Withheld: a server gave no reply to this one call, by a content filter, say, and answers others."""
    problem: str
    """In words."""
    tokens: int = 0
    """How many a call takes that is too long."""
    context: int = 0
    """How many there may be."""
    usage: Usage | None = field(default=None, compare=False)
    """What a server took all the same; None in this process."""


Answer: TypeAlias = Reply | Refused


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer out of a distribution."""

    fields: Mapping[str, object]
    """What the user asked for: field name to value."""
    weight: float
    """Share of its own distribution; a distribution's candidates and malformed replies sum to 1."""
    verbalized: float | None = None
    """The probability that the model stated, raw (a percentage is divided by 100); None if missing or impossible."""
    logp: float | None = None
    """log P(the reply) where the reply is this candidate alone, nats."""
    reasoning: str | None = None
    flags: tuple[str, ...] = ()
    """What was odd or mended while reading it, e.g. ``no-probability``, ``truncated``."""
    reply: int = 0
    """Which of the draw's completions it was read from."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What else is known of how it was drawn, for the record's meta."""
    vote: float | None = None
    """Its share when the draw's answers are voted on, where that is not its weight."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What was drawn and is no candidate.

    A reply in which none could be found, an answer that is not whole in a reply with others, or the place of a reply
    that was refused.
    """

    raw: str
    weight: float
    problem: str
    reply: int = 0
    refused: Refused | None = None
    """There was no reply, and why."""
    verbalized: float | None = None
    """The probability that the model stated for such an answer; None if missing or impossible."""

    @classmethod
    def of(cls, refused: Refused, weight: float, reply: int) -> Malformed:
        """The place of a reply that was refused."""
        return cls("", weight, refused.problem, reply, refused)


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one draw yields: weighted candidates, and the replies and answers that could not be read."""

    basis: Basis
    """Where the weights come from: stated by the model, counted over independent replies, or over draws from p^alpha
    (or their importance weights), equal by default, or proportional to the model's own probability of each answer."""
    candidates: tuple[Candidate, ...]
    malformed: tuple[Malformed, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know about how well this draw went."""

    @property
    def refused(self) -> Refused | None:
        """Why there is no reply at all; None where there is one."""
        why = [lost.refused for lost in self.malformed]
        return why[0] if why and all(why) and not self.candidates else None


@dataclass(frozen=True, slots=True)
class SoftLabel:
    """A teacher's distribution over the classes of one label."""

    probs: Mapping[str, float]
    """P(class | text), renormalised over the classes, calibrated where that was asked for."""
    entropy: float
    """Of `probs`, nats; where several classes may apply, the sum of their own entropies."""
    margin: float
    """The largest of `probs` less the second largest; where several classes may apply, how far the least certain one is
    from a coin's toss, from 0 to 1."""
    label_mass: float | None
    """P(the reply is one of the classes): low where the question or the classes do not suit the model. None where the
    model was asked to state probabilities, and where a server does not report it."""
    disagreement: float | None = None
    """Between the traces, statements or orders whose mean this is: entropy of the mean less mean entropy, which is
    their mutual information, nats. None where there was one."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What else is known of how it was made; written beside the others."""
    order_flips: tuple[bool, ...] = ()
    """Whether the orders in which the classes were listed differ in the likeliest one, where each order was asked once:
    one for the label, or one for each class that may apply. It is counted and not written."""

    @property
    def most_likely(self) -> str:
        """The class with the largest of `probs`; of equal ones the first."""
        return max(self.probs, key=self.probs.__getitem__)


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """In the place of a soft label: the model could not be asked, or said nothing that can be read."""

    problem: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a student is taught token by token."""

    messages: tuple[Message, ...]
    """The task, and the answer as the last message."""
    taught: Taught
    """How the teacher would have gone on at each token of the answer."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the output."""

    id: str
    fields: Mapping[str, object]
    probability: float
    """The candidate's share of its own draw."""
    labels: Mapping[str, SoftLabel | Unlabelled]
    meta: Mapping[str, object]
    lesson: Lesson | None = None
    """None where none was asked for, or the answer was too long for the model."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that did not become a record, and why."""

    record: Record
    reason: Reason
    detail: str = ""
    """What was wrong, in words."""
    clause: str | None = None
    """The expression of the template that did not hold."""
    twin: str | None = None
    """The id of the record that a duplicate repeats."""
    similarity: float | None = None
    """Cosine to the twin."""
    raw: str | None = None
    """The reply, or the part of one, that could not be read."""

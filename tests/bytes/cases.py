"""The command lines whose bytes are kept, as data.

Each runs in a folder of its own that holds what `inputs/` holds, with `-m tiny` unless it says otherwise. What is
digested is what the command leaves: standard output, `out.jsonl` and `rejects.jsonl`, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from vsgen.template.catalog import shipped


class Case(NamedTuple):
    """A command line."""

    words: str
    """What a user types after `vsgen`, as a shell splits it."""
    stdin: str = ""
    """The file of `inputs/` that it reads on standard input; none."""
    slow: bool = True
    """Whether it is left out of `make test`."""


TEMPLATES: Final = tuple(shipped())
METHODS: Final = ("direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power")
SEEDS: Final = (0, 1, 2)
_FEW = "--set sampling.k=2 --set sampling.max_tokens=40 --set sampling.power.particles=4 "
"""A draw of power sampling that takes at most 32 replies."""
_OUT: Final = "-o out.jsonl --rejects rejects.jsonl"
_QUICK: Final = frozenset(
    {
        "run/random-item/hash/0",
        "run/input/products",
        "run/input/skipped",
        "run/power/is",
        "run/logprobs/packed",
        "label/score",
        "label/calibrated",
        "targets/soft",
        "targets/templates/hard",
        "check/support-tickets",
        "export/jsonl",
    }
)

_RUNS: Final = {
    "input/products": f"support-tickets products.jsonl -n 12 {_OUT}",
    "input/once": f"support-tickets products.jsonl {_OUT}",
    "input/skipped": f"support-tickets bad.jsonl --on-error skip {_OUT}",
    "input/no-meta": f"support-tickets products.jsonl -n 8 --no-meta {_OUT}",
    "stdout": "random-item -n 10",
    "no-meta": f"random-item -n 10 --no-meta {_OUT}",
    "no-dedup": f"random-item -n 30 --no-dedup {_OUT}",
    "short/saturated": f"random-day -n 50 --patience 3 {_OUT}",
    "short/calls": f"support-tickets -n 40 --max-calls 3 {_OUT}",
    "short/tokens": f"support-tickets -n 40 --max-tokens 1100 {_OUT}",
    "hot": f"story-openers -n 10 --temperature 1.5 -k 8 {_OUT}",
    "nucleus": f"story-openers -n 10 --set sampling.top_p=0.8 --set sampling.top_k=20 {_OUT}",
    "tails": f"jokes -n 10 --set sampling.p_max=0.2 --set sampling.p_min=0.02 {_OUT}",
    "lines": f"random-item -n 10 --set sampling.format=lines {_OUT}",
    "demonstrated": f"random-item -n 10 --set sampling.demonstrate=2 {_OUT}",
    "system": f"jokes -n 8 --set 'system=You are funny.' {_OUT}",
    "unguarded": f"support-tickets -n 20 --set 'dedup.guards=[]' --set dedup.threshold=0.7 {_OUT}",
    "filter": "support-tickets -n 10 --set 'filter.text.match=light|machine' " + _OUT,
    "keep": f"support-tickets -n 10 --set 'keep=labels.category.margin > 0.5' {_OUT}",
    "keep/logp": f"support-tickets -n 10 --set logp=true --set 'keep=logp > -20' {_OUT}",
    "check": f"random-item -n 5 --max-calls 8 --set check.text=python {_OUT}",
    "repair": f"random-item -n 8 --max-calls 30 --set repair=2 --set output.max_chars=6 {_OUT}",
    "weights/model": f"random-item -n 10 --set weights=model {_OUT}",
    "weights/uniform": f"random-item -n 10 --set weights=uniform {_OUT}",
    "label/votes": f"support-tickets -n 5 --set labels.0.method=votes --set labels.0.replies=3 {_OUT}",
    "label/reasoning": f"support-tickets -n 5 --set labels.0.method=reasoning --set labels.0.replies=2 {_OUT}",
    "power/smc": f"arithmetic -n 4 --set sampling.power.engine=smc {_OUT}",
    "power/mh": f"arithmetic -n 3 --set sampling.power.engine=mh --set sampling.power.steps=2 {_OUT}",
    "power/is": f"arithmetic -n 4 --set sampling.power.engine=is {_OUT}",
    "power/low-temperature": f"arithmetic -n 4 --set sampling.power.engine=low-temperature {_OUT}",
    "power/best-of-n": f"arithmetic -n 4 --set sampling.power.engine=best-of-n {_OUT}",
    "logprobs/packed": f"support-tickets -n 4 --token-logprobs top=5 {_OUT}",
    "logprobs/distillkit": f"support-tickets -n 4 --token-logprobs top=5,layout=distillkit {_OUT}",
    "logprobs/axolotl": f"support-tickets -n 4 --token-logprobs top=5,layout=axolotl,tail=1 {_OUT}",
    "logprobs/axolotl-v1": f"support-tickets -n 4 --token-logprobs layout=axolotl-v1 {_OUT}",
}

_ASK: Final = "--name category --classes billing,bug,how-to --prompt 'Which queue should take this support ticket?'"
_TICKETS: Final = f"texts.jsonl {_ASK}"
_LABELS: Final = {
    "score": f"{_TICKETS} -o out.jsonl",
    "reasoning": f"{_TICKETS} --method reasoning --set replies=2 -o out.jsonl",
    "votes": f"{_TICKETS} --method votes --set replies=3 -o out.jsonl",
    "votes/thoughtless": f"{_TICKETS} --method votes --set replies=4 --set think=false --seed 1 -o out.jsonl",
    "verbalized": f"{_TICKETS} --method verbalized -o out.jsonl",
    "verbalized/skipped": f"{_TICKETS} --method verbalized --set replies=3 --on-error skip -o out.jsonl",
    "prior/contextual": f"{_TICKETS} --prior contextual -o out.jsonl",
    "prior/batch": f"{_TICKETS} --prior batch -o out.jsonl",
    "permutations": f"{_TICKETS} --permutations all -o out.jsonl",
    "ordinal": "texts.jsonl --name anger --classes 1,2,3,4 --prompt 'How angry is it?' --kind ordinal -o out.jsonl",
    "multi": f"{_TICKETS} --kind multi -o out.jsonl",
    "byte": f"{_TICKETS} --set normalize=byte -o out.jsonl",
    "pmi": f"{_TICKETS} --set normalize=pmi -o out.jsonl",
    "letters": f"{_TICKETS} --set verbalizer=letters -o out.jsonl",
    "unlisted": f"{_TICKETS} --set listed=false -o out.jsonl",
    "no-meta": f"{_TICKETS} --no-meta -o out.jsonl",
    "stdin": f"- {_ASK}",
    "choices": "questions.jsonl --name answer --choices options -o out.jsonl",
    "two": f"{_TICKETS} --name urgent --classes yes,no --prompt 'Is it urgent?' -o out.jsonl",
    "template": "texts.jsonl --template support-tickets -o out.jsonl",
    "on": f"mails.jsonl --on mail {_ASK} --truncate -o out.jsonl",
    "on/votes": f"mails.jsonl --on mail {_ASK} --truncate --method votes --set replies=2 -o out.jsonl",
    "calibrated": f"{_TICKETS} --calibrate gold.jsonl -o out.jsonl",
    "calibrated/ordinal": f"{_TICKETS} --calibrate gold.jsonl --kind ordinal -o out.jsonl",
    "calibrated/batch": f"{_TICKETS} --calibrate gold.jsonl --prior batch -o out.jsonl",
    "examples": f"mails.jsonl --on mail {_ASK} --examples shown.jsonl --truncate -o out.jsonl",
    "examples/turns": f"mails.jsonl --on mail {_ASK} --examples shown.jsonl --set form=turns --truncate -o out.jsonl",
    "borderline": f"{_TICKETS} --select borderline:0.25 {_OUT}",
    "margin": f"{_TICKETS} --select margin:0.5 --histogram {_OUT}",
    "disagreement": f"{_TICKETS} --method reasoning --set replies=2 --select disagreement:0.5 {_OUT}",
}

_TARGETS: Final = {
    "values": "-n 30 -o out.jsonl",
    "values/all": "--split all --max-bins 9 --seed 1 -o out.jsonl",
    "values/quantile": "--split unseen --selected --grid quantile --decimals 3 --max-bins 64 -o out.jsonl",
    "values/stdout": "--family poisson,weibull --split heldout --max-bins 50",
    "hard": "--kind hard --samples 3 -n 20 -o out.jsonl",
    "soft": "--kind soft --tokenizer tiny --split all --family poisson,uniform -n 3 --max-bins 40 -o out.jsonl",
    "soft/paths": "--kind soft --tokenizer tiny -n 4 --paths 3 --max-bins 40 --seed 2 -o out.jsonl",
    "templates/values": "random-day -o out.jsonl",
    "templates/hard": "random-day --kind hard --samples 5 -o out.jsonl",
    "templates/soft": "random-day --kind soft --tokenizer tiny -o out.jsonl",
    "from/values": "support-tickets --from tickets.jsonl -o out.jsonl",
    "from/soft": "support-tickets --from tickets.jsonl --kind soft --tokenizer tiny -o out.jsonl",
    "from/hard": "support-tickets --from tickets.jsonl --kind hard --samples 4 -o out.jsonl",
}

_MEASURED: Final = {
    "families": "--family bernoulli,student_t --selected --samples 6 --max-bins 12 --no-probes -o out.jsonl",
    "probes": "--family bernoulli --selected --samples 4 -n 1 --seed 1 -o out.jsonl",
    "template": "random-day --samples 8 -o out.jsonl",
}

_EXPORTS: Final = {
    "jsonl": "tickets.jsonl --to jsonl -o out.jsonl",
    "sentence-transformers": "tickets.jsonl --to sentence-transformers -o out.jsonl",
    "trl": "tickets.jsonl --to trl --draws 3 --question 'Which queue?' --seed 1 -o out.jsonl",
    "trl/hard": "tickets.jsonl --to trl --draws 0",
    "distillkit": "packed.jsonl --to distillkit -o out.jsonl",
    "axolotl": "packed.jsonl --to axolotl --tail 1 -o out.jsonl",
}


def cases() -> Mapping[str, Case]:
    """All of them, by name."""
    return {name: case._replace(slow=name not in _QUICK) for name, case in _all()}


def _all() -> Iterator[tuple[str, Case]]:
    yield from _of_templates()
    for name, words in _RUNS.items():
        yield f"run/{name}", Case(f"run {words} -m tiny")
    for name, words in _LABELS.items():
        yield f"label/{name}", Case(f"label {words} -m tiny", "texts.jsonl" if name == "stdin" else "")
    for name, words in _TARGETS.items():
        yield f"targets/{name}", Case(f"targets {words}")
    for name, words in _MEASURED.items():
        yield f"measure/{name}", Case(f"measure {words} -m tiny")
    for name, words in _EXPORTS.items():
        yield f"export/{name}", Case(f"export {words}")


def _of_templates() -> Iterator[tuple[str, Case]]:
    """Every shipped template: seeds, both embedders, every method that goes with it, and what `check` shows."""
    for template in TEMPLATES:
        for seed in SEEDS:
            yield f"run/{template}/hash/{seed}", Case(f"run {template} -m tiny -n 12 --seed {seed} {_OUT}")
        yield f"run/{template}/minilm", Case(f"run {template} -m tiny -n 12 --set dedup.embedder=minilm {_OUT}")
        for method in METHODS:
            small = _FEW if method == "power" else ""
            words = f"run {template} -m tiny -n 4 --method {method} {small}--max-calls 40 --seed 3 {_OUT}"
            yield f"run/{template}/{method}", Case(words)
        yield f"check/{template}", Case(f"check {template}")
        yield f"check/{template}/tiny", Case(f"check {template} -m tiny --method direct")

"""Power sampling: how far each engine's answers are from the exact power law, where the law is known.

The oracle is the embedded model's grammar with exact probabilities; the prompt is an engineered word problem in which a
hasty guess is the likelier first token and worked steps are the likelier whole text. Alpha 2, at most 48 tokens, 50
draws of 10 replies. Total variation over answers, weighted by `probability`: every reply counts once (engine is: by
importance).
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping
from random import Random

from tests.bench.reference_power import Ids, Proposal, published
from tests.sampling.power.exact import play, variation
from vsgen.flow import Spent, metered
from vsgen.sampling.power.method import power
from vsgen.sampling.settings import Power, Sampling, Settings
from vsgen.tiny.grammar.sums import final
from vsgen.tiny.oracle import Oracle
from vsgen.values import Candidate, Generate, Message, Prompt

STORY = "Emma has 71 apples. Emma finds 5 more. Emma sells 9. How many apples does Emma have now?"
TASK = Prompt((Message("user", STORY),))
ALPHA = 2.0
LIMIT = 48
DRAWS = 50
REPLIES = 10
WAYS = {
    "low temperature": Power(engine="low-temperature"),
    "best of 16": Power(engine="best-of-n"),
    "is": Power(engine="is"),
    "auto": Power(engine="auto"),
    "smc, 4 particles": Power(engine="smc", particles=4),
    "smc, 16 particles": Power(engine="smc"),
    "smc, 64 particles": Power(engine="smc", particles=64),
    "mh, 1 x 10": Power(engine="mh", blocks=1),
    "mh, 4 x 10": Power(engine="mh"),
    "mh, 1 x 160": Power(engine="mh", blocks=1, steps=160),
}


def main() -> None:
    """Print one table."""
    oracle = Oracle()
    law = _answers({oracle.spell(tokens): math.exp(ALPHA * logp) for tokens, logp in oracle.enumerate(TASK)})
    sys.stdout.write(f"{'way':<34}{'tokens/reply':>14}{'TV':>13}\n")
    for name, how in WAYS.items():
        spent, found = Spent(), list[Candidate]()
        settings = Settings(Sampling(method="power", k=REPLIES, max_tokens=LIMIT, power=how))
        for seed in range(DRAWS):
            found += play(metered(power(settings, TASK, Random(seed)), spent), oracle.generate).candidates
        texts = [str(one.fields["text"]) for one in found]
        counted = variation(_answers(_sums(texts, [one.weight for one in found])), law)
        sys.stdout.write(f"{name:<34}{spent.tokens / len(found):>14.0f}{counted:>13.3f}\n")
    tokens, texts = _published(oracle)
    counted = variation(_answers(Counter(texts)), law)
    sys.stdout.write(f"{'published procedure, 16 x 10':<34}{tokens / len(texts):>14.0f}{counted:>13.3f}\n")
    exact = Random(0).choices(list(law), list(law.values()), k=DRAWS * REPLIES)
    sys.stdout.write(f"{'draws from the law itself':<34}{'':>14}{variation(Counter(exact), law):>13.3f}\n")


def _published(oracle: Oracle) -> tuple[int, list[str]]:
    """As many replies by the published procedure, and the tokens drawn for them."""
    spent, seeds = 0, Random(1)

    def propose(prefix: Ids, count: int) -> Proposal:
        nonlocal spent
        call = Generate(TASK, seeds.getrandbits(63), 1 / ALPHA, max_tokens=count, prefix=tuple(prefix), resumable=True)
        (reply,) = oracle.generate([call])
        spent += len(reply.tokens)
        return Proposal(list(reply.tokens), list(reply.logps), list(reply.logqs))

    texts = []
    for seed in range(DRAWS * REPLIES):
        tokens, _ = published(propose, [], oracle._end, alpha=ALPHA, limit=LIMIT, rng=Random(seed))
        texts.append(oracle.spell(tokens))
    return spent, texts


def _sums(texts: list[str], weights: list[float]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for text, weight in zip(texts, weights, strict=True):
        found[text] = found.get(text, 0.0) + weight
    return found


def _answers(texts: Mapping[str, float]) -> dict[int | None, float]:
    """The weight of each answer; None is no answer."""
    found: dict[int | None, float] = {}
    for text, weight in texts.items():
        found[final(text)] = found.get(final(text), 0.0) + weight
    return found


if __name__ == "__main__":
    main()

"""The embedded model's tokenizer without its model."""

from __future__ import annotations

from vsgen.backends.open import open_model
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.ports import Inspectable


def test_it_counts_the_weights_that_the_model_has() -> None:
    model, alone = open_model("tiny"), open_tokenizer("tiny").facts()
    assert isinstance(model, Inspectable) and alone is not None
    facts = model.facts()
    assert (alone.parameters, alone.vocabulary) == (facts.parameters, facts.vocabulary)
    assert (alone.chat, alone.system, alone.embedded) == (facts.chat, facts.system, facts.embedded)

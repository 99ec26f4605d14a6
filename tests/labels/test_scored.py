"""Labels from scores: the exact probabilities of whole classes, by every variant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

import pytest

from tests.labels.asking import Scripted, said, section, told
from vsgen.backends.table import TableModel
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.settings import Label
from vsgen.labels.words import bare, lettered, question
from vsgen.ports import LanguageModel
from vsgen.probability import softmax
from vsgen.tiny.chat import classified
from vsgen.tiny.grammar.tasks import questions
from vsgen.tiny.grammar.wordings import fill
from vsgen.tiny.oracle import Oracle
from vsgen.values import Prompt, SoftLabel

SETS = {
    "apart": ("a", "b"),
    "one begins another": ("a", "ab", "abc"),
    "same first tokens": ("ab", "ac"),
    "unequal lengths": ("c", "abca", "bb"),
    "many": ("a", "b", "c", "aa", "ba", "cabc"),
}
each_set = pytest.mark.parametrize("classes", SETS.values(), ids=SETS)
each_seed = pytest.mark.parametrize("seed", range(3))
VARIANTS = {
    "sum": section(),
    "not listed": section(listed=False),
    "byte": section(normalize="byte"),
    "pmi": section(normalize="pmi"),
    "contextual": section(prior="contextual"),
    "two orders": section(permutations=2),
    "all orders": section(permutations="all"),
    "all orders, contextual, byte": section(permutations="all", prior="contextual", normalize="byte"),
    "letters": section(verbalizer="letters"),
    "letters, all orders": section(verbalizer="letters", permutations="all"),
    "letters, contextual": section(verbalizer="letters", prior="contextual"),
}


def judged(model: LanguageModel, asked: Question, how: Label = VARIANTS["sum"], seed: int = 0) -> SoftLabel:
    found = told(classify(asked, how, Random(seed)), model)
    assert isinstance(found, SoftLabel)
    return found


def replies(model: TableModel, prompt: Prompt) -> dict[str, float]:
    """Every reply that is possible, with its probability."""
    return {model.spell(tokens): math.exp(logp) for tokens, logp in model.enumerate(prompt)}


def truth(model: TableModel, asked: Question, how: Label) -> tuple[dict[str, float], float]:
    """P(class | text) and the mass of the classes, from all replies of the model."""
    count = len(asked.classes) if how.permutations == "all" else min(how.permutations, len(asked.classes))
    base, each, masses = sorted(asked.classes), list[Mapping[str, float]](), list[float]()
    for i in range(count):
        start = i * len(base) // count
        listing = asked.classes if count == 1 else (*base[start:], *base[:start])
        spelled = dict(zip(listing, "ABCDEF" if how.verbalizer == "letters" else listing, strict=False))

        def likely(text: str, listing: tuple[str, ...] = listing, spelled: dict[str, str] = spelled) -> list[float]:
            prompt = (
                lettered(text, listing) if how.verbalizer == "letters" else question(text, listing, listed=how.listed)
            )
            found = replies(model, prompt)
            return [found[spelled[name]] for name in asked.classes]

        weights = joint = likely(asked.text)
        if how.prior == "contextual":
            each_free = [likely(free) for free in asked.free]
            shares = [[q / sum(found) for q in found] for found in each_free]
            priors = [sum(column) / len(column) for column in zip(*shares, strict=True)]
            weights = [p / prior for p, prior in zip(weights, priors, strict=True)]
        if how.normalize == "pmi":
            without = replies(model, bare(listing))
            weights = [p / without[name] for p, name in zip(weights, asked.classes, strict=True)]
        if how.normalize == "byte":
            weights = [p ** (1 / len(name)) for p, name in zip(weights, asked.classes, strict=True)]
        each.append({name: w / sum(weights) for name, w in zip(asked.classes, weights, strict=True)})
        masses.append(sum(joint))
    return {name: sum(one[name] for one in each) / count for name in asked.classes}, sum(masses) / count


@each_seed
@each_set
@pytest.mark.parametrize("variant", VARIANTS)
def test_labels_are_those_of_exact_enumeration(classes: tuple[str, ...], seed: int, variant: str) -> None:
    how = VARIANTS[variant]
    symbols = "ABCDEF" if how.verbalizer == "letters" else "abc"
    model = TableModel.random(seed, symbols=symbols, length=1 if how.verbalizer == "letters" else 4, sharpness=2.0)
    asked = Question("one text", classes, ("no text", "none"))
    found = judged(model, asked, how)
    probs, mass = truth(model, asked, how)
    assert list(found.probs) == list(classes)
    assert found.probs == pytest.approx(probs, abs=1e-9)
    assert found.label_mass == pytest.approx(mass, abs=1e-9)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


def test_the_oracles_label_of_a_text_is_its_true_posterior(oracle: Oracle) -> None:
    rng = Random(5)
    for of in questions():
        for _ in range(10):
            ask = classified(of, rng)
            text = fill(of.wordings.shipped, {"text": ask.text})
            found = judged(oracle, Question(text, of.classes))
            assert list(found.probs.values()) == pytest.approx(ask.posterior, abs=1e-5)
            assert found.label_mass == pytest.approx(1, abs=1e-5)


def test_the_oracle_does_not_heed_the_order_of_the_classes(oracle: Oracle) -> None:
    (of,) = (one for one in questions() if "billing" in one.classes)
    ask = classified(of, Random(2))
    text = fill(of.wordings.shipped, {"text": ask.text})
    one = judged(oracle, Question(text, ("billing", "bug", "how-to")))
    for classes in (("bug", "how-to", "billing"), ("how-to", "bug", "billing")):
        other = judged(oracle, Question(text, classes))
        assert list(other.probs) == list(classes)
        assert other.probs == pytest.approx(one.probs, abs=1e-12)
    averaged = judged(oracle, Question(text, ("bug", "how-to", "billing")), section(permutations="all"))
    assert averaged.probs == pytest.approx(one.probs, abs=1e-12)
    assert averaged.disagreement == pytest.approx(0, abs=1e-12)


@each_seed
@pytest.mark.parametrize("variant", ["all orders", "two orders", "letters, all orders", "all orders, contextual, byte"])
def test_permuting_the_classes_permutes_the_result_where_several_orders_are_averaged(seed: int, variant: str) -> None:
    how, names = VARIANTS[variant], ["a", "ab", "cb", "b"]
    model = TableModel.random(seed, symbols="ABCD" if how.verbalizer == "letters" else "abc")
    one = judged(model, Question("t", tuple(names), ("f", "g")), how)
    Random(seed).shuffle(names)
    other = judged(model, Question("t", tuple(names), ("f", "g")), how)
    assert list(other.probs) == names
    assert dict(other.probs) == dict(one.probs)
    assert (other.label_mass, other.disagreement) == (one.label_mass, one.disagreement)


def test_permuting_the_classes_permutes_the_result_of_a_model_that_does_not_heed_the_list() -> None:
    model = Scripted(scores=lambda prompt, choice: {"a": 0.1, "ab": 0.3, "b": 0.2}[choice])
    one = judged(model, Question("t", ("a", "ab", "b")))
    other = judged(model, Question("t", ("b", "a", "ab")))
    assert dict(one.probs) == dict(other.probs) == pytest.approx({"a": 1 / 6, "ab": 1 / 2, "b": 1 / 3})
    assert other.label_mass == pytest.approx(0.6)


def test_averaging_over_all_orders_cancels_a_preference_for_places() -> None:
    """The first of the listed classes gets 30 percent on top; letters likewise."""
    true = {"bug": 0.2, "billing": 0.7, "how-to": 0.1}

    def named(prompt: str, choice: str) -> float:
        first = prompt.partition("these: ")[2].partition(",")[0]
        return 0.3 * (choice == first) + 0.7 * true[choice]

    def letter(prompt: str, choice: str) -> float:
        lines = dict(line.split(". ") for line in prompt.splitlines() if line[1:3] == ". ")
        return 0.3 * (choice == "A") + 0.7 * true[lines[choice]]

    for spelling, scores in (("names", named), ("letters", letter)):
        how = section(permutations="all", verbalizer=spelling)
        found = judged(Scripted(scores=scores), Question("t", tuple(true)), how)
        assert found.probs == pytest.approx({name: 0.1 + 0.7 * p for name, p in true.items()})
        assert found.details["orders"] == 3
        biased = judged(Scripted(scores=scores), Question("t", tuple(true)), how.model_copy(update={"permutations": 1}))
        assert biased.probs["bug"] == pytest.approx(0.3 + 0.7 * 0.2)
        assert "orders" not in biased.details


def test_a_prior_is_divided_out_and_the_raw_probabilities_stay() -> None:
    table = {("text", "a"): 0.6, ("text", "b"): 0.3, ("free", "a"): 0.4, ("free", "b"): 0.1}
    model = Scripted(scores=lambda prompt, choice: table[prompt.partition("\n")[0], choice])
    found = judged(model, Question("text", ("a", "b"), ("free",)), section(prior="contextual"))
    assert found.probs == pytest.approx({"a": 1.5 / 4.5, "b": 3 / 4.5})
    assert found.details["raw"] == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    assert found.label_mass == pytest.approx(0.9)


def test_the_prior_is_the_mean_over_several_texts_without_content() -> None:
    free = {"none": 0.8, "empty": 0.2}
    model = Scripted(scores=lambda prompt, choice: _of_two(free.get(prompt.partition("\n")[0], 0.5), choice))
    one, both = (
        judged(model, Question("text", ("a", "b"), texts), section(prior="contextual"))
        for texts in (("none",), ("none", "empty"))
    )
    assert one.probs == pytest.approx({"a": 0.2, "b": 0.8})
    assert both.probs == pytest.approx({"a": 0.5, "b": 0.5})


def _of_two(p: float, choice: str) -> float:
    return p if choice == "a" else 1 - p


def test_a_class_without_a_prior_is_not_corrected() -> None:
    table = {("text", "a"): 0.2, ("text", "b"): 0.2, ("free", "a"): 0.0, ("free", "b"): 0.5}
    model = Scripted(scores=lambda prompt, choice: table[prompt.partition("\n")[0], choice])
    found = judged(model, Question("text", ("a", "b"), ("free",)), section(prior="contextual"))
    assert found.probs == pytest.approx({"a": 0.2 / 0.6, "b": 0.4 / 0.6})


def test_probabilities_far_below_the_smallest_float_are_compared_all_the_same() -> None:
    table = TableModel.of("ab", {(): [0.75e-300, 0.25e-300, 1.0]}, length=1)
    found = judged(table, Question("t", ("a", "b")))
    assert found.probs == pytest.approx({"a": 0.75, "b": 0.25})
    long = TableModel.of("ab", {(0,) * n: [1e-9, 1e-9, 1.0] for n in range(200)}, length=300)
    found = judged(long, Question("t", ("a" * 100, "a" * 100 + "b")))
    assert list(found.probs.values()) == pytest.approx([1, 1e-9])
    assert found.label_mass == 0.0


def test_classes_that_the_model_never_says_are_equal_and_have_no_mass() -> None:
    found = judged(Scripted(scores=lambda *_: 0.0), Question("t", ("a", "b")))
    assert (found.probs, found.label_mass) == ({"a": 0.5, "b": 0.5}, 0.0)


def test_an_empty_text_is_asked_about_like_any_other() -> None:
    found = judged(TableModel.random(0), Question("", ("a", "b")))
    assert math.fsum(found.probs.values()) == pytest.approx(1)


def test_a_thousand_classes_are_those_of_exact_enumeration() -> None:
    model = TableModel.random(1, symbols="abcdef", length=5)
    classes = tuple(model.spell(divided(number)) for number in range(1000))
    asked = Question("t", classes)
    found = judged(model, asked)
    probs, mass = truth(model, asked, VARIANTS["sum"])
    assert found.probs == pytest.approx(probs, abs=1e-12)
    assert found.label_mass == pytest.approx(mass, abs=1e-12)


def divided(number: int) -> tuple[int, ...]:
    """Different tokens for different numbers below 6^5, none more than five."""
    tokens = []
    for _ in range(5):
        number, token = divmod(number, 6)
        tokens.append(token)
    return tuple(tokens)


def test_other_names_of_the_symbols_leave_the_labels_unchanged() -> None:
    """Alpha-renaming: the same conditional probabilities under other spellings."""
    renamed = dict(zip("abc", ("ξ ", "βγ", "3"), strict=True))
    one = TableModel.random(4)

    def conditional(prompt: str, tokens: tuple[int, ...]) -> list[float]:
        old = prompt
        for name, new in renamed.items():
            old = old.replace(new, name)
        return list(one.conditional(old, tokens))

    other = TableModel(tuple(renamed.values()), conditional, one.length)
    names = ("a", "ab", "cab")
    new = tuple("".join(renamed[symbol] for symbol in name) for name in names)
    found, again = judged(one, Question("?", names)), judged(other, Question("?", new))
    assert list(again.probs) == list(new)
    assert list(again.probs.values()) == pytest.approx(list(found.probs.values()), abs=1e-12)


def test_labels_are_the_same_every_time_whatever_the_seed() -> None:
    model, asked = TableModel.random(7), Question("t", ("a", "ab", "b"), ("f", "g"))
    for how in VARIANTS.values():
        if how.verbalizer == "names":
            assert judged(model, asked, how) == judged(model, asked, how, seed=9)


def test_the_question_names_every_class_or_none() -> None:
    classes = ("billing", "bug", "how-to")
    assert said(question("Which queue?", classes)) == (
        "Which queue?\n\nReply with exactly one of these: billing, bug, how-to."
    )
    assert said(question("Which queue?", classes, listed=False)) == "Which queue?"
    assert said(bare(classes)) == "Reply with exactly one of these: billing, bug, how-to."
    assert said(lettered("Which?", classes)).splitlines()[2:5] == ["A. billing", "B. bug", "C. how-to"]
    assert {question("q", classes).cue, lettered("q", classes).cue, bare(classes).cue} == {"Answer:"}


@pytest.mark.parametrize("divided", [{"prior": "contextual"}, {"normalize": "pmi"}], ids=str)
def test_orders_are_asked_at_once_and_each_is_one_voice(divided: dict[str, str]) -> None:
    model = Scripted(scores=lambda prompt, choice: softmax([len(prompt), 0])[choice == "a"])
    judged(model, Question("t", ("a", "b", "c"), ("f",)), section(permutations="all", **divided))
    assert len(model.scored) == 6
    assert len({call.choices for call in model.scored}) == 3

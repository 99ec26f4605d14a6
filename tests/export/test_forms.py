"""Each form is what its trainer's own code takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sentence_transformers
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from vsgen.errors import InputError, OptionError
from vsgen.export.forms import FORMS, Wanted, export_table
from vsgen.export.labels import STACKED_LABELS
from vsgen.export.packed import FIELD, axolotl_row, distillkit_row, pack, unpack
from vsgen.values import Message, Row, Taught

HF: Any = transformers
MakeRow = Callable[..., Row]
MESSAGES = (Message("user", "Name a random colour."), Message("assistant", "blue"))
TAGS: dict[str, Any] = {"tags": {"probs": {"urgent": 0.9, "rude": 0.7, "vague": 0.2}, "kind": "multi"}}


def made(rows: list[Row], **options: Any) -> list[Mapping[str, Any]]:
    table = export_table(iter(rows), Wanted(**options))
    made = list(table.rows)
    assert all(row.keys() == table.columns.keys() for row in made)
    return made


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A folder with a random BERT and a tokenizer of words."""

    def save(labels: int) -> Path:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "light", "died", "billing", "bug", "times", "bike"]
        core = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
        core.pre_tokenizer = pre_tokenizers.Whitespace()
        core.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        special = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP")}
        folder = tmp_path_factory.mktemp("bert")
        HF.PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=64, **special).save_pretrained(folder)
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        with torch.random.fork_rng():
            torch.manual_seed(0)  # noqa: TID251
            config = HF.BertConfig(vocab_size=len(words), num_labels=labels, **sizes)
            model = HF.BertForSequenceClassification(config)
        HF.utils.logging.disable_progress_bar()
        model.save_pretrained(folder)
        return folder

    return save


def test_datasets_rows_hold_fields_classes_vectors_and_figures(make_row: MakeRow) -> None:
    tone = {"probs": {"calm": 0.4, "angry": 0.6}, "entropy": 0.67, "margin": 0.2, "label_mass": 0.9}
    category: Any = make_row().fields["labels"]
    row = make_row(3, labels={**category, "tone": tone, **TAGS})
    (line,) = made([row], form="datasets")
    assert line == {
        **{"id": "tickets/000003.0", "text": "My light died 3 times", "rating": 3, "probability": 0.25},
        **{"category": 1, "category_probs": [0.1, 0.7, 0.2]},
        **{"category_entropy": 0.8, "category_margin": 0.5, "category_label_mass": None},
        **{"tone": 1, "tone_probs": [0.4, 0.6], "tone_entropy": 0.67, "tone_margin": 0.2, "tone_label_mass": 0.9},
        **{"tags": [0, 1], "tags_probs": [0.9, 0.7, 0.2]},
        **{"tags_entropy": None, "tags_margin": None, "tags_label_mass": None},
    }


def test_field_types_are_found_in_the_first_rows_and_held_to(make_row: MakeRow) -> None:
    changes: list[dict[str, Any]] = [
        {"rating": 1, "note": None},
        {"rating": 2.5, "note": [1, "é"]},
        {"rating": None, "ok": True},
    ]
    rows = [make_row(i, **each) for i, each in enumerate(changes)]
    lines = made(rows, form="datasets")
    assert [line["rating"] for line in lines] == [1.0, 2.5, None]
    assert [line["note"] for line in lines] == [None, '[1, "é"]', None]
    assert [line["ok"] for line in lines] == [None, None, True]
    many = [make_row(i) for i in range(1000)]
    with pytest.raises(
        InputError, match=r"rows.jsonl:1001: rating: must be integer as in the first 1000 rows, got 0.5"
    ):
        made([*many, make_row(1000, rating=0.5)], form="datasets")
    with pytest.raises(InputError, match=r"rows.jsonl:1001: tone: the first 1000 rows have no such field"):
        made([*many, make_row(1000, tone="calm")], form="datasets")


def test_field_named_like_a_label_is_refused(make_row: MakeRow) -> None:
    with pytest.raises(OptionError, match="have the same name; rename the field"):
        made([make_row(category="x")], form="datasets")


def test_plain_rows_are_what_torch_cross_entropy_takes(make_row: MakeRow) -> None:
    lines = made([make_row(0), make_row(1, (0.0, 0.0, 1.0))], form="jsonl")
    assert lines[1]["classes"] == ["billing", "bug", "how-to"]
    vectors = torch.tensor([line["label"] for line in lines])
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]])
    by_hand = -(vectors * logits.log_softmax(1)).sum(1).mean()
    assert torch.nn.CrossEntropyLoss()(logits, vectors) == pytest.approx(float(by_hand))


def test_shipped_loss_is_the_soft_cross_entropy_where_transformers_trains_another(
    bert: Callable[[int], Path], make_row: MakeRow
) -> None:
    folder = bert(3)
    model = HF.BertForSequenceClassification.from_pretrained(folder).eval()
    lines = made([make_row(0), make_row(1, (0.3, 0.3, 0.4))], form="jsonl")
    batch = HF.AutoTokenizer.from_pretrained(folder)([line["text"] for line in lines], return_tensors="pt")
    vectors = torch.tensor([line["label"] for line in lines])
    logits = model(**batch).logits
    left_alone = model(**batch, labels=vectors).loss
    binary = torch.nn.functional.binary_cross_entropy_with_logits(logits, vectors)
    assert left_alone.item() == pytest.approx(binary.item())
    model.config.problem_type = None
    space: dict[str, Any] = {"transformers": HF, "torch": torch}
    page = (Path(__file__).parents[2] / "docs/training.md").read_text()
    exec(page.partition("```python\n")[2].partition("```")[0], space)
    trainer = object.__new__(space["SoftTrainer"])
    loss = trainer.compute_loss(model, {**batch, "labels": vectors})
    assert loss.item() == pytest.approx(torch.nn.functional.cross_entropy(logits, vectors).item())
    assert abs(loss.item() - left_alone.item()) > 0.1


def test_a_row_without_an_id_has_none_in_jsonl(make_row: MakeRow) -> None:
    row = make_row(0)
    bare = replace(row, fields={name: value for name, value in row.fields.items() if name != "id"})
    exported = export_table(iter([row, bare]), Wanted(form="jsonl")).rows
    assert [one.get("id", "none") for one in exported] == [row.fields["id"], "none"]


def cross_encoder(folder: Path) -> Any:
    return sentence_transformers.CrossEncoder(str(folder), device="cpu")


def test_pairs_are_what_a_cross_encoder_and_cross_entropy_take(bert: Callable[[int], Path], make_row: MakeRow) -> None:
    rows = [make_row(0, product="bike"), make_row(1, (0.2, 0.3, 0.5), product="light")]
    lines = made(rows, form="sentence-transformers", pair=("product", "text"))
    assert [list(line) for line in lines] == [["product", "text", "label"]] * 2
    model = cross_encoder(bert(3))
    space: dict[str, Any] = {"sentence_transformers": sentence_transformers, "torch": torch}
    exec(STACKED_LABELS, space)
    batch = space["SoftCollator"](model.preprocess)([dict(line) for line in lines])
    labels = batch.pop("label")
    loss = sentence_transformers.cross_encoder.losses.CrossEntropyLoss(model)(list(batch.values()), labels)
    logits = model.predict([(line["product"], line["text"]) for line in lines], convert_to_tensor=True)
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([line["label"] for line in lines]))
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    loss.backward()


def test_collator_of_sentence_transformers_alone_cannot_feed_vectors(
    bert: Callable[[int], Path], make_row: MakeRow
) -> None:
    lines = made([make_row(0, product="bike")], form="sentence-transformers", pair=("product", "text"))
    model = cross_encoder(bert(3))
    collator = sentence_transformers.cross_encoder.data_collator.CrossEncoderDataCollator(model.preprocess)
    batch: dict[str, Any] = collator([dict(line) for line in lines])
    labels = batch.pop("label")
    with pytest.raises(AttributeError):
        sentence_transformers.cross_encoder.losses.CrossEntropyLoss(model)(list(batch.values()), labels)


@pytest.mark.parametrize("labels", [None, TAGS], ids=["one class", "several classes"])
def test_statements_are_what_a_cross_encoder_and_binary_cross_entropy_take(
    bert: Callable[[int], Path], make_row: MakeRow, labels: Any
) -> None:
    rows = [make_row(i, **({"labels": labels} if labels else {})) for i in range(2)]
    lines = made(rows, form="sentence-transformers")
    assert [(line["class"], line["label"]) for line in lines[:3]] == (
        [("urgent", 0.9), ("rude", 0.7), ("vague", 0.2)]
        if labels
        else [("billing", 0.1), ("bug", 0.7), ("how-to", 0.2)]
    )
    model = cross_encoder(bert(1))
    collator = sentence_transformers.cross_encoder.data_collator.CrossEncoderDataCollator(model.preprocess)
    batch: dict[str, Any] = collator([dict(line) for line in lines])
    target = batch.pop("label")
    loss = sentence_transformers.cross_encoder.losses.BinaryCrossEntropyLoss(model)(list(batch.values()), target)
    raw = torch.nn.Identity()
    pairs = [(line["text"], line["class"]) for line in lines]
    logits = model.predict(pairs, convert_to_tensor=True, activation_fn=raw)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([*target]))
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)


def test_completions_are_drawn_in_proportion_to_the_label(make_row: MakeRow) -> None:
    lines = made([make_row(i) for i in range(300)], form="trl", draws=7, question="Which queue?")
    assert lines[0]["prompt"] == [{"role": "user", "content": "Which queue?\n\nMy light died 0 times"}]
    assert {len(line["completion"]) for line in lines} == {1}
    drawn = [line["completion"][0]["content"] for line in lines]
    for at in range(0, len(drawn), 7):
        counts = Counter(drawn[at : at + 7])
        assert all(abs(counts[name] - 7 * prob) < 1 for name, prob in (("billing", 0.1), ("bug", 0.7), ("how-to", 0.2)))
    share = Counter(drawn)["bug"] / len(drawn)
    assert share == pytest.approx(0.7, abs=4 * (0.7 * 0.3 / len(drawn)) ** 0.5)


def test_single_draws_hold_the_distribution_over_rows(make_row: MakeRow) -> None:
    lines = made([make_row(i) for i in range(4000)], form="trl")
    counts = Counter(line["completion"][0]["content"] for line in lines)
    for name, prob in (("billing", 0.1), ("bug", 0.7), ("how-to", 0.2)):
        assert counts[name] / 4000 == pytest.approx(prob, abs=4 * (prob * (1 - prob) / 4000) ** 0.5)


def test_draws_depend_on_the_seed_and_the_row_alone(make_row: MakeRow) -> None:
    rows = [make_row(i) for i in range(50)]
    assert made(rows, form="trl") == made(rows, form="trl")
    assert made(rows, form="trl") != made(rows, form="trl", seed=1)
    assert made(rows, form="trl")[7:8] == made(rows[7:8], form="trl")


def test_no_draws_are_the_most_probable_class(make_row: MakeRow) -> None:
    (line,) = made([make_row()], form="trl", draws=0)
    assert line["completion"] == [{"role": "assistant", "content": "bug"}]


@pytest.mark.parametrize("options", [{"form": "trl"}, {"form": "sentence-transformers", "pair": ("id", "text")}])
def test_forms_of_one_true_class_refuse_labels_of_several(make_row: MakeRow, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="--label tags: several of its classes may apply"):
        made([make_row(labels=TAGS)], **options)


@pytest.mark.parametrize("form", ["jsonl", "trl", "sentence-transformers"])
def test_text_field_that_is_not_there_is_named_with_those_that_are(make_row: MakeRow, form: str) -> None:
    with pytest.raises(InputError, match=r"rows.jsonl:1: body: must be text, got None; the row has id, text, rating"):
        made([make_row()], form=form, on="body")
    with pytest.raises(InputError, match=r"rows.jsonl:1: rating: must be text, got 0"):
        made([make_row()], form=form, on="rating")


def test_token_rows_are_unpacked_for_their_trainers(make_row: MakeRow, tiny_taught: Taught) -> None:
    packed = pack(tiny_taught, MESSAGES)
    taught, _ = unpack(packed)
    row = make_row(**{FIELD: packed})
    assert made([row], form="distillkit") == [distillkit_row(taught)]
    assert made([row], form="axolotl", tail=1) == [axolotl_row(taught, MESSAGES, tail=1)]
    for form in ("distillkit", "axolotl"):
        with pytest.raises(InputError, match=r"rows.jsonl:2: token_logprobs: is missing; .*--token-logprobs"):
            made([row, make_row(1)], form=form)
    with pytest.raises(InputError, match=r"rows.jsonl:2: a row for Axolotl needs chat messages"):
        made([row, make_row(1, **{FIELD: pack(taught)})], form="axolotl")


def test_input_without_rows_is_an_error() -> None:
    for form in FORMS:
        with pytest.raises(InputError, match="the input has no rows"):
            made([], form=form)


def test_rows_are_made_one_by_one(make_row: MakeRow, tiny_taught: Taught) -> None:
    packed = pack(tiny_taught, MESSAGES)
    for form in FORMS:
        read = 0

        def rows() -> Any:
            nonlocal read
            for index in range(3000):
                read += 1
                yield make_row(index, **{FIELD: packed})

        table = export_table(rows(), Wanted(form))
        next(table.rows)
        assert read <= 1001

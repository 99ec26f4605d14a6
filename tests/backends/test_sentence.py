"""Laws of the embedder, on the real MiniLM."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vsgen.backends.open import open_model
from vsgen.backends.open_embedder import open_embedder
from vsgen.backends.sentence import SentenceEmbedder
from vsgen.errors import ModelError
from vsgen.ports import Embedder
from vsgen.testing import check_embedder
from vsgen.values import Embed, Vector

_TEXT = "my bike light stopped working after two days please refund the order number 42 né 你好 🚲 I can't"
WORDS = _TEXT.split()


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return open_embedder("minilm", device="cpu")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = random.Random(7)
    return ["", "word", "\ud800 lone", *(" ".join(rng.choices(WORDS, k=1 + (5 * i) % 32)) for i in range(23))]


def embed(embedder: Embedder, texts: Sequence[str]) -> list[Vector]:
    return list(embedder.embed([Embed(text) for text in texts]))


def row(vector: Vector) -> NDArray[np.float32]:
    return np.frombuffer(vector.data, "<f2").astype("<f4")


def test_minilm_keeps_the_laws(minilm: Embedder) -> None:
    check_embedder(minilm)


def test_vectors_have_length_one(minilm: Embedder, texts: list[str]) -> None:
    rows = np.stack([row(vector) for vector in embed(minilm, texts)])
    assert rows.shape == (len(texts), 384)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=5e-4)


def test_bytes_of_a_text_do_not_depend_on_its_batch(minilm: Embedder, texts: list[str]) -> None:
    alone = {text: embed(minilm, [text])[0] for text in texts}
    shuffled = texts[:]
    random.Random(1).shuffle(shuffled)
    for batch in (texts, shuffled, texts + texts[::-1], *(shuffled[i : i + 7] for i in range(0, len(texts), 7))):
        assert embed(minilm, batch) == [alone[text] for text in batch]


def test_similar_meanings_are_nearer_than_different_ones(minilm: Embedder) -> None:
    asked, again, other = map(
        row,
        embed(minilm, ["How do I reset my password?", "I forgot my password; how do I change it?", "Bread is baked."]),
    )
    assert asked @ again > 0.7 > 0.3 > asked @ other


def test_what_lies_beyond_the_longest_input_is_counted(minilm: Embedder) -> None:
    assert isinstance(minilm, SentenceEmbedder)
    before = minilm.cut
    first, second = embed(minilm, ["word " * 300, "word " * 400])
    assert minilm.cut == before + 2
    assert first == second


def test_no_texts_have_no_vectors(minilm: Embedder) -> None:
    assert embed(minilm, []) == []


def test_loading_and_embedding_are_silent(minilm: Embedder, capfd: pytest.CaptureFixture[str]) -> None:
    assert isinstance(minilm, SentenceEmbedder)
    fresh = open_embedder("minilm", device="cpu")
    embed(fresh, ["a", "b"])
    assert capfd.readouterr() == ("", "")


def test_it_is_opened_while_language_models_are(minilm: Embedder) -> None:
    """Each in the thread of its device, as a resumed run does, which asks both of them at once."""
    expected = embed(minilm, ["a bike light"])

    def opened(number: int) -> list[Vector]:
        if number % 2:
            open_model("tiny", device="cpu", dtype="float64")
            return expected
        return embed(open_embedder("minilm", device="cpu"), ["a bike light"])

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(opened, range(12))) == [expected] * 12


def test_folder_with_broken_weights_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="cannot load it"):
        embed(open_embedder(str(tmp_path)), ["text"])


def test_texts_of_every_length_have_the_bytes_that_they_have_alone(minilm: Embedder) -> None:
    rng = random.Random(3)
    texts = [" ".join(rng.choices(WORDS, k=words)) for words in range(1, 60, 3) for _ in range(6)]
    alone = [embed(minilm, [text])[0] for text in texts]
    assert embed(minilm, texts) == alone
    rng.shuffle(texts)
    assert set(embed(minilm, texts)) == set(alone)


def test_texts_go_alone_where_together_changes_a_bit(minilm: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(minilm, SentenceEmbedder)
    sizes: list[int] = []
    plain = SentenceEmbedder._encode

    def spy(self: SentenceEmbedder, texts: list[str], size: int) -> list[NDArray[np.float32]]:
        sizes.append(size)
        return [row + size * 1e-6 for row in plain(self, texts, size)]

    monkeypatch.setattr(SentenceEmbedder, "_encode", spy)
    fresh = open_embedder("minilm", device="cpu")
    embed(fresh, ["a b c d e", "f g h i j"])
    assert max(sizes) > 1  # tried
    sizes.clear()
    embed(fresh, ["a b c d e", "f g h i j", "one longer text"])
    assert set(sizes) == {1}


def test_the_number_of_threads_is_left_as_it_was(minilm: Embedder) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    embed(minilm, ["a b c", "d e f"])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_a_text_that_spells_a_control_token_is_embedded_as_text() -> None:
    embedder = open_embedder("minilm", device="cpu")
    assert isinstance(embedder, SentenceEmbedder)
    plain = ["The invoice was wrong.", "Reset my password, please."]
    before = embed(embedder, plain)
    assert embedder.remarks() == []
    marks = ["[SEP]", "[ sep ]", "The invoice was wrong.", "[MASK] The invoice was wrong.[PAD]"]
    found = embed(embedder, marks)
    assert found[0] == found[1], "as the same signs with blanks between them"
    assert embed(embedder, plain) == before, "and no other text's vector changes"
    assert found[3] != found[2]
    (remark,) = embedder.remarks()
    assert remark.startswith("2 texts spell control tokens of embedder minilm@") and "([SEP], [MASK], [PAD])" in remark

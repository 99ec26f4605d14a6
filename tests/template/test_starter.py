"""A new template bears the name of its file and is good as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsgen.errors import OptionError
from vsgen.template.catalog import shipped
from vsgen.template.load import load_template
from vsgen.template.schema import Template
from vsgen.template.starter import begin, place


def written(path: Path, text: str) -> Template:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_template(str(path))


@pytest.mark.parametrize(
    ("given", "file", "name"),
    [
        ("reviews", "reviews.yaml", "reviews"),
        ("reviews.yaml", "reviews.yaml", "reviews"),
        ("a/b.yml", "a/b.yml", "b"),
        ("v1.5", "v1.5.yaml", "v1-5"),
        ("My Reviews_2", "My Reviews_2.yaml", "my-reviews-2"),
        ("2024", "2024.yaml", "2024"),
        ("null", "null.yaml", "null"),
        ("x" * 200, "x" * 200 + ".yaml", "x" * 100),
    ],
)
@pytest.mark.parametrize("origin", [None, "support-tickets"])
def test_a_new_template_is_named_after_its_file(
    tmp_path: Path, given: str, file: str, name: str, origin: str | None
) -> None:
    assert place(given) == Path(file)
    assert written(tmp_path / file, begin(tmp_path / file, origin)).name == name


@pytest.mark.parametrize("given", ["", ".", "folder/", ".yaml", "___", "日本"])
def test_a_file_name_that_names_no_template_is_refused(given: str) -> None:
    with pytest.raises(OptionError, match="named after its file"):
        begin(place(given))


@pytest.mark.parametrize("origin", [None, *shipped()])
def test_a_new_template_leaves_the_model_to_its_user(tmp_path: Path, origin: str | None) -> None:
    path = tmp_path / "mine.yaml"
    template = written(path, begin(path, origin))
    assert template.model is None
    if origin is not None:
        before = load_template(origin).model_dump()
        assert template.model_dump() == {**before, "name": "mine", "model": None}


def test_the_commands_in_the_comments_are_for_the_new_file() -> None:
    commands = re.findall(r"^#   (vsgen .*)", begin(Path("my reviews.yaml")), re.MULTILINE)
    assert commands == [
        "vsgen try 'my reviews.yaml' -m MODEL",
        "vsgen run 'my reviews.yaml' -m MODEL -o rows.jsonl",
    ]
    assert "#   vsgen run tents.yaml -n 200" in begin(Path("tents.yaml"), "support-tickets")


def test_a_line_end_in_the_name_of_the_file_does_not_end_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "a\nmodel: evil.yaml"
    assert written(tmp_path / "b.yaml", begin(path)).model is None


def test_what_the_comments_offer_is_good_as_well(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    whole, offered = begin(path).split("#\n", 1)
    template = written(path, whole + offered.replace("# ", "", 1).replace("\n# ", "\n"))
    assert template.output.fields == ("text",)
    assert template.labels


def test_a_small_model_is_shown_how_reviews_of_other_products_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    large, small = written(path, begin(path)), load_template(str(path), size="small")
    assert (large.sampling.method, large.examples) == ("vs", ())
    assert small.sampling.method == "direct"
    assert {one["product"] for one in small.examples}.isdisjoint(["tent"])
    assert all(set(one) == {"product", "opinion", "text"} for one in small.examples)

"""Values become prompts; what is missing is named at once."""

from __future__ import annotations

import pytest

from vsgen.errors import TemplateError
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.values import Message, Prompt

LABEL = {"name": "queue", "classes": ["a", "b"], "prompt": "Which for {{ shop }}?\n\n{{ text }}\n"}


def template(**more: object) -> Template:
    given = {"version": 1, "name": "t", "prompt": "A {{ tone }} {{ product }}.\n"} | more
    return Template.model_validate(given)


def test_prompt_is_a_user_message_after_the_system_message() -> None:
    values = {"tone": "kind", "product": "lamp"}
    assert Renderer(template()).prompt(values) == Prompt((Message("user", "A kind lamp."),))
    with_system = Renderer(template(system="You are {{ tone }}."))
    assert with_system.prompt(values) == Prompt((Message("system", "You are kind."), Message("user", "A kind lamp.")))


def test_all_missing_variables_are_named_at_once_those_of_labels_too() -> None:
    renderer = Renderer(template(system="{{ who }}", labels=[LABEL]))
    assert renderer.variables() == {"tone", "product", "who", "shop"}
    with pytest.raises(TemplateError) as caught:
        renderer.prompt({})
    remedy = "give values under 'variables:' or as fields of the input rows"
    assert str(caught.value).split("\n") == [
        f"t: prompt: missing variables 'product', 'tone'; {remedy}",
        f"t: system: missing variable 'who'; {remedy}",
        f"t: label queue: missing variable 'shop'; {remedy}",
    ]


def test_label_asks_about_the_candidate() -> None:
    made = template(labels=[LABEL])
    renderer = Renderer(made)
    assert renderer.label(made.labels[0], {"shop": "us", "text": "It broke."}) == "Which for us?\n\nIt broke."
    with pytest.raises(TemplateError, match="t: label queue: missing variable 'text'"):
        renderer.label(made.labels[0], {"shop": "us"})


def test_a_text_that_fails_or_is_empty_is_a_template_error() -> None:
    renderer = Renderer(template(prompt="{{ tone.deep }}"))
    with pytest.raises(TemplateError, match="t: prompt: 'str object' has no attribute 'deep'"):
        renderer.prompt({"tone": "x"})
    with pytest.raises(TemplateError, match="t: prompt: renders to an empty text"):
        Renderer(template(prompt="{{ tone }}")).prompt({"tone": " "})


def test_shipped_prompts_read_as_the_embedded_model_has_learnt_them() -> None:
    support = load_template("support-tickets")
    values = {"product": "bike light", "tone": "angry", "text": "It broke."}
    asked = Renderer(support).prompt(values).messages[0].content
    assert asked == "Write a short support ticket from a customer about a bike light. Tone: angry."
    assert (
        Renderer(support).label(support.labels[0], values)
        == "Which queue should take this support ticket?\n\nIt broke."
    )
    reviews = load_template("product-reviews")
    values = {"product": "desk lamp", "sentiment": "mixed", "text": "It broke."}
    assert Renderer(reviews).prompt(values).messages[0].content == "Write a one-sentence mixed review of a desk lamp."
    assert Renderer(reviews).label(reviews.labels[0], values) == "What is the sentiment of this review?\n\nIt broke."
    others = {
        "random-item": ({"thing": "fruit"}, "Name a random fruit."),
        "jokes": ({"animal": "owl"}, "Tell a short joke about a owl."),
        "story-openers": ({"place": "a desert"}, "Write the first sentence of a story set in a desert."),
        "multiple-choice": ({"subject": "opposites"}, "Write a multiple-choice question about opposites."),
    }
    for name, (drawn, text) in others.items():
        assert Renderer(load_template(name)).prompt(drawn).messages[0].content == text


@pytest.mark.parametrize(
    "name", ["jokes", "multiple-choice", "product-reviews", "random-item", "story-openers", "support-tickets"]
)
def test_shipped_templates_need_no_input(name: str) -> None:
    made = load_template(name)
    assert Renderer(made).prompt(draw_variables(made, 0, 0)).messages


def test_a_prompt_that_is_plain_text_is_rendered_as_it_stands() -> None:
    values = {"tone": "kind", "product": "lamp"}
    plain = {"chat": False, "sampling": {"method": "direct"}}
    assert Renderer(template(**plain)).prompt(values) == Prompt(prefill="A kind lamp.\n")
    assert Renderer(template(**plain, prompt="  {{ tone }} ")).prompt(values) == Prompt(prefill="  kind ")

"""All rules, and what they find in a template: the one place to register a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vsgen.template.schema import Template
from vsgen.template.warnings.closed import too_many
from vsgen.template.warnings.labels import alike_classes, blind_question, many_examples, misspelled_style
from vsgen.template.warnings.length import cut
from vsgen.template.warnings.never import never_kept
from vsgen.template.warnings.prompted import misfit_example
from vsgen.template.warnings.variables import null_values, repeated_values, same_prompt, unused, unused_rows
from vsgen.template.warnings.warning import Rule, TemplateWarning, Use

RULES: Final[Sequence[Rule]] = (
    *(unused, unused_rows, same_prompt, repeated_values, null_values, too_many, cut, misfit_example),
    *(alike_classes, blind_question, many_examples, misspelled_style, never_kept),
)


def template_warnings(template: Template, use: Use) -> list[TemplateWarning]:
    """What is doubtful in a valid template, in the order of its lines; flags come first."""
    return sorted((found for rule in RULES for found in rule(template, use)), key=lambda found: found.line)

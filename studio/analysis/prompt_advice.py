"""What could be better about a prompt: every finding with its place, its why and a rewrite.

Words and patterns only, so it is instant, the same every time, and nothing leaves the machine.
"""

from __future__ import annotations

from studio.analysis.advice_contradictions import check_contradictions
from studio.analysis.advice_labels import (
    check_labels,
    check_overlap,
    check_rest,
    check_tokens,
    check_undefined,
)
from studio.analysis.advice_reading import Known, passages
from studio.analysis.advice_sending import (
    check_copied,
    check_instructions,
    check_length,
    check_model,
    check_personal,
    check_reader,
    check_strangers,
    check_telling,
    check_variables,
)
from studio.analysis.advice_wording import (
    check_denials,
    check_hedges,
    check_questions,
    check_wording,
)
from studio.domain.advice import Advice, Section, Severity
from studio.domain.prompt import PromptText

_CHECKS = (
    check_copied, check_contradictions, check_instructions, check_strangers, check_labels,
    check_undefined, check_overlap, check_personal, check_telling, check_variables, check_wording,
    check_hedges, check_denials, check_questions, check_rest, check_reader, check_length,
    check_tokens, check_model,
)  # fmt: skip


def advise(body: PromptText, known: Known) -> list[Advice]:
    """Return what could be better about a prompt, the worst first, then in the prompt's order.

    Args:
        body: The prompt.
        known: What is known beside it.

    >>> body = PromptText(
    ...     instructions="Is this dish keto?",
    ...     definitions={"keto": "Meat, fish, eggs, etc.", "not_keto": "Rice, bread or potatoes."},
    ... )
    >>> [(one.code, one.title) for one in advise(body, Known(labels=("keto", "not_keto")))]
    [('vague', '“etc.” is vague')]
    """
    texts = passages(body, known)
    found = [advice for check in _CHECKS for advice in check(body, known, texts)]
    unique = {(a.code, a.place, a.title): a for a in reversed(found)}
    severities, sections = list(Severity), list(Section)

    def order(advice: Advice) -> tuple[int, int, int, int]:
        place = advice.place
        at = known.labels.index(place.label) if place.label in known.labels else place.index or 0
        return severities.index(advice.severity), sections.index(place.section), at, place.start

    return sorted(unique.values(), key=order)

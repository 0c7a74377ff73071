"""Aspects that people found in answers, in words; harmless."""

from collections.abc import Sequence

from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.aspects import AspectCount
from foundry_tui.reports.agreement_words import percent_words

__all__ = ["aspect_lines", "aspect_object"]

_NAME_CHARACTERS = 60


def aspect_lines(found: Sequence[AspectCount]) -> list[str]:
    """``phi-4-mini: 14 of 20 aspects found (70 %)``, for each model that has any."""
    return [
        f"{clean_line(one.model, _NAME_CHARACTERS)}: {one.met} of {one.asked} aspects found"
        f" ({percent_words(one.met / one.asked)})"
        for one in found
    ]


def aspect_object(found: AspectCount) -> dict[str, object]:
    """Of one model."""
    return {"model": found.model, "met": found.met, "asked": found.asked}

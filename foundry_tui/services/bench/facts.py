"""What identifies what was measured, so that it can be compared with what is measured later."""

from collections.abc import Iterable

from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.domain.text import clean_line

__all__ = ["fact_changes", "facts_of"]


def facts_of(variant: ModelVariant, report: LoadReport | None) -> tuple[tuple[str, str], ...]:
    """Name and value of each fact that is known, in a fixed order."""
    providers = ", ".join(report.execution_providers) if report is not None else None
    known = {
        "alias": variant.alias,
        "device": variant.device.value if variant.device is not None else None,
        "execution_provider": providers or variant.execution_provider,
        "publisher": variant.publisher,
        "license": variant.license,
        "context_tokens": variant.context_tokens,
        "disk_bytes": variant.disk_bytes,
    }
    return tuple((name, str(value)) for name, value in known.items() if value not in (None, ""))


def fact_changes(
    before: Iterable[tuple[str, str]], now: Iterable[tuple[str, str]], *, without: Iterable[str] = ()
) -> list[str]:
    """What of ``now`` is another value than ``before``, in harmless words; what only one side knows is not.

    ``device cpu, was gpu``; ``without`` are names that are not looked at.
    """
    known, ignored = dict(before), frozenset(without)
    return [
        f"{clean_line(name, 60)} {clean_line(value, 80)}, was {clean_line(known[name], 80)}"
        for name, value in now
        if name not in ignored and known.get(name, value) != value
    ]

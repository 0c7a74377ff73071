"""What identifies what was measured, so that it can be compared with what is measured later."""

from foundry_tui.domain.models import LoadReport, ModelVariant

__all__ = ["facts_of"]


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

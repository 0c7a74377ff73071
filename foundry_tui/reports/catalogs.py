"""Catalogs in words: which of them did not answer, and how old what is shown of them is."""

from foundry_tui.domain.models import CatalogSnapshot, CatalogSource
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import ago_in_words

__all__ = ["age_words", "missing_lines", "source_object", "source_words"]

_HOST_CHARACTERS = 80
_REASON_CHARACTERS = 300


def missing_lines(snapshot: CatalogSnapshot, now_unix: float) -> list[str]:
    """Why something may be missing or old: a line for all of it, and one for each catalog that is dead.

    ``now_unix`` is the time of day, in seconds.
    """
    lines = []
    if snapshot.notice is not None:
        aged = age_words(snapshot.saved_at_unix, now_unix)
        lines.append(clean_line(snapshot.notice) + ("" if aged is None else f"; its list was {aged}"))
    lines += [source_words(source, now_unix) for source in snapshot.sources if source.problem is not None]
    return lines


def source_words(source: CatalogSource, now_unix: float) -> str:
    """``the catalog at HOST did not answer (refused); its list was fetched 3 h ago``."""
    host = clean_line(source.host, _HOST_CHARACTERS)
    aged = age_words(source.saved_at_unix, now_unix)
    if source.problem is None:
        return f"the catalog at {host} was {'never asked yet' if aged is None else aged}"
    listed = "nothing of it was ever fetched" if aged is None else f"its list was {aged}"
    return (
        f"the catalog at {host} did not answer ({clean_line(source.problem, _REASON_CHARACTERS)}); {listed}"
    )


def age_words(saved_at_unix: int | None, now_unix: float) -> str | None:
    """``fetched 3 h ago``; None if it never was."""
    return None if saved_at_unix is None else f"fetched {ago_in_words(saved_at_unix, now_unix)}"


def source_object(source: CatalogSource) -> dict[str, object]:
    """How it stands with one catalog, as JSON; text as it came."""
    return {"host": source.host, "saved_at_unix": source.saved_at_unix, "problem": source.problem}

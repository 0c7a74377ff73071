"""Titles, names and tags: of one line, and the same whatever their case."""

from collections.abc import Iterable

__all__ = ["folded", "normal_tags", "one_line"]


def one_line(text: str) -> str:
    """``text`` with single spaces for runs of white space and line ends, none at its ends."""
    return " ".join(text.split())


def folded(name: str) -> str:
    """What two names have in common that differ in case alone."""
    return one_line(name).casefold()


def normal_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Of one line each, none empty, alphabetical; of those that differ in case alone the first."""
    kept: dict[str, str] = {}
    for tag in tags:
        if key := folded(tag):
            kept.setdefault(key, one_line(tag))
    return tuple(kept[key] for key in sorted(kept))

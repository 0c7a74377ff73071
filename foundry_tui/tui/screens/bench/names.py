"""Names of models without what says nothing where they stand side by side."""

from collections import Counter
from collections.abc import Sequence

from foundry_tui.tui.widgets.table_parts import cut_within

__all__ = ["names_within", "short_names"]

_SAYS_NOTHING = ("-instruct", "-generic")


def short_names(names: Sequence[str]) -> list[str]:
    """``qwen2.5-0.5b-instruct-generic-cpu:4`` as ``qwen2.5-0.5b-cpu:4``, unless two would be called alike."""
    short = [_short(name) for name in names]
    times = Counter(short)
    return [one if times[one] == 1 else name for name, one in zip(names, short, strict=True)]


def names_within(names: Sequence[str], cells: int) -> list[str]:
    """Each in at most ``cells`` cells: in full where that fits, else without what says nothing, else cut."""
    return [
        name if len(name) <= cells else cut_within(short, cells)
        for name, short in zip(names, short_names(names), strict=True)
    ]


def _short(name: str) -> str:
    for part in _SAYS_NOTHING:
        name = name.replace(part, "")
    return name

"""What is said before a download: whether disk, memory, machine and licence allow it."""

from collections.abc import Sequence
from typing import Protocol

from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.facts import Fact

__all__ = [
    "Removable",
    "Room",
    "license_agreed",
    "license_asked",
    "license_denied",
    "machine_words",
    "removable_lines",
    "room_facts",
    "room_words",
]

_NAME_CHARACTERS = 120
_REASON_CHARACTERS = 500


class Removable(Protocol):
    """Something in the cache that would make room."""

    @property
    def name(self) -> str:
        """Id of the model, or a folder."""
        ...

    @property
    def disk_bytes(self) -> int:
        """What it takes."""
        ...

    @property
    def is_partial(self) -> bool:
        """Whether it is a download that was left in the middle."""
        ...


class Room(Protocol):
    """The room that a download needs and the room that there is, as a preflight found it."""

    @property
    def size_bytes(self) -> int | None:
        """As the catalog says."""
        ...

    @property
    def present_bytes(self) -> int:
        """What is here of it already."""
        ...

    @property
    def needed_bytes(self) -> int | None:
        """``1.05 * size_bytes - present_bytes``."""
        ...

    @property
    def free_bytes(self) -> int:
        """On the disk of the cache."""
        ...

    @property
    def promised_bytes(self) -> int:
        """Of those, what downloads before it still need."""
        ...

    @property
    def missing_bytes(self) -> int:
        """How much must be freed first."""
        ...


def room_facts(room: Room) -> tuple[Fact, ...]:
    """Size, what is needed and how that is worked out, what is free, and the verdict."""
    size = None if room.size_bytes is None else bytes_in_words(room.size_bytes)
    if size is not None and room.present_bytes:
        size += f", {bytes_in_words(room.present_bytes)} of it are here"
    needed = None
    if room.size_bytes is not None and room.needed_bytes is not None:
        less = f" - {bytes_in_words(room.present_bytes)}" if room.present_bytes else ""
        needed = f"{bytes_in_words(room.needed_bytes)} = 1.05 × {bytes_in_words(room.size_bytes)}{less}"
    free = bytes_in_words(room.free_bytes)
    if room.promised_bytes:
        free += f", {bytes_in_words(room.promised_bytes)} of it for downloads before this one"
    return (
        Fact("Size", size),
        Fact("Needs", needed),
        Fact("Free", free),
        Fact("Disk", room_words(room)),
    )


def room_words(room: Room) -> str:
    """Whether there is room, and how much is left or missing."""
    if room.needed_bytes is None:
        return "n/a: the catalog does not tell its size"
    if room.missing_bytes:
        return f"not enough room: {bytes_in_words(room.missing_bytes)} are missing"
    left_bytes = room.free_bytes - room.promised_bytes - room.needed_bytes
    return f"enough room: {bytes_in_words(left_bytes)} stay free"


def removable_lines(removable: Sequence[Removable], limit: int = 5) -> list[str]:
    """What could make room, one a line, the sizes in a column of their own."""
    lines = [
        f"{bytes_in_words(one.disk_bytes):>8}  {clean_line(one.name, _NAME_CHARACTERS)}"
        f"{' (unfinished download)' if one.is_partial else ''}"
        for one in removable[:limit]
    ]
    more = removable[limit:]
    if more:
        lines.append(f"{bytes_in_words(sum(one.disk_bytes for one in more)):>8}  in {len(more)} more")
    return lines


def machine_words(model: ModelVariant) -> str:
    """The device that the variant is built for, and whether this machine can run it."""
    provider = f", {clean_line(model.execution_provider, 60)}" if model.execution_provider else ""
    device = f"{model.device or 'not told'}{provider}"
    if model.unavailable is not None:
        reason = clean_line(model.unavailable, _REASON_CHARACTERS)
        return f"{device}: this machine cannot run it: {reason}"
    return f"{device}: nothing speaks against running it here"


def license_agreed(name: str | None, rule: str | None) -> str:
    """The licence of a model that may be downloaded without a question."""
    why = "you agreed to it" if rule is None else f"allowed by your rule “{clean_line(rule, 60)}”"
    return f"{_license_name(name)}, {why}"


def license_asked(name: str | None) -> str:
    """The licence of a model that must be agreed to first."""
    return f"{_license_name(name)}, as its publisher declares it; not agreed to yet"


def license_denied(name: str | None, rule: str | None) -> str:
    """The licence of a model that must not be downloaded."""
    return f"{_license_name(name)}, denied by your rule “{clean_line(rule or '', 60)}” in licenses.deny"


def _license_name(name: str | None) -> str:
    return clean_line(name or "", 60) or "none named"

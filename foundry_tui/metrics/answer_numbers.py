"""The numbers in an answer, as people and models write them.

Digits 0 to 9, a sign, a point or a comma before the decimals, and between groups of three digits
commas, points, apostrophes, underscores or spaces that do not break.  ``1,234`` and ``1.234`` are one
thing in English and another in German: they are read both ways.  An ordinary space parts two numbers,
and so do commas and points that fit neither use: ``1,2,3`` are three numbers, ``23.11.2026`` likewise.
A digit right behind a letter belongs to a name (``GPT4``), one before a letter does not (``165min``).
"""

import re
from dataclasses import dataclass
from decimal import Decimal, localcontext

__all__ = ["WrittenNumber", "numbers_in"]

_GROUP_SIGNS = ",.'’_\u00a0\u202f\u2009"
_NUMBER = re.compile(
    rf"(?<!\w)(?<!\w[.,])(?P<sign>[-−+]?)(?P<body>[0-9]+(?:[{_GROUP_SIGNS}][0-9]+)*|\.[0-9]+)"
    r"(?:[eE](?P<power>[-+]?[0-9]{1,3})(?![0-9\w]))?"
)
_SIGN = re.compile(f"[{_GROUP_SIGNS}]")
# No number that anybody checks has more; it is still one number.
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """One number as it stands in a text.

    Attributes:
        text: Just that.
        readings: What it may mean: two values where point or comma are either; none if it is too long.
    """

    text: str
    readings: tuple[Decimal, ...]

    def is_near(self, value: float, tolerance: float) -> bool:
        """Whether it may mean ``value``, give or take ``tolerance``: both in decimals, so that 0.3 is 0.3."""
        with localcontext(prec=400):
            wanted, room = Decimal(str(value)), Decimal(str(tolerance))
            return any(abs(reading - wanted) <= room for reading in self.readings)


def numbers_in(text: str) -> tuple[WrittenNumber, ...]:
    """All numbers of ``text``, in their order; takes time in proportion to its length."""
    found: list[WrittenNumber] = []
    for match in _NUMBER.finditer(text):
        sign = "-" if match["sign"] in ("-", "−") else ""
        power = f"e{match['power']}" if match["power"] else ""
        body = match["body"]
        if len(body) > _LONGEST:
            found.append(WrittenNumber(f"{sign}{body[:_LONGEST]}…", ()))
            continue
        plain = _plain_forms(body)
        parts = [(plain, match[0])] if plain else [((part,), part) for part in _SIGN.split(body)]
        for place, (forms, written) in enumerate(parts):
            before = sign if place == 0 else ""
            after = power if place == len(parts) - 1 else ""
            readings = tuple(Decimal(f"{before}{form}{after}") for form in forms)
            found.append(WrittenNumber(written, readings))
    return tuple(found)


def _plain_forms(body: str) -> tuple[str, ...]:
    """``body`` with a point for the decimals and nothing else; several ways, or none."""
    if body.startswith("."):
        return (f"0{body}",)
    signs, groups = _SIGN.findall(body), _SIGN.split(body)
    if not signs:
        return (body,)
    forms = []
    if _are_groups(groups) and len(set(signs)) == 1:
        forms.append("".join(groups))
    if signs[-1] in ",." and signs[-1] not in signs[:-1]:
        whole = groups[:-1]
        if len(whole) == 1 or (_are_groups(whole) and len(set(signs[:-1])) == 1):
            forms.append(f"{''.join(whole)}.{groups[-1]}")
    return tuple(forms)


def _are_groups(groups: list[str]) -> bool:
    """Whether they are thousands: one to three digits, of which the first is no 0, and then always three."""
    first, *others = groups
    is_first = 1 <= len(first) <= 3 and not first.startswith("0")
    return is_first and bool(others) and all(len(group) == 3 for group in others)

"""What energy costs the user, and what somebody else's tokens would: prices that travel with a run."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Tariff", "is_tariff", "tariff_of"]

_PRICE = "tariff_per_kwh"
_CURRENCY = "tariff_currency"
_CLOUD_IN = "tariff_cloud_in_per_million"
_CLOUD_OUT = "tariff_cloud_out_per_million"
_BEGINNING = "tariff_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The user's own figures; None for what they did not give.

    Attributes:
        currency: As it is to be shown, such as ``EUR``.
        cloud_in: Of a million prompt tokens of a hypothetical cloud service; ``cloud_out`` of output ones.
    """

    price_per_kwh: float | None = None
    currency: str = ""
    cloud_in: float | None = None
    cloud_out: float | None = None

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Name and value of each price for a run's environment; empty where there is none."""
        prices = ((_PRICE, self.price_per_kwh), (_CLOUD_IN, self.cloud_in), (_CLOUD_OUT, self.cloud_out))
        known = tuple((name, repr(value)) for name, value in prices if value is not None)
        return (*known, (_CURRENCY, self.currency)) if known and self.currency else known


def is_tariff(name: str) -> bool:
    """Whether ``name`` in an environment is of a price, and not of what was measured on."""
    return name.startswith(_BEGINNING)


def tariff_of(environment: Iterable[tuple[str, str]]) -> Tariff:
    """What ``Tariff.facts`` left in an environment; what is no price there is none."""
    found = dict(environment)
    return Tariff(
        price_per_kwh=_price(found.get(_PRICE)),
        currency=found.get(_CURRENCY, ""),
        cloud_in=_price(found.get(_CLOUD_IN)),
        cloud_out=_price(found.get(_CLOUD_OUT)),
    )


def _price(text: str | None) -> float | None:
    try:
        value = None if text is None else float(text)
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None

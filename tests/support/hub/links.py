"""Links to containers that carry their own permission, in the shape of Azure's shared access signatures."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote

__all__ = ["LINK_LIFE_S", "LinkRefused", "Links"]

LINK_LIFE_S = 24 * 3600.0
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class LinkRefused:
    """Why a link opens nothing: the code and the words that Azure has for it."""

    code: str
    message: str


class Links:
    """Hands out links and checks them.

    Attributes:
        life_s: How long those handed out from now on are good.
    """

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._key = secrets.token_bytes(32)
        self._serial = 0
        self._revoked: dict[str, int] = {}
        self.life_s = LINK_LIFE_S

    def query_for(self, container: str, *, is_expired: bool = False) -> str:
        """The query that opens ``container`` for reading and listing."""
        self._serial += 1
        now = self._now()
        ends = now - timedelta(seconds=60) if is_expired else now + timedelta(seconds=self.life_s)
        starts = min(now, ends) - timedelta(minutes=5)
        parts = {
            "sv": "2024-11-04",
            "st": starts.strftime(_FORM),
            "se": ends.strftime(_FORM),
            "sr": "c",
            "sp": "rl",
            # Of Azure's own parameters, the one that may hold any word: here the number of the link.
            "rscd": str(self._serial),
        }
        parts["sig"] = self._signature(container, parts)
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items())

    def revoke(self, container: str) -> None:
        """End all links to ``container`` that have been handed out so far."""
        self._revoked[container] = self._serial

    def refusal(self, container: str, query: str) -> LinkRefused | None:
        """Why this query does not open ``container``; None if it does."""
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        if "sig" not in given:
            return LinkRefused("ResourceNotFound", "The specified resource does not exist.")
        signed = {name: given.get(name, "") for name in ("sv", "st", "se", "sr", "sp", "rscd")}
        if not hmac.compare_digest(given["sig"], self._signature(container, signed)):
            return LinkRefused(
                "AuthenticationFailed", "Server failed to authenticate the request. Signature did not match."
            )
        ends = datetime.strptime(signed["se"], _FORM).replace(tzinfo=UTC)
        if self._now() > ends or int(signed["rscd"]) <= self._revoked.get(container, 0):
            return LinkRefused(
                "AuthenticationFailed",
                "Server failed to authenticate the request. Signature not valid in the specified time frame.",
            )
        return None

    def _signature(self, container: str, parts: dict[str, str]) -> str:
        text = "\n".join((container, *(parts[name] for name in ("sv", "st", "se", "sr", "sp", "rscd"))))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

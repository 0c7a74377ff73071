"""Who may come in: with which token, by which name of this machine, from which page."""

import secrets
import time
from collections.abc import Callable, Sequence

__all__ = ["ADDRESS", "Door"]

ADDRESS = "127.0.0.1"
"""Nothing else is ever listened on."""
_TICKET_S = 60.0
_HTTP_PORT = 80


class Door:
    """Knows the token of one start of the server; nobody else keeps it.

    Args:
        port: The one that is listened on; a browser names it in every request.
        clock: In seconds, never going back.
    """

    def __init__(self, port: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = secrets.token_urlsafe(32)
        self._tickets: dict[str, float] = {}  # to the moment they expire
        self._clock = clock
        # Cookies know no ports: without it a second server on this machine would replace ours.
        self.cookie_name = f"foundry-tui-{port}"
        self.port = port
        bare = (ADDRESS, "localhost") if port == _HTTP_PORT else ()
        self._hosts = frozenset((f"{ADDRESS}:{port}", f"localhost:{port}", *bare))
        self._address = f"http://{ADDRESS}:{port}"

    @property
    def url(self) -> str:
        """The address that lets in, as often as it is opened."""
        return f"{self._address}/?token={self._token}"

    @property
    def key(self) -> str:
        """What the cookie holds."""
        return self._token

    def issue_ticket_url(self) -> str:
        """An address that lets in once within a minute: for a command line, which everybody here can read."""
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = self._clock() + _TICKET_S
        return f"{self._address}/?token={ticket}"

    def opens_with(self, text: str) -> bool:
        """Whether ``text`` from an address lets in; a ticket is used up by it."""
        if _is_same(text, self._token):
            return True
        used = [ticket for ticket in self._tickets if _is_same(text, ticket)]
        return any(self._clock() <= self._tickets.pop(ticket) for ticket in used)

    def is_open_for(self, cookie: str | None) -> bool:
        """Whether the cookie of a request is the one that was set here."""
        return cookie is not None and _is_same(cookie, self._token)

    def is_own_host(self, hosts: Sequence[str]) -> bool:
        """Whether the headers ``Host`` name this server.

        A foreign name that was made to lead to 127.0.0.1 ("DNS rebinding") gives itself away here.
        """
        return len(hosts) == 1 and hosts[0].lower() in self._hosts

    def is_own_page(self, origins: Sequence[str], host: str) -> bool:
        """Whether the headers ``Origin`` name the page that ``host`` served.

        Browsers let any page open a WebSocket to anywhere; they always say which page it was.
        """
        return len(origins) == 1 and origins[0].lower() == f"http://{host.lower()}"


def _is_same(given: str, kept: str) -> bool:
    # Bytes: text beyond ASCII is refused by compare_digest with an error.
    return secrets.compare_digest(given.encode(errors="replace"), kept.encode())

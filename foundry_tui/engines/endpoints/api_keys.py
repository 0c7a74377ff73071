"""API keys in the keyring of the operating system; the one door of the ``keyring`` library.

A key belongs to one address, so that it is never sent to another; it is put there and taken away by the
keyring's own tools.  The library is an extra: where it is not
installed there is no keyring, and keys come from the environment only (docs/decisions/0011).
"""

import importlib.util
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

__all__ = ["KeyBackend", "origin_of", "stored_key", "system_keyring"]

SERVICE = "foundry-tui"
"""The name that the keyring's own tools show it under."""
# Backends below this write a file in the clear, or refuse everything.
_TRUSTED_PRIORITY = 1
_PORTS = {"http": 80, "https": 443}


class KeyBackend(Protocol):
    """What we use of a keyring; every backend of the library has it."""

    def get_password(self, service: str, username: str) -> str | None:
        """The secret; None where there is none."""
        ...


def system_keyring() -> KeyBackend | None:
    """The keyring of this system; None where there is none that keeps secrets secret.  Blocks."""
    if importlib.util.find_spec("keyring") is None:
        return None
    import keyring  # late: a tenth of a second, and only who talks to an endpoint without a key needs it

    backend = keyring.get_keyring()
    # A chain falls back on the next one, which may be a plain file: only its first is taken.
    first = next(iter(getattr(backend, "backends", ())), backend)
    return first if first.priority >= _TRUSTED_PRIORITY else None


def stored_key(url: str, find: Callable[[], KeyBackend | None] = system_keyring) -> str | None:
    """The key for the server at ``url``; None where there is none or the keyring stays locked.  Blocks."""
    try:
        backend = find()
        key = None if backend is None else backend.get_password(SERVICE, origin_of(url))
    except Exception:  # noqa: BLE001 - backends raise what they like; without a key the server says what it wants
        return None
    return key if key and _is_sendable(key) else None


def origin_of(url: str) -> str:
    """Scheme, host and port of ``url``, always with the port: what a key is kept under."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_sendable(key: str) -> bool:
    return key.isascii() and key.isprintable()

"""API keys in the keyring of the operating system; the one door of the ``keyring`` library.

A key belongs to one address, so that it is never sent to another.  The library is an extra: where it is not
installed there is no keyring, and keys come from the environment only (docs/decisions/0011).
"""

import importlib.util
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from foundry_tui.domain.errors import BadInput, StorageProblem

__all__ = ["KeyBackend", "forget_key", "origin_of", "store_key", "stored_key", "system_keyring"]

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

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Drop it."""
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


def store_key(url: str, key: str, find: Callable[[], KeyBackend | None] = system_keyring) -> None:
    """Keep ``key`` for the server at ``url``.  Blocks.

    Raises:
        BadInput: It cannot be sent as a key.
        StorageProblem: There is no keyring, or it refused.
    """
    if not key or not _is_sendable(key):
        raise BadInput("the key has characters that cannot be sent", remedy="copy it again")
    backend = _need(find)
    try:
        backend.set_password(SERVICE, origin_of(url), key)
    except Exception as error:  # noqa: BLE001 - backends raise what they like; their words may hold the key
        raise StorageProblem(
            f"the keyring did not take the key ({type(error).__name__})",
            remedy="unlock it, or give the key by --api-key-env",
        ) from None


def forget_key(url: str, find: Callable[[], KeyBackend | None] = system_keyring) -> None:
    """Drop the key for the server at ``url``; no error if there is none.  Blocks.

    Raises:
        StorageProblem: There is no keyring, or it refused.
    """
    backend = _need(find)
    try:
        if backend.get_password(SERVICE, origin_of(url)) is not None:
            backend.delete_password(SERVICE, origin_of(url))
    except Exception as error:  # noqa: BLE001 - as above
        raise StorageProblem(
            f"the keyring did not drop the key ({type(error).__name__})", remedy="unlock it, and try again"
        ) from None


def origin_of(url: str) -> str:
    """Scheme, host and port of ``url``, always with the port: what a key is kept under."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _need(find: Callable[[], KeyBackend | None]) -> KeyBackend:
    backend = find()
    if backend is None:
        raise StorageProblem(
            "there is no keyring to keep a key in",
            remedy="install foundry-tui[keyring] on a system that has one, or give the key by --api-key-env",
        )
    return backend


def _is_sendable(key: str) -> bool:
    return key.isascii() and key.isprintable()

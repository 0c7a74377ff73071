"""Where an address leads, by its host alone, and what is said where others can read along."""

import ipaddress

from foundry_tui.domain.text import clean_line

__all__ = ["exposure_words", "is_own_host"]

_HOST_CHARACTERS = 60


def is_own_host(host: str) -> bool:
    """Whether ``host``, a name or a bare address, is this machine whatever a name server says."""
    own = host.rstrip(".").lower()
    if own == "localhost" or own.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(own).is_loopback
    except ValueError:  # a name, though it may begin with 127.
        return False


def exposure_words(scheme: str, host: str) -> str | None:
    """The warning that chatting with ``host`` deserves; None where nobody can read along."""
    if scheme != "http" or not host or is_own_host(host):
        return None
    return (
        f"Not encrypted: whoever is on the way to {clean_line(host, _HOST_CHARACTERS)} can read prompts,"
        " answers and the key. Use https, or a tunnel to a port of this machine."
    )

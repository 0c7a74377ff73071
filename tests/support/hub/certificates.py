"""A certificate authority of this process's own, for the one connection that the runtime always encrypts."""

import atexit
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Certificates", "certificates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What a server on 127.0.0.1 needs, and what its clients need to trust it.

    Attributes:
        ca_file: The authority alone: who trusts it trusts nobody else.
    """

    ca_file: Path
    context: ssl.SSLContext


@cache
def certificates() -> Certificates:
    """Made at the first call in this process, gone with it."""
    # A tenth of a second; only a process that starts a hub pays it.
    import trustme

    folder = Path(tempfile.mkdtemp(prefix="foundry-tui-hub-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Elliptic curves: an RSA key would take longer than all the rest of the hub's start.
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    leaf = authority.issue_cert("127.0.0.1", "localhost", key_type=trustme.KeyType.ECDSA)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return Certificates(ca_file=ca_file, context=context)

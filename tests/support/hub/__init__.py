"""A model hub on loopback: the real runtime lists, filters and downloads from it, and tests break it.

It speaks the three protocols that the runtime uses: the catalog (plain http), the model registry (https, with
an authority made for this process) and containers of files in the manner of Azure Blob Storage (plain http)::

    async with Hub(standard_models()) as hub:        # or ``with Hub([...]) as hub``; a thread of its own
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)          # before the process that runs the runtime is started
        config = managed_config(hub, tmp_path)       # a ``ManagedConfig`` with its catalog and region; or
        command = [*FOUNDRY_TUI, *hub.arguments(), "models", "list"]

What is offered: ``standard_models()`` (20 variants of 10 aliases), ``models(20_000)``, ``synthetic_model()``,
``demo_model(padding_bytes=...)`` (loads and answers; padded, its download takes time).  A ``HubModel`` is
one variant with its catalog record and its files; ``hub.put(model)`` and ``hub.remove(model_id)`` change the
catalog while it runs.  ``sha256(model.files[name])`` is what a download must come to.

What goes wrong, set and mended while it runs, even in the middle of an answer::

    hub.fault("granit-3b-generic-cpu:1", Slow(bytes_per_s=4_000_000))
    hub.fault("granit-3b-generic-cpu:1", Stalled(after_bytes=1_000_000), blob="model.onnx.data")
    hub.fault("granit-3b-generic-cpu:1", Status(code=404), at=Place.REGISTRY)
    hub.fault(Place.CATALOG, NONSENSE["html"])       # or Place.REGISTRY, Place.BLOBS: all that is there
    hub.mend("granit-3b-generic-cpu:1")              # or a place, or everything; who was held goes on
    hub.down(Place.CATALOG)                          # connections refused; no place: the whole hub gone
    hub.up()                                         # and back, on the same ports
    hub.expire_links(model_id); hub.drop_connections()

What happened: ``hub.requests`` and ``hub.asked(Place.BLOBS, model=..., asks="GET")`` (model, blob, byte
range, status, bytes sent, how it ended), ``hub.sent_bytes(model_id)``, ``hub.stalled()``.  To wait without
sleeping: ``await hub.sent(model_id, at_least_bytes=N)``, ``await hub.until(lambda: ...)``; ``wait_sent`` and
``wait_until`` do the same for callers without an event loop.

The runtime's own download, in a process that may be killed: ``async with pulling(hub, tmp_path, model_id) as
pull``, then ``await pull.ended()`` or ``await pull.kill()``; ``differing(model, folder)`` compares the files.

By hand: ``python -m tests.support.hub --help``.
"""

from tests.support.hub.content import Content, FileContent, Inline, Synthetic, sha256
from tests.support.hub.faults import (
    CutAt,
    Delayed,
    EmptyContainer,
    Expired,
    Fault,
    Missing,
    Nonsense,
    NoRanges,
    Place,
    Slow,
    Stalled,
    Status,
    WrongBytes,
    WrongSize,
)
from tests.support.hub.hub import Hub, Ports
from tests.support.hub.model import HubModel
from tests.support.hub.nonsense import NONSENSE
from tests.support.hub.record import Ending, Exchange
from tests.support.hub.runtime import Pull, Pulled, differing, folder_of, managed_config, pulling
from tests.support.hub.samples import (
    DEMO_ALIAS,
    DEMO_ID,
    HOSTILE_TEXT,
    demo_files,
    demo_model,
    hostile_model,
    models,
    standard_models,
    synthetic_files,
    synthetic_model,
    variant,
)

__all__ = [
    "DEMO_ALIAS",
    "DEMO_ID",
    "HOSTILE_TEXT",
    "NONSENSE",
    "Content",
    "CutAt",
    "Delayed",
    "EmptyContainer",
    "Ending",
    "Exchange",
    "Expired",
    "Fault",
    "FileContent",
    "Hub",
    "HubModel",
    "Inline",
    "Missing",
    "NoRanges",
    "Nonsense",
    "Place",
    "Ports",
    "Pull",
    "Pulled",
    "Slow",
    "Stalled",
    "Status",
    "Synthetic",
    "WrongBytes",
    "WrongSize",
    "demo_files",
    "demo_model",
    "differing",
    "folder_of",
    "hostile_model",
    "managed_config",
    "models",
    "pulling",
    "sha256",
    "standard_models",
    "synthetic_files",
    "synthetic_model",
    "variant",
]

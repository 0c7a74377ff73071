"""A hub by hand: prints how to lead the app to it, and serves until Ctrl-C."""

import argparse
import shlex
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from tests.support.hub.control import BadOrder, Control, add_fault, known_faults
from tests.support.hub.hub import Hub, Ports
from tests.support.hub.samples import DEMO_ID, demo_model, models, standard_models

__all__ = ["main"]

_EPILOG = f"""\
WHERE is catalog, registry, blobs, the id of a model, or ID/BLOB.  FAULT is one of
{known_faults()}

example:
  python -m tests.support.hub --padding-mb 200 --fault {DEMO_ID}=slow,bytes_per_s=5e6
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    offered = {model.id: model for model in (*standard_models(), *models(options.models))}
    if options.padding_mb:
        offered[DEMO_ID] = demo_model(padding_bytes=options.padding_mb * 1_000_000)
    # One number for all: the hub's ports are this one and the two after it, its handles the one after those.
    ports = [options.port + n if options.port else 0 for n in range(4)]
    numbers = Ports(catalog=ports[0], registry=ports[1], blobs=ports[2])
    with suppress(KeyboardInterrupt):
        try:
            with Hub(offered.values(), numbers) as hub, Control(hub, port=ports[3]) as control:
                for fault in options.fault:
                    where, _, what = fault.partition("=")
                    add_fault(hub, where, what)
                sys.stdout.write(_words(hub, control))
                sys.stdout.flush()
                threading.Event().wait()
        except (BadOrder, OSError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
    return 0


def _words(hub: Hub, control: Control) -> str:
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in hub.environment().items())
    return (
        f"# {len(hub.models)} models; these variables make a process trust the hub, and reach nothing else\n"
        f"{exports}"
        "# the app, and a list; a data directory of its own keeps yours as it is\n"
        f"foundry-tui --data-dir /tmp/hub-data {shlex.join(hub.arguments())}\n"
        f"foundry-tui models list --data-dir /tmp/hub-data {shlex.join(hub.arguments())}\n"
        f"# what goes wrong: curl {control.url} tells how\n"
        f"curl -X POST '{control.url}/fault?where={DEMO_ID}&what=slow,bytes_per_s=1e5'\n"
        "# Ctrl-C ends it\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.hub",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", metavar="N", type=int, default=0, help="offer so many further rows")
    parser.add_argument(
        "--padding-mb",
        metavar="N",
        type=int,
        default=0,
        help="a file that makes the real model's download long",
    )
    parser.add_argument(
        "--fault", metavar="WHERE=FAULT", action="append", default=[], help="from the start; may be repeated"
    )
    parser.add_argument(
        "--port",
        metavar="N",
        type=int,
        default=0,
        help="the first of four ports in a row; 0 is any free ones",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

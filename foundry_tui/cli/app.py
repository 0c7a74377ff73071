"""``foundry-tui`` and ``foundry-tui demo``: open the app."""

import argparse
import gc
import os

from foundry_tui.bootstrap import open_services, resolve
from foundry_tui.cli.options import add_common, launch_options

__all__ = ["add_commands", "open_app", "open_demo"]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``demo``; the app itself is what runs without a command."""
    demo = commands.add_parser(
        "demo",
        help="the app on the bundled tiny model: no network, nothing downloaded",
        description="Open the app with the bundled tiny model loaded. No network, nothing downloaded.",
        epilog="example: foundry-tui demo",
    )
    add_common(demo, top=False)
    demo.set_defaults(run=open_demo)


async def open_app(arguments: argparse.Namespace) -> int:
    """Open the app on the managed runtime, or on an endpoint."""
    return await _open(arguments, demo=False)


async def open_demo(arguments: argparse.Namespace) -> int:
    """Open the app on the bundled model."""
    return await _open(arguments, demo=True)


async def _open(arguments: argparse.Namespace, *, demo: bool) -> int:
    launch = resolve(launch_options(arguments, demo=demo))
    if arguments.no_color:
        os.environ["NO_COLOR"] = "1"  # Textual reads it when it is imported
    # The one place that reaches for the screen.
    from foundry_tui.tui.app import FoundryApp

    # What was imported stays; to walk through it at every full collection stops the screen for 20 to 50 ms.
    gc.freeze()
    async with open_services(launch) as services:
        app = FoundryApp(services)
        await app.run_async()
    return app.return_code or 0

"""``foundry-tui`` and ``foundry-tui demo``: open the app."""

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING

from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.launching import resolve
from foundry_tui.services import calm

if TYPE_CHECKING:
    from foundry_tui.services.opened import Services

__all__ = ["add_commands", "add_plain", "open_app", "open_demo"]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``demo``; the app itself is what runs without a command."""
    demo = commands.add_parser(
        "demo",
        description="Open the app with the bundled tiny model loaded. No network, nothing downloaded.",
        epilog="example: foundry-tui demo",
    )
    add_common(demo, top=False)
    add_plain(demo, top=False)
    demo.set_defaults(run=open_demo)


def add_plain(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """Add the option for lines of text in the screen's place."""
    parser.add_argument(
        "--plain",
        action="store_true",
        default=False if top else argparse.SUPPRESS,
        help="lines of text in place of the screen: for screen readers, dumb terminals and pipes",
    )


async def open_app(arguments: argparse.Namespace) -> int:
    """Open the app on the managed runtime, or on an endpoint."""
    return await _open(arguments, demo=False)


async def open_demo(arguments: argparse.Namespace) -> int:
    """Open the app on the bundled model."""
    return await _open(arguments, demo=True)


async def _open(arguments: argparse.Namespace, *, demo: bool) -> int:
    launch = resolve(launch_options(arguments, demo=demo))
    async with AsyncExitStack() as stack:

        async def opened() -> "Services":
            # In a thread: the first frame is on the screen by now, and keys are answered.
            bootstrap = await asyncio.to_thread(import_module, "foundry_tui.bootstrap")
            return await stack.enter_async_context(bootstrap.open_services(launch, makes_own_error=True))

        if arguments.plain:
            from foundry_tui.cli.plain import run_plain  # late: the app does not need it

            return await run_plain(await opened(), input=sys.stdin, output=sys.stdout)
        if arguments.no_color:
            os.environ["NO_COLOR"] = "1"  # Textual reads it when it is imported
        # The one place that reaches for the screen.
        from foundry_tui.tui.app import FoundryApp

        calm.begin()
        app = FoundryApp(launch.setup, opened)
        await app.run_async()
        if app.failure is not None:
            raise app.failure
        return app.return_code or 0

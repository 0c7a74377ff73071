"""``foundry-tui web``: the app in a browser on this machine."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from foundry_tui.aio import Tasks
from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.options import add_common, launch_options, port_number
from foundry_tui.cli.output import print_text, say
from foundry_tui.launching import resolve

__all__ = ["add_commands", "app_command"]

_EXAMPLES = """examples:
  foundry-tui web --open                     in the browser, now
  foundry-tui web --demo                     on the bundled model, without the network
  foundry-tui web --endpoint http://host:5273/v1 --port 8080

The page answers on 127.0.0.1 only, and only with the token in the address that is printed; whoever has that
address has the app.  From another machine, tunnel the same port and open the same address there:
  ssh -L 8080:127.0.0.1:8080 user@host       after `foundry-tui web --port 8080` on host

Each tab runs an app of its own, with an engine of its own; closing the tab ends both.  Ctrl+C ends all.
"""
_TOLD = """Open the address below in a browser here.  Whoever has it has the app: keep it to yourself.
From another machine: ssh -L {port}:127.0.0.1:{port} user@this-machine, then open the same address there.
Closing a tab ends the app in it.  Ctrl+C here ends everything."""
_BROWSER = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.stdin.read()))"
_BROWSER_S = 20.0
_ENDS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Where the system knows them."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``web``."""
    web = commands.add_parser(
        "web",
        description="Serve the app to a browser on this machine, until Ctrl+C.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # Everywhere else --port is the managed web service's; here it is the page's, wherever it stands.
        conflict_handler="resolve",
    )
    add_common(web, top=False)
    web.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        default=argparse.SUPPRESS,
        help="fixed port of the page; default: a free one",
    )
    web.add_argument(
        "--service-port",
        metavar="N",
        type=port_number,
        default=None,
        help="fixed port of the managed web service, which leaves room for one tab; default: free ones",
    )
    web.add_argument("--demo", action="store_true", help="the app on the bundled tiny model")
    web.add_argument("--open", action="store_true", help="open the page in the browser")
    web.set_defaults(run=_web)


def app_command(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The command line of the app in a tab: the options that ``web`` was given, exactly."""
    options = launch_options(arguments, demo=arguments.demo)
    values = {
        "endpoint": options.endpoint,
        "api-key-env": options.api_key_env,
        "config": options.config_dir,
        "data-dir": options.data_dir,
        "model-cache-dir": options.model_cache_dir,
        "catalog-region": options.catalog_region,
        "store": options.store,
        "port": arguments.service_port,
        "log-file": arguments.log_file,
    }
    given = [f"--{name}={value}" for name, value in values.items() if value is not None]
    given += [f"--catalog-url={url}" for url in options.catalog_urls]
    given += [f"--timeout={_phase(name)}={seconds!r}" for name, seconds in options.timeouts]
    flags = {"offline": options.offline, "verbose": arguments.verbose, "no-color": arguments.no_color}
    given += [f"--{name}" for name, is_set in flags.items() if is_set]
    # -P: a folder that happens to hold a module of ours, or of a library's, must not be imported from.
    return (sys.executable, "-P", "-m", "foundry_tui", *given, *(["demo"] if options.demo else []))


async def _web(arguments: argparse.Namespace) -> int:
    # What cannot be used is better told here, once, than in every tab.
    resolve(launch_options(arguments, demo=arguments.demo))
    from foundry_tui.web.server import open_server  # late: aiohttp is for this command only

    with _told_to_end() as end:
        async with open_server(app_command(arguments), port=arguments.port, tell=say) as door:
            say(_TOLD.format(port=door.port))
            print_text(door.url)
            opening = Tasks()
            if arguments.open:
                opening.start("browser", _open(door.issue_ticket_url()))
            try:
                number = await end
            finally:
                await opening.aclose()
    # Ctrl+C is how this is meant to end.
    return ExitCode.DONE if number == signal.SIGINT else 128 + number


async def _open(url: str) -> None:
    """Open ``url`` in the user's browser.

    In a process of its own: what a browser says must not reach our stdout, nor may one for terminals take
    over this one.  That process reads ``url`` from a pipe; the browser gets it as an argument, which
    everybody on this machine can read, so it must be good for one time only.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-c", _BROWSER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=sys.platform != "win32",
    )
    try:
        async with asyncio.timeout(_BROWSER_S):
            await process.communicate(url.encode())
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        say("no browser could be opened: open the address yourself")


@contextmanager
def _told_to_end() -> "Iterator[asyncio.Future[int]]":
    """The number of the first signal that ends a program; the next one has its usual effect."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()
    kept: dict[int, signal._HANDLER] = {}

    def restore() -> None:
        for number, handler in kept.items():
            signal.signal(number, handler)

    def tell(number: int) -> None:
        if not told.done():
            told.set_result(number)
            restore()

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell, number)

    for name in _ENDS:
        number = getattr(signal, name, None)
        # One that is ignored was asked to be, as `nohup` does.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            kept[number] = signal.signal(number, handle)
    try:
        yield told
    finally:
        restore()
        told.cancel()


def _phase(name: str) -> str:
    return name.removesuffix("_s").replace("_", "-")

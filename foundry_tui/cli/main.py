"""The program: parses the command line, runs one command, turns its end into an exit code."""

import argparse
import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence

from foundry_tui import __version__
from foundry_tui.cli import app, output
from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.options import add_common
from foundry_tui.cli.output import complain, tidy_streams
from foundry_tui.domain.errors import BadInput, FoundryTuiError
from foundry_tui.domain.text import clean_text
from foundry_tui.services.logbook import redact

__all__ = ["main"]

_EXAMPLES = """examples:
  foundry-tui demo                                try it now, on the bundled model, without the network
  foundry-tui web --demo --open                   the same in a browser
  foundry-tui                                     the app on the managed Foundry Local runtime
  foundry-tui --endpoint http://host:5273/v1      the app on a server that runs elsewhere
  foundry-tui models list --json                  the catalog, for a script
  foundry-tui chat qwen2.5-0.5b --prompt "Hi"     one answer on stdout
"""

_COMMANDS = {
    "demo": ("app", "the app on the bundled tiny model: no network, nothing downloaded"),
    "web": ("web", "the app in a browser on this machine"),
    "models": ("models", "list, load, register models"),
    "chat": ("chat", "one streamed answer on stdout"),
    "bench": ("bench", "measure models, and keep every reading"),
    "runs": ("runs", "list, show, export, import what was measured"),
    "replay": ("replay", "a recorded answer, at the pace at which it came"),
    "compare": ("compare", "whether one model or run is faster than another"),
    "report": ("report", "what was measured, as a page with charts, Markdown, CSV or JSON"),
    "score": ("score", "score answers by hand: a sheet out, the scores in"),
    "conversations": ("conversations", "list, search, export, import what was said"),
    "validate": ("validate", "check that every target model is listed, cached, loads and answers"),
    "selftest": ("selftest", "our own measurement error, against a server of known timing"),
    "doctor": ("doctor", "what works here and what does not"),
    "schema": ("schema", "JSON Schema of a file or an output"),
}
"""Module of each command, and what it does."""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="foundry-tui",
        description="Find, try and measure language models that run on your own machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"foundry-tui {__version__}")
    add_common(parser, top=True)
    app.add_plain(parser, top=True)
    parser.set_defaults(run=app.open_app)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_LateParser)
    for name, (module, words) in _COMMANDS.items():
        commands.add_parser(name, help=words).module = f"foundry_tui.cli.{module}"
    return parser


class _LateParser(argparse.ArgumentParser):
    """Stands for a command until it is given: what all commands import would hold up the first frame."""

    module = ""

    def parse_known_args(  # type: ignore[override]  # one of the three ways to call it, the one that argparse uses
        self, args: Sequence[str], namespace: None
    ) -> tuple[argparse.Namespace, list[str]]:
        name = self.prog.rpartition(" ")[2]
        program = self.prog.removesuffix(f" {name}")
        commands = argparse.ArgumentParser().add_subparsers(prog=program)
        importlib.import_module(self.module).add_commands(commands)
        parser: argparse.ArgumentParser = commands.choices[name]
        return parser.parse_known_args(args, namespace)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; its exit code."""
    tidy_streams()
    try:
        return _run(argv)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader has left, as `| head` does.  Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit:
        sys.stdout.flush()  # a reader of --help who has left must show here, not at exit
        raise
    try:
        _set_up_log(arguments)
        run: Callable[[argparse.Namespace], Coroutine[object, object, int]] = arguments.run
        return asyncio.run(run(arguments))
    except FoundryTuiError as error:
        complain(error)
        return code_of(error)


def _set_up_log(arguments: argparse.Namespace) -> None:
    handlers: list[logging.Handler] = []
    if arguments.verbose and arguments.run is not app.open_app and arguments.run is not app.open_demo:
        talk = logging.StreamHandler(sys.stderr)
        # What is told is on stderr already.
        talk.addFilter(lambda record: record.name != output.__name__)
        handlers.append(talk)
    if arguments.log_file is not None:
        try:
            handlers.append(logging.FileHandler(arguments.log_file, encoding="utf-8"))
        except OSError as error:
            raise BadInput(
                f"--log-file {arguments.log_file} cannot be written: {error.strerror}",
                remedy="name a file in a folder that exists",
            ) from error
    logger = logging.getLogger("foundry_tui")
    logger.handlers = handlers or [logging.NullHandler()]
    logger.propagate = False
    logger.setLevel(logging.DEBUG)  # the app's own log takes all; these decide for themselves
    for handler in handlers:
        handler.setLevel(logging.DEBUG if arguments.verbose else logging.INFO)
        handler.setFormatter(_Harmless("%(asctime)s %(levelname)s %(message)s"))


class _Harmless(logging.Formatter):
    """Writes no control of others' making, and no key."""

    def format(self, record: logging.LogRecord) -> str:
        return clean_text(redact(super().format(record)))

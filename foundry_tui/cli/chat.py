"""``foundry-tui chat``: one answer on stdout, or a conversation by lines."""

import argparse
import sys
from dataclasses import replace
from typing import Protocol

from foundry_tui.bootstrap import open_services
from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.loading import load_if_needed
from foundry_tui.cli.models import find_model, tell_notes
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import PiecePrinter, complain, print_json, say
from foundry_tui.cli.plain_input import Lines
from foundry_tui.domain.chat import ChatMessage, ChatOptions, ChatRequest, ChunkKind, ChunkReceived, Role
from foundry_tui.domain.errors import BadInput, EngineError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.launching import resolve
from foundry_tui.reports.answer import describe
from foundry_tui.reports.results import answer_object
from foundry_tui.services.opened import Services

__all__ = ["add_commands"]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``chat``."""
    chat = commands.add_parser(
        "chat",
        description="Stream one answer to stdout. Without --prompt it reads stdin if piped, else lines.",
        epilog='example: foundry-tui chat phi-4-mini --prompt "What is RAG?" --max-tokens 120',
    )
    add_common(chat, top=False)
    chat.add_argument("model", metavar="MODEL", help="variant id or alias; loaded if it is not")
    chat.add_argument("--prompt", metavar="TEXT", help="what to ask; - reads stdin")
    chat.add_argument("--system", metavar="TEXT", help="system prompt")
    chat.add_argument("--max-tokens", metavar="N", type=_positive, help="longest answer; default 512")
    chat.add_argument(
        "--temperature", metavar="F", type=_temperature, help="0 to 2; default: the engine's own"
    )
    chat.add_argument(
        "--seed", metavar="N", type=_seed, help="makes sampling repeatable where the engine can"
    )
    chat.add_argument("--json", action="store_true", help="one JSON object with every reading, no stream")
    chat.set_defaults(run=_chat)


async def _chat(arguments: argparse.Namespace) -> int:
    _need_text("the system prompt", arguments.system or "")
    prompt = _prompt(arguments)
    async with open_services(resolve(launch_options(arguments))) as services:
        tell_notes(await services.client.start(), is_verbose=arguments.verbose)
        model = await find_model(services, arguments.model)
        options = _options(services.setup.chat, arguments)
        await load_if_needed(services, model)
        if prompt is None:
            return await _converse(services, model, options)
        request = services.client.prepare(model, (ChatMessage(role=Role.USER, text=prompt),), options)
        trace, error = await _answer(services, request, _Silent() if arguments.json else PiecePrinter())
    if arguments.json:
        print_json(answer_object(trace, model=arguments.model, model_id=model.id))
    else:
        say(describe(trace))
    if error is not None:
        complain(error)
        return code_of(error)
    return ExitCode.DONE


async def _converse(services: Services, model: ModelVariant, options: ChatOptions) -> int:
    say(f"{model.id}: a line asks, an empty line or end of input ends")
    lines = Lines(sys.stdin)
    messages: tuple[ChatMessage, ...] = ()
    while True:
        sys.stderr.write("> ")
        sys.stderr.flush()
        line = await lines.next()
        if line is None or not line.strip():
            return ExitCode.DONE
        asked = (*messages, ChatMessage(role=Role.USER, text=line))
        trace, error = await _answer(services, services.client.prepare(model, asked, options), PiecePrinter())
        say(describe(trace))
        if error is None:
            messages = (*asked, ChatMessage(role=Role.ASSISTANT, text=trace.text))
        else:
            complain(error)
            if code_of(error) is ExitCode.UNREACHABLE:
                return ExitCode.UNREACHABLE


class _Sink(Protocol):
    def take(self, text: str) -> None: ...

    def end(self) -> None: ...


class _Silent:
    def take(self, text: str) -> None:
        """Nothing is shown."""

    def end(self) -> None:
        """Nothing is shown."""


async def _answer(
    services: Services, request: ChatRequest, sink: _Sink
) -> tuple[GenerationTrace, EngineError | None]:
    trace = TraceBuilder()
    try:
        async with services.client.chat(request) as events:
            async for event in events:
                trace.observe(event)
                if isinstance(event, ChunkReceived) and event.kind is ChunkKind.CONTENT:
                    sink.take(event.text)
    except EngineError as error:
        return trace.failed(error), error
    finally:
        sink.end()
    return trace.finish(), None


def _prompt(arguments: argparse.Namespace) -> str | None:
    """What to ask; None opens a conversation by lines."""
    given: str | None = arguments.prompt
    if given is None and sys.stdin.isatty():
        if arguments.json:
            raise BadInput("--json wants one prompt", remedy="give --prompt TEXT, or pipe it in")
        return None
    if given in (None, "-"):
        try:
            given = sys.stdin.read()
        except UnicodeDecodeError as error:
            raise BadInput(f"stdin is not text: {error}", remedy="pipe in UTF-8 text") from error
    if given is None or not given.strip():
        raise BadInput("the prompt is empty", remedy="give --prompt TEXT, or pipe it in")
    _need_text("the prompt", given)
    return given


def _need_text(what: str, text: str) -> None:
    # Bytes that the locale cannot read arrive as halves of surrogate pairs, which no server can be sent.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"{what} is not text from character {error.start + 1} on", remedy="give UTF-8 text"
        ) from error


def _options(defaults: ChatOptions, arguments: argparse.Namespace) -> ChatOptions:
    given = {
        "system_prompt": arguments.system,
        "max_tokens": arguments.max_tokens,
        "temperature": arguments.temperature,
        "seed": arguments.seed,
    }
    return replace(defaults, **{name: value for name, value in given.items() if value is not None})


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on, not {text!r}")
    return int(text)


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a whole number, not {text!r}") from None


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"a number from 0 to 2, not {text!r}")
    return value

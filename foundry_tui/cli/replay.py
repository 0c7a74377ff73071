"""``foundry-tui replay``: a recorded answer on stdout, at the pace at which it came."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.numbers import positive
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import PiecePrinter, print_table, say
from foundry_tui.cli.run_ids import load_with_requests
from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import ChunkKind
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import count_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import resolve
from foundry_tui.metrics.latency import latency_s, ttft_s
from foundry_tui.metrics.replay import Replay, Stall
from foundry_tui.reports.answer import describe
from foundry_tui.reports.replay import nothing_words, request_words, speed_words
from foundry_tui.reports.run_reading import IMPORT_LIMIT_BYTES, read_run
from foundry_tui.services.files import read_text
from foundry_tui.wiring.archive import open_archive

__all__ = ["add_commands", "play"]

_NS_PER_S = 1_000_000_000
_AT_ONCE = "max"
_SLOWEST, _FASTEST = 0.01, 1000.0
_LIST_HINT = "foundry-tui replay RUN --list names them"
_HEADER = ("#", "PHASE", "PROMPT", "ROUND", "STATUS", "TTFT", "LATENCY", "CHUNKS", "MODEL")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``replay``."""
    replay = commands.add_parser(
        "replay",
        description="Print a recorded answer at the pace at which it came: its text on stdout; what it is,"
        " its stalls and its numbers on stderr. The text is that of the answer itself, without reasoning.",
        epilog="example: foundry-tui replay last --request 12 --speed 4",
    )
    add_common(replay, top=False)
    replay.add_argument(
        "recording", metavar="RUN|FILE", help="id of a run, its beginning, or last; or results as a JSON file"
    )
    replay.add_argument(
        "--request",
        metavar="N",
        type=positive,
        help="its number; default: the first timed one that ended well",
    )
    replay.add_argument("--model", metavar="M", help="only requests to this model, alias or exact variant")
    replay.add_argument(
        "--speed",
        metavar="F",
        type=_speed,
        default=1.0,
        help=f"times as fast as it was, such as 4 or 0.25; {_AT_ONCE}: at once",
    )
    replay.add_argument("--list", action="store_true", help="one row for each request, and no text")
    replay.set_defaults(run=_replay)


async def _replay(arguments: argparse.Namespace) -> int:
    requests = _of_model(await _requests(arguments), arguments.model)
    if arguments.list:
        print_table(_HEADER, [_row(request) for request in requests], right=frozenset({0, 3, 5, 6, 7}))
        return ExitCode.DONE
    await play(_chosen(requests, arguments.request), arguments.speed)
    return ExitCode.DONE


async def play(
    request: RequestRun,
    speed: float,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock_s: Callable[[], float] = time.monotonic,
) -> None:
    """Print the text of ``request`` when it came, counted from when it was sent and at ``speed``."""
    trace = request.trace
    replay = Replay(trace)
    teller = _Teller()
    printer = PiecePrinter()
    stalls = {stall.index: stall for stall in replay.stalls}
    say(f"{request_words(request)}, {'at once' if speed == float('inf') else f'at {speed_words(speed)}'}")
    began_s = clock_s()

    async def wait_for(position_ns: int) -> None:
        # From the begin on, so that what printing takes does not add up.
        left_s = position_ns / _NS_PER_S / speed - (clock_s() - began_s)
        if left_s > 0:
            await sleep(left_s)

    try:
        for index, chunk in enumerate(trace.chunks):
            await wait_for(replay.position_ns(index))
            if (stall := stalls.get(index)) is not None:
                teller.tell(_stall_words(stall))
            if chunk.kind is ChunkKind.CONTENT:
                printer.take(chunk.text)
        await wait_for(replay.length_ns)
    finally:
        printer.end()
    teller.end()
    thoughts = sum(chunk.kind is not ChunkKind.CONTENT for chunk in trace.chunks)
    if thoughts:
        say(f"{count_in_words(thoughts)} chunks of reasoning or tool calls are not shown")
    if not trace.chunks:
        say(nothing_words(replay))
    elif not trace.outcome.is_timed:
        why = f": {trace.error}" if trace.error else ""
        say(f"it ended as {trace.outcome.words}{why}")
    say(describe(trace))


class _Teller:
    """Tells of stalls when they end; after the text where both streams go to one terminal."""

    def __init__(self) -> None:
        self._waits = sys.stdout.isatty() and sys.stderr.isatty()
        self._later: list[str] = []

    def tell(self, words: str) -> None:
        if self._waits:
            self._later.append(words)
        else:
            say(words)

    def end(self) -> None:
        for words in self._later:
            say(words)


async def _requests(arguments: argparse.Namespace) -> Sequence[RequestRun]:
    given: str = arguments.recording
    if _is_file(given):
        file = await read_text(given, limit_bytes=IMPORT_LIMIT_BYTES)
        now_unix_ms = time.time_ns() // 1_000_000
        requests: Sequence[RequestRun] = read_run(file.text, file.name, now_unix_ms=now_unix_ms).requests
    else:
        async with open_archive(resolve(launch_options(arguments))) as archive:
            _, requests = await load_with_requests(archive.runs, given)
    if not requests:
        raise BadInput(
            "nothing of this run can be played: no request of it was kept",
            remedy="foundry-tui runs list shows how many each run has",
        )
    return requests


def _is_file(given: str) -> bool:
    """Whether a file is meant; a run's id has neither a folder nor an ending."""
    path = Path(given)
    return path.suffix.casefold() == ".json" or len(path.parts) != 1 or path.is_file()


def _of_model(requests: Sequence[RequestRun], model: str | None) -> list[RequestRun]:
    if model is None:
        return list(requests)
    found = [request for request in requests if model in (request.model, request.model_id)]
    if not found:
        names = ", ".join(dict.fromkeys(clean_line(request.model) for request in requests))
        raise BadInput(f"the run asked no model {clean_line(model, 60)!r}", remedy=f"it asked {names}")
    return found


def _chosen(requests: Sequence[RequestRun], number: int | None) -> RequestRun:
    if number is not None:
        found = next((request for request in requests if request.number == number), None)
        if found is None:
            raise BadInput(f"there is no request {number}", remedy=_LIST_HINT)
        return found
    timed = [request for request in requests if request.phase is Phase.TIMED]
    well = [request for request in timed if request.trace.outcome.is_timed]
    return next(iter([*well, *timed, *requests]))


def _row(request: RequestRun) -> tuple[str, ...]:
    trace = request.trace
    return (
        str(request.number),
        request.phase.value + (f", attempt {request.attempt}" if request.attempt > 1 else ""),
        request.prompt_id,
        str(request.round),
        trace.outcome.words,
        seconds_in_words(ttft_s(trace)),
        seconds_in_words(latency_s(trace)),
        count_in_words(len(trace.chunks)),
        request.model,
    )


def _stall_words(stall: Stall) -> str:
    silence = seconds_in_words((stall.end_ns - stall.begin_ns) / _NS_PER_S)
    at = seconds_in_words(stall.begin_ns / _NS_PER_S)
    return f"a stall of {silence}, {at} after it was sent, before chunk {count_in_words(stall.index + 1)}"


def _speed(text: str) -> float:
    if text == _AT_ONCE:
        return float("inf")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not _SLOWEST <= value <= _FASTEST:
        limits = f"a number from {_SLOWEST:g} to {_FASTEST:g}, or {_AT_ONCE}"
        raise argparse.ArgumentTypeError(f"{limits}, not {text!r}")
    return value

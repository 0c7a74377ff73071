"""The tests' scripted server in a process of its own, with a schedule behind each model that is asked.

``python schedules.py`` serves until standard input ends.  It sleeps until each piece is due, to some 0.1 ms
and without taking a core; when it wrote is in its log, and that is what counts.
"""

import argparse
import asyncio
import os
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.domain.known_timing import Schedule

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the scripted server of the tests

from tests.support import player
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.endpoint_process import EndpointProcess
from tests.support.faults import http_error
from tests.support.record import Record, Request
from tests.support.script import (
    CleanEnd,
    Done,
    ErrorObject,
    Event,
    Finish,
    Hangup,
    Headers,
    Reasoning,
    Reset,
    Role,
    Script,
    Step,
    Text,
    Together,
    Usage,
    Wait,
    answer,
)

__all__ = [
    "CASES",
    "PROMPT",
    "Case",
    "Server",
    "is_timed",
    "server",
    "server_process",
    "steady",
    "written_ns",
]

PROMPT = "Tell me a long story about a fox and a bear."
WORD = " the"
"""A token of its own in every tokenizer that was looked at."""
PACKED = 4
"""Tokens in a chunk, or events in a write, where there are several."""
FIRST_MS = 100.0
GAP_MS = 10.0
LATE_MS = 200.0
STALL_MS = 400.0
CASE_CHUNKS = 64
BROKEN_AT = 20
_GOOD = answer(("A ", "good ", "answer."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One schedule, or one way to fail, and what is true of it.

    Attributes:
        schedule: What is written, where it ends well; its name is the model's.
        fails: Whether a tool must tell a failure.
        every: Which requests are served so, counted from 1; those between get ``otherwise``.
        what: In words.
    """

    schedule: Schedule
    script: Script
    what: str
    fails: bool = False
    every: int = 1
    otherwise: Script = _GOOD

    @property
    def name(self) -> str:
        """The model's."""
        return self.schedule.name


def steady(name: str, seconds: float) -> Case:
    """``rate-N``, ``packed-N`` or ``together-N``: N chunks a second for so long.

    Packed chunks hold four tokens each; of those together four share a write.
    """
    kind, _, number = name.partition("-")
    per_s = int(number)
    chunks = max(2 * PACKED, round(per_s * seconds / PACKED) * PACKED)
    in_chunk = PACKED if kind == "packed" else 1
    in_write = PACKED if kind == "together" else 1
    steps = _answer([WORD * in_chunk] * chunks, gap_ms=1000 / per_s * in_write, in_write=in_write)
    what = {"rate": "", "packed": ", 4 tokens each", "together": ", 4 in a write"}[kind]
    return Case(
        schedule=Schedule(
            name=name,
            first_ms=FIRST_MS,
            gap_ms=1000 / per_s * in_write,
            late_ms=0,
            chunks=chunks // in_write,
            tokens_per_chunk=in_chunk * in_write,
        ),
        script=Script((*steps, *_end(chunks * in_chunk))),
        what=f"{per_s:,}/s{what}",
    )


def _answer(
    pieces: Sequence[str], *, gap_ms: float = GAP_MS, in_write: int = 1, stall_at: int | None = None
) -> list[Step]:
    """Head and role at once, the first piece after ``FIRST_MS``."""
    steps: list[Step] = [Headers(), Role()]
    for first in range(0, len(pieces), in_write):
        wait_ms = FIRST_MS if first == 0 else STALL_MS if first == stall_at else gap_ms
        texts: list[Headers | Event] = [Text(piece) for piece in pieces[first : first + in_write]]
        steps += [Wait(wait_ms), Together(texts) if in_write > 1 else Text(pieces[first])]
    return steps


def _end(tokens: int, *, usage: bool = True, done: bool = True, reason: str = "stop") -> tuple[Step, ...]:
    counts = (Usage(completion=tokens),) if usage else ()
    return (Finish(reason), *counts, *((Done(),) if done else ()))


def _cases() -> Iterator[Case]:
    one = [WORD] * CASE_CHUNKS
    begun = _answer(one[:BROKEN_AT])

    def case(
        name: str,
        what: str,
        steps: Sequence[Step],
        *,
        in_chunk: int = 1,
        in_write: int = 1,
        fails: bool = False,
        every: int = 1,
    ) -> Case:
        schedule = Schedule(
            name=name,
            first_ms=FIRST_MS,
            gap_ms=GAP_MS * in_write,
            late_ms=0,
            chunks=(BROKEN_AT if fails and every == 1 else CASE_CHUNKS) // in_write,
            tokens_per_chunk=in_chunk * in_write,
        )
        script = Script(tuple(steps))
        otherwise = Script((*_answer(one), *_end(CASE_CHUNKS)))
        return Case(
            schedule=schedule, script=script, what=what, fails=fails, every=every, otherwise=otherwise
        )

    yield case("role-first", "role-only first chunk", (*_answer(one), *_end(64)))
    packed = (*_answer([WORD * PACKED] * CASE_CHUNKS), *_end(256))
    yield case("four-tokens", "4 tokens in a chunk", packed, in_chunk=PACKED)
    together = (*_answer(one, gap_ms=GAP_MS * PACKED, in_write=PACKED), *_end(64))
    yield case("four-events", "4 events in a segment", together, in_write=PACKED)
    yield case("thinks-first", "reasoning first", (*_thinking(one), *_end(64)))
    stalled = (*_answer(one, stall_at=32), *_end(64))
    yield case("stalls", "one gap of 400 ms", stalled)
    yield case("late-finish", "finish 200 ms late", (*_answer(one), Wait(LATE_MS), *_end(64)))
    yield case("no-usage", "no usage", (*_answer(one), *_end(64, usage=False)))
    yield case("no-done", "no [DONE]", (*_answer(one), *_end(64, done=False)))
    yield case("length", "cut off by the limit", (*_answer(one), *_end(64, reason="length")))
    error = http_error(500).steps
    yield case("http-500", "HTTP 500, each 2nd", error, fails=True, every=2)
    yield case("reset", "reset after 20 tokens", (*begun, Wait(GAP_MS), Reset()), fails=True)
    yield case("hang-up", "body cut after 20 tokens", (*begun, Wait(GAP_MS), Hangup()), fails=True)
    yield case("early-end", "clean end after 20 tokens", (*begun, Wait(GAP_MS), CleanEnd()), fails=True)
    broken = (*begun, ErrorObject("Inference failed"), Done())
    yield case("error-object", "error object in a 200", broken, fails=True)


def _thinking(pieces: Sequence[str]) -> list[Step]:
    """The first half of the pieces are thoughts."""
    made: list[Step] = []
    for step in _answer(pieces):
        is_thought = isinstance(step, Text) and sum(map(_is_piece, made)) < len(pieces) // 2
        made.append(Reasoning(step.text) if is_thought and isinstance(step, Text) else step)
    return made


def _is_piece(step: Step) -> bool:
    return isinstance(step, Text | Reasoning)


CASES: Mapping[str, Case] = {case.name: case for case in _cases()}
"""What others are held against too, by the name of the model."""


class Chooser:
    """Answers ``PROMPT`` by the schedule that the model is called after; all else well and at once.

    Args:
        seconds: How long a steady answer lasts.
        spares_first: Whether the first of them for each model, a warm-up, is short.
    """

    def __init__(self, seconds: float, *, spares_first: bool) -> None:
        self._seconds = seconds
        self._spares_first = spares_first
        self._asked: Counter[str] = Counter()
        self._steady: dict[str, Script] = {}

    def __call__(self, request: Request) -> Script:
        name = str(request.body.get("model"))
        if not is_timed(request):
            return _GOOD
        self._asked[name] += 1
        number = self._asked[name]
        if name in CASES:
            case = CASES[name]
            return case.script if number % case.every == 0 else case.otherwise
        if name not in self._steady:  # thousands of steps: on a core that the client waits for
            self._steady[name] = steady(name, self._seconds).script
        return _GOOD if self._spares_first and number == 1 else self._steady[name]


def is_timed(request: Request) -> bool:
    """Whether ``PROMPT`` is asked."""
    messages = request.body.get("messages")
    if not isinstance(messages, list) or not messages:
        return False
    content = messages[-1].get("content")
    if isinstance(content, list):  # parts, as some send them
        content = "".join(str(part.get("text", "")) for part in content)
    return isinstance(content, str) and content.strip() == PROMPT


def written_ns(record: Record, number: int) -> tuple[int, ...]:
    """When each piece of the answer to that request was handed to the kernel; one write may hold several."""
    return tuple(
        write.at_ns
        for write in record.log
        if write.request == number
        for label in write.label.split("+")
        if label in {"text", "reasoning"}
    )


Server = EndpointProcess


@contextmanager
def server(
    models: Sequence[str], *, seconds: float = 2.0, nodelay: bool = True, spares_first: bool = False
) -> Iterator[Server]:
    """The server in a process of its own, for the length of the block."""
    command = [sys.executable, str(Path(__file__).resolve()), "--models", ",".join(models)]
    command += ["--seconds", str(seconds)]
    command += [] if nodelay else ["--delayed"]
    command += ["--spare-first"] if spares_first else []
    with server_process(command) as endpoint:
        yield endpoint


@contextmanager
def server_process(command: Sequence[str], given: bytes = b"") -> Iterator[Server]:
    """A server that reads what is ``given``, prints its address and serves until standard input ends."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            process.stdin.write(given)
            process.stdin.flush()
            yield EndpointProcess(url=process.stdout.readline().decode().strip(), pid=process.pid)
        finally:
            process.stdin.close()


async def _serve(arguments: argparse.Namespace) -> None:
    setting = Setting(models=tuple(arguments.models.split(",")), nodelay=not arguments.delayed)
    source = Chooser(arguments.seconds, spares_first=arguments.spare_first)
    async with scripted_endpoint(source, setting) as endpoint:
        print(endpoint.url, flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)
        os._exit(0)  # a client that is still connected would be waited for


def _exact_loop() -> asyncio.AbstractEventLoop:
    # The usual selector rounds what is slept up to whole milliseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def main() -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(CASES), help="names of schedules")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a steady answer (default 2)")
    parser.add_argument("--delayed", action="store_true", help="leave TCP_NODELAY off")
    parser.add_argument("--spare-first", action="store_true", help="answer the first request to each shortly")
    arguments = parser.parse_args()
    player.SPIN_NS = 0
    with asyncio.Runner(loop_factory=_exact_loop) as runner:
        runner.run(_serve(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())

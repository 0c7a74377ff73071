"""How far a benchmark is, on stderr: one line drawn anew on a terminal, a line for each request elsewhere."""

import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from foundry_tui.aio import Feed, Tasks
from foundry_tui.cli.output import say
from foundry_tui.cli.progress import BAR_SIGNS, ProgressLine, following
from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.quantities import seconds_in_words
from foundry_tui.reports.downloads import bar
from foundry_tui.reports.run_words import request_line
from foundry_tui.services.bench.state import BenchState, Step

__all__ = ["telling"]

_BAR_CELLS = 20


@asynccontextmanager
async def telling(feed: Feed[BenchState | None]) -> AsyncGenerator[None, None]:
    """Tell of the run in ``feed`` for the length of the block; what it left out is told by its end."""
    if sys.stderr.isatty():
        async with following(ProgressLine(), feed, _line):
            yield
        return
    teller = _Teller(say, earlier=() if feed.value is None else feed.value.requests)
    tasks = Tasks()
    tasks.start("bench log", _follow(feed, teller))
    try:
        yield
    finally:
        await tasks.aclose()
        teller.tell(feed.value)


class _Teller:
    """Says each thing once, however many states are skipped.

    Args:
        say: Writes a line.
        earlier: Requests that an earlier life of the run has told of.
    """

    def __init__(self, say: Callable[[str], None], *, earlier: Sequence[RequestRun]) -> None:
        self._say = say
        self._seen = len(earlier)
        self._done = sum(request.phase is Phase.TIMED for request in earlier)
        self._told: set[str] = set()
        self._held = False

    def tell(self, state: BenchState | None) -> None:
        """Say what is new."""
        if state is None:
            return
        for note in state.notes:
            self._once(f"note: {note}")
        if state.hold is not None:
            self._hold(state.hold)
        elif self._held:
            self._held = False
            self._say("it goes on")
        if state.step is Step.LOADING and state.model is not None:
            self._once(f"{state.model}: getting it ready …")
        for model in state.run.models:
            if model.load_ns is not None:
                self._once(f"{model.model} loaded in {seconds_in_words(model.load_ns / 1e9)}")
        for request in state.requests[self._seen :]:
            self._done += request.phase is Phase.TIMED
            self._say(request_line(request, done=self._done, planned=state.planned))
        self._seen = max(self._seen, len(state.requests))
        for model in state.run.models:
            if model.outcome not in (None, Outcome.COMPLETED):
                reason = f": {model.reason}" if model.reason else ""
                self._once(f"{model.model} is left out: {model.outcome.words}{reason}")

    def _hold(self, why: str) -> None:
        if not self._held:  # and not each time that it has cooled down by a degree
            self._held = True
            self._say(f"waits: {why}")

    def _once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._say(line)


async def _follow(feed: Feed[BenchState | None], teller: _Teller) -> None:
    async for state in feed.watch():
        teller.tell(state)


def _line(state: BenchState | None) -> str | None:
    """``####>----  3/12  phi · rag, round 2: 41 chunks  ETA 12 s``."""
    if state is None or state.step is Step.ENDED:
        return None
    share = min(1.0, state.done / state.planned) if state.planned else 0.0
    parts = [bar(share, _BAR_CELLS, BAR_SIGNS), f"{state.done}/{state.planned}"]
    if state.under_way:
        way = state.under_way[0]
        phase = "" if way.phase is Phase.TIMED else f"{way.phase.value} "
        parts.append(f"{phase}{way.model} · {way.prompt_id}: {len(way.trace.chunks)} chunks")
    elif state.hold is not None:
        parts.append(state.hold)
    elif state.model is not None:
        parts.append(f"{state.step.value} {state.model}")
    else:
        parts.append(state.step.value)
    if state.eta_s is not None:
        parts.append(f"ETA {seconds_in_words(state.eta_s)}")
    return "  ".join(parts)

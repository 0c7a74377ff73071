"""The plot of a benchmark, by what stands on it, and how it grows."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from foundry_tui.domain.bench import Phase, RequestRun, ResourceReading
from foundry_tui.domain.chat import ChunkReceived, ClockRead, Moment, Outcome
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.tui.screens.bench.plot import BenchPlot
from foundry_tui.tui.widgets.time_plot import TimePlot
from tests.support.runs import a_request, a_run

S = 1_000_000_000
GIB = 1 << 30


class PlotApp(App[None]):
    """One plot of a benchmark."""

    def __init__(self, *, is_plain: bool) -> None:
        super().__init__()
        self.is_plain = is_plain

    def compose(self) -> ComposeResult:
        yield BenchPlot(is_plain=self.is_plain)


class Page:
    """The app and what a test does with it."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        self.plot = pilot.app.query_one(BenchPlot)

    async def show(self, state: BenchState | None, resources: Sequence[ResourceReading]) -> list[str]:
        """What stands on it when it shows all of that."""
        self.plot.show(state, resources)
        while not self.plot.is_complete:
            await self.pilot.pause()
        await self.pilot.pause()
        widget = self.pilot.app.query_one(TimePlot)
        return [widget.render_line(y).text for y in range(widget.size.height)]

    @property
    def words(self) -> str | None:
        """What is said in place of a plot."""
        words = self.pilot.app.query_one("#bench-plot-words", Static)
        return str(words.render()) if words.display else None


@asynccontextmanager
async def page(size: tuple[int, int] = (80, 13), *, is_plain: bool = True) -> AsyncGenerator[Page, None]:
    app = PlotApp(is_plain=is_plain)
    async with app.run_test(size=size) as pilot:
        yield Page(pilot)


async def shown_at_once(state: BenchState, resources: Sequence[ResourceReading]) -> list[str]:
    """What a new plot shows of it."""
    async with page() as shown:
        return await shown.show(state, resources)


def readings(count: int, *, vram: int | None = None, origin: int = 50) -> list[ResourceReading]:
    """``count`` of them: 1 GiB more after half of the time, one core busy, then three."""
    return [
        ResourceReading(
            at_ns=origin * S + place * 100_000_000,
            rss_bytes=GIB if place < count // 2 else 2 * GIB,
            vram_bytes=vram,
            cpu_share=1.0 if place < count // 2 else 3.0,
            available_bytes=8 * GIB,
        )
        for place in range(count)
    ]


def request(number: int, begin_s: float, end_s: float, outcome: Outcome = Outcome.COMPLETED) -> RequestRun:
    """One that brought ten chunks a second."""
    begin_ns, end_ns = round((50 + begin_s) * S), round((50 + end_s) * S)
    stamps = range(begin_ns + S // 10, end_ns, S // 10)
    trace = GenerationTrace(
        call_ns=begin_ns,
        sent_ns=begin_ns,
        headers_ns=None,
        role_ns=None,
        chunks=tuple(ChunkReceived(at_ns=at_ns, text="x", read=read) for read, at_ns in enumerate(stamps)),
        end_ns=end_ns,
        usage=None,
        outcome=outcome,
        finish_reason=None,
    )
    return replace(a_request(number), trace=trace)


def ended(*requests: RequestRun) -> BenchState:
    return BenchState(run=a_run(), requests=requests, step=Step.ENDED)


async def test_without_a_run_or_a_reading_it_says_so() -> None:
    async with page() as shown:
        at_first = shown.words
        await shown.show(ended(), [])
        of_nothing = shown.words
        await shown.show(ended(), readings(50))
        of_something = shown.words
        await shown.show(None, [])

        assert (
            at_first
            == shown.words
            == "Memory, processor and rate over time show here while a benchmark runs."
        )
        assert of_nothing == "Nothing was read of the machine or of any request so far."
        assert of_something is None


async def test_a_run_that_ended_has_its_last_and_its_largest_values_and_fills_the_width() -> None:
    async with page() as shown:
        rows = await shown.show(
            ended(request(1, 0.5, 2.5), request(2, 3.0, 4.9, Outcome.STALLED)), readings(100)
        )

        assert [row[:21].strip() for row in rows] == [
            *("RAM    last 2.00 GiB", "max 2.00 GiB", "", ""),
            *("CPU   last 3.0 cores", "max 3.0 cores", ""),
            *("chunks/s    max 10.0", "", ""),
            *("2 requests", "time, min:s"),
        ]
        assert rows[0][-1] != " "
        lane = rows[-2][21:]
        assert lane.strip("-[]! ") == ""
        assert lane.count("[") == 2
        assert lane.count("!") == 1
        assert "]" in lane


async def test_gpu_memory_has_a_line_only_where_some_was_read() -> None:
    async with page((80, 24)) as shown:
        without = await shown.show(ended(), readings(50))
        with_it = await shown.show(ended(), readings(50, vram=3 * GIB))

        assert not any(row.startswith("VRAM") for row in without)
        assert any(row.startswith("VRAM   last 3.00 GiB") for row in with_it)


async def test_what_is_under_way_is_drawn_as_it_comes_with_room_for_more() -> None:
    builder = TraceBuilder()
    builder.observe(ClockRead(moment=Moment.CALL, at_ns=57 * S))
    for place in range(10):
        builder.observe(ChunkReceived(at_ns=58 * S + place * S // 10, text="x"))
    mine = UnderWay(model="alpha", prompt_id="p1", round=1, phase=Phase.TIMED, trace=builder)
    state = replace(ended(request(1, 0.5, 5.0)), step=Step.ASKING, under_way=(mine,))
    async with page() as shown:
        rows = await shown.show(state, readings(90))

        assert rows[0].startswith("RAM     now 2.00 GiB")
        assert any(row.startswith("chunks/s    now 11.1") for row in rows)  # ten in 0.9 s
        lane = rows[-2][21:]
        assert lane.count("[") == 2
        assert lane.rstrip().endswith("--")
        assert lane.endswith("   ")


async def test_shown_step_by_step_it_is_as_if_shown_at_once() -> None:
    made, taken = [request(n, n * 2.0, n * 2.0 + 1.5) for n in range(1, 40)], readings(900)
    growing: list[ResourceReading] = []
    async with page() as step_by_step:
        for place, reading in enumerate(taken):
            growing.append(reading)
            if place % 90 == 0:
                done = [one for one in made if (one.trace.end_ns or 0) <= reading.at_ns]
                await step_by_step.show(replace(ended(*done), step=Step.ASKING), growing)
        last = await step_by_step.show(ended(*made), growing)

    assert last == await shown_at_once(ended(*made), taken)


async def test_another_run_or_another_list_is_drawn_from_its_beginning() -> None:
    async with page() as shown:
        await shown.show(ended(request(1, 0.5, 2.5)), readings(300))
        other = replace(ended(request(1, 0.5, 1.0)), run=a_run("other"))
        second = await shown.show(other, readings(60))
        third = await shown.show(other, readings(80))

    assert second == await shown_at_once(other, readings(60))
    assert third == await shown_at_once(other, readings(80))


async def test_requests_of_which_nothing_was_read_are_drawn_alone_until_something_is() -> None:
    state = ended(request(1, 0.5, 2.5))
    async with page() as shown:
        alone = await shown.show(state, [])
        growing: list[ResourceReading] = []
        await shown.show(state, growing)
        growing.extend(readings(60))
        later = await shown.show(state, growing)

    assert alone[0].startswith("RAM         last n/a")
    assert "[" in alone[-2]
    assert later == await shown_at_once(state, readings(60))


async def test_requests_of_a_life_without_readings_are_counted_in_words() -> None:
    async with page() as shown:
        rows = await shown.show(ended(request(1, -40, -39), request(2, 1, 2)), readings(60))

        assert rows[-2].startswith("2 requests, 1 not he")


async def test_a_long_run_is_taken_in_parts_and_drawn_whole() -> None:
    async with page() as shown:
        taken = readings(12_000)
        shown.plot.show(ended(), taken)
        at_once = shown.plot.is_complete
        rows = await shown.show(ended(), taken)

        assert not at_once
        assert "'0:00" in rows[-1]
        assert "'15:00" in rows[-1]
        assert rows[0].startswith("RAM    last 2.00 GiB")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (80, 7), (30, 5), (12, 3)])
@pytest.mark.parametrize("is_plain", [False, True])
async def test_it_stands_in_any_size(size: tuple[int, int], is_plain: bool) -> None:
    async with page(size, is_plain=is_plain) as shown:
        rows = await shown.show(ended(request(1, 0.5, 2.5)), readings(60, vram=GIB))

        assert {len(row) for row in rows} == {size[0]}
        assert not is_plain or all(row.isascii() for row in rows)
        assert rows[0].startswith("RAM")

"""The ribbon of gaps while an answer streams: the same as its record, and seldom drawn."""

import random
from time import perf_counter

import pytest

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, ClockRead, Moment
from tests.tui.ribbons import MS, N1, SENT_NS, RibbonApp, chunks_after, finished, recorded, rows, settled


class CountedChunk(ChunkReceived):
    """Tells how many chunks were asked what they are."""

    asked = 0

    def __getattribute__(self, name: str) -> object:
        if name == "kind":
            CountedChunk.asked += 1
        return super().__getattribute__(name)


async def test_one_long_gap_is_one_stall_while_it_streams_and_in_the_record() -> None:
    app = RibbonApp()
    chunks = chunks_after(N1)

    async with app.run_test() as pilot:
        app.ribbon.begin()
        app.ribbon.observe(ClockRead(moment=Moment.SENT, at_ns=SENT_NS))
        for chunk in chunks:
            app.ribbon.observe(chunk)
        await settled(app, pilot)
        live = rows(app.ribbon)

        app.ribbon.clear()
        app.ribbon.show_trace(recorded(chunks))

        assert live[0] == "T▃▃╳▃"
        assert rows(app.ribbon) == live
        app.ribbon.focus()
        await pilot.press("n")
        assert rows(app.ribbon)[1] == 'chunk 4 of 5 · +400.0 ms · stall · 620 ms after sent · "word"'


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_streamed_the_record_draws_the_cells_that_were_drawn_live(seed: int) -> None:
    luck = random.Random(seed)
    gaps = [luck.choice([0, luck.lognormvariate(3, 1.5)]) for _ in range(300)]
    kind = luck.choice(list(ChunkKind))
    chunks = chunks_after(gaps, kind=kind)
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.begin()
        app.ribbon.observe(ClockRead(moment=Moment.SENT, at_ns=SENT_NS))
        for number, chunk in enumerate(chunks):
            app.ribbon.observe(chunk)
            if number % 100 == 50:
                await settled(app, pilot)
        app.ribbon.observe(finished(300))
        await settled(app, pilot)
        live = rows(app.ribbon)
        app.ribbon.finish(recorded(chunks, completion=300))
        at_the_end = rows(app.ribbon)
        app.ribbon.show_trace(recorded(chunks, completion=300))

        assert live == at_the_end == rows(app.ribbon)


async def test_what_comes_late_is_dropped() -> None:
    app = RibbonApp()
    chunks = chunks_after(N1)

    async with app.run_test():
        app.ribbon.observe(chunks[0])
        assert rows(app.ribbon)[0] == "the time between tokens shows here"
        app.ribbon.begin()
        app.ribbon.observe(chunks[0])
        app.ribbon.finish(recorded(chunks[:1]))
        app.ribbon.observe(chunks[1])

        assert not app.ribbon.is_live
        assert rows(app.ribbon)[0] == "T"


async def test_a_fast_stream_is_drawn_seldom_and_then_the_timer_rests() -> None:
    app = RibbonApp()
    chunks = chunks_after([0.2] * 5000)

    async with app.run_test() as pilot:
        app.ribbon.begin()
        await settled(app, pilot)
        app.ribbon.drawings = 0
        for chunk in chunks:
            app.ribbon.observe(chunk)
        assert not app.ribbon.is_idle
        await settled(app, pilot)

        assert app.ribbon.drawings == 1
        assert app.ribbon.is_idle


async def test_two_drawings_of_a_stream_are_a_tenth_of_a_second_apart() -> None:
    app = RibbonApp()

    async with app.run_test() as pilot:
        app.ribbon.begin()
        began_s = perf_counter()
        for chunk in chunks_after([10, 10]):
            app.ribbon.observe(chunk)
            await settled(app, pilot)

        # Three drawings, so two rests; a busy machine makes them longer and never shorter.
        assert perf_counter() - began_s > 0.18


async def test_what_came_before_the_screen_is_shown_with_it() -> None:
    app = RibbonApp()
    app.ribbon.begin()
    for chunk in chunks_after(N1):
        app.ribbon.observe(chunk)

    async with app.run_test() as pilot:
        await settled(app, pilot)

        assert rows(app.ribbon)[0] == "T▃▃╳▃"


async def test_of_a_hundred_thousand_chunks_only_those_in_sight_are_looked_at() -> None:
    app = RibbonApp()
    chunks = [CountedChunk(at_ns=SENT_NS + n * MS, text="x", read=n) for n in range(100_000)]

    async with app.run_test(size=(80, 24)) as pilot:
        app.ribbon.show_trace(recorded(chunks))
        CountedChunk.asked = 0
        rows(app.ribbon)
        assert CountedChunk.asked == 78

        app.ribbon.focus()
        CountedChunk.asked = 0
        await pilot.press("home")

        assert app.ribbon.cursor == 0
        assert CountedChunk.asked <= 4 * 80  # a few drawings

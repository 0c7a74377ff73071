"""A recorded request played again; times in ms, the clock is the test's own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult

from foundry_tui.domain.bench import PlannedPrompt, RequestRun, ResourceReading
from foundry_tui.domain.chat import ChunkKind, Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.tui.screens.bench.replay import ReplayScreen
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from tests.support.timed import MS, request, trace
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

HUGE = (200, 60)
PROMPTS = (PlannedPrompt(id="p1", text="What does the cow say?"),)
WORDS = ("The ", "cow ", "says ", "moo", ".")
READINGS = tuple(
    ResourceReading(at_ns=(1000 + 100 * n) * MS, rss_bytes=(600 + n) << 20, cpu_share=1.5) for n in range(20)
)


@dataclass
class Clock:
    """Seconds, as the test sets them."""

    s: float = 0.0

    def __call__(self) -> float:
        return self.s


@dataclass(kw_only=True)
class Player:
    """The screen with a clock that stands still."""

    user: Opened[None]
    screen: ReplayScreen
    clock: Clock

    async def press(self, *keys: str) -> None:
        await self.user.pilot.press(*keys)

    async def wait(self, seconds: float) -> None:
        """Let so much time pass on the clock, and the screen draw it."""
        self.clock.s += seconds
        moment = self.screen.moment
        await self.until(f"{moment.at_ns / 1e9:,.3f} s of")

    async def until(self, words: str) -> None:
        await self.user.until(lambda: self.user.shows(words))

    @property
    def at_ms(self) -> float:
        return self.screen.moment.at_ns / MS


def cow(number: int = 1, *, stall_ms: float = 400) -> RequestRun:
    """Five words: the first after 100 ms, then every 20 ms, but for a stall before the fourth."""
    made = trace([20, 20, stall_ms, 20], ttft_ms=100, completion=5)
    chunks = [replace(chunk, text=word) for chunk, word in zip(made.chunks, WORDS, strict=True)]
    return request(number, replace(made, chunks=tuple(chunks), end_ns=made.chunks[-1].at_ns + 40 * MS))


@asynccontextmanager
async def player(
    *requests: RequestRun,
    size: tuple[int, int] = NARROW,
    resources: Sequence[ResourceReading] = (),
    goes_on: bool = False,
    is_plain: bool = False,
) -> AsyncGenerator[Player, None]:
    clock = Clock()
    screen = ReplayScreen(
        requests or (cow(),),
        prompts=PROMPTS,
        resources=resources,
        goes_on=goes_on,
        is_plain=is_plain,
        clock_s=clock,
    )
    async with opened(screen, size=size) as user:
        await user.until(lambda: user.shows("Replay of request"))
        yield Player(user=user, screen=screen, clock=clock)


class RibbonApp(App[None]):
    """A ribbon that shows a record, as the page of the request does."""

    def __init__(self, record: GenerationTrace) -> None:
        super().__init__()
        self._record = record

    def compose(self) -> ComposeResult:
        ribbon = GapRibbon()
        ribbon.can_focus = False  # one with the focus has another ground
        yield ribbon

    def on_mount(self) -> None:
        self.query_one(GapRibbon).show_trace(self._record)


def drawn(ribbon: GapRibbon) -> list[list[Segment]]:
    """Both rows with their styles, as wide as they are full."""
    return [[segment for segment in ribbon.render_line(y) if segment.text.strip()] for y in (0, 1)]


async def test_the_text_comes_as_it_came() -> None:
    async with player() as it:
        await it.until("waiting for the first token")
        assert not it.user.shows("The cow")

        await it.wait(0.1)
        assert it.user.shows("Answered   The")
        assert it.user.shows("streaming")

        await it.wait(0.3)
        assert it.user.shows("Answered   The cow says")
        assert not it.user.shows("moo")

        await it.wait(9)
        assert it.user.shows("Answered   The cow says moo.")
        assert it.user.shows("ended: completed")


async def test_the_moment_tells_chunk_gap_silence_and_rate() -> None:
    async with player() as it:
        await it.wait(0.44)

        assert it.user.shows("0.440 s of 0.600 s at 1x · streaming · 1 of 1")
        assert it.user.shows("chunk 3 of 5 · +20.0 ms · silent for 300 ms · ~50.0 tok/s (chunks)")


async def test_memory_at_that_moment_is_shown_and_n_a_where_it_was_not_read() -> None:
    async with player(resources=READINGS) as it:
        await it.wait(0.35)
        assert it.user.shows("memory 603 MiB · VRAM n/a · CPU 1.5 cores")
    async with player() as it:
        assert it.user.shows("memory n/a")


@pytest.mark.parametrize("size", [NARROW, WIDE, HUGE])
async def test_the_ribbon_after_a_full_replay_is_that_of_the_record(size: tuple[int, int]) -> None:
    record = replace(cow().trace, delay_p99_ns=7 * MS)
    async with player(replace(cow(), trace=record), size=size) as it:
        for _ in range(7):
            await it.wait(0.09)
        assert not it.screen.is_playing
        played = drawn(it.screen.ribbon)
        width = it.screen.ribbon.size.width
    app = RibbonApp(record)
    async with app.run_test(size=(width, 4)):
        shown = drawn(app.query_one(GapRibbon))

    text = ["".join(segment.text for segment in row) for row in played]
    assert text == ["".join(segment.text for segment in row) for row in shown]
    assert [[segment.style and segment.style.color for segment in row] for row in played] == [
        [segment.style and segment.style.color for segment in row] for row in shown
    ]
    assert text[0] == "T▄▄╳▄"


async def test_space_rests_goes_on_and_begins_anew_at_the_end() -> None:
    async with player() as it:
        await it.wait(0.1)
        await it.press("space")
        await it.until("at 1x, paused")
        it.clock.s += 5
        assert (it.screen.is_playing, it.at_ms) == (False, 100)

        await it.press("space")
        await it.wait(0.05)
        assert (it.screen.is_playing, it.at_ms) == (True, 150)

        await it.wait(9)
        await it.press("space")
        await it.until("0.000 s of")
        assert it.screen.is_playing


async def test_arrows_step_by_chunks_and_the_ribbon_tells_ms_and_token() -> None:
    async with player() as it:
        await it.press("right", "right")
        await it.until('chunk 2 of 2 · +20.0 ms · 120 ms after sent · "cow␣"')
        assert (it.at_ms, it.screen.is_playing) == (120, False)

        await it.press("left")
        await it.until("chunk 1 of 5")
        assert it.at_ms == 100
        assert it.user.shows("Answered   The")
        assert not it.user.shows("The cow")
        await it.until("chunk 1 of 1 · first after 100 ms")


@pytest.mark.parametrize(("to", "back"), [("]", "["), ("shift+right", "shift+left")])
async def test_a_stall_is_found_by_key_where_it_begins(to: str, back: str) -> None:
    async with player() as it:
        await it.press("space", to)
        await it.until("0.140 s of")

        await it.press("end", back)
        await it.until("0.140 s of")
        assert it.at_ms == 140


async def test_ends_and_parts_are_reached_by_key() -> None:
    async with player() as it:
        await it.press("end")
        await it.until("ended: completed")
        await it.press("home")
        await it.until("0.000 s of")
        await it.press("space", "full_stop", "full_stop")
        await it.until("0.060 s of")
        await it.press("comma")
        await it.until("0.030 s of")

        assert it.at_ms == 30


async def test_speeds_change_by_key() -> None:
    async with player() as it:
        await it.press("+", "+")
        await it.until("at 4x")
        await it.wait(0.1)
        assert it.at_ms == 400

        await it.press("home", "-", "-", "-", "-")
        await it.until("at 0.25x")
        await it.wait(0.4)
        assert it.at_ms == 100


async def test_other_requests_of_the_run_are_a_key_away() -> None:
    async with player(cow(3), cow(5), cow(8)) as it:
        await it.press("n")
        await it.until("Replay of request 5")
        assert it.user.shows("2 of 3")

        await it.press("n", "n")
        await it.until("Replay of request 8")
        await it.press("N")
        await it.until("Replay of request 5")


async def test_the_next_request_follows_by_itself_where_that_was_asked_for() -> None:
    async with player(cow(3), cow(5)) as it:
        await it.press("c")
        await it.until("1 of 2, goes on")
        it.clock.s += 9
        await it.until("Replay of request 5")

        assert it.screen.is_playing
        it.clock.s += 9
        await it.until("ended: completed")
        assert it.user.shows("Replay of request 5")


async def test_without_that_it_rests_at_the_end() -> None:
    async with player(cow(3), cow(5)) as it:
        await it.wait(9)

        assert it.user.shows("Replay of request 3")
        assert it.user.shows("ended: completed")


async def test_a_click_on_the_lane_goes_there_and_a_drag_follows() -> None:
    async with player() as it:
        await it.press("space")
        lane = it.screen.lane
        last = lane.size.width - 1

        await it.user.pilot.click(lane, offset=(last, 0))
        await it.until("ended: completed")
        await it.user.pilot.mouse_down(lane, offset=(last, 0))
        await it.user.pilot.hover(lane, offset=(2 + (last - 2) // 2, 0))
        await it.user.pilot.mouse_up(lane, offset=(2 + (last - 2) // 2, 0))

        assert it.at_ms == pytest.approx(300, abs=5)
        await it.user.pilot.hover(lane, offset=(last, 0))  # nothing is dragged any more
        assert it.at_ms == pytest.approx(300, abs=5)


async def test_a_click_on_the_sign_plays_and_rests() -> None:
    async with player() as it:
        await it.user.pilot.click(it.screen.lane, offset=(0, 0))
        await it.until("paused")
        await it.user.pilot.click(it.screen.lane, offset=(0, 0))

        assert it.screen.is_playing


async def test_a_click_on_a_chunk_of_the_ribbon_rests_there() -> None:
    async with player() as it:
        await it.wait(9)
        await it.user.pilot.click(it.screen.ribbon, offset=(1, 0))
        await it.until("chunk 2 of 5")

        assert (it.at_ms, it.screen.is_playing) == (120, False)


async def test_keys_of_the_footer_can_be_clicked() -> None:
    async with player() as it:
        await it.until("Faster")
        line = it.user.lines()[-1]
        await it.user.pilot.click(offset=(line.index("Faster"), NARROW[1] - 1))

        await it.until("at 2x")


async def test_a_step_and_then_space_at_once_plays() -> None:
    async with player() as it:
        await it.press("space")
        it.screen.action_to_chunk(1)
        it.screen.action_play()
        await it.wait(0.01)

        assert (it.screen.is_playing, it.at_ms) == (True, 110)


async def test_the_lane_marks_the_wait_and_the_stall() -> None:
    async with player() as it:
        await it.press("end")
        await it.until("ended: completed")
        lane = next(line for line in it.user.lines() if "‖" in line)

        cells = lane.partition("‖ ")[2].rstrip("│ ")
        assert cells.startswith("┄" * 12 + "━")
        assert cells.index("╳") == 140 * 73 // 600
        assert cells.endswith("●")


async def test_it_does_without_colours_and_blocks_where_asked() -> None:
    async with player(is_plain=True) as it:
        await it.press("space")
        await it.press("end")
        await it.until("ended: completed")

        assert it.user.shows("T33!3")
        assert it.user.shows("= O..") or it.user.shows("= ...")
        assert it.screen.lane.plain


async def test_reasoning_and_tools_come_apart_from_the_answer() -> None:
    made = trace([10] * 3, text="x ", ttft_ms=100)
    kinds = (ChunkKind.REASONING, ChunkKind.REASONING, ChunkKind.TOOL, ChunkKind.CONTENT)
    chunks = tuple(replace(chunk, kind=kind) for chunk, kind in zip(made.chunks, kinds, strict=True))
    async with player(request(1, replace(made, chunks=chunks))) as it:
        await it.wait(9)

        assert it.user.shows("Reasoning  x x")
        assert it.user.shows("Tool call  x")
        assert it.user.shows("Answered   x")


async def test_a_request_without_text_says_why() -> None:
    failed = trace(outcome=Outcome.HTTP_ERROR, has_text=False)
    failed = replace(failed, error="HTTP 503: busy [red]\x1b[31m", end_ns=failed.sent_ns)
    async with player(request(1, failed)) as it:
        await it.until("No text came. It ended with the status http error: HTTP 503:")
        await it.press("space", "right", "left", "]", "[", "home", "end", ".", ",", "+")

        assert it.user.shows("[red]␛[31m")
        assert not it.screen.is_playing


async def test_a_request_that_broke_off_shows_what_came_and_then_the_error() -> None:
    broken = replace(cow().trace, outcome=Outcome.DISCONNECTED, error="the connection was reset")
    async with player(replace(cow(), trace=broken)) as it:
        await it.wait(0.15)
        assert not it.user.shows("was reset")

        await it.wait(9)
        assert it.user.shows("Failed     disconnected: the connection was reset")


async def test_a_hostile_answer_stays_words() -> None:
    made = trace([10, 10], text="[link=http://x]\x1b]8;;http://owned\x07click\u202e", ttft_ms=10)
    hostile = replace(request(1, made, prompt_id="\x1b[31m"), model="[/red]odd\x1b[31m")
    async with player(hostile) as it:
        await it.wait(9)

        assert it.user.shows("[link=http://x]")
        assert it.user.shows("[/red]odd")
        assert not any("\x1b" in line or "\x07" in line or "\u202e" in line for line in it.user.lines())


async def test_a_long_answer_is_followed_until_one_scrolls_and_again_at_its_end() -> None:
    made = trace([10.0] * 199, text="line\n", ttft_ms=10)
    async with player(request(1, made)) as it:
        await it.wait(1.0)
        sheet = it.screen.sheet
        await it.user.until(lambda: 0 < sheet.scroll_y == sheet.max_scroll_y)

        await it.press("up", "up")
        read_at = sheet.scroll_y
        await it.wait(0.2)
        assert sheet.scroll_y == read_at

        await it.press(*["pagedown"] * 5)
        await it.user.until(lambda: sheet.scroll_y == sheet.max_scroll_y)
        before = sheet.scroll_y
        await it.wait(0.2)
        await it.user.until(lambda: before < sheet.scroll_y == sheet.max_scroll_y)


async def test_nothing_runs_while_it_rests_nor_once_it_is_closed() -> None:
    async with player() as it:
        await it.wait(0.1)
        workers = it.user.app.workers
        assert [worker.group for worker in workers if worker.is_running] == ["play"]

        await it.press("space")
        await it.user.until(lambda: not any(worker.is_running for worker in workers))
        await it.press("space")
        await it.press("escape")

        await it.user.result()
        assert not any(worker.is_running for worker in workers)


def test_it_draws_ten_times_a_second_and_four_times_while_a_benchmark_runs() -> None:
    is_measuring = [False]
    screen = ReplayScreen((cow(),), is_measuring=lambda: is_measuring[0])

    quick_s = screen.period_s
    is_measuring[0] = True

    assert (quick_s, screen.period_s) == (0.1, 0.25)

"""The requests behind a row of the benchmark, and each of them with its text and its rhythm."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Phase, ResourceReading
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.services.bench.state import BenchState
from foundry_tui.tui.screens.bench.requests import RequestScreen, RequestsScreen
from foundry_tui.tui.screens.bench.runs import RunsScreen
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from tests.support.timed import MS, request, trace
from tests.tui.benched import QWEN, benched, ended, running
from tests.tui.overlay_host import NARROW, Opened, opened

READING = ResourceReading(at_ns=1100 * MS, rss_bytes=612 << 20)


def steady(count: int, slow: int | None = None) -> BenchState:
    """So many answers of about 190 ms to one prompt; ``slow`` halted for two seconds."""
    made = []
    for number in range(1, count + 1):
        gaps = [10.0 + number / 10] * 9
        if number == slow:
            gaps[4] = 2000.0
        made.append(request(number, trace(gaps, completion=10), model=QWEN, prompt_id="rag"))
    return running(*made)


@asynccontextmanager
async def listed(state: BenchState, *, size: tuple[int, int] = NARROW) -> AsyncGenerator[Opened[None], None]:
    screen = RequestsScreen(QWEN, lambda: state)
    async with opened(screen, size=size) as user:
        await user.until(lambda: user.shows("rag") or user.shows("p1"))
        yield user


async def test_each_request_has_its_numbers_and_an_outlier_its_likely_cause() -> None:
    async with listed(steady(9, slow=5)) as user:
        assert user.shows("9 requests, 9 timed · 1 stand out")
        row = next(line for line in user.lines() if "a stall" in line)

        assert "5  rag" in row
        assert "2.184" in row


async def test_the_line_below_tells_what_is_usual_where_one_stands_out() -> None:
    async with listed(steady(9, slow=5)) as user:
        await user.pilot.press(*["down"] * 4)

        await user.until(lambda: user.shows("stands out: 2.18 s where"))
        assert user.shows("most likely: a stall")


async def test_a_failed_request_shows_its_status_and_what_was_said() -> None:
    failed = replace(trace(outcome=Outcome.HTTP_ERROR, has_text=False), error="HTTP 503: busy [red]\x1b[31m")
    state = running(request(1, failed, model=QWEN), request(2, model=QWEN, phase=Phase.WARMUP))
    async with listed(state) as user:
        assert user.shows("http error")
        assert user.shows("HTTP 503: busy [red]␛[31m")
        assert user.shows("warmup")
        assert sum("n/a" in line for line in user.lines()) == 1


async def test_enter_shows_the_text_and_the_ribbon_and_the_arrows_walk_it() -> None:
    async with listed(steady(9, slow=5)) as user:
        await user.pilot.press(*["down"] * 4, "enter")
        await user.until(lambda: isinstance(user.app.screen, RequestScreen))
        await user.until(lambda: user.app.screen.query_one(GapRibbon).has_focus)

        await user.pilot.press("n")
        await user.until(lambda: user.shows("+2,000.0 ms · stall"))

        assert user.shows("fourfourfour")
        assert user.shows("stands out: 2.18 s")
        assert user.shows("Explain retrieval augmented generation briefly.")


async def test_a_hostile_answer_stays_words() -> None:
    answer = trace([10.0], text="[link=http://x]\x1b]8;;http://owned\x07click\u202e")
    async with listed(running(request(1, answer, model=QWEN, prompt_id="rag"))) as user:
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, RequestScreen))
        await user.until(lambda: user.shows("[link=http://x]"))

        assert not any("\x1b" in line or "\x07" in line or "\u202e" in line for line in user.lines())


async def test_the_name_of_a_model_is_no_markup_in_the_frame() -> None:
    name = "[/red]odd[link=x]\x1b[31m"
    state = running(request(1, model=name), models=(name,))
    screen = RequestsScreen(name, lambda: state)
    async with opened(screen, size=NARROW) as user:
        await user.until(lambda: user.shows("Requests to [/red]odd[link=x]␛[31m"))
        await user.pilot.press("enter")

        await user.until(lambda: user.shows("Request 1 to [/red]odd[link=x]␛[31m"))
        assert not any("\x1b" in line for line in user.lines())


async def test_an_answer_without_a_chunk_says_so() -> None:
    state = running(request(1, trace(outcome=Outcome.EMPTY, has_text=False), model=QWEN))
    async with listed(state) as user:
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("nothing"))

        assert user.shows("no chunks")


async def test_the_arrows_scroll_a_long_answer_while_the_ribbon_has_the_focus() -> None:
    answer = trace([10.0] * 99, text="word\n")
    async with listed(running(request(1, answer, model=QWEN))) as user:
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, RequestScreen))
        await user.until(lambda: user.shows("Numbers"))

        await user.pilot.press(*["down"] * 6)
        await user.until(lambda: not user.shows("Numbers"))

        assert user.app.screen.query_one(GapRibbon).has_focus


async def test_the_next_one_that_stands_out_is_a_key_away() -> None:
    async with listed(steady(9, slow=5)) as user:
        await user.pilot.press("o")
        await user.until(lambda: user.shows("stands out: 2.18 s where"))
        await user.pilot.press("up", "o")

        await user.until(lambda: user.shows("stands out: 2.18 s where"))


async def test_the_key_of_what_stands_out_is_offered_only_where_something_does() -> None:
    async with listed(steady(9)) as user:
        await user.until(lambda: user.shows("p Play"))

        assert not user.shows("Next outlier")
        await user.pilot.press("o")
        assert user.app.is_running


async def test_a_click_on_the_ribbon_tells_milliseconds_and_token() -> None:
    async with listed(steady(9, slow=5)) as user:
        await user.pilot.press(*["down"] * 4, "enter")
        await user.until(lambda: isinstance(user.app.screen, RequestScreen))
        await user.pilot.click(user.app.screen.query_one(GapRibbon), offset=(5, 0))

        await user.until(
            lambda: user.shows('chunk 6 of 10 · +2,000.0 ms · stall · 2.14 s after sent · "four"')
        )


async def test_the_request_under_the_cursor_is_played_and_those_beside_it_by_key() -> None:
    async with listed(steady(9, slow=5)) as user:
        await user.pilot.press(*["down"] * 4, "p")
        await user.until(lambda: user.shows("Replay of request 5: timed, prompt rag, round 5"))
        assert user.shows("Explain retrieval augmented generation briefly.")

        await user.pilot.press("n")
        await user.until(lambda: user.shows("Replay of request 6"))
        await user.pilot.press("escape")
        await user.until(lambda: isinstance(user.app.screen, RequestsScreen))


async def test_a_request_is_played_from_its_page() -> None:
    async with listed(steady(9)) as user:
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, RequestScreen))
        await user.pilot.press("space")

        await user.until(lambda: user.shows("Replay of request 1"))


async def test_there_is_nothing_to_play_before_the_first_request() -> None:
    state = running()
    async with opened(RequestsScreen(QWEN, lambda: state), size=NARROW) as user:
        await user.until(lambda: user.shows("Nothing was asked of it yet."))
        await user.pilot.press("p")

        assert isinstance(user.app.screen, RequestsScreen)
        assert not user.shows("p Play")


async def test_memory_of_its_run_is_shown_while_a_request_is_played() -> None:
    state = ended(steady(3))
    async with benched() as page:
        await page.runs.import_run(state.run, state.requests, (READING,))
        screen = RequestsScreen(QWEN, lambda: state, bench=page.bench)
        async with opened(screen, size=NARROW) as user:
            await user.until(lambda: user.shows("rag"))
            await user.pilot.press("p", "end")

            await user.until(lambda: user.shows("memory 612 MiB"))


async def test_memory_that_cannot_be_read_is_said_and_the_answer_is_played_all_the_same() -> None:
    state = ended(steady(3))
    async with benched() as page:
        page.runs.unreadable = StorageProblem("the database is gone")
        screen = RequestsScreen(QWEN, lambda: state, bench=page.bench)
        async with opened(screen, size=NARROW) as user:
            await user.until(lambda: user.shows("rag"))
            await user.pilot.press("p", "end")

            await user.until(lambda: user.shows("memory n/a"))
            assert any("the database is gone" in words for words in user.told)


@pytest.mark.parametrize("has_requests", [True, False])
async def test_a_whole_run_is_played_from_the_list_of_runs(has_requests: bool) -> None:
    warm = request(1, model=QWEN, phase=Phase.WARMUP)
    timed = [request(number, trace(ttft_ms=60_000), model=QWEN) for number in (2, 3, 4)]
    state = ended(running(*((warm, *timed) if has_requests else ())))
    async with benched() as page:
        await page.runs.import_run(state.run, state.requests)
        async with opened(RunsScreen(page.bench, choose=page.choices.append), size=NARROW) as user:
            await user.until(lambda: user.shows("completed"))
            await user.pilot.press("p")

            if has_requests:
                await user.until(lambda: user.shows("Replay of request 2: timed"))
                assert user.shows("2 of 4, goes on")
            else:
                await user.until(lambda: any("no request of it was kept" in words for words in user.told))

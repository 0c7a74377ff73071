"""What the chronicle takes note of, told by those who do it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

import pytest

from foundry_tui.aio import Feed
from foundry_tui.domain.chat import (
    ChatEvent,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.engine import (
    EndpointKind,
    EngineDead,
    EngineIdle,
    EngineInfo,
    EngineReady,
    EngineStarting,
)
from foundry_tui.domain.errors import EngineDied, ModelRefused
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import Throttle
from foundry_tui.domain.timeline import Happening, HappeningKind
from foundry_tui.metrics.stays import StayEnd
from foundry_tui.services.chronicle import Chronicle
from foundry_tui.services.downloads.board import DownloadQueue
from foundry_tui.services.engine.jobs import JobKind, Jobs
from tests.support.machine import S, a_gpu, a_sample

INFO = EngineInfo(kind=EndpointKind.SCRIPTED, url=None, pid=None, capabilities=(), start_ns=3 * S)
MS = S // 1000


@dataclass(slots=True)
class Clock:
    now_ns: int = S

    def __call__(self) -> int:
        return self.now_ns


def kinds(chronicle: Chronicle) -> list[HappeningKind]:
    return [one.kind for one in chronicle.happenings()]


def last(chronicle: Chronicle) -> Happening:
    return chronicle.happenings()[-1]


def answer(gaps_ms: Sequence[int], outcome: Outcome = Outcome.COMPLETED) -> list[ChatEvent]:
    """Sent at 1 s, the first text 100 ms later; each chunk a token."""
    at_ns = S + 100 * MS
    chunks: list[ChatEvent] = [ChunkReceived(at_ns=at_ns, text="a", read=0)]
    for read, gap_ms in enumerate(gaps_ms, start=1):
        at_ns += gap_ms * MS
        chunks.append(ChunkReceived(at_ns=at_ns, text="a", read=read))
    usage = TokenUsage(prompt_tokens=3, completion_tokens=len(chunks), reasoning_tokens=None)
    end = GenerationFinished(end_ns=at_ns, outcome=outcome, usage=usage, finish_reason="stop")
    return [ClockRead(moment=Moment.SENT, at_ns=S), *chunks, end]


async def stream(
    events: Sequence[ChatEvent], error: Exception | None = None
) -> AsyncGenerator[ChatEvent, None]:
    for event in events:
        yield event
    if error is not None:
        raise error


async def heard(chronicle: Chronicle, source: AsyncGenerator[ChatEvent, None], most: int = 1000) -> int:
    """How many events came through."""
    count = 0
    async with aclosing(chronicle.answering(source, "small")) as events:
        async for _ in events:
            count += 1
            if count == most:
                break
    return count


def test_an_engine_starts_dies_and_is_restarted() -> None:
    chronicle = Chronicle()
    chronicle.engine(EngineIdle())
    chronicle.engine(EngineStarting())
    chronicle.engine(EngineReady(INFO))
    chronicle.engine(EngineReady(INFO))
    chronicle.engine(EngineDead("killed by SIGKILL"))
    chronicle.engine(EngineStarting())
    chronicle.engine(EngineReady(replace(INFO)))
    chronicle.engine(EngineIdle())

    assert kinds(chronicle) == [
        HappeningKind.ENGINE_STARTED,
        HappeningKind.ENGINE_DIED,
        HappeningKind.ENGINE_RESTARTED,
        HappeningKind.ENGINE_STOPPED,
    ]
    assert chronicle.happenings()[0].took_ns == 3 * S
    assert chronicle.happenings()[1].why == "killed by SIGKILL"


def test_an_engine_that_does_not_answer_is_told_and_that_it_does_again() -> None:
    chronicle = Chronicle()
    chronicle.engine(EngineReady(INFO))
    chronicle.engine(EngineReady(INFO, is_answering=False))
    chronicle.engine(EngineReady(INFO))

    assert kinds(chronicle)[1:] == [HappeningKind.ENGINE_SILENT, HappeningKind.ENGINE_ANSWERS]


def test_another_engine_in_its_place_ends_what_was_in_memory() -> None:
    chronicle = Chronicle()
    chronicle.engine(EngineReady(INFO))
    with chronicle.loading("small"):
        chronicle.loaded(LoadReport(model_id="small", load_ns=S, was_loaded=False))
    chronicle.engine(EngineReady(replace(INFO, url="http://localhost:1")))

    assert chronicle.stays[0].end is StayEnd.ENGINE_ENDED


def test_a_load_is_noted_with_its_time_and_memory_and_an_unload_too() -> None:
    chronicle = Chronicle()
    report = LoadReport(
        model_id="small", load_ns=2 * S, was_loaded=False, rss_before_bytes=100, rss_after_bytes=340
    )
    with chronicle.loading("small"):
        pass
    chronicle.loaded(report)
    chronicle.unloaded("small")

    begun, loaded, unloaded = chronicle.happenings()
    assert [begun.kind, unloaded.kind] == [HappeningKind.LOADING, HappeningKind.UNLOADED]
    assert (loaded.model_id, loaded.took_ns, loaded.grown_bytes) == ("small", 2 * S, 240)


def test_a_load_that_fails_says_why() -> None:
    chronicle = Chronicle()

    with pytest.raises(ModelRefused), chronicle.loading("small"):
        raise ModelRefused("its files are damaged")

    assert last(chronicle).kind is HappeningKind.NOT_LOADED
    assert last(chronicle).why == "its files are damaged"
    assert chronicle.stays == ()


async def test_an_answer_has_its_beginning_its_end_and_its_rate() -> None:
    chronicle = Chronicle()
    events = answer([10] * 20)

    count = await heard(chronicle, stream(events))

    assert count == len(events)
    assert kinds(chronicle) == [HappeningKind.ASKED, HappeningKind.ANSWERED]
    assert last(chronicle).took_ns == 300 * MS
    assert last(chronicle).tokens_per_s == pytest.approx(100.0)


async def test_a_stall_is_noted_when_it_ends() -> None:
    chronicle = Chronicle()

    await heard(chronicle, stream(answer([20, 20, 20, 900, 20])))

    stall = chronicle.happenings()[1]
    assert (stall.kind, stall.took_ns) == (HappeningKind.STALLED, 900 * MS)


async def test_a_failure_is_no_answer_and_goes_on_to_the_reader() -> None:
    chronicle = Chronicle()

    with pytest.raises(EngineDied):
        await heard(chronicle, stream(answer([10])[:-1], EngineDied("it was killed")))

    assert (last(chronicle).kind, last(chronicle).why) == (HappeningKind.NOT_ANSWERED, "it was killed")


async def test_an_answer_that_its_reader_left_was_stopped() -> None:
    chronicle = Chronicle()

    await heard(chronicle, stream(answer([10] * 9)), most=3)

    assert (last(chronicle).kind, last(chronicle).why) == (HappeningKind.ANSWERED, "stopped")


async def test_thousands_of_requests_push_no_load_out() -> None:
    chronicle = Chronicle()
    chronicle.unloaded("small")
    for _ in range(1_500):
        await heard(chronicle, stream(answer([])))

    found = kinds(chronicle)
    assert found.count(HappeningKind.UNLOADED) == 1
    assert len(found) == 2_001


def test_reasons_of_a_slow_gpu_are_noted_when_they_begin_and_when_none_is_left() -> None:
    chronicle = Chronicle()
    seen: list[tuple[Throttle, ...] | None] = [
        (),
        (Throttle.HEAT,),
        None,
        (Throttle.HEAT, Throttle.POWER_LIMIT),
        (Throttle.POWER_LIMIT,),
        (),
    ]
    for second, throttles in enumerate(seen):
        chronicle.take(a_sample(second, gpus=(a_gpu(throttles=throttles),)))

    assert [(one.kind, one.why, one.at_ns // S) for one in chronicle.happenings()] == [
        (HappeningKind.THROTTLED, "A card: heat", 1),
        (HappeningKind.THROTTLED, "A card: power limit", 3),
        (HappeningKind.UNTHROTTLED, "A card", 5),
    ]


def test_what_is_noted_is_in_order_of_time_though_a_sample_is_told_of_late() -> None:
    clock = Clock(now_ns=10 * S)
    chronicle = Chronicle(clock_ns=clock)
    chronicle.unloaded("small")
    chronicle.take(a_sample(9.9, gpus=(a_gpu(throttles=(Throttle.HEAT,)),)))

    assert [one.at_ns for one in chronicle.happenings()] == [10 * S, 10 * S]


async def told(chronicle: Chronicle, feed: Feed[DownloadQueue], states: Sequence[DownloadState]) -> None:
    """Put one download into each of these states, and let the follower see it."""
    entry = Download(id="1", model_id="small", added_unix_ms=0, place=1)
    following = asyncio.ensure_future(chronicle.follow_downloads(feed))
    for state in states:
        feed.publish(DownloadQueue(entries=(replace(entry, state=state, problem="no room"),)))
        for _ in range(3):
            await asyncio.sleep(0)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_a_download_is_noted_from_its_first_byte_to_its_end() -> None:
    chronicle = Chronicle()
    states = (DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.VERIFYING, DownloadState.DONE)

    await told(chronicle, Feed(DownloadQueue()), states)

    assert kinds(chronicle) == [HappeningKind.DOWNLOADING, HappeningKind.DOWNLOAD_ENDED]
    assert last(chronicle).why is None


async def test_a_download_that_fails_says_why() -> None:
    chronicle = Chronicle()

    await told(chronicle, Feed(DownloadQueue()), (DownloadState.RUNNING, DownloadState.FAILED))

    assert last(chronicle).why == "no room"


async def test_what_a_server_fetches_for_itself_is_noted() -> None:
    chronicle, jobs = Chronicle(), Jobs()
    following = asyncio.ensure_future(chronicle.follow_fetches(jobs.feed))
    await asyncio.sleep(0)
    with jobs.under_way(JobKind.FETCH, "large"):
        for _ in range(3):
            await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.sleep(0)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following

    assert [(one.kind, one.model_id) for one in chronicle.happenings()] == [
        (HappeningKind.DOWNLOADING, "large"),
        (HappeningKind.DOWNLOAD_ENDED, "large"),
    ]

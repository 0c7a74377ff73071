"""What a session was like: what happened to engine and models, and what was read of the machine."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from heapq import merge

from foundry_tui.aio import Feed
from foundry_tui.domain.chat import ChatEvent, ChunkReceived
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState
from foundry_tui.domain.engine import EngineDead, EngineIdle, EngineReady, EngineState
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import ResourceSample, Throttle
from foundry_tui.domain.timeline import Happening, HappeningKind
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.metrics.gaps import GapTrack, WaitKind
from foundry_tui.metrics.holding import Holding
from foundry_tui.metrics.latency import decode_rate, is_coarse, latency_s
from foundry_tui.metrics.machine_history import MachineHistory, reading_of
from foundry_tui.metrics.stays import Stay, Stays
from foundry_tui.services.downloads.board import DownloadQueue
from foundry_tui.services.engine.jobs import Job, JobKind

__all__ = ["Chronicle"]

_NS_PER_S = 1_000_000_000
_KEPT = 2_000
_STOPPED = "stopped"


class Chronicle:
    """Takes note of everything at its moment, for whoever looks at it later; its memory is bounded.

    Args:
        clock_ns: A monotonic clock, that of the samples.

    Attributes:
        history: What was read of the machine.
    """

    def __init__(self, *, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock_ns = clock_ns
        # Requests come by the thousand, and must not push out what comes once.
        self._requests: deque[Happening] = deque(maxlen=_KEPT)
        self._others: deque[Happening] = deque(maxlen=_KEPT)
        self._noted = 0
        self._stays = Stays()
        self._throttles: dict[str, tuple[Throttle, ...]] = {}
        self._state: EngineState = EngineIdle()
        self._was_up = False
        self.history = MachineHistory()

    @property
    def noted(self) -> int:
        """How much was noted so far: another number, other happenings."""
        return self._noted

    @property
    def stays(self) -> Sequence[Stay]:
        """What each model took, oldest first."""
        return self._stays.all

    @property
    def holding(self) -> Holding:
        """What the engine's process holds of models that have left it."""
        return self._stays.holding

    def happenings(self) -> list[Happening]:
        """What has happened, oldest first: the newest 2,000 of requests, and as many others."""
        return list(merge(self._requests, self._others, key=lambda one: one.at_ns))

    def now_ns(self) -> int:
        """The present moment, on the clock of all that is noted."""
        return self._clock_ns()

    def take(self, sample: ResourceSample) -> None:
        """Take a sample of the machine."""
        self.history.take(reading_of(sample))
        self._stays.take(sample)
        self._look_at_throttles(sample)

    def engine(self, state: EngineState) -> None:
        """The engine is in another state."""
        before, self._state = self._state, state
        match state:
            case EngineReady(_, is_answering):
                if isinstance(before, EngineReady) and before.info is state.info:
                    if is_answering != before.is_answering:
                        kinds = (HappeningKind.ENGINE_SILENT, HappeningKind.ENGINE_ANSWERS)
                        self._note(kinds[is_answering])
                else:
                    if isinstance(before, EngineReady):  # its end was not seen
                        self._stays.engine_ended(self._clock_ns())
                    kinds = (HappeningKind.ENGINE_STARTED, HappeningKind.ENGINE_RESTARTED)
                    self._note(kinds[self._was_up], took_ns=state.info.start_ns)
                    self._was_up = True
            case EngineDead() if not isinstance(before, EngineDead):
                self._note(HappeningKind.ENGINE_DIED, why=state.reason)
                self._stays.engine_ended(self._clock_ns())
            case _ if isinstance(before, EngineReady):
                self._note(HappeningKind.ENGINE_STOPPED)
                self._stays.engine_ended(self._clock_ns())

    @contextmanager
    def loading(self, model_id: str) -> Iterator[None]:
        """A model is loaded within the block; an error that leaves it says that it was not."""
        self._stays.loading(model_id, self._clock_ns())
        self._note(HappeningKind.LOADING, model_id)
        try:
            yield
        except BaseException as error:
            self._stays.not_loaded(model_id)
            self._note(HappeningKind.NOT_LOADED, model_id, why=_why(error))
            raise

    def loaded(self, report: LoadReport) -> None:
        """What became of a load that ended well."""
        before, after = report.rss_before_bytes, report.rss_after_bytes
        self._note(
            HappeningKind.LOADED,
            report.model_id,
            took_ns=None if report.was_loaded else report.load_ns,
            grown_bytes=None if before is None or after is None else after - before,
        )
        self._stays.loaded(report)

    def unloaded(self, model_id: str) -> None:
        """A model has left memory."""
        self._stays.unloaded(model_id, self._clock_ns())
        self._note(HappeningKind.UNLOADED, model_id)

    async def answering(
        self, answer: AsyncGenerator[ChatEvent, None], model_id: str
    ) -> AsyncGenerator[ChatEvent, None]:
        """The events of ``answer``, which ends with it."""
        begun_ns = self._clock_ns()
        self._note(HappeningKind.ASKED, model_id)
        trace, gaps = TraceBuilder(), GapTrack()
        chunks = 0
        async with aclosing(answer) as events:
            try:
                async for event in events:
                    trace.observe(event)
                    gaps.observe(event)
                    if isinstance(event, ChunkReceived):
                        if gaps.kind_of(chunks) is WaitKind.STALL:
                            self._note(HappeningKind.STALLED, model_id, took_ns=gaps.wait_ns(chunks))
                        chunks += 1
                    yield event
            except BaseException as error:
                kind = HappeningKind.NOT_ANSWERED if isinstance(error, Exception) else HappeningKind.ANSWERED
                self._note(kind, model_id, took_ns=self._clock_ns() - begun_ns, why=_why(error))
                raise
        whole = trace.finish()
        rate, took_s = decode_rate(whole), latency_s(whole)
        self._note(
            HappeningKind.ANSWERED if whole.outcome.is_timed else HappeningKind.NOT_ANSWERED,
            model_id,
            # As the answer's own clock has it: this one waits for its reader.
            took_ns=self._clock_ns() - begun_ns if took_s is None else round(took_s * _NS_PER_S),
            tokens_per_s=None if rate is None else rate.tokens_per_s,
            is_estimate=rate is not None and (rate.is_estimate or is_coarse(whole.chunks)),
            why=None if whole.outcome.is_timed else whole.outcome.value,
        )

    async def follow_downloads(self, queue: Feed[DownloadQueue]) -> None:
        """Take note of what begins and ends in the queue; never ends."""
        known: Mapping[str, Download] = {}
        async for newest in queue.watch():
            entries = {entry.id: entry for entry in newest.entries}
            for entry in newest.entries:
                before = known.get(entry.id)
                was_begun = before is not None and before.state in _FETCHED
                if entry.state in _FETCHED and not was_begun:
                    self._note(HappeningKind.DOWNLOADING, entry.model_id)
                elif was_begun and entry.state not in _FETCHED:
                    is_done = entry.state is DownloadState.DONE
                    why = None if is_done else entry.problem or entry.state.value
                    self._note(HappeningKind.DOWNLOAD_ENDED, entry.model_id, why=why)
            for entry_id, entry in known.items():
                if entry_id not in entries and entry.state not in ENDED_STATES and entry.state in _FETCHED:
                    self._note(HappeningKind.DOWNLOAD_ENDED, entry.model_id, why="removed from the queue")
            known = entries

    async def follow_fetches(self, jobs: Feed[tuple[Job, ...]]) -> None:
        """Take note of what a server downloads for itself; never ends."""
        known: frozenset[str] = frozenset()
        async for newest in jobs.watch():
            ids = frozenset(job.model_id for job in newest if job.kind is JobKind.FETCH and job.model_id)
            for model_id in sorted(ids - known):
                self._note(HappeningKind.DOWNLOADING, model_id)
            for model_id in sorted(known - ids):
                self._note(HappeningKind.DOWNLOAD_ENDED, model_id)
            known = ids

    def _look_at_throttles(self, sample: ResourceSample) -> None:
        for place, gpu in enumerate(sample.gpu.gpus):
            name = f"{gpu.name} ({place + 1})" if len(sample.gpu.gpus) > 1 else gpu.name
            if gpu.throttles is None:
                continue  # a reading that failed is no end of it
            before = self._throttles.get(name, ())
            self._throttles[name] = gpu.throttles
            if begun := [reason for reason in gpu.throttles if reason not in before]:
                self._note(HappeningKind.THROTTLED, why=f"{name}: {', '.join(begun)}", at_ns=sample.at_ns)
            if before and not gpu.throttles:
                self._note(HappeningKind.UNTHROTTLED, why=name, at_ns=sample.at_ns)

    def _note(
        self,
        kind: HappeningKind,
        model_id: str | None = None,
        *,
        at_ns: int | None = None,
        took_ns: int | None = None,
        grown_bytes: int | None = None,
        tokens_per_s: float | None = None,
        is_estimate: bool = False,
        why: str | None = None,
    ) -> None:
        kept = self._requests if kind.is_of_requests else self._others
        now_ns = self._clock_ns() if at_ns is None else at_ns
        kept.append(
            Happening(
                # A sample was taken a moment ago; what is kept is in order.
                at_ns=max(now_ns, kept[-1].at_ns) if kept else now_ns,
                kind=kind,
                model_id=model_id,
                took_ns=took_ns,
                grown_bytes=grown_bytes,
                tokens_per_s=tokens_per_s,
                is_estimate=is_estimate,
                why=why,
            )
        )
        self._noted += 1


_FETCHED = frozenset({DownloadState.RUNNING, DownloadState.VERIFYING})
"""Something comes over the network, or is looked at on the disk."""


def _why(error: BaseException) -> str:
    return error.message if isinstance(error, EngineError) else _STOPPED

"""One request of a run: made, watched for answers that never end, kept."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.chat import ChatMessage, ChatOptions, ChunkReceived, Role
from foundry_tui.domain.errors import EngineError, EngineUnavailable
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.metrics.energy import request_net_j
from foundry_tui.metrics.repetition import REPEATED_TOKENS, Repetition
from foundry_tui.services.bench.failures import goes_in_circles, is_runaway, runaway, stops_repetition
from foundry_tui.services.bench.ledger import Ledger
from foundry_tui.services.bench.loading import Loading
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.probes import Probe
from foundry_tui.services.bench.state import Step, UnderWay
from foundry_tui.services.client import ClientService

__all__ = ["Asking"]

_HANDING_S = 0.1
"""Nobody draws more often, and each handing over wakes two processors that the model wants."""


class Asking:
    """Makes requests; each is in the store before the state shows it.

    Args:
        client: Started, and held for this run.
        ledger: Of the run.
        loading: Has the variants.
        peaks: Reads the engine's memory meanwhile.
        unix_ms: The time of day.
    """

    def __init__(
        self,
        client: ClientService,
        ledger: Ledger,
        loading: Loading,
        peaks: Peaks,
        *,
        unix_ms: Callable[[], int],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._loading = loading
        self._peaks = peaks
        self._unix_ms = unix_ms

    async def ask(self, model: str, probe: Probe) -> RequestRun:
        """Make one request of a model that was loaded, and keep it, however it ends.

        Raises:
            EngineUnavailable: The engine is gone and does not come back.
            StorageProblem: It could not be kept.
        """
        request, error, life = await self._made(model, probe)
        if isinstance(error, EngineUnavailable) and request.trace.sent_ns is None:
            await self._loading.bring_back(error, life)  # nobody was asked, so there is nothing to keep
            request, error, life = await self._made(model, probe)
        await self._ledger.keep(request)
        if error is not None:
            await self._loading.bring_back(error, life)
        return request

    async def _made(self, model: str, probe: Probe) -> tuple[RequestRun, EngineError | None, int]:
        """The request, what ended it if not the model did, and in which life of the engine."""
        await self._loading.settled()
        variant = self._loading.variant(model)
        assert variant is not None
        options = ChatOptions(
            system_prompt=probe.prompt.system,
            max_tokens=probe.max_tokens,
            temperature=probe.temperature,
            seed=probe.seed,
            timeouts=self._ledger.plan.timeouts,
        )
        message = ChatMessage(role=Role.USER, text=probe.prompt.text)
        chat = replace(self._client.prepare(variant, (message,), options), handing_s=_HANDING_S)
        builder, at_unix_ms = TraceBuilder(), self._unix_ms()
        number, life = self._ledger.next_number(), self._loading.life
        info = self._client.engine_info
        is_watched = info is not None and stops_repetition(self._ledger.plan, info.kind)
        repetition = Repetition() if is_watched else None
        error: EngineError | None = None
        with self._peaks.window() as peak:
            async with self._shown(model, probe, builder):
                try:
                    async with self._client.chat(chat) as events:
                        async for event in events:
                            builder.observe(event)
                            if isinstance(event, ChunkReceived):
                                _watch(event, builder, chat.max_tokens, repetition)
                    trace = builder.finish()
                except EngineError as caught:
                    error, trace = caught, builder.failed(caught)
            conditions = await self._peaks.conditions(
                peak,
                begin_ns=trace.sent_ns,
                end_ns=trace.ended_ns,
                is_alone=self._ledger.plan.concurrency == 1,
            )
        request = RequestRun(
            number=number,
            model=model,
            model_id=variant.id,
            prompt_id=probe.prompt.id,
            round=probe.round,
            phase=probe.phase,
            at_unix_ms=at_unix_ms,
            trace=trace,
            peak_rss_bytes=peak.rss_bytes,
            peak_vram_bytes=peak.vram_bytes,
            energy_j=None if conditions is None else request_net_j(conditions.energy),
            conditions=conditions,
            attempt=self._ledger.attempt,
        )
        return request, error, life

    @asynccontextmanager
    async def _shown(self, model: str, probe: Probe, builder: TraceBuilder) -> AsyncIterator[None]:
        ledger = self._ledger
        mine = UnderWay(
            model=model, prompt_id=probe.prompt.id, round=probe.round, phase=probe.phase, trace=builder
        )
        ledger.publish(step=Step.ASKING, model=model, under_way=(*ledger.state.under_way, mine))
        try:
            yield
        finally:
            others = tuple(one for one in ledger.state.under_way if one is not mine)
            ledger.publish(under_way=others)


def _watch(
    chunk: ChunkReceived, builder: TraceBuilder, max_tokens: int, repetition: Repetition | None
) -> None:
    """End an answer that does not end by itself; the work for a chunk does not grow with the answer.

    Raises:
        GenerationFailed: It goes on too far, or in circles.
    """
    if is_runaway(len(builder.chunks), max_tokens):
        raise runaway(max_tokens, end_ns=chunk.at_ns)
    if repetition is None:
        return
    before = builder.chunks[-2].tokens if len(builder.chunks) > 1 else 0
    is_told = chunk.tokens is not None and before is not None
    repetition.take(chunk.text, max(1, (chunk.tokens or 0) - (before or 0)) if is_told else 1)
    if repetition.is_endless:
        raise goes_in_circles(REPEATED_TOKENS, end_ns=chunk.at_ns)

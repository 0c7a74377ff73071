"""An engine whose process keeps memory after an unload, as a probe would read it."""

from dataclasses import dataclass, field

from foundry_tui.domain.engine import EndpointKind, EngineIdle, EngineInfo, EngineReady, EngineState
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import HostSample
from tests.support.machine import GIB, MIB
from tests.support.supervised import SupervisedScript

__all__ = ["BARE_MIB", "KEPT_MIB", "MODEL_MIB", "KeepingEngine", "KeepingHost"]

BARE_MIB, MODEL_MIB, KEPT_MIB = 60, 500, 200
"""What a process has without a model, what each model takes, and what stays of the first that leaves."""


class KeepingEngine(SupervisedScript):
    """Scripted, with memory that a test can reckon up.

    Attributes:
        kind: What it says it is.
    """

    def __init__(self, kind: EndpointKind = EndpointKind.SCRIPTED) -> None:
        super().__init__()
        self.kind = kind
        self._in_memory: dict[str, None] = {}
        self._kept_mib = 0

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the process at this moment."""
        return (BARE_MIB + MODEL_MIB * len(self._in_memory) + self._kept_mib) * MIB

    @property
    def state(self) -> EngineState:
        state = super().state
        if isinstance(state, EngineReady) and state.info.kind is not self.kind:
            return EngineReady(_of_kind(state.info, self.kind))
        return state

    async def stop(self) -> None:
        await super().stop()
        self._in_memory.clear()
        self._kept_mib = 0

    async def load(self, model_id: str) -> LoadReport:
        report = await super().load(model_id)
        self._in_memory[model_id] = None
        return report

    async def unload(self, model_id: str) -> None:
        await super().unload(model_id)
        del self._in_memory[model_id]
        self._kept_mib = KEPT_MIB


@dataclass(frozen=True, slots=True)
class KeepingHost:
    """Reads that engine, on a machine of 8 GiB."""

    engine: KeepingEngine
    asked: list[int | None] = field(default_factory=list[int | None])

    def sample(self, pid: int | None) -> HostSample:
        self.asked.append(pid)
        rss = None if pid is None or isinstance(self.engine.state, EngineIdle) else self.engine.rss_bytes
        return HostSample(
            cpu_share=0.25, ram_total_bytes=8 * GIB, ram_used_bytes=2 * GIB, process_rss_bytes=rss
        )


def _of_kind(info: EngineInfo, kind: EndpointKind) -> EngineInfo:
    return EngineInfo(kind=kind, url="http://127.0.0.1:5273", pid=info.pid, capabilities=info.capabilities)

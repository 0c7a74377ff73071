"""Benchmarks in memory: the port without a database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from foundry_tui.domain.bench import ModelRun, RequestRun, ResourceReading, Run, RunStatus, RunSummary
from foundry_tui.domain.bench_reruns import Rerun
from foundry_tui.domain.errors import BadInput, StorageProblem

__all__ = ["MemoryRuns"]

_MOST_IDS = 10


@dataclass
class MemoryRuns:
    """Implements ``RunStore``; several services may share one, as processes share a database.

    Attributes:
        kept: The runs by id, in the order in which they were created.
        asked: Their requests by number, in the order in which they were added.
        taken: What was read of the machine meanwhile, in the order in which it was added.
        fail_with: Raised by every call that writes; for tests of what happens when the disk is full.
        unreadable: Raised by every call that reads.
    """

    kept: dict[str, Run] = field(default_factory=dict[str, Run])
    asked: dict[str, dict[int, RequestRun]] = field(default_factory=dict[str, dict[int, RequestRun]])
    taken: dict[str, list[ResourceReading]] = field(default_factory=dict[str, list[ResourceReading]])
    fail_with: StorageProblem | None = None
    unreadable: StorageProblem | None = None

    async def create_run(self, run: Run) -> None:
        await self.import_run(run, ())

    async def put_model(self, run_id: str, model: ModelRun) -> None:
        found = self._existing(run_id)
        models = {known.model: known for known in found.models} | {model.model: model}
        self.kept[run_id] = replace(found, models=tuple(models.values()))

    async def add_request(self, run_id: str, request: RequestRun) -> None:
        self._existing(run_id)
        _check_numbers([*self.asked[run_id], request.number])
        self.asked[run_id][request.number] = request

    async def end_run(
        self, run_id: str, status: RunStatus, *, at_unix_ms: int | None, reason: str | None = None
    ) -> None:
        found = self._existing(run_id)
        self.kept[run_id] = replace(found, status=status, ended_unix_ms=at_unix_ms, reason=reason)

    async def begin_rerun(self, run_id: str, rerun: Rerun) -> None:
        found = self._existing(run_id)
        if found.reruns and found.reruns[-1].attempt >= rerun.attempt:
            raise BadInput("that attempt of this run is kept here already")
        self.kept[run_id] = replace(
            found,
            reruns=(*found.reruns, rerun),
            status=RunStatus.RUNNING,
            ended_unix_ms=None,
            reason=None,
        )

    async def describe_run(self, run_id: str, *, name: str, note: str, tags: tuple[str, ...]) -> None:
        self.kept[run_id] = replace(self._existing(run_id), name=name, note=note, tags=tags)

    async def run(self, run_id: str) -> Run | None:
        self._check_readable()
        return self.kept.get(run_id)

    async def run_ids(self, beginning: str) -> tuple[str, ...]:
        self._check_readable()
        return tuple(sorted(run_id for run_id in self.kept if run_id.startswith(beginning))[:_MOST_IDS])

    async def runs(self, *, limit: int = 100, offset: int = 0) -> tuple[RunSummary, ...]:
        self._check_readable()
        later_first = reversed(self.kept.values())
        found = sorted(later_first, key=lambda run: run.started_unix_ms, reverse=True)
        return tuple(self._summary(run) for run in found[offset : offset + limit])

    async def runs_of(self, model: str, *, limit: int = 100) -> tuple[str, ...]:
        newest_first = [one.id for one in await self.runs(limit=len(self.kept))]
        found = [
            run_id for run_id in newest_first if any(one.is_called(model) for one in self.kept[run_id].models)
        ]
        return tuple(found[:limit])

    async def requests(
        self, run_id: str, *, after: int = 0, model: str | None = None
    ) -> tuple[RequestRun, ...]:
        self._check_readable()
        asked = [request for _, request in sorted(self.asked.get(run_id, {}).items())]
        return tuple(
            request for request in asked if request.number > after and model in (None, request.model)
        )

    async def add_resources(self, run_id: str, readings: Sequence[ResourceReading]) -> None:
        self._existing(run_id)
        self.taken[run_id].extend(readings)

    async def resources(self, run_id: str) -> tuple[ResourceReading, ...]:
        self._check_readable()
        return tuple(self.taken.get(run_id, ()))

    async def import_run(
        self, run: Run, requests: Sequence[RequestRun], resources: Sequence[ResourceReading] = ()
    ) -> None:
        self._check_writable()
        if run.id in self.kept:
            raise BadInput("this run is kept here already")
        if len({model.model for model in run.models}) < len(run.models):
            raise BadInput(f"one of {[model.model for model in run.models]} stands twice in this run")
        _check_numbers([request.number for request in requests])
        self.kept[run.id] = run
        self.asked[run.id] = {request.number: request for request in requests}
        self.taken[run.id] = list(resources)

    async def delete_run(self, run_id: str) -> None:
        self._check_writable()
        self.kept.pop(run_id, None)
        self.asked.pop(run_id, None)
        self.taken.pop(run_id, None)

    def _summary(self, run: Run) -> RunSummary:
        return RunSummary(
            id=run.id,
            name=run.name,
            status=run.status,
            started_unix_ms=run.started_unix_ms,
            ended_unix_ms=run.ended_unix_ms,
            models=run.plan.models,
            requests=len(self.asked[run.id]),
            planned=len(run.plan.models) * len(run.plan.prompts) * run.plan.rounds,
            tags=run.tags,
        )

    def _existing(self, run_id: str) -> Run:
        self._check_writable()
        if run_id not in self.kept:
            raise BadInput("this run is not kept here any more")
        return self.kept[run_id]

    def _check_writable(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with

    def _check_readable(self) -> None:
        if self.unreadable is not None:
            raise self.unreadable


def _check_numbers(numbers: Sequence[int]) -> None:
    if any(number < 1 for number in numbers):
        raise BadInput("requests are numbered from 1 on")
    if any(times > 1 for times in Counter(numbers).values()):
        raise BadInput("a request of that number is kept here already")

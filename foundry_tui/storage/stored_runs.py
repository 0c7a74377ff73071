"""The port of benchmarks, served by the database."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from foundry_tui.domain.bench import ModelRun, RequestRun, ResourceReading, Run, RunStatus, RunSummary
from foundry_tui.domain.bench_reruns import Rerun
from foundry_tui.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from foundry_tui.storage.run_rows import RunRows

__all__ = ["StoredRuns"]

T = TypeVar("T")

# The module that speaks SQL is imported in the database's thread, for it brings the driver along.


class StoredRuns:
    """Keeps runs in a database that it borrows.

    What it was given is on disk when it returns, also after a loss of power.  A write to a run that is not
    there (any more) raises ``BadInput``.  A run whose process died stays as that left it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_run(self, run: Run) -> None:
        await self._write(lambda rows: rows.create(run))

    async def put_model(self, run_id: str, model: ModelRun) -> None:
        await self._write(lambda rows: rows.put_model(run_id, model))

    async def add_request(self, run_id: str, request: RequestRun) -> None:
        await self._write(lambda rows: rows.add_request(run_id, request))

    async def end_run(
        self, run_id: str, status: RunStatus, *, at_unix_ms: int | None, reason: str | None = None
    ) -> None:
        await self._write(lambda rows: rows.end(run_id, status, at_unix_ms=at_unix_ms, reason=reason))

    async def begin_rerun(self, run_id: str, rerun: Rerun) -> None:
        await self._write(lambda rows: rows.begin_rerun(run_id, rerun))

    async def describe_run(self, run_id: str, *, name: str, note: str, tags: tuple[str, ...]) -> None:
        await self._write(lambda rows: rows.describe(run_id, name=name, note=note, tags=tags))

    async def run(self, run_id: str) -> Run | None:
        return await self._read(lambda rows: rows.run(run_id))

    async def run_ids(self, beginning: str) -> tuple[str, ...]:
        return await self._read(lambda rows: rows.ids(beginning))

    async def runs(self, *, limit: int = 100, offset: int = 0) -> tuple[RunSummary, ...]:
        return await self._read(lambda rows: rows.all(limit=limit, offset=offset))

    async def runs_of(self, model: str, *, limit: int = 100) -> tuple[str, ...]:
        return await self._read(lambda rows: rows.ids_of(model, limit=limit))

    async def requests(
        self, run_id: str, *, after: int = 0, model: str | None = None
    ) -> tuple[RequestRun, ...]:
        return await self._read(lambda rows: rows.requests(run_id, after=after, model=model))

    async def add_resources(self, run_id: str, readings: Sequence[ResourceReading]) -> None:
        await self._write(lambda rows: rows.add_resources(run_id, readings))

    async def resources(self, run_id: str) -> tuple[ResourceReading, ...]:
        return await self._read(lambda rows: rows.resources(run_id))

    async def import_run(
        self, run: Run, requests: Sequence[RequestRun], resources: Sequence[ResourceReading] = ()
    ) -> None:
        await self._write(lambda rows: rows.create(run, requests, resources))

    async def delete_run(self, run_id: str) -> None:
        await self._write(lambda rows: rows.delete(run_id))

    async def _read(self, work: Callable[["RunRows"], T]) -> T:
        return await self._database.read(lambda connection: work(_rows(connection)))

    async def _write(self, work: Callable[["RunRows"], T]) -> T:
        return await self._database.write(lambda connection: work(_rows(connection)))


def _rows(connection: "Connection") -> "RunRows":
    from foundry_tui.storage.run_rows import RunRows

    return RunRows(connection)

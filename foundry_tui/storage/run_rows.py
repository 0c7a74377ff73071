"""Benchmarks in rows: a run with its plan and models, and its requests one by one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from foundry_tui.domain.bench import (
    ModelRun,
    Phase,
    RequestRun,
    ResourceReading,
    Run,
    RunStatus,
    RunSummary,
)
from foundry_tui.domain.bench_reruns import Rerun
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.text import clean_line
from foundry_tui.storage.conditions import packed_conditions, unpacked_conditions
from foundry_tui.storage.model_rows import line_of, model_of, model_row, names_of, pairs_of
from foundry_tui.storage.plans import packed_plan, unpacked_plan
from foundry_tui.storage.readings import pressed, unpressed
from foundry_tui.storage.reruns import packed_reruns, unpacked_reruns
from foundry_tui.storage.resource_batches import batches, pressed_batch, unpressed_batch
from foundry_tui.storage.tables import run, run_model, run_plan, run_request, run_resource

__all__ = ["RunRows"]

_MOST_IDS = 10
_BEHIND_ALL = "\U0010ffff"
"""Sorts behind whatever an id can go on with."""


class RunRows:
    """Reads and writes within one transaction.

    What a list shows of a run stands in its row, the number of its requests too: whoever adds one counts it.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def create(
        self, made: Run, requests: Sequence[RequestRun] = (), resources: Sequence[ResourceReading] = ()
    ) -> None:
        """Write a run that is not there yet, with its models and what was asked and read already.

        Raises:
            BadInput: It is there, or one of its models or requests stands in it twice.
        """
        if self._number(made.id) is not None:
            raise BadInput("this run is kept here already", remedy="open it from the list")
        _check_once("model", [model.model for model in made.models])
        _check_once("request", [request.number for request in requests])
        plan = made.plan
        row = {
            "id": made.id,
            "name": made.name,
            "status": made.status.value,
            "started_unix_ms": made.started_unix_ms,
            "ended_unix_ms": made.ended_unix_ms,
            "path": made.path,
            "models": line_of(plan.models),
            "planned": len(plan.models) * len(plan.prompts) * plan.rounds,
            "requests": len(requests),
            "tags": line_of(made.tags),
            "reason": made.reason,
        }
        self._connection.execute(sa.insert(run).values(row))
        number = self._existing(made.id)
        apart = {
            "plan": packed_plan(plan),
            "environment": line_of(made.environment),
            "note": made.note,
            "reruns": packed_reruns(made.reruns),
        }
        self._connection.execute(sa.insert(run_plan).values(run=number, **apart))
        for place, model in enumerate(made.models, start=1):
            self._connection.execute(sa.insert(run_model).values(run=number, place=place, **model_row(model)))
        if requests:
            rows = [{"run": number, **_request_row(request)} for request in requests]
            self._connection.execute(sa.insert(run_request), rows)
        self._append(number, resources)

    def put_model(self, run_id: str, model: ModelRun) -> None:
        """Write a model in the place of the one of its name, or behind the others.

        Raises:
            BadInput: The run is not there.
        """
        number, values = self._existing(run_id), model_row(model)
        is_it = sa.and_(run_model.c.run == number, run_model.c.model == model.model)
        if self._connection.execute(sa.update(run_model).where(is_it).values(values)).rowcount == 0:
            last = sa.select(sa.func.max(run_model.c.place)).where(run_model.c.run == number)
            place = (self._connection.scalar(last) or 0) + 1
            self._connection.execute(sa.insert(run_model).values(run=number, place=place, **values))

    def add_request(self, run_id: str, request: RequestRun) -> None:
        """Write a request and count it.

        Raises:
            BadInput: The run is not there, or has one of that number already; or that is below 1.
        """
        number = self._existing(run_id)
        is_it = sa.and_(run_request.c.run == number, run_request.c.number == request.number)
        if self._connection.scalar(sa.select(run_request.c.number).where(is_it)) is not None:
            raise BadInput(
                f"request {request.number} of this run is kept here already",
                remedy="is it being resumed twice at once? stop one of the two",
            )
        self._connection.execute(sa.insert(run_request).values(run=number, **_request_row(request)))
        self._update(number, requests=run.c.requests + 1)

    def add_resources(self, run_id: str, readings: Sequence[ResourceReading]) -> None:
        """Write readings of the machine behind those that are there.

        Raises:
            BadInput: The run is not there.
        """
        self._append(self._existing(run_id), readings)

    def end(
        self, run_id: str, status: RunStatus, *, at_unix_ms: int | None, reason: str | None = None
    ) -> None:
        """Write how it stands.

        Raises:
            BadInput: The run is not there.
        """
        number = self._existing(run_id)
        self._update(number, status=status.value, ended_unix_ms=at_unix_ms, reason=reason)

    def begin_rerun(self, run_id: str, rerun: Rerun) -> None:
        """Write that rounds are measured again, and that it runs.

        Raises:
            BadInput: The run is not there, or that attempt is under way already.
            StorageProblem: It is damaged.
        """
        number = self._existing(run_id)
        is_it = run_plan.c.run == number
        with _readable(f"run {clean_line(run_id)}"):
            kept = unpacked_reruns(self._connection.scalar(sa.select(run_plan.c.reruns).where(is_it)) or "")
        if kept and kept[-1].attempt >= rerun.attempt:
            raise BadInput(
                f"attempt {rerun.attempt} of this run is kept here already",
                remedy="another program has begun it: resume the run when that one has ended",
            )
        line = packed_reruns((*kept, rerun))
        self._connection.execute(sa.update(run_plan).where(is_it).values(reruns=line))
        self._update(number, status=RunStatus.RUNNING.value, ended_unix_ms=None, reason=None)

    def describe(self, run_id: str, *, name: str, note: str, tags: tuple[str, ...]) -> None:
        """Write what people say of it.

        Raises:
            BadInput: The run is not there.
        """
        number = self._existing(run_id)
        self._update(number, name=name, tags=line_of(tags))
        self._connection.execute(sa.update(run_plan).where(run_plan.c.run == number).values(note=note))

    def run(self, run_id: str) -> Run | None:
        """The run with its models; None if it is not there.

        Raises:
            StorageProblem: It is damaged.
        """
        query = sa.select(run, run_plan).join(run_plan, run_plan.c.run == run.c.number)
        row = self._connection.execute(query.where(run.c.id == run_id)).one_or_none()
        if row is None:
            return None
        with _readable(f"run {clean_line(run_id)}"):
            return Run(
                id=row.id,
                name=row.name,
                plan=unpacked_plan(row.plan),
                status=RunStatus(row.status),
                started_unix_ms=row.started_unix_ms,
                ended_unix_ms=row.ended_unix_ms,
                environment=pairs_of(row.environment),
                path=row.path,
                models=self._models(row.number),
                tags=names_of(row.tags),
                note=row.note,
                reason=row.reason,
                reruns=unpacked_reruns(row.reruns),
            )

    def ids(self, beginning: str) -> tuple[str, ...]:
        """The first ten ids that begin so, in order."""
        query = sa.select(run.c.id).where(run.c.id >= beginning, run.c.id < beginning + _BEHIND_ALL)
        return tuple(self._connection.scalars(query.order_by(run.c.id).limit(_MOST_IDS)))

    def all(self, *, limit: int, offset: int) -> tuple[RunSummary, ...]:
        """The newest first; of two begun at once the one that was kept later.

        Raises:
            StorageProblem: One of them is damaged.
        """
        query = sa.select(
            run.c.id,
            run.c.name,
            run.c.status,
            run.c.started_unix_ms,
            run.c.ended_unix_ms,
            run.c.models,
            run.c.requests,
            run.c.planned,
            run.c.tags,
        ).order_by(run.c.started_unix_ms.desc(), run.c.number.desc())
        rows = self._connection.execute(query.limit(limit).offset(offset)).all()
        with _readable("the list of runs"):
            # By place: a name is looked up anew in each of ten thousand rows.
            return tuple(
                RunSummary(
                    id=run_id,
                    name=name,
                    status=RunStatus(status),
                    started_unix_ms=started_unix_ms,
                    ended_unix_ms=ended_unix_ms,
                    models=names_of(models),
                    requests=requests,
                    planned=planned,
                    tags=names_of(tags),
                )
                for (
                    run_id,
                    name,
                    status,
                    started_unix_ms,
                    ended_unix_ms,
                    models,
                    requests,
                    planned,
                    tags,
                ) in rows
            )

    def ids_of(self, model: str, *, limit: int) -> tuple[str, ...]:
        """Runs that have a model that is called so, the newest first.

        Raises:
            StorageProblem: One of them is damaged.
        """
        begins = f"{model}:"
        may_be_it = sa.or_(
            run_model.c.model == model,
            run_model.c.model_id == model,
            sa.and_(run_model.c.model_id >= begins, run_model.c.model_id < begins + _BEHIND_ALL),
            run_model.c.facts.contains(line_of(("alias", model)), autoescape=True),
        )
        columns = (run.c.id, run_model.c.model, run_model.c.model_id, run_model.c.facts)
        query = sa.select(*columns).join(run_model, run_model.c.run == run.c.number).where(may_be_it)
        rows = self._connection.execute(query.order_by(run.c.started_unix_ms.desc(), run.c.number.desc()))
        found: dict[str, None] = {}
        for run_id, name, model_id, facts in rows:
            with _readable(f"run {clean_line(run_id)}"):
                # Databases differ in whether LIKE minds the case: that decides here.
                kept = ModelRun(model=name, model_id=model_id, facts=pairs_of(facts))
            if kept.is_called(model):
                found[run_id] = None
                if len(found) == limit:
                    break
        return tuple(found)

    def requests(self, run_id: str, *, after: int, model: str | None = None) -> tuple[RequestRun, ...]:
        """Those with a greater number, in order; of one model, if it is named.

        Raises:
            StorageProblem: One of them is damaged.
        """
        query = (
            sa.select(run_request)
            .join(run, run.c.number == run_request.c.run)
            .where(run.c.id == run_id, run_request.c.number > after)
            .order_by(run_request.c.number)
        )
        if model is not None:
            query = query.where(run_request.c.model == model)
        return tuple(_request(row, run_id) for row in self._connection.execute(query))

    def resources(self, run_id: str) -> tuple[ResourceReading, ...]:
        """What was read of the machine, in the order of writing.

        Raises:
            StorageProblem: Some of it is damaged.
        """
        query = (
            sa.select(run_resource.c.readings)
            .join(run, run.c.number == run_resource.c.run)
            .where(run.c.id == run_id)
            .order_by(run_resource.c.place)
        )
        with _readable(f"what run {clean_line(run_id)} took of the machine"):
            return tuple(
                reading for data in self._connection.scalars(query) for reading in unpressed_batch(data)
            )

    def delete(self, run_id: str) -> None:
        """Remove it, if it is there; models, requests and readings follow by themselves."""
        self._connection.execute(sa.delete(run).where(run.c.id == run_id))

    def _models(self, number: int) -> tuple[ModelRun, ...]:
        query = sa.select(run_model).where(run_model.c.run == number).order_by(run_model.c.place)
        return tuple(model_of(row) for row in self._connection.execute(query))

    def _append(self, number: int, readings: Sequence[ResourceReading]) -> None:
        last = sa.select(sa.func.max(run_resource.c.place)).where(run_resource.c.run == number)
        kept = self._connection.scalar(last) or 0
        for place, batch in enumerate(batches(readings), start=kept + 1):
            row = {"run": number, "place": place, "readings": pressed_batch(batch)}
            self._connection.execute(sa.insert(run_resource).values(row))

    def _update(self, number: int, **values: object) -> None:
        self._connection.execute(sa.update(run).where(run.c.number == number).values(values))

    def _number(self, run_id: str) -> int | None:
        return self._connection.scalar(sa.select(run.c.number).where(run.c.id == run_id))

    def _existing(self, run_id: str) -> int:
        number = self._number(run_id)
        if number is None:
            raise BadInput("this run is not kept here any more", remedy="it was deleted meanwhile")
        return number


def _request_row(request: RequestRun) -> dict[str, object]:
    trace = request.trace
    text, reasoning = trace.text, trace.reasoning
    if request.number < 1:
        raise BadInput(f"a request has the number {request.number}", remedy="number them from 1 on")
    return {
        "number": request.number,
        "model": request.model,
        "model_id": request.model_id,
        "prompt": request.prompt_id,
        "round": request.round,
        "phase": request.phase.value,
        "begun_unix_ms": request.at_unix_ms,
        "peak_rss_bytes": request.peak_rss_bytes,
        "peak_vram_bytes": request.peak_vram_bytes,
        "energy_j": request.energy_j,
        "conditions": packed_conditions(request.conditions),
        "attempt": request.attempt,
        "text": text,
        "reasoning": reasoning,
        "readings": pressed(trace, text=text, reasoning=reasoning),
    }


def _request(row: sa.Row[tuple[object, ...]], run_id: str) -> RequestRun:
    trace = unpressed(row.readings, text=row.text, reasoning=row.reasoning)
    with _readable(f"request {row.number} of run {clean_line(run_id)}"):
        if trace is None:
            raise ValueError("readings that do not fit the answer")
        return RequestRun(
            number=row.number,
            model=row.model,
            model_id=row.model_id,
            prompt_id=row.prompt,
            round=row.round,
            phase=Phase(row.phase),
            at_unix_ms=row.begun_unix_ms,
            trace=trace,
            peak_rss_bytes=row.peak_rss_bytes,
            peak_vram_bytes=row.peak_vram_bytes,
            energy_j=row.energy_j,
            conditions=unpacked_conditions(row.conditions),
            attempt=row.attempt,
        )


def _check_once(what: str, names: Sequence[object]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise BadInput(
                f"{what} {clean_line(str(name))} stands in this run {times} times", remedy="leave one of them"
            )


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Say of whatever does not fit in the block what it belongs to."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise StorageProblem(
            f"{what} is damaged in the database",
            remedy="delete that run, or put a copy of the file in its place",
        ) from error

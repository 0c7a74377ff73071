"""What judges gave to answers, in rows."""

import json
from typing import Any, NoReturn

import sqlalchemy as sa

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.judging import Judgement, JudgePreference, JudgeVersion, Verdict
from foundry_tui.domain.scoring import Rubric
from foundry_tui.storage.rubric_rows import keep_rubric
from foundry_tui.storage.tables import judge_preference, judge_score, run

__all__ = ["JudgeRows"]


class JudgeRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep_judgement(self, by: Rubric, one: Judgement) -> None:
        """Write it, in the place of an earlier one of the same version.

        Raises:
            BadInput: The run is not there.
        """
        self._put(
            judge_score,
            by,
            {"run": self._number(one.run_id), "request": one.number, **_version(one.by)},
            scores=None if one.values is None else json.dumps(one.values),
            **_rest(one),
        )

    def keep_preference(self, by: Rubric, one: JudgePreference) -> None:
        """Likewise."""
        self._put(
            judge_preference,
            by,
            {
                "run": self._number(one.run_id),
                "first": one.first,
                "second": one.second,
                **_version(one.by),
            },
            verdict=None if one.verdict is None else one.verdict.value,
            **_rest(one),
        )

    def judgements(self, run_id: str) -> tuple[Judgement, ...]:
        """All of a run, by answer and judge."""
        return tuple(_judgement(run_id, row) for row in self._of_run(judge_score, run_id))

    def preferences(self, run_id: str) -> tuple[JudgePreference, ...]:
        """All of a run, by answers and judge."""
        return tuple(_preference(run_id, row) for row in self._of_run(judge_preference, run_id))

    def _of_run(self, table: sa.Table, run_id: str) -> "sa.CursorResult[Any]":
        query = (
            sa.select(table)
            .join(run, run.c.number == table.c.run)
            .where(run.c.id == run_id)
            .order_by(*table.primary_key.columns)
        )
        return self._connection.execute(query)

    def _number(self, run_id: str) -> int:
        number = self._connection.scalar(sa.select(run.c.number).where(run.c.id == run_id))
        if number is None:
            raise BadInput("the run that is judged is not kept here (any more)", remedy="import it first")
        return int(number)

    def _put(self, table: sa.Table, by: Rubric, key: dict[str, object], **values: object) -> None:
        keep_rubric(self._connection, by)
        is_it = sa.and_(*(table.c[name] == value for name, value in key.items()))
        if self._connection.execute(sa.update(table).where(is_it).values(values)).rowcount == 0:
            self._connection.execute(sa.insert(table).values({**key, **values}))


def _version(by: JudgeVersion) -> dict[str, object]:
    return {"judge": by.judge, "rubric": by.rubric_sha256, "prompt": by.prompt_sha256}


def _rest(one: Judgement | JudgePreference) -> dict[str, object]:
    return {
        "attempts": one.attempts,
        "reply": one.reply,
        "same_family": one.same_family,
        "at_unix_ms": one.at_unix_ms,
    }


def _judgement(run_id: str, row: "sa.Row[Any]") -> Judgement:
    try:
        values = None if row.scores is None else tuple((str(k), int(v)) for k, v in json.loads(row.scores))
        return Judgement(
            run_id=run_id,
            number=row.request,
            by=_by(row),
            values=values,
            attempts=row.attempts,
            reply=row.reply,
            same_family=row.same_family,
            at_unix_ms=row.at_unix_ms,
        )
    except (ValueError, TypeError) as error:
        _damaged(run_id, error)


def _preference(run_id: str, row: "sa.Row[Any]") -> JudgePreference:
    try:
        return JudgePreference(
            run_id=run_id,
            first=row.first,
            second=row.second,
            by=_by(row),
            verdict=None if row.verdict is None else Verdict(row.verdict),
            attempts=row.attempts,
            reply=row.reply,
            same_family=row.same_family,
            at_unix_ms=row.at_unix_ms,
        )
    except (ValueError, TypeError) as error:
        _damaged(run_id, error)


def _by(row: "sa.Row[Any]") -> JudgeVersion:
    return JudgeVersion(judge=row.judge, rubric_sha256=row.rubric, prompt_sha256=row.prompt)


def _damaged(run_id: str, error: Exception) -> NoReturn:
    raise StorageProblem(
        f"a judgement of run {run_id} cannot be read: it is damaged", remedy="restore the file from a backup"
    ) from error

"""What people said of answers, in rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

import sqlalchemy as sa

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.scoring import (
    AnswerMark,
    AnswerNote,
    Chosen,
    MarkKind,
    Preference,
    Rubric,
    Said,
    Score,
)
from foundry_tui.storage.rubric_rows import find_rubric, keep_rubric
from foundry_tui.storage.tables import answer_mark, preference, run, score, score_note

__all__ = ["ScoreRows"]


class ScoreRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, by: Rubric, said: Said, gone: Said) -> None:
        """Write all that is said, each in the place of what the same person gave the same before.

        Raises:
            BadInput: A run is not there.
        """
        if said.scores:
            keep_rubric(self._connection, by)
        for row in self._rows(gone):
            self._connection.execute(sa.delete(row.table).where(row.is_it))
        for row in self._rows(said):
            self._put(row)

    def of_run(self, run_id: str) -> tuple[Score, ...]:
        """All of a run, by answer and person, whatever the rubric."""
        try:
            return tuple(
                Score(
                    run_id=run_id,
                    number=row.request,
                    criterion=row.criterion,
                    annotator=row.annotator,
                    occasion=row.occasion,
                    value=row.value,
                    rubric_sha256=row.rubric,
                    at_unix_ms=row.at_unix_ms,
                )
                for row in self._connection.execute(_of_run(score, run_id))
            )
        except ValueError as error:
            raise _damaged(f"a score of run {run_id}") from error

    def notes(self, run_id: str) -> tuple[AnswerNote, ...]:
        """All of a run, by answer and person."""
        return tuple(
            AnswerNote(run_id=run_id, number=row.request, annotator=row.annotator, text=row.text)
            for row in self._connection.execute(_of_run(score_note, run_id))
        )

    def marks(self, run_id: str) -> tuple[AnswerMark, ...]:
        """All of a run, by answer and person."""
        try:
            return tuple(
                AnswerMark(
                    run_id=run_id,
                    number=row.request,
                    annotator=row.annotator,
                    occasion=row.occasion,
                    kind=MarkKind(row.kind),
                    aspect=row.aspect,
                    at_unix_ms=row.at_unix_ms,
                )
                for row in self._connection.execute(_of_run(answer_mark, run_id))
            )
        except ValueError as error:
            raise _damaged(f"a mark of run {run_id}") from error

    def preferences(self, run_id: str) -> tuple[Preference, ...]:
        """All of a run, by pair and person."""
        try:
            return tuple(
                Preference(
                    run_id=run_id,
                    first=row.first,
                    second=row.second,
                    annotator=row.annotator,
                    occasion=row.occasion,
                    left=row.left_one,
                    chosen=Chosen(row.chosen),
                    at_unix_ms=row.at_unix_ms,
                )
                for row in self._connection.execute(_of_run(preference, run_id))
            )
        except ValueError as error:
            raise _damaged(f"a preference of run {run_id}") from error

    def rubric(self, sha256: str) -> Rubric | None:
        """What some scores were given by; None if nothing was given by it."""
        return find_rubric(self._connection, sha256)

    def _numbers(self, run_ids: set[str]) -> dict[str, int]:
        found = {}
        for run_id in run_ids:
            number = self._connection.scalar(sa.select(run.c.number).where(run.c.id == run_id))
            if number is None:
                raise BadInput(
                    "the run of these scores is not kept here (any more)", remedy="import it first"
                )
            found[run_id] = number
        return found

    def _rows(self, said: Said) -> "Iterator[_Row]":
        all_said: tuple[_Thing, ...] = (*said.scores, *said.notes, *said.marks, *said.preferences)
        numbers = self._numbers({one.run_id for one in all_said})
        return (_row(numbers[one.run_id], one) for one in all_said)

    def _put(self, row: "_Row") -> None:
        if self._connection.execute(sa.update(row.table).where(row.is_it).values(row.values)).rowcount == 0:
            self._connection.execute(sa.insert(row.table).values({**row.key, **row.values}))


_Thing: TypeAlias = Score | AnswerNote | AnswerMark | Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What somebody said, as it is kept: under its key whatever it says."""

    table: sa.Table
    key: Mapping[str, object]
    values: Mapping[str, object]

    @property
    def is_it(self) -> sa.ColumnElement[bool]:
        return sa.and_(*(self.table.c[name] == value for name, value in self.key.items()))


def _row(number: int, said: _Thing) -> _Row:
    """Of the run of that number."""
    key: dict[str, object] = {"run": number, "annotator": said.annotator}
    match said:
        case Score():
            key |= {"request": said.number, "occasion": said.occasion}
            key |= {"rubric": said.rubric_sha256, "criterion": said.criterion}
            return _Row(table=score, key=key, values={"value": said.value, "at_unix_ms": said.at_unix_ms})
        case AnswerNote():
            return _Row(table=score_note, key=key | {"request": said.number}, values={"text": said.text})
        case AnswerMark():
            key |= {"request": said.number, "occasion": said.occasion}
            key |= {"kind": said.kind.value, "aspect": said.aspect}
            return _Row(table=answer_mark, key=key, values={"at_unix_ms": said.at_unix_ms})
        case Preference():
            key |= {"first": said.first, "second": said.second, "occasion": said.occasion}
            values = {"left_one": said.left, "chosen": said.chosen.value, "at_unix_ms": said.at_unix_ms}
            return _Row(table=preference, key=key, values=values)
        case _:
            assert_never(said)


def _of_run(table: sa.Table, run_id: str) -> "sa.Select[Any]":
    """All rows of a run, by their key."""
    query = sa.select(table).join(run, run.c.number == table.c.run).where(run.c.id == run_id)
    return query.order_by(*table.primary_key.columns)


def _damaged(what: str) -> StorageProblem:
    return StorageProblem(f"{what} cannot be read: it is damaged", remedy="restore the file from a backup")

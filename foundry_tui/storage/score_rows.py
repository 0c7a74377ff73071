"""Scores that people gave to answers, in rows."""

from collections.abc import Sequence

import sqlalchemy as sa

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.scoring import AnswerNote, Rubric, Score
from foundry_tui.storage.rubric_rows import find_rubric, keep_rubric
from foundry_tui.storage.tables import run, score, score_note

__all__ = ["ScoreRows"]


class ScoreRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep(self, by: Rubric, scores: Sequence[Score], notes: Sequence[AnswerNote]) -> None:
        """Write all of them, each in the place of what the same person gave the same before.

        Raises:
            BadInput: A run is not there.
        """
        keep_rubric(self._connection, by)
        numbers = self._numbers({one.run_id for one in scores} | {note.run_id for note in notes})
        for one in scores:
            key = {
                "run": numbers[one.run_id],
                "request": one.number,
                "annotator": one.annotator,
                "occasion": one.occasion,
                "rubric": one.rubric_sha256,
                "criterion": one.criterion,
            }
            self._put(score, key, value=one.value, at_unix_ms=one.at_unix_ms)
        for note in notes:
            key = {"run": numbers[note.run_id], "request": note.number, "annotator": note.annotator}
            self._put(score_note, key, text=note.text)

    def of_run(self, run_id: str) -> tuple[Score, ...]:
        """All of a run, by answer and person, whatever the rubric."""
        query = (
            sa.select(score)
            .join(run, run.c.number == score.c.run)
            .where(run.c.id == run_id)
            .order_by(*score.primary_key.columns)
        )
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
                for row in self._connection.execute(query)
            )
        except ValueError as error:
            raise _damaged(f"a score of run {run_id}") from error

    def notes(self, run_id: str) -> tuple[AnswerNote, ...]:
        """All of a run, by answer and person."""
        query = (
            sa.select(score_note)
            .join(run, run.c.number == score_note.c.run)
            .where(run.c.id == run_id)
            .order_by(*score_note.primary_key.columns)
        )
        return tuple(
            AnswerNote(run_id=run_id, number=row.request, annotator=row.annotator, text=row.text)
            for row in self._connection.execute(query)
        )

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

    def _put(self, table: sa.Table, key: dict[str, object], **values: object) -> None:
        is_it = sa.and_(*(table.c[name] == value for name, value in key.items()))
        if self._connection.execute(sa.update(table).where(is_it).values(values)).rowcount == 0:
            self._connection.execute(sa.insert(table).values({**key, **values}))


def _damaged(what: str) -> StorageProblem:
    return StorageProblem(f"{what} cannot be read: it is damaged", remedy="restore the file from a backup")

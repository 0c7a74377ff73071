"""The port of scores, served by the database that keeps the runs."""

from typing import TYPE_CHECKING

from foundry_tui.domain.scoring import AnswerMark, AnswerNote, Preference, Rubric, Said, Score
from foundry_tui.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from foundry_tui.storage.score_rows import ScoreRows

__all__ = ["StoredScores"]


class StoredScores:
    """Keeps scores beside their runs, in a database that it borrows; a run that goes takes its own along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, rubric: Rubric, said: Said, *, gone: Said | None = None) -> None:
        await self._database.write(lambda connection: _rows(connection).keep(rubric, said, gone or Said()))

    async def scores(self, run_id: str) -> tuple[Score, ...]:
        return await self._database.read(lambda connection: _rows(connection).of_run(run_id))

    async def notes(self, run_id: str) -> tuple[AnswerNote, ...]:
        return await self._database.read(lambda connection: _rows(connection).notes(run_id))

    async def marks(self, run_id: str) -> tuple[AnswerMark, ...]:
        return await self._database.read(lambda connection: _rows(connection).marks(run_id))

    async def preferences(self, run_id: str) -> tuple[Preference, ...]:
        return await self._database.read(lambda connection: _rows(connection).preferences(run_id))

    async def rubric(self, sha256: str) -> Rubric | None:
        return await self._database.read(lambda connection: _rows(connection).rubric(sha256))


def _rows(connection: "Connection") -> "ScoreRows":
    # Late, in the database's thread: it brings the driver along.
    from foundry_tui.storage.score_rows import ScoreRows

    return ScoreRows(connection)

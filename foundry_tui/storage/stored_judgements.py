"""The port of judgements, served by the database that keeps the runs."""

from typing import TYPE_CHECKING

from foundry_tui.domain.judging import Judgement, JudgePreference
from foundry_tui.domain.scoring import Rubric
from foundry_tui.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from foundry_tui.storage.judge_rows import JudgeRows

__all__ = ["StoredJudgements"]


class StoredJudgements:
    """Keeps judgements beside their runs, in a database that it borrows; a run that goes takes them along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep_judgement(self, rubric: Rubric, judgement: Judgement) -> None:
        await self._database.write(lambda connection: _rows(connection).keep_judgement(rubric, judgement))

    async def keep_preference(self, rubric: Rubric, preference: JudgePreference) -> None:
        await self._database.write(lambda connection: _rows(connection).keep_preference(rubric, preference))

    async def judgements(self, run_id: str) -> tuple[Judgement, ...]:
        return await self._database.read(lambda connection: _rows(connection).judgements(run_id))

    async def preferences(self, run_id: str) -> tuple[JudgePreference, ...]:
        return await self._database.read(lambda connection: _rows(connection).preferences(run_id))


def _rows(connection: "Connection") -> "JudgeRows":
    # Late, in the database's thread: it brings the driver along.
    from foundry_tui.storage.judge_rows import JudgeRows

    return JudgeRows(connection)

"""Rubrics in rows: what scores of people and of judges were given by."""

import json

import sqlalchemy as sa

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.scoring import Criterion, Rubric
from foundry_tui.storage.tables import rubric

__all__ = ["find_rubric", "keep_rubric"]


def keep_rubric(connection: sa.Connection, by: Rubric) -> None:
    """Write it, unless that version is there."""
    known = sa.select(rubric.c.sha256).where(rubric.c.sha256 == by.sha256)
    if connection.scalar(known) is None:
        criteria = json.dumps([[one.id, one.name, one.low, one.high] for one in by.criteria])
        row = {"sha256": by.sha256, "name": by.name, "criteria": criteria}
        connection.execute(sa.insert(rubric).values(row))


def find_rubric(connection: sa.Connection, sha256: str) -> Rubric | None:
    """The rubric of that version; None if nothing was given by it.

    Raises:
        StorageProblem: It is damaged.
    """
    row = connection.execute(sa.select(rubric).where(rubric.c.sha256 == sha256)).one_or_none()
    if row is None:
        return None
    try:
        criteria = tuple(
            Criterion(id=key, name=name, low=low, high=high)
            for key, name, low, high in json.loads(row.criteria)
        )
    except (ValueError, TypeError) as error:
        raise StorageProblem(
            "a rubric cannot be read: it is damaged", remedy="restore the file from a backup"
        ) from error
    return Rubric(name=row.name, criteria=criteria)

"""The prompt library in rows."""

import json

import sqlalchemy as sa

from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.errors import BadInput
from foundry_tui.storage.names import folded, normal_tags, one_line
from foundry_tui.storage.tables import prompt

__all__ = ["PromptRows"]


class PromptRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[SavedPrompt, ...]:
        """The most recently used first, those never used last, by name."""
        query = sa.select(prompt).order_by(prompt.c.used_unix_ms.desc().nulls_last(), prompt.c.folded)
        return tuple(
            SavedPrompt(
                id=row.id,
                name=row.name,
                text=row.text,
                tags=tuple(json.loads(row.tags)),
                used_unix_ms=row.used_unix_ms,
            )
            for row in self._connection.execute(query)
        )

    def save(self, saved: SavedPrompt) -> None:
        """Add it, or put it in the place of the one of its id."""
        key = folded(saved.name)
        others = sa.select(prompt.c.id).where(prompt.c.folded == key, prompt.c.id != saved.id)
        if self._connection.scalar(others) is not None:
            raise BadInput("a saved prompt has that name already", remedy="give it another name")
        values: dict[str, object] = {
            "id": saved.id,
            "folded": key,
            "name": one_line(saved.name),
            "text": saved.text,
            "tags": json.dumps(normal_tags(saved.tags), ensure_ascii=False),
            "used_unix_ms": saved.used_unix_ms,
        }
        self._connection.execute(sa.insert(prompt).prefix_with("OR REPLACE").values(values))

    def delete(self, prompt_id: str) -> None:
        """Remove it, if it is there."""
        self._connection.execute(sa.delete(prompt).where(prompt.c.id == prompt_id))

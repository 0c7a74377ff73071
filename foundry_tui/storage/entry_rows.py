"""What was typed into the prompt, in rows."""

import sqlalchemy as sa

from foundry_tui.storage.tables import entry

__all__ = ["EntryRows"]


class EntryRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def newest(self, limit: int) -> tuple[str, ...]:
        """The newest ``limit``, oldest first."""
        query = sa.select(entry.c.text).order_by(entry.c.number.desc()).limit(limit)
        return tuple(reversed(self._connection.scalars(query).all()))

    def remember(self, text: str, *, keep: int) -> None:
        """Put ``text`` at the end, and forget all but the newest ``keep``."""
        self._connection.execute(sa.delete(entry).where(entry.c.text == text))
        self._connection.execute(sa.insert(entry).values(text=text))
        kept = sa.select(entry.c.number).order_by(entry.c.number.desc()).limit(keep)
        self._connection.execute(sa.delete(entry).where(entry.c.number.not_in(kept)))

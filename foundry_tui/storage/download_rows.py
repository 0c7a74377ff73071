"""The queue of downloads, and accepted licences, in rows."""

from collections.abc import Callable

import sqlalchemy as sa

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.storage.tables import accepted_license, download

__all__ = ["DownloadRows", "LicenseRows"]


class DownloadRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Download, ...]:
        """All of them, by place; of two at one place the older one first."""
        query = sa.select(download).order_by(download.c.place, download.c.added_unix_ms, download.c.id)
        return tuple(
            Download(
                id=row.id,
                model_id=row.model,
                added_unix_ms=row.added_unix_ms,
                place=row.place,
                state=DownloadState(row.state),
                size_bytes=row.size_bytes,
                not_before_unix_ms=row.not_before_unix_ms,
                attempts=row.attempts,
                problem=row.problem,
                remedy=row.remedy,
                outlives_app=row.outlives_app,
                ended_unix_ms=row.ended_unix_ms,
            )
            for row in self._connection.execute(query)
        )

    def change(self, change: Callable[[tuple[Download, ...]], tuple[Download, ...]]) -> tuple[Download, ...]:
        """Make the queue what ``change`` makes of it; what it left out is removed."""
        before = self.all()
        wanted = change(before)
        if wanted == before:
            return before
        kept = {entry.id: entry for entry in before}
        for entry in wanted:
            if kept.pop(entry.id, None) != entry:
                self._put(entry)
        for download_id in kept:
            self._connection.execute(sa.delete(download).where(download.c.id == download_id))
        return self.all()

    def _put(self, entry: Download) -> None:
        values: dict[str, object] = {
            "id": entry.id,
            "model": entry.model_id,
            "added_unix_ms": entry.added_unix_ms,
            "place": entry.place,
            "state": entry.state.value,
            "size_bytes": entry.size_bytes,
            "not_before_unix_ms": entry.not_before_unix_ms,
            "attempts": entry.attempts,
            "problem": entry.problem,
            "remedy": entry.remedy,
            "outlives_app": entry.outlives_app,
            "ended_unix_ms": entry.ended_unix_ms,
        }
        self._connection.execute(sa.insert(download).prefix_with("OR REPLACE").values(values))


class LicenseRows:
    """Reads and writes within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def has(self, text_sha256: str) -> bool:
        """Whether that one is there."""
        query = sa.select(accepted_license.c.name).where(accepted_license.c.text_sha256 == text_sha256)
        return self._connection.execute(query).first() is not None

    def add(self, text_sha256: str, *, name: str, at_unix_ms: int) -> None:
        """Add it, unless it is there: the first time counts."""
        values: dict[str, object] = {"text_sha256": text_sha256, "name": name, "at_unix_ms": at_unix_ms}
        self._connection.execute(sa.insert(accepted_license).prefix_with("OR IGNORE").values(values))

"""The ports of downloads, served by the database."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from foundry_tui.domain.downloads import Download
from foundry_tui.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from foundry_tui.storage.download_rows import DownloadRows, LicenseRows

__all__ = ["StoredDownloads", "StoredLicenses"]

# The module that speaks SQL is imported in the database's thread, for it brings the driver along.


class StoredDownloads:
    """Keeps the queue of downloads in a database that it borrows.

    What it was given is on disk when it returns, and seen by every other program that reads after that.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def downloads(self) -> tuple[Download, ...]:
        return await self._database.read(lambda connection: self._rows(connection).all())

    async def change_downloads(
        self, change: Callable[[tuple[Download, ...]], tuple[Download, ...]]
    ) -> tuple[Download, ...]:
        """Make the queue what ``change`` makes of it, and nobody else writes in between; what it is then.

        ``change`` is called in the database's thread with all entries by place.  If it raises, nothing is
        changed.
        """
        return await self._database.write(lambda connection: self._rows(connection).change(change))

    @staticmethod
    def _rows(connection: "Connection") -> "DownloadRows":
        from foundry_tui.storage.download_rows import DownloadRows

        return DownloadRows(connection)


class StoredLicenses:
    """Keeps which licence texts were agreed to in a database that it borrows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_accepted(self, text_sha256: str) -> bool:
        return await self._database.read(lambda connection: self._rows(connection).has(text_sha256))

    async def accept(self, text_sha256: str, *, name: str, at_unix_ms: int) -> None:
        await self._database.write(
            lambda connection: self._rows(connection).add(text_sha256, name=name, at_unix_ms=at_unix_ms)
        )

    @staticmethod
    def _rows(connection: "Connection") -> "LicenseRows":
        from foundry_tui.storage.download_rows import LicenseRows

        return LicenseRows(connection)

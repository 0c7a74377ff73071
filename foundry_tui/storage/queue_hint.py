"""Whether there is a queue of downloads to go on with, found out without the database's driver."""

from contextlib import closing
from pathlib import Path

from foundry_tui.domain.downloads import ENDED_STATES

__all__ = ["has_unfinished_downloads"]


def has_unfinished_downloads(path: Path) -> bool:
    """Whether the database at ``path`` has an entry that has not ended; True if that cannot be told.

    Reads alone, and makes no file.  Blocks.
    """
    if not path.exists():
        return False
    import sqlite3  # late: nobody needs it before the first frame

    marks = ", ".join("?" * len(ENDED_STATES))
    question = f"SELECT EXISTS (SELECT 1 FROM download WHERE state NOT IN ({marks}))"
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
        ) as connection:
            (found,) = connection.execute(question, sorted(ENDED_STATES)).fetchone()
    except sqlite3.OperationalError as error:
        # A file of an earlier version has no queue yet; whatever else is wrong is told by the queue itself.
        return "no such table" not in str(error)
    except sqlite3.Error:
        return True
    return bool(found)

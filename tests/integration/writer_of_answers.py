"""A program that writes a conversation piece by piece and says what is on disk: for tests of how it ends.

``python -m tests.integration.writer_of_answers FILE NAME PIECES [--room BYTES]``

It prints ``begun``, the number of each piece once that is kept, and ``finished``.  With ``--room`` files can
grow no further than that, as on a disk that is nearly full: the failure is printed by its class, the limit is
lifted, and the piece is written again.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.storage import Database, StoredConversations

__all__ = ["piece"]


def piece(name: str, number: int) -> str:
    """What piece ``number`` says."""
    return f"{name}-{number} " + "and so on " * 20


async def main(path: Path, name: str, pieces: int, room_bytes: int | None) -> None:
    """Write the conversation ``name`` and its answer ``name``-a."""
    database = Database(path)
    store = StoredConversations(database)
    question = Turn(id=f"{name}-q", parent_id=None, role=Role.USER, text=name, at_unix_ms=1)
    answer = Turn(id=f"{name}-a", parent_id=question.id, role=Role.ASSISTANT, text="", at_unix_ms=2)
    await store.create(Conversation(id=name, title=name, created_unix_ms=1, updated_unix_ms=1))
    await store.add_turn(name, question)
    await store.add_turn(name, answer)
    _say("begun")
    if room_bytes is not None:
        log = path.with_name(f"{path.name}-wal")
        _limit_files(log.stat().st_size + room_bytes)
    for number in range(pieces):
        try:
            await store.extend_turn(answer.id, text=piece(name, number), reasoning=f"{number} ")
        except StorageProblem as error:
            _say(type(error).__name__)
            _limit_files(None)
            await store.extend_turn(answer.id, text=piece(name, number), reasoning=f"{number} ")
        _say(str(number))
    await database.aclose()
    _say("finished")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _limit_files(size_bytes: int | None) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size_bytes is None else size_bytes, hard))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("name")
    parser.add_argument("pieces", type=int)
    parser.add_argument("--room", type=int)
    given = parser.parse_args()
    asyncio.run(main(given.path, given.name, given.pieces, given.room))

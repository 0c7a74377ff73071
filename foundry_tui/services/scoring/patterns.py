"""Looks for regular expressions in answers, in a child process and with a limit of time for each."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from foundry_tui.children import CREATION_FLAGS, OWN_SESSION
from foundry_tui.domain.checks import Matches
from foundry_tui.metrics.checks import TriedPattern
from foundry_tui.services.scoring import pattern_child

__all__ = ["LONGEST_ANSWER", "SEARCH_LIMIT_S", "tried_patterns"]

SEARCH_LIMIT_S: Final = 2.0
"""So long may one pattern be looked for in one answer."""
LONGEST_ANSWER: Final = 20_000
"""In longer ones, in characters, no pattern is looked for."""

# Until the child must have ended itself, with its start and a busy machine.
_SLACK_S = 20.0


async def tried_patterns(
    wanted: Iterable[tuple[Matches, str]], *, limit_s: float = SEARCH_LIMIT_S
) -> dict[tuple[Matches, str], TriedPattern]:
    """What came of each pattern in each text; one that could not be told once is not tried again."""
    found: dict[tuple[Matches, str], TriedPattern] = {}
    hopeless: dict[Matches, str] = {}
    async with _Child(limit_s) as child:
        for pattern, text in dict.fromkeys(wanted):
            if len(text) > LONGEST_ANSWER:
                tried = _unknown(
                    f"the answer has {len(text):,} characters, a pattern is for {LONGEST_ANSWER:,}"
                )
            elif pattern in hopeless:
                tried = _unknown(f"{hopeless[pattern]}, on another answer")
            else:
                tried = await child.search(pattern, text)
                if tried.why is not None:
                    hopeless[pattern] = tried.why
            found[pattern, text] = tried
    return found


class _Child:
    """Starts with the first search, and again after one that had no end."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._process: Process | None = None

    async def __aenter__(self) -> "_Child":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._end()

    async def search(self, pattern: Matches, text: str) -> TriedPattern:
        line = json.dumps([self._limit_s, pattern.pattern, pattern.ignores_case, text])
        try:
            answer = await asyncio.wait_for(self._asked(line), self._limit_s + _SLACK_S)
        except TimeoutError:
            answer = b""
        except OSError as error:
            await self._end()
            return _unknown(f"the process that tries patterns does not answer: {error}")
        if not answer.endswith(b"\n"):
            await self._end()
            return _unknown(f"the pattern took longer than {self._limit_s:g} s")
        said = json.loads(answer)
        return TriedPattern(is_found=said) if isinstance(said, bool) else _unknown(str(said))

    async def _asked(self, line: str) -> bytes:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(pattern_child.__file__))),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                creationflags=CREATION_FLAGS,
                start_new_session=OWN_SESSION,
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{line}\n".encode("ascii"))
        await stdin.drain()
        return await stdout.readline()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _unknown(why: str) -> TriedPattern:
    return TriedPattern(is_found=None, why=why)

"""What a typed line means: a question, or a command from the one table that help and dispatch share."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from foundry_tui.cli.plain_words import listed, nearest
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line

if TYPE_CHECKING:
    from foundry_tui.cli.plain_session import Session

__all__ = ["Command", "CommandTable", "Handler", "Typed", "amount_in", "number_in", "read_line"]

Handler: TypeAlias = "Callable[[Session, str], Awaitable[None]]"

_COMMAND = re.compile(r"/(?P<name>\S*)\s*(?P<rest>.*)", re.DOTALL)
_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that can be done.

    Attributes:
        names: Without their slash; the first is the one that is shown.
        group: What it is about; commands of a group stand together.
        arguments: What follows the name; what may be left out stands in brackets.  "" takes nothing.
        help: One line without a full stop.
        run: Gets what follows the name, without the blanks around it.
    """

    names: tuple[str, ...]
    group: str
    help: str
    example: str
    run: Handler
    arguments: str = ""

    @property
    def usage(self) -> str:
        """The name and what follows it."""
        return f"/{self.names[0]} {self.arguments}".rstrip()

    @property
    def needs_arguments(self) -> bool:
        """Whether it can do nothing by its name alone."""
        return bool(self.arguments) and not self.arguments.startswith("[")

    def lines(self) -> list[str]:
        """All about it."""
        lines = [f"{self.usage}: {self.help}.", f"For example: {self.example}"]
        if len(self.names) > 1:
            lines.append(f"Also: {listed([f'/{name}' for name in self.names[1:]])}.")
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A line that was understood.

    Attributes:
        command: None for a question.
        text: The question, or what follows the command's name.
    """

    command: Command | None
    text: str


class CommandTable:
    """All commands, by their names."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = tuple(commands)
        self._by_name: dict[str, Command] = {}
        for command in self._commands:
            for name in command.names:
                if name in self._by_name:
                    raise ValueError(f"two commands are called {name}")
                self._by_name[name] = command

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)

    def find(self, name: str) -> Command:
        """The command of that name, with or without its slash.

        Raises:
            BadInput: There is none; names the nearest.
        """
        wanted = name.strip().removeprefix("/").casefold()
        if (found := self._by_name.get(wanted)) is not None:
            return found
        close = [f"/{other}" for other in nearest(wanted, self._by_name)]
        raise BadInput(
            f"there is no command /{clean_line(wanted, _NAME_CHARACTERS)}",
            remedy=f"did you mean {listed(close)}? /help lists all" if close else "/help lists all",
        )

    def groups(self) -> dict[str, tuple[Command, ...]]:
        """The commands by what they are about, in the order of the table."""
        return {
            group: tuple(commands)
            for group, commands in groupby(self._commands, key=lambda command: command.group)
        }


def read_line(line: str, table: CommandTable) -> Typed:
    """What ``line`` means; of a command all that it needs is there.

    Raises:
        BadInput: There is no such command, or it cannot be given so.
    """
    if line.startswith("//"):
        return Typed(command=None, text=line[1:])
    match = _COMMAND.match(line)
    if match is None:
        return Typed(command=None, text=line)
    command = table.find(match["name"])
    rest = match["rest"].strip()
    if command.needs_arguments and not rest:
        raise BadInput(
            f"/{command.names[0]} needs {command.arguments}", remedy=f"{command.example}, for example"
        )
    if rest and not command.arguments:
        raise BadInput(
            f"/{command.names[0]} stands alone, and was not done",
            remedy=f"/{command.names[0]} alone; a question that begins with a slash begins with two",
        )
    return Typed(command=command, text=rest)


def amount_in(text: str, limit: int) -> int:
    """How many of something ``text`` asks for, 1 at least and ``limit`` at most.

    Raises:
        BadInput: It is no such number.
    """
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= limit:
        raise BadInput(
            f"{clean_line(text, _NAME_CHARACTERS)} says not how many", remedy=f"a number from 1 to {limit:,}"
        )
    return int(text)


def number_in(text: str, count: int, what: str, where: str = "") -> int:
    """The number that ``text`` is, from 1 to ``count``.

    Args:
        text: As it was typed.
        count: How many there are.
        what: What is numbered, one of it.
        where: Where they are, such as "in the last list".

    Raises:
        BadInput: It is none of these.
    """
    place = f" {where}" if where else ""
    if text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= count:
        return int(text)
    given = clean_line(text, _NAME_CHARACTERS)
    if count == 0:
        raise BadInput(f"there is no {what}{place} yet")
    bounds = "the only one is number 1" if count == 1 else f"the numbers go from 1 to {count:,}"
    raise BadInput(f"there is no {what} {given}{place}", remedy=bounds)

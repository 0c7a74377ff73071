"""Commands below a command, such as ``runs list``, and what several of them do alike."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from foundry_tui.cli.options import add_common

__all__ = ["AddAction", "add_group", "page_by_page"]

_PAGE = 500


class AddAction(Protocol):
    """Adds one command below a group; ``defaults`` is what it sets beside its options."""

    def __call__(self, name: str, words: str, example: str, **defaults: object) -> argparse.ArgumentParser:
        """Its parser."""
        ...


class _Summary(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Summary)


def add_group(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    group: str,
    *,
    description: str,
    example: str,
) -> AddAction:
    """Add ``group``; examples begin behind its name."""
    parser = commands.add_parser(
        group, description=description, epilog=f"example: foundry-tui {group} {example}"
    )
    add_common(parser, top=False)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def add(name: str, words: str, example: str, **defaults: object) -> argparse.ArgumentParser:
        action = actions.add_parser(
            name, help=words, description=words, epilog=f"example: foundry-tui {group} {example}"
        )
        add_common(action, top=False)
        action.set_defaults(**defaults)
        return action

    return add


async def page_by_page(page: Callable[[int, int], Awaitable[Sequence[T]]], *, limit: int | None) -> list[T]:
    """All that is kept, or the first ``limit``, each once, though what is written meanwhile moves them.

    Args:
        page: So many of them, from that place on.
        limit: None wants all.
    """
    found: dict[str, T] = {}
    offset = 0
    while limit is None or len(found) < limit:
        size = _PAGE if limit is None else min(_PAGE, limit)
        some = await page(size, offset)
        found |= {one.id: one for one in some if one.id not in found}
        offset += len(some)
        if len(some) < size:
            break
    return list(found.values())[:limit]

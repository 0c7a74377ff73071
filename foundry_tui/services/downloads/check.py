"""Checking what was downloaded, in a thread that a program which is quit does not wait for."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.quantities import count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.downloads import ModelChecker

__all__ = ["CheckFound", "check_of", "in_daemon_thread"]

T = TypeVar("T")

_NAMED = 3
_NAME_LIMIT = 80


@dataclass(frozen=True, slots=True)
class CheckFound:
    """What is wrong with a model, in words; None if it is sound."""

    problem: str | None


def check_of(
    model_id: str, *, checker: ModelChecker, folder_of: Callable[[str], Path | None]
) -> Callable[[], CheckFound]:
    """A deep check of that model, to be called where it may block for as long as it reads."""

    def check() -> CheckFound:
        try:
            folder = folder_of(model_id)
            if folder is None:
                return CheckFound("the runtime said that it is here, but its folder is not")
            return CheckFound(_in_words(checker.check(model_id, folder, is_deep=True)))
        except FoundryTuiError as error:
            return CheckFound(error.message)
        except OSError as error:
            return CheckFound(f"its files cannot be read: {error.strerror or error}")

    return check


def in_daemon_thread(name: str, work: Callable[[], T], *, on_done: Callable[[], None]) -> asyncio.Future[T]:
    """Do ``work`` in a thread that ends with the program; ``on_done`` is called on the loop at its end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(told: Callable[[], None]) -> None:
        if not future.cancelled():
            told()
            on_done()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits, not swallowed
            told = _raising(future, error)
        else:
            told = _answering(future, result)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, told)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _raising(future: asyncio.Future[T], error: BaseException) -> Callable[[], None]:
    return lambda: future.set_exception(error)


def _answering(future: asyncio.Future[T], result: T) -> Callable[[], None]:
    return lambda: future.set_result(result)


def _in_words(health: ModelHealth) -> str | None:
    if health.state is not HealthState.DAMAGED:
        return None
    named = "; ".join(
        f"{clean_line(one.file, _NAME_LIMIT)} {clean_line(one.what, _NAME_LIMIT)}"
        for one in health.problems[:_NAMED]
    )
    more = len(health.problems) - _NAMED
    return f"it is damaged: {named or 'no file was named'}" + (
        f"; and {count_in_words(more)} more" if more > 0 else ""
    )

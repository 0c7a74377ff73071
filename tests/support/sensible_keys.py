"""What a person at the keyboard might do next: seeded, so that whatever went wrong can be done again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Press", "presses"]

_PROMPTS = (
    "What is the capital of France?",
    "What does the cow say?",
    "What is 7 + 8?",
    "Tell me a story.",
    "a\nb **bold** `code` [link](http://x) \\ [red]",
    "日本語 🙂 e\u0301 \u202e abc",
)
_FILTERS = ("license:mit", "size<2gb cached", "device:", '"open', "-loaded", "zzz", "context>=8k", "size<")
_WORDS = ("the", "cow", "Paris", "x", "")
_ESC, _TAB, _ENTER = "\x1b", "\t", "\r"
_UP, _DOWN, _RIGHT, _LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
_PAGE_UP, _PAGE_DOWN, _HOME, _END = "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F"
_F1, _F2, _F3, _F4, _F5, _F6 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~"
_F8, _F9, _F10, _F12 = "\x1b[19~", "\x1b[20~", "\x1b[21~", "\x1b[24~"
_OVERLAYS = ("\x1b4", _F1, _F2, _F3, _F4, _F5, _F9, _F10, _F12, "\x10", "\x0c", "\x14", "\x0f", "\x07")
_SIZES = ((80, 24), (120, 40), (200, 60), (60, 18), (100, 30))


@dataclass(frozen=True, slots=True)
class Press:
    """Something typed at once, or a change of the window.

    Attributes:
        keys: As a terminal sends them; "" for none.
        size: Columns and lines that the window gets; None leaves it.
        settles: Whether a person would wait for something to happen before going on.
    """

    keys: str
    size: tuple[int, int] | None = None
    settles: bool = False


def presses(seed: int) -> Iterator[Press]:
    """An endless walk through the app; it never quits, and never writes to a file of the user.

    What it downloads ends with the app: nothing is told to outlive it.
    """
    dice = random.Random(seed)
    walks = (
        (8, _ask),
        (5, _read),
        (4, _catalog),
        (4, _overlay),
        (3, _search),
        (3, _get),
        (3, _queue),
        (2, _cache),
        (2, _branch),
        (2, _wander),
        (1, _resize),
        (1, _restart),
    )
    weights = [weight for weight, _ in walks]
    while True:
        walk = dice.choices([walk for _, walk in walks], weights)[0]
        yield from walk(dice)


def _ask(dice: random.Random) -> Iterator[Press]:
    yield Press("\x1b3")
    for character in dice.choice(_PROMPTS):
        yield Press("\n" if character == "\n" else character)
    if dice.random() < 0.2:
        yield Press(_UP)
        yield Press(_DOWN)
    yield Press(_ENTER, settles=dice.random() < 0.7)
    if dice.random() < 0.3:
        yield Press(_ESC, settles=True)


def _read(dice: random.Random) -> Iterator[Press]:
    yield Press("\x1b3")
    yield Press("\x1b[Z")  # Shift+Tab: from the prompt back to what lies above it
    if dice.random() < 0.5:
        yield Press("\x1b[Z")
    keys = (
        "[",
        "]",
        "{",
        "}",
        " ",
        "Z",
        "c",
        "b",
        _UP,
        _DOWN,
        _PAGE_UP,
        _PAGE_DOWN,
        _HOME,
        _END,
        _LEFT,
        _RIGHT,
    )
    for _ in range(dice.randint(2, 10)):
        yield Press(dice.choice(keys))
    yield Press("\x1b3", settles=True)


def _catalog(dice: random.Random) -> Iterator[Press]:
    yield Press("\x1b1")
    if dice.random() < 0.6:
        yield Press("/")
        for character in dice.choice(_FILTERS):
            yield Press(character)
        yield Press(_ENTER)
    for _ in range(dice.randint(1, 6)):
        yield Press(
            dice.choice((_DOWN, _UP, "s", "S", " ", "i", "c", "o", _ESC, _PAGE_DOWN, "x", "d", "v", _ENTER))
        )
    yield Press(_ESC)
    yield Press(_ESC, settles=True)


def _get(dice: random.Random) -> Iterator[Press]:
    yield Press("\x1b1")
    for _ in range(dice.randint(0, 12)):
        yield Press(dice.choice((_DOWN, _DOWN, _UP)))
    yield Press("d", settles=dice.random() < 0.8)
    for _ in range(dice.randint(0, 3)):
        yield Press(dice.choice(("m", "n", "r", _PAGE_DOWN, _END)))
    yield Press(dice.choice(("a", "a", "d", _ESC)), settles=dice.random() < 0.8)
    if dice.random() < 0.3:
        yield Press(_ENTER)  # to whatever is asked: this machine may not be able to run it
    yield Press(_ESC)
    yield Press(_ESC, settles=True)


def _queue(dice: random.Random) -> Iterator[Press]:
    yield Press(_F8, settles=dice.random() < 0.8)
    for _ in range(dice.randint(1, 8)):
        key = dice.choice(("p", "p", "x", "r", "v", "n", "c", "K", "J", _UP, _DOWN, _ENTER, _HOME, _END))
        yield Press(key, settles=dice.random() < 0.3)
        if key in ("x", "v", _ENTER):
            yield Press(dice.choice((_ENTER, _ESC, _TAB)))  # a question, or what can be read of it
    yield Press(_ESC)
    yield Press(_ESC, settles=True)


def _cache(dice: random.Random) -> Iterator[Press]:
    yield Press("\x1b2", settles=True)
    for _ in range(dice.randint(1, 6)):
        key = dice.choice(("v", "V", "R", "f", "m", _UP, _DOWN, _DOWN, _ENTER))
        yield Press(key, settles=dice.random() < 0.4)
        if key == "m" or dice.random() < 0.4:
            yield Press(_ESC)
        elif key == "R":
            yield Press(dice.choice((_ENTER, _ESC)), settles=True)
    yield Press(_ESC)
    yield Press(_ESC, settles=True)


def _overlay(dice: random.Random) -> Iterator[Press]:
    yield Press(dice.choice(_OVERLAYS), settles=dice.random() < 0.7)
    for _ in range(dice.randint(0, 5)):
        yield Press(dice.choice((_DOWN, _UP, _PAGE_DOWN, _TAB, "a", "o")))
    yield Press(_ESC)
    yield Press(_ESC, settles=True)
    if dice.random() < 0.3:
        yield Press(_F6)


def _search(dice: random.Random) -> Iterator[Press]:
    yield Press("\x06")
    for character in dice.choice(_WORDS):
        yield Press(character)
    for _ in range(dice.randint(0, 3)):
        yield Press(_ENTER)
    yield Press(_ESC)


def _branch(dice: random.Random) -> Iterator[Press]:
    yield Press("\x1b3")
    yield Press("\x1b[Z")
    yield Press("\x1b[Z")
    yield Press(dice.choice(("e", "g", "<", ">")), settles=True)
    if dice.random() < 0.5:
        yield Press(" again")
        yield Press(_ENTER, settles=True)
    yield Press(_ESC)


def _wander(dice: random.Random) -> Iterator[Press]:
    for _ in range(dice.randint(3, 12)):
        yield Press(
            dice.choice((_TAB, "\x1b[Z", _UP, _DOWN, "1", "2", "3", "\x1b1", "\x1b2", "\x1b3", "r", "\x0e"))
        )
    yield Press(_ESC)


def _resize(dice: random.Random) -> Iterator[Press]:
    yield Press("", size=dice.choice(_SIZES), settles=True)


def _restart(dice: random.Random) -> Iterator[Press]:
    if dice.random() < 0.5:
        yield Press("\x12", settles=True)

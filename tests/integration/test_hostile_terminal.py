"""The real program shows hostile text in a real pseudo-terminal: only Textual's own sequences come out."""

import asyncio
import base64
import json
import re
import sys
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from foundry_tui.cli.exit_codes import ExitCode
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.endpoint_process import endpoint_process
from tests.support.hostile import (
    BROKEN_UTF8,
    Payload,
    bidirectional,
    controls,
    floods,
    harm_in,
    markdown_bombs,
    markup,
    naughty_strings,
    no_characters,
    odd_pieces,
    sequences,
)
from tests.support.script import (
    Done,
    ErrorObject,
    Finish,
    Gate,
    Headers,
    Raw,
    Respond,
    Role,
    Script,
    Split,
    Step,
    Text,
    Usage,
    answer,
)
from tests.support.served import ServedModel

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.integration.test_terminal import CTRL_Q, ENTER, PROGRAM, environment
from tests.support.escapes import Escape, SequenceString, Summary, read_output, summary
from tests.support.processes import hosts, until_gone
from tests.support.recorder import Recorder, recorder

pytestmark = [pytest.mark.terminal, pytest.mark.native]

NARROW, WIDE = (80, 24), (120, 40)
PAGE_UP, CTRL_C, SELECT_ALL = "\x1b[5~", "\x03", "\x1b[18~"
CR, LF = 13, 10
PAGES = 300
# Of every attribute and of every kind of block, so that all that Textual emits for them is seen once.
HARMLESS = """# Head

**bold** *italic* `code` ~~gone~~ [link](http://x.y)

```python
def f(): return 1  # x
```

- item

1. item

> quote

---

| a | b |
|---|---|
| 1 | 2 |

wide 宽 emoji 🎉 end"""
CUT = "\x9b31;47;5m \x1b]0;owned\x07 \u202e宽"
SEEN = ("␛]0;owned␇", "␛[31;47;5m", "\ufffd31;47;5m", "␛]52;c;c2VjcmV0", "photo\ufffdgnp.exe")
# Prompt tokens of the two answers; below an answer, and nowhere else, they stand once it has ended.
FIRST_END, SECOND_END = 393, 394
EVIL_FOLDER = "evil\x1b]0;owned\x07\x9b31m\u202e\udcff"
ERRORS = ("broken-stream", "broken-bytes", "broken-words")
END = (Finish(), Usage(SECOND_END, 7), Done())
TAG = re.compile("§(\\d+)§".encode())
# What a terminal lets through within a paste: no escape, or the paste would end there.
TYPED = "".join(payload.text for payload in controls() if "\x1b" not in payload.text)
# A model of a server that downloads, and what its title may say at the most.
EVIL_MODEL = "evil\x1b]0;owned\x07\x9b31m\u202e\x9c✓-generic-cpu:1"
TITLE = re.compile(r"2;[ -~↓]{0,121}")
NAMES = [*[*sequences()][::12], *bidirectional(), *floods(100), *no_characters(), *markup()]


def joined(payloads: Iterable[Payload]) -> str:
    return " ".join(payload.text for payload in payloads)


def tagged(payloads: Iterable[Payload], first: int = 0) -> str:
    """``payloads``, ten to a paragraph, each behind a number by which its painting is known."""
    lines = [f"§{n}§ {payload.text[:500]}" for n, payload in enumerate(payloads, start=first)]
    return "\n\n".join("\n".join(lines[n : n + 10]) for n in range(0, len(lines), 10))


def cut_everywhere(text: str) -> list[Step]:
    """``text`` again and again, each time cut between two writes at another byte."""
    # From the end: what follows the text in its event is less than ninety bytes.
    return [Split(Text(text), pause_ms=0, at=-place) for place in range(1, len(text.encode()) + 90)]


def spelt(text: str) -> Step:
    """A piece of an answer whose characters are spelt as JSON's escapes, halves of pairs too."""
    chunk = {"choices": [{"delta": {"content": text}, "index": 0}]}
    return Raw(f"data: {json.dumps(chunk)}\n\n".encode())


def failing(message: str) -> Script:
    return Script((Headers(), Role(), ErrorObject(f"{ERRORS[0]} {message} {ERRORS[0]}")))


def refused(body: bytes, error: str) -> Script:
    return Script((Respond(500, b"%b %b %b" % (error.encode(), body, error.encode()), "text/plain"),))


def top_tag(raw: bytes, default: int) -> int:
    return min((int(number) for number in TAG.findall(raw)), default=default)


def has_tag_before(top: int, raw: bytes) -> bool:
    return top_tag(raw, top) < top


class Session:
    """The program, driven from its catalog to its end."""

    def __init__(self, opened: Recorder) -> None:
        self.opened = opened

    def open_chat(self, model: str) -> None:
        self.opened.wait_for(model)
        self.opened.send(ENTER)
        # The cursor stands on the first letter and has a style of its own.
        self.opened.wait_for("sk anything")

    def ask(self, expected: str) -> None:
        start = self.opened.length
        self.opened.send("hi" + ENTER)
        self.opened.wait_for(expected, start=start)

    def read_back(self, tags: int, size: tuple[int, int]) -> None:
        """Page up to the beginning of the conversation, so that all of it is painted.

        Where the tags below ``tags`` stand every page has one, and it is waited for.  Elsewhere the next page
        is asked for after a moment.
        """
        start = self.opened.length
        self._mouse((0, size[0] - 50, 5, "M"), (0, size[0] - 50, 5, "m"))
        top = 1 << 30
        for _ in range(PAGES):
            if top == 0:
                return
            self.opened.send(PAGE_UP)
            within_s = 10.0 if top < tags else 0.05
            self.opened.comes(partial(has_tag_before, top), start=start, within_s=within_s)
            top = top_tag(self.opened.raw[start:], top)
        raise AssertionError(f"the beginning was not reached within {PAGES} pages, only {top}")

    def copy_with_the_mouse(self, size: tuple[int, int]) -> str:
        """Select some rows of the conversation and copy them; what reached the clipboard."""
        start, right = self.opened.length, size[0]
        self._mouse(
            (0, right - 50, 5, "M"),
            (32, right - 30, 8, "M"),
            (32, right - 10, 14, "M"),
            (0, right - 10, 14, "m"),
        )
        self.opened.send(CTRL_C)
        return self._copied(start)

    def paste(self, text: str) -> str:
        """Paste into the prompt, select all of it and copy it; what reached the clipboard."""
        start = self.opened.length
        self.opened.send(f"\x1b[200~before {text} after\x1b[201~")
        self.opened.wait_for("after", start=start)
        self.opened.send(SELECT_ALL + CTRL_C)
        return self._copied(start)

    def leave(self) -> bytes:
        """Quit; everything that was written to the terminal."""
        self.opened.send(CTRL_Q)
        assert self.opened.exit_code() == 0
        return self.opened.raw

    def _mouse(self, *events: tuple[int, int, int, str]) -> None:
        for button, column, row, end in events:
            self.opened.send(f"\x1b[<{button};{column};{row}{end}")

    def _copied(self, start: int) -> str:
        def last(raw: bytes) -> tuple[bytes, bytes]:
            body, end, _ = raw.rpartition(b"\x1b]52;c;")[2].partition(b"\x07")
            return body, end

        self.opened.wait_for("\x1b]52;c;", start=start)
        self.opened.wait_until(lambda raw: last(raw)[1] != b"", "end of a copy", start=start)
        return base64.b64decode(last(self.opened.raw[start:])[0], validate=True).decode()


@contextmanager
def session(
    folder: Path, scripts: list[Script], names: tuple[str, ...], size: tuple[int, int]
) -> Generator[Session, None, None]:
    folder.mkdir(exist_ok=True)
    # A page that glides by is never painted whole.
    (folder / "settings.toml").write_text("[screen]\nanimations = false\n", encoding="utf-8")
    with (
        endpoint_process(scripts, Setting(models=names)) as endpoint,
        recorder(
            [*PROGRAM, "--config", str(folder), "--endpoint", endpoint.url],
            environment=environment(folder),
            size=size,
        ) as opened,
    ):
        yield Session(opened)
        engines = hosts(opened.process.pid)
        opened.close()
        assert until_gone(engines) == []


def drive(
    user: Session, size: tuple[int, int], model: str, pasted: str, tags: int = 0
) -> tuple[bytes, list[str]]:
    """All that is done in a session; what was written to the terminal, and each time to the clipboard."""
    user.open_chat(model)
    user.ask(f"{FIRST_END} ")
    user.ask(f"{SECOND_END} ")
    for error in ERRORS:
        user.ask(error)
    copied = [user.paste(pasted)]
    user.read_back(tags, size)
    copied.append(user.copy_with_the_mouse(size))
    return user.leave(), copied


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """What Textual emits by itself where nothing is hostile."""
    scripts = [
        answer([f"§0§\n\n{HARMLESS}"], prompt_tokens=FIRST_END),
        answer([f"§1§\n\n{HARMLESS}"], prompt_tokens=SECOND_END),
        failing("words"),
        refused(b"words", ERRORS[1]),
        refused(b"words", ERRORS[2]),
    ]
    with session(tmp_path_factory.mktemp("harmless"), scripts, ("harmless",), NARROW) as user:
        raw, copied = drive(user, NARROW, "harmless", "words")
    assert copied[0] == "before words after"
    return summary(raw)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
def test_of_hostile_text_only_pictures_reach_the_terminal(
    size: tuple[int, int], harmless: Summary, tmp_path: Path
) -> None:
    short = [*sequences(), *controls(), *bidirectional(), *markup(), *naughty_strings(), *floods(200)]
    bombs = "\n\n".join(f"§{n + len(short)}§\n\n{bomb.text}" for n, bomb in enumerate(markdown_bombs(200)))
    halves = [spelt(payload.text) for payload in no_characters()]
    scripts = [
        answer(odd_pieces(tagged(short)), prompt_tokens=FIRST_END),
        Script((Headers(), Role(), Text(bombs), *cut_everywhere(CUT), *halves, *END)),
        failing(joined([*sequences()][::5])),
        refused(b" ".join(BROKEN_UTF8.values()), ERRORS[1]),
        refused(joined([*controls(), *floods(200)]).encode(), ERRORS[2]),
    ]
    names = ("evil first", *(f"evil {n} {payload.text[:200]}" for n, payload in enumerate(NAMES)))

    with session(tmp_path / EVIL_FOLDER, scripts, names, size) as user:
        raw, copied = drive(user, size, "evil first", f"{TYPED}\u202e", len(short))

    found = summary(raw)
    assert [part for part in SEEN if part not in found.text] == []
    assert harm_in(found.text.replace("\n", "")) == set()
    painted = {int(number) for number in TAG.findall(raw)}
    assert [payload.name for n, payload in enumerate(short) if n not in painted] == []
    assert found.escapes - harmless.escapes == set()
    assert found.attributes - harmless.attributes == set()
    assert found.controls <= {CR, LF}
    assert re.findall(rb"\r(?!\n)|(?<!\r)\n", raw) == []
    assert found.furthest[0] <= size[1]
    assert found.furthest[1] <= size[0]
    # The shape of the mouse's pointer, and the clipboard: no title, no link, no string of another kind.
    assert {(written.kind, written.body.partition(";")[0]) for written in found.strings} <= {
        ("OSC", "22"),
        ("OSC", "52"),
    }
    copies = [written for written in found.strings if written.body.startswith("52;c;")]
    assert len(copies) == len(copied)
    assert "␛" in copied[1]
    assert set(found.strings) - set(copies) - set(harmless.strings) == set()
    assert [harm_in(text.replace("\n", "").replace("\t", "")) for text in copied] == [set(), set()]


def test_a_hostile_file_name_and_a_hostile_key_in_the_file_are_told_and_do_nothing(tmp_path: Path) -> None:
    folder = tmp_path / EVIL_FOLDER
    folder.mkdir()
    (folder / "settings.toml").write_text('"\\u001b]0;owned\\u0007\\u009b31m" = 1\n', encoding="utf-8")

    with recorder(
        [*PROGRAM, "--config", str(folder)], environment=environment(tmp_path), size=NARROW
    ) as opened:
        code = opened.exit_code()

    found = summary(opened.raw)
    assert code == ExitCode.USAGE
    assert "evil␛]0;owned␇" in found.text
    assert "\ufffd31m" in found.text
    assert harm_in(found.text.replace("\n", "")) == set()
    assert (found.escapes, found.strings, found.controls) == (set(), [], {CR, LF})


@asynccontextmanager
async def fetching(
    folder: Path, term: str = "xterm-256color"
) -> AsyncGenerator[tuple[Session, asyncio.Event], None]:
    """The program while a server downloads for it, and what lets that come to its end."""
    rest = asyncio.Event()
    lines = (Raw(b"Total 100.00% Downloading x\n"), Raw(b'{"success":true,"errorMessage":null}'))
    script = Script(
        (Headers(content_type="text/plain"), Raw(b"Total 45.67% Downloading x\n"), Gate(rest), *lines)
    )
    setting = Setting(kind="foundry-v1", models=(ServedModel(id=EVIL_MODEL, is_cached=False),))
    async with scripted_endpoint(answer(["Hi"]), setting) as endpoint:
        endpoint.routes.v1.downloads[EVIL_MODEL] = script
        with recorder(
            [*PROGRAM, "--endpoint", endpoint.url],
            environment=environment(folder) | {"TERM": term},
            size=WIDE,
        ) as opened:
            # In threads, for the server lives on this loop.
            await asyncio.to_thread(opened.wait_for, "evil␛")
            opened.send("d")
            await asyncio.to_thread(opened.wait_for, "Accept the licence")
            opened.send("a")
            await asyncio.to_thread(opened.wait_for, "↓ 45 %")
            yield Session(opened), rest
            engines = hosts(opened.process.pid)
            opened.close()
            assert until_gone(engines) == []


def titles(raw: bytes) -> list[str]:
    """What each title says, and what keeps the old one and takes it up again; in order."""
    said = []
    for output in read_output(raw):
        match output:
            case SequenceString("OSC", body) if body.startswith("2;"):
                assert TITLE.fullmatch(body)
                said.append(body)
            case SequenceString("OSC", body):
                assert body.partition(";")[0] == "22"
            case SequenceString():
                raise AssertionError(f"a string of another kind: {output}")
            case Escape("CSI", parameters, "", "t"):
                said.append(parameters)
    return said


async def test_the_title_says_how_far_a_download_is_and_afterwards_what_it_said_before(
    tmp_path: Path, harmless: Summary
) -> None:
    async with fetching(tmp_path) as (user, rest):
        await asyncio.to_thread(user.opened.wait_for, "\x1b]2;↓ 45 % ")
        rest.set()
        await asyncio.to_thread(user.opened.wait_for, "\x1b]2;\x07")
        raw = await asyncio.to_thread(user.leave)

    kept, *shown, last, taken_up = titles(raw)
    assert (kept, last, taken_up) == ("22;2", "2;", "23;2")
    # What has no share yet says so with a word, if the second falls so.
    assert set(shown) - {"2;downloading evil?]0;owned??31m???-generic-cpu:1"} == {
        "2;↓ 45 % evil?]0;owned??31m???-generic-cpu:1"
    }
    assert summary(raw).escapes - harmless.escapes <= {"CSI t"}


@pytest.mark.parametrize(("term", "is_titled"), [("xterm-256color", True), ("linux", False)])
async def test_leaving_the_app_in_mid_download_gives_the_title_back_to_a_terminal_that_has_one(
    tmp_path: Path, term: str, is_titled: bool
) -> None:
    async with fetching(tmp_path, term) as (user, _):
        # It is written once a second at most; what must not come is not waited for any longer.
        within_s = 10.0 if is_titled else 1.5
        has_come = partial(user.opened.comes, lambda raw: b"\x1b]2;" in raw, within_s=within_s)
        came = await asyncio.to_thread(has_come)
        raw = await asyncio.to_thread(user.leave)

    assert came is is_titled
    assert titles(raw)[-2:] == (["2;", "23;2"] if is_titled else [])

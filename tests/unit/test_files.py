"""The user's own files: what is read, what is refused, and that nothing is ever written over."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.services.files import TextFile, read_text, write_new

as_user = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions bind no superuser"
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The working directory."""
    was = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(was)


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize(
    "data",
    [
        "Grüße\nzwei\n".encode(),
        b"\xef\xbb\xbf" + "Grüße\nzwei\n".encode(),
        "Grüße\nzwei\n".encode("utf-16"),
        "Grüße\r\nzwei\r".encode(),
        b"\xfe\xff" + "Grüße\nzwei\n".encode("utf-16-be"),
    ],
    ids=["utf-8", "with a mark", "utf-16", "other line ends", "utf-16 big end first"],
)
async def test_text_is_read_in_the_encodings_that_editors_write(folder: Path, data: bytes) -> None:
    (folder / "a.txt").write_bytes(data)

    assert await read_text("a.txt") == TextFile(name="a.txt", text="Grüße\nzwei\n")


async def test_a_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    (folder / "a.txt").write_text("x")

    assert (await read_text("~/a.txt")).text == "x"


async def test_a_name_with_broken_bytes_and_controls_is_used_exactly(folder: Path) -> None:
    name = os.fsdecode(b"a\xff\x1b\n.txt")
    (folder / name).write_text("x")

    assert (await read_text(name)).name == name


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"abc\xff", r"is no UTF-8 text \(byte 3\)"),
        (b"PK\x03\x04\x00", "is no text: it holds NUL characters"),
    ],
)
async def test_what_is_no_text_is_refused(folder: Path, data: bytes, problem: str) -> None:
    (folder / "a").write_bytes(data)

    with pytest.raises(BadInput, match=problem):
        await read_text("a")


async def test_a_file_of_the_limit_is_read_and_one_byte_more_is_refused(folder: Path) -> None:
    (folder / "a").write_bytes(b"x" * 2_000)

    assert len((await read_text("a", limit_bytes=2_000)).text) == 2_000
    with pytest.raises(BadInput, match="a is larger than 1 kB"):
        await read_text("a", limit_bytes=1_999)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone", "gone: no such file"),
        ("gone/a", "no such file"),
        (".", "is a folder"),
        ("", "no file was named"),
        (" \n", "no file was named"),
        ("a\0b", "no file was named"),
        ("x" * 5_000, "cannot be read: File name too long"),
        ("~nobody-of-that-name/x", "is no usable path"),
    ],
)
async def test_a_path_that_leads_to_no_file_is_refused(folder: Path, name: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        await read_text(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.timeout(10)
async def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    with pytest.raises(BadInput, match="no such file"):
        await read_text("pipe")


@as_user
async def test_a_file_that_may_not_be_read_is_told(folder: Path) -> None:
    (folder / "a").write_text("x")
    (folder / "a").chmod(0)

    with pytest.raises(BadInput, match="cannot be read: Permission denied"):
        await read_text("a")


async def test_a_new_file_is_written_as_utf_8_with_line_feeds_and_nothing_is_left_beside_it(
    folder: Path,
) -> None:
    path = await write_new("a.md", "Grüße\n\ttwo\n")

    assert path == folder / "a.md"
    assert path.read_bytes() == "Grüße\n\ttwo\n".encode()
    assert names_in(folder) == ["a.md"]


@pytest.mark.parametrize("there", ["file", "folder", "link to nothing"])
async def test_what_is_there_is_not_written_over(folder: Path, there: str) -> None:
    place = folder / "a.md"
    if there == "file":
        place.write_text("mine")
    elif there == "folder":
        place.mkdir()
    else:
        place.symlink_to(folder / "elsewhere")

    with pytest.raises(BadInput, match="exists already"):
        await write_new("a.md", "new")

    assert names_in(folder) == ["a.md"]
    assert there != "file" or place.read_text() == "mine"


async def test_a_file_is_replaced_whole_where_the_user_agreed(folder: Path) -> None:
    (folder / "a.md").write_text("something longer")

    await write_new("a.md", "new", replaces=True)

    assert (folder / "a.md").read_text() == "new"
    assert names_in(folder) == ["a.md"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("gone/a.md", "gone is no folder"), ("", "no file was named"), ("a\0.md", "no file was named")],
)
async def test_a_path_at_which_nothing_can_be_written_is_refused(
    folder: Path, name: str, problem: str
) -> None:
    with pytest.raises(BadInput, match=problem):
        await write_new(name, "x")

    assert names_in(folder) == []


async def test_a_name_that_is_too_long_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(StorageProblem, match="cannot be written: File name too long"):
        await write_new("x" * 300, "text")

    assert names_in(folder) == []


@as_user
async def test_a_folder_that_may_not_be_written_is_told(folder: Path) -> None:
    (folder / "locked").mkdir(mode=0o500)

    with pytest.raises(StorageProblem, match="cannot be written: Permission denied"):
        await write_new("locked/a.md", "x")


@contextmanager
def a_disk_nearly_full() -> Iterator[None]:
    """No file may grow beyond a thousand bytes, pytest's own output included: hold it briefly."""
    resource = pytest.importorskip("resource", reason="this system knows no such limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_where_there_is_no_room_nothing_is_left_and_what_was_there_stays(folder: Path) -> None:
    (folder / "a.md").write_text("mine")

    with a_disk_nearly_full(), pytest.raises(StorageProblem, match=r"a\.md cannot be written"):
        await write_new("a.md", "x" * 5_000, replaces=True)

    assert (folder / "a.md").read_text() == "mine"
    assert names_in(folder) == ["a.md"]


# --- faults that were found; each of these holds once its fault is gone


async def test_a_name_that_ends_in_a_blank_is_used_exactly(folder: Path) -> None:
    (folder / "a ").write_text("x")

    assert (await read_text("a ")).name == "a "


async def test_a_folder_of_too_long_a_name_is_refused_in_words(folder: Path) -> None:
    with pytest.raises((BadInput, StorageProblem)):
        await write_new(f"{'x' * 300}/a.md", "x")


async def test_a_new_file_has_the_permissions_that_any_new_file_has(folder: Path) -> None:
    (folder / "usual").write_text("")

    path = await write_new("a.md", "x")

    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((folder / "usual").stat().st_mode)


async def test_a_replaced_file_keeps_its_permissions(folder: Path) -> None:
    (folder / "a.md").write_text("mine")
    (folder / "a.md").chmod(0o640)

    path = await write_new("a.md", "x", replaces=True)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_the_remedy_for_too_large_a_file_fits_an_import_too(folder: Path) -> None:
    (folder / "a.json").write_text("x" * 2_000)

    with pytest.raises(BadInput) as caught:
        await read_text("a.json", limit_bytes=1_000)

    assert "attach" not in (caught.value.remedy or "")

"""Files below a prompt: fenced, and nothing in them ends the fence."""

from foundry_tui.services.attachments import with_attachments
from foundry_tui.services.files import TextFile


def test_without_files_a_prompt_stays_as_it_is() -> None:
    assert with_attachments("Hi ", ()) == "Hi "


def test_a_file_stands_below_the_prompt_under_its_name() -> None:
    joined = with_attachments("Sum up", [TextFile(name="a.txt", text="one\ntwo")])

    assert joined == "Sum up\n\nFile: a.txt\n```\none\ntwo\n```"


def test_a_fence_in_a_file_is_shorter_than_the_fence_around_it() -> None:
    joined = with_attachments("x", [TextFile(name="a.md", text="````py\ncode\n````\n")])

    assert joined == "x\n\nFile: a.md\n`````\n````py\ncode\n````\n`````"


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    joined = with_attachments("x", [TextFile(name="a\n# Title\x1b[31m", text="t\n")])

    assert "\n# Title" not in joined
    assert "\x1b" not in joined


def test_several_files_keep_their_order() -> None:
    files = [TextFile(name=name, text=name) for name in ("b", "a")]

    joined = with_attachments("x", files)

    assert joined.index("File: b") < joined.index("File: a")

import random

import pytest
from rich.cells import cell_len

from foundry_tui.tui.widgets.folding import fold, shown, shown_line
from foundry_tui.tui.widgets.markdown_blocks import Block, BlockKind, BlockSplitter


def split(text: str, *, size: int = 0, kind: BlockKind = BlockKind.MARKDOWN) -> list[Block]:
    splitter = BlockSplitter(kind)
    step = size or max(1, len(text))
    blocks = [
        block for start in range(0, len(text), step) for block in splitter.feed(text[start : start + step])
    ]
    return blocks + splitter.close()


def sources(text: str) -> list[str]:
    return [block.source for block in split(text)]


DOCUMENT = """# Title
Some text
over two lines

- one

  more of one
- two

  ```python
  x = 1

  y = 2
  ```

After the list
```
plain

fence
```
| a | b |
|---|---|
| 1 | 2 |

1. first

2. second
"""


def test_a_document_is_split_where_its_blocks_end() -> None:
    assert sources(DOCUMENT) == [
        "# Title\n",
        "Some text\nover two lines\n\n",
        "- one\n\n  more of one\n- two\n\n  ```python\n  x = 1\n\n  y = 2\n  ```\n\n",
        "After the list\n",
        "```\nplain\n\nfence\n```\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        "1. first\n\n2. second\n",
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_blocks_do_not_depend_on_how_the_text_was_cut_into_chunks(size: int) -> None:
    assert split(DOCUMENT.replace("\n", "\r\n"), size=size) == split(DOCUMENT.replace("\n", "\r\n"))


def test_a_paragraph_is_finished_by_its_empty_line() -> None:
    splitter = BlockSplitter()

    assert splitter.feed("first\n") == []
    assert [block.source for block in splitter.feed("\nsec")] == ["first\n\n"]
    assert splitter.tail == Block(source="sec", kind=BlockKind.MARKDOWN, continues=False)


def test_a_list_stays_open_until_something_else_follows() -> None:
    splitter = BlockSplitter()

    assert splitter.feed("- a\n\n- b\n\n") == []
    assert [block.source for block in splitter.feed("text\n")] == ["- a\n\n- b\n\n"]


def test_an_open_fence_is_the_tail_whatever_it_holds() -> None:
    splitter = BlockSplitter()

    assert splitter.feed("```\n\n# no heading\n\n- no list\n\n    ```\n") == []
    assert splitter.tail is not None
    assert splitter.tail.source.endswith("    ```\n")


def test_a_tilde_fence_is_not_closed_by_backticks() -> None:
    assert sources("~~~\n```\n~~~\nx") == ["~~~\n```\n~~~\n", "x"]


def test_a_fence_within_a_list_item_does_not_end_the_list() -> None:
    assert sources("- ```sh\n\n  ls\n  ```\n- two\n\nend") == ["- ```sh\n\n  ls\n  ```\n- two\n\n", "end"]


def test_a_year_at_the_start_of_a_line_is_no_list() -> None:
    assert sources("It was in\n1984. Then\n- item\n") == ["It was in\n1984. Then\n", "- item\n"]


def test_a_long_fence_goes_on_as_pieces_of_code() -> None:
    blocks = split("```python\n" + "x = 1\n" * 3_000 + "```\n\nafter")

    *code, after = blocks
    assert {block.kind for block in code} == {BlockKind.CODE}
    assert [block.continues for block in code] == [False, *[True] * (len(code) - 1)]
    assert code[-1].source.endswith("```\n")
    assert after == Block(source="\nafter", kind=BlockKind.MARKDOWN, continues=False)


def test_a_fence_of_many_lines_goes_on_as_code_as_well() -> None:
    assert {block.kind for block in split("```cpp\n" + "\n" * 1_000 + "```\n")} == {BlockKind.CODE}


def test_a_long_list_is_cut_before_an_item_and_stays_markdown() -> None:
    blocks = split("".join(f"{n}. item number {n}\n" for n in range(1, 301)))

    assert len(blocks) > 1
    assert {block.kind for block in blocks} == {BlockKind.MARKDOWN}
    assert all(block.source.split(".")[0].isdigit() and block.continues for block in blocks[1:])


def test_a_line_without_end_is_handed_out_in_pieces() -> None:
    splitter = BlockSplitter()

    handed_out = [block for _ in range(250) for block in splitter.feed("x" * 400)]

    assert splitter.tail is not None
    assert len(splitter.tail.source) <= 8_192
    assert "".join(block.source for block in handed_out) + splitter.tail.source == "x" * 100_000
    assert {block.kind for block in handed_out} == {BlockKind.PLAIN}


def test_markdown_goes_on_after_a_line_that_was_too_long() -> None:
    *pieces, after = split("y" * 20_000 + "\n\n# after\n")

    assert {block.kind for block in pieces} == {BlockKind.PLAIN}
    assert after == Block(source="# after\n", kind=BlockKind.MARKDOWN, continues=False)


def test_a_carriage_return_is_not_cut_from_its_line_feed() -> None:
    splitter = BlockSplitter(BlockKind.PLAIN)

    pieces = [*splitter.feed("z" * 12_287 + "\r"), *splitter.feed("\nnext"), *splitter.close()]

    assert not any(block.source.startswith("\n") for block in pieces)


def test_plain_text_is_never_taken_for_markdown() -> None:
    assert split("# a\n\n- b\n", kind=BlockKind.PLAIN) == [
        Block(source="# a\n\n- b\n", kind=BlockKind.PLAIN, continues=False)
    ]


def test_nothing_is_lost_or_added_in_any_text_however_it_is_cut() -> None:
    chance = random.Random(7)
    atoms = [*"-*`~>#|. \n\n\r\t1x", "```", "- ", "  ", "\n\n", "word ", "日本", "long" * 3_000]

    for _ in range(300):
        text = "".join(chance.choice(atoms) for _ in range(chance.randint(1, 60)))
        splitter = BlockSplitter()
        handed_out: list[Block] = []
        fed = 0
        while fed < len(text):
            size = chance.randint(1, 2_000)
            handed_out += splitter.feed(text[fed : fed + size])
            fed += size
            tail = splitter.tail.source if splitter.tail is not None else ""
            assert "".join(block.source for block in handed_out) + tail == text[:fed]
        assert "".join(block.source for block in handed_out + splitter.close()) == text


def test_words_are_folded_at_spaces_and_longer_ones_by_cells() -> None:
    assert fold("one two three", 8) == ["one two", "three"]
    assert fold("ab abcdefghij", 4) == ["ab", "abcd", "efgh", "ij"]
    assert fold("日本語です", 4) == ["日本", "語で", "す"]
    assert fold("  kept\n\nend", 80) == ["  kept", "", "end"]


def test_no_row_is_wider_than_asked() -> None:
    chance = random.Random(3)
    atoms = ["a", " ", "\t", "日", "é", "word", "\u0301", "👩\u200d💻", "❤\ufe0f", "\n", "x" * 30]

    for _ in range(500):
        text = shown("".join(chance.choice(atoms) for _ in range(chance.randint(0, 60))))
        width = chance.randint(2, 20)
        assert max(map(cell_len, fold(text, width))) <= width


def test_a_toned_emoji_counts_as_it_is_drawn_where_it_is_not_joined_with_its_tone() -> None:
    assert shown("👍🏻👍🏼👍🏽👍🏾👍🏿") == "👍" * 5
    assert shown_line("👍🏽\n👩🏿\u200d🚀") == "👍 👩🚀"


def test_a_word_joined_by_joiners_counts_all_its_cells() -> None:
    assert fold(shown("\u200d".join("abcdefgh")), 4) == ["abcd", "efgh"]

"""The line that says how far something is: drawn anew on a terminal, now and then a plain one elsewhere."""

from dataclasses import dataclass

from foundry_tui.aio import Feed
from foundry_tui.cli.progress import LINE_CELLS, ProgressLine, following, share_line
from tests.cli.plain_sitting import Paper

MIB = 1024**2


@dataclass
class Clock:
    """Goes on when it is told to."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_on_a_terminal_one_line_is_drawn_anew_and_is_gone_at_the_end() -> None:
    paper, clock = Paper(is_terminal=True), Clock()

    with ProgressLine(stream=paper, clock_s=clock, tells_at_once=False) as line:
        line.tell("one")
        clock.now_s += 0.1
        line.tell("too soon")
        clock.now_s += 0.2
        line.tell("two")

    assert paper.getvalue() == "\rone\x1b[K\rtwo\x1b[K\r\x1b[K"


def test_a_terminal_on_which_nothing_was_drawn_is_left_as_it_is() -> None:
    paper = Paper(is_terminal=True)

    with ProgressLine(stream=paper):
        pass

    assert paper.getvalue() == ""


def test_elsewhere_there_is_a_plain_line_every_ten_seconds_and_none_twice() -> None:
    paper, clock = Paper(is_terminal=False), Clock()

    with ProgressLine(stream=paper, clock_s=clock) as line:
        for words in ("one", "two", "two", "two", "three"):
            line.tell(words)
            clock.now_s += 5

    assert paper.getvalue() == "one\ntwo\nthree\n"


def test_what_is_done_within_ten_seconds_needs_no_plain_line() -> None:
    paper, clock = Paper(is_terminal=False), Clock()

    with ProgressLine(stream=paper, clock_s=clock, tells_at_once=False) as line:
        line.tell("at once")
        clock.now_s += 10
        line.tell("after ten seconds")

    assert paper.getvalue() == "after ten seconds\n"


def test_the_line_fits_and_holds_nothing_that_a_terminal_obeys() -> None:
    paper = Paper(is_terminal=False)

    with ProgressLine(stream=paper) as line:
        line.tell(f"\x1b[2J\x9b{'x' * 200}\n")

    (shown,) = paper.getvalue().splitlines()
    assert len(shown) == LINE_CELLS
    assert shown.isprintable()


async def test_each_value_of_a_feed_that_there_are_words_for_is_told_until_the_block_ends() -> None:
    paper = Paper(is_terminal=True)
    feed: Feed[int | None] = Feed(None)
    line = ProgressLine(stream=paper)

    async with following(line, feed, lambda value: None if value is None else f"{value} of 3"):
        feed.publish(1)
        async for _ in paper.length.watch():
            if "1 of 3" in paper.getvalue():
                break
    feed.publish(2)

    assert paper.getvalue() == "\r1 of 3\x1b[K\r\x1b[K"


def test_a_share_is_drawn_with_signs_that_every_terminal_has() -> None:
    assert share_line(42 * MIB, 100 * MIB) == "########------------  42 %  42.0 MiB of 100 MiB"
    assert share_line(100 * MIB, 100 * MIB) == "#################### 100 %  100 MiB of 100 MiB"
    assert share_line(42 * MIB, None) == "42.0 MiB"
    assert share_line(0, 0) == "0 B"
    assert share_line(42, 40).startswith("#################### 100 %")

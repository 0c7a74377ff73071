"""Facts and long texts that are read by scrolling."""

import asyncio

from textual.app import App, ComposeResult

from foundry_tui.tui.widgets.sheet import Paragraph, Sheet

SOON_S = 10.0
"""A safety net: what is waited for here takes milliseconds."""


class Harness(App[None]):
    def compose(self) -> ComposeResult:
        yield Sheet(label_cells=8)

    def lines(self) -> list[str]:
        sheet = self.query_one(Sheet)
        return [sheet.render_line(y).text.rstrip() for y in range(sheet.size.height)]


async def test_text_is_folded_beside_its_label_and_anew_in_another_width() -> None:
    app = Harness()
    async with app.run_test(size=(40, 6)) as pilot:
        app.query_one(Sheet).set_paragraphs(
            [Paragraph(label="Why", text="one two three four five six seven")]
        )
        await pilot.pause()  # it is laid out
        assert app.lines()[:2] == ["Why     one two three four five six", "        seven"]

        await pilot.resize_terminal(60, 6)
        async with asyncio.timeout(SOON_S):
            while app.query_one(Sheet).size.width < 50:
                await pilot.pause()  # the resize comes a moment later

        assert app.lines()[0] == "Why     one two three four five six seven"


async def test_what_is_hostile_is_shown_harmlessly_whoever_hands_it_over() -> None:
    app = Harness()
    async with app.run_test(size=(40, 6)) as pilot:
        app.query_one(Sheet).set_paragraphs([Paragraph(text="a\x1b[2J[red]b\x07\r\nc")])
        await pilot.pause()  # it is laid out

        assert app.lines()[:2] == ["a␛[2J[red]b␇", "c"]


async def test_keys_scroll_to_the_end_of_a_long_text() -> None:
    app = Harness()
    app.animation_level = "none"
    async with app.run_test(size=(40, 6)) as pilot:
        sheet = app.query_one(Sheet)
        sheet.set_paragraphs([Paragraph(text="\n".join(str(number) for number in range(100)))])
        sheet.focus()
        await pilot.pause()  # it is laid out

        await pilot.press("end")
        async with asyncio.timeout(SOON_S):
            while sheet.scroll_offset.y == 0:
                await pilot.pause()  # it scrolls after the next refresh

        assert app.lines()[-1] == "99"

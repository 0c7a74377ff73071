"""Which columns the catalog has, in which order, and who hears of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.tui.panes.catalog import CatalogPane, CatalogView
from foundry_tui.tui.panes.catalog_columns import DEFAULT_VIEW
from foundry_tui.tui.screens.columns import ColumnsScreen
from tests.support.supervised import SupervisedScript
from tests.tui.harness import HUGE, NARROW, SHELF

DEFAULTS = DEFAULT_VIEW.columns


class Alone(App[None]):
    """One catalog, and the views that it told."""

    def __init__(self, client: ClientService, view: CatalogView | None) -> None:
        super().__init__()
        self.pane = CatalogPane(client, id="catalog")
        if view is not None:
            self.pane.view = view
        self.told: list[CatalogView] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_catalog_pane_view_changed(self, event: CatalogPane.ViewChanged) -> None:
        self.told.append(event.view)


@dataclass
class Driven:
    app: Alone
    pilot: Pilot[None]

    def header(self) -> list[str]:
        return self.app.pane.table.render_line(0).text.split()

    async def until_choosing(self) -> ColumnsScreen:
        await self.pilot.press("o")
        await self.pilot.pause()  # a turn for the screen that was pushed
        assert isinstance(self.app.screen, ColumnsScreen)
        return self.app.screen


@asynccontextmanager
async def alone(
    view: CatalogView | None = None, *, size: tuple[int, int] = HUGE
) -> AsyncGenerator[Driven, None]:
    client = ClientService(SupervisedScript(models=SHELF), EngineLease())
    app = Alone(client, view)
    app.animation_level = "none"
    try:
        async with app.run_test(size=size) as pilot:
            await client.start()
            app.pane.table.focus()
            while not app.pane.table.rows:
                await pilot.pause()  # the list comes by a feed
            yield Driven(app, pilot)
    finally:
        await client.aclose()


async def test_unless_chosen_the_columns_are_those_that_fit() -> None:
    async with alone() as wide, alone(size=(40, 10)) as narrow:
        assert wide.header() == [
            *("*", "Variant", "State", "Size", "Device", "Context", "Licence", "Alias", "Publisher"),
            *("Task", "Provider"),
        ]
        assert narrow.header() == ["*", "Variant", "State"]
        assert narrow.app.pane.view == CatalogView(columns=DEFAULTS)


async def test_a_view_is_taken_before_and_after_there_is_a_table() -> None:
    before = CatalogView(columns=("size", "id"), sort="size", descending=True)
    async with alone(before) as user:
        assert user.header() == ["*", "Size▼", "Variant"]
        assert user.app.pane.table.rows[0].key == "large-instruct-qnn-npu:3"

        user.app.pane.view = CatalogView(columns=("id", "quantization"))

        assert user.header() == ["*", "Variant", "Quantization"]
        assert user.app.pane.table.rows[0].cells == ("", "synthetic-generic-cpu:1", "n/a")
        assert user.app.told == []


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (CatalogView(columns=("id", "no-such", "size", "size")), CatalogView(columns=("id", "size"))),
        (CatalogView(columns=("size",)), CatalogView(columns=("id", "size"))),
        (CatalogView(columns=()), CatalogView(columns=DEFAULTS)),
        (CatalogView(columns=("no-such",)), CatalogView(columns=DEFAULTS)),
        (CatalogView(columns=("id",), sort="no-such", descending=True), CatalogView(columns=("id",))),
        (CatalogView(columns=("mark", "id")), CatalogView(columns=("id",))),
    ],
)
async def test_what_a_view_has_that_is_not_known_is_ignored(given: CatalogView, known: CatalogView) -> None:
    async with alone(given) as user:
        assert user.app.pane.view == known


async def test_where_chosen_columns_do_not_fit_the_rightmost_go_but_never_the_variant() -> None:
    async with alone(CatalogView(columns=("provider", "task", "id", "size")), size=(60, 10)) as user:
        assert user.header() == ["*", "Provider", "Variant"]


async def test_space_hides_and_enter_applies() -> None:
    async with alone() as user:
        await user.until_choosing()

        await user.pilot.press("down", "space", "end", "space", "enter")
        await user.pilot.pause()

        expected = CatalogView(columns=("id", *DEFAULTS[2:], "source"))
        assert user.app.pane.view == expected
        assert user.app.told == [expected]
        assert "State" not in user.header()
        assert user.header()[-1] == "From"
        assert user.app.pane.table.has_focus


@pytest.mark.parametrize(("down", "up"), [("shift+down", "shift+up"), ("J", "K")])
async def test_a_column_moves_with_the_cursor_on_it(down: str, up: str) -> None:
    async with alone() as user:
        screen = await user.until_choosing()

        await user.pilot.press("down", down, down, up, up, up, up)
        assert screen.table.cursor_key == "state"
        await user.pilot.press("enter")
        await user.pilot.pause()

        assert user.app.pane.view.columns == ("state", "id", *DEFAULTS[2:])


async def test_a_column_does_not_move_beyond_the_ends() -> None:
    async with alone() as user:
        screen = await user.until_choosing()

        await user.pilot.press("end", "J")

        assert screen.table.rows[-1].key == "source"
        assert screen.table.cursor_key == "source"


async def test_d_takes_the_defaults_back() -> None:
    async with alone(CatalogView(columns=("size", "id"))) as user:
        await user.until_choosing()

        await user.pilot.press("d", "enter")
        await user.pilot.pause()

        assert user.app.pane.view.columns == DEFAULTS


async def test_the_column_of_the_variant_stays() -> None:
    async with alone() as user:
        screen = await user.until_choosing()

        await user.pilot.press("space")

        assert screen.table.rows[0].cells == ("✓", "Variant", "always shown")


async def test_a_double_click_shows_or_hides() -> None:
    async with alone() as user:
        screen = await user.until_choosing()

        await user.pilot.double_click(screen.table, offset=(5, 3))

        assert screen.table.rows[2].cells == ("", "Size", "hidden")
        assert isinstance(user.app.screen, ColumnsScreen)


async def test_nothing_chosen_is_nothing_told() -> None:
    async with alone() as user:
        await user.until_choosing()

        await user.pilot.press("enter")
        await user.pilot.pause()

        assert user.app.told == []


async def test_the_list_of_columns_is_usable_in_a_narrow_terminal() -> None:
    async with alone(size=NARROW) as user:
        screen = await user.until_choosing()

        await user.pilot.press("end")
        await user.pilot.pause()

        height = screen.table.size.height
        shown = "\n".join(screen.table.render_line(y).text for y in range(height))
        assert "▌" in shown
        assert "From" in shown


async def test_sorting_is_told() -> None:
    async with alone() as user:
        await user.pilot.press("s", "S")
        await user.pilot.pause()

        assert user.app.told == [
            CatalogView(columns=DEFAULTS, sort="id"),
            CatalogView(columns=DEFAULTS, sort="id", descending=True),
        ]


async def test_s_goes_through_the_chosen_columns_and_back_to_the_catalogs_order() -> None:
    async with alone(CatalogView(columns=("size", "id"))) as user:
        sorts = []
        for _ in range(3):
            await user.pilot.press("s")
            sorts.append(user.app.pane.view.sort)

        assert sorts == ["size", "id", None]


async def test_the_line_says_the_order_even_where_its_column_found_no_room() -> None:
    async with alone(CatalogView(columns=DEFAULTS, sort="provider", descending=True), size=NARROW) as user:
        line = user.app.pane.query_one("#catalog-line").render()

        assert "5 variants · by provider, descending" in str(line)

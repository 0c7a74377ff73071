"""A server that downloads models for itself: d offers it, the catalog and F8 show it, x stops it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from foundry_tui.domain.engine import Capability, EndpointKind, EngineInfo
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.services.client import JobKind
from foundry_tui.services.setup import LicensePolicy, Setup
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.fetch_offer import FetchOfferScreen
from foundry_tui.tui.screens.fetches import FetchesScreen
from tests.support.services import SETUP
from tests.tui.engine_screens import MANAGED_INFO, Presented
from tests.tui.harness import NARROW, WIDE, Driven, driven
from tests.tui.queued import variant

PLAIN = "plain-generic-cpu:1"
BROKEN = "broken-generic-cpu:1"
ENDLESS = "endless-generic-cpu:1"
OFFERED = (PLAIN, BROKEN, ENDLESS)
SERVER = EngineInfo(
    kind=EndpointKind.FOUNDRY_V1,
    url="http://10.0.0.7:5272",
    pid=None,
    capabilities=(Capability.CHAT, Capability.LIST, Capability.LOAD, Capability.UNLOAD, Capability.DOWNLOAD),
)
DENIES = replace(SETUP, licenses=LicensePolicy(deny=("m*",)))
ALLOWS = replace(SETUP, licenses=LicensePolicy(allow=("mit",)))


def shelf(**known: object) -> list[ModelVariant]:
    return [variant(model_id, catalog=CatalogKind.ENDPOINT, **known) for model_id in OFFERED]


@asynccontextmanager
async def on_server(
    info: EngineInfo = SERVER,
    *,
    size: tuple[int, int] = WIDE,
    has_disk: bool = False,
    setup: Setup = SETUP,
    **known: object,
) -> AsyncGenerator[Driven, None]:
    engine = Presented(info, ScriptedConfig(offered=OFFERED), models=shelf(**known))
    async with driven(engine, size=size, has_disk=has_disk, setup=setup) as user:
        await user.up()
        await user.until(lambda: user.catalog.table.has_focus)
        yield user


async def offered(user: Driven, model_id: str) -> FetchOfferScreen:
    """Press d on that model and wait for the offer, its licence read."""
    assert user.catalog.table.move_cursor_to(model_id)
    await user.pilot.press("d")
    await user.until(lambda: isinstance(user.app.screen, FetchOfferScreen))
    screen = user.app.screen
    assert isinstance(screen, FetchOfferScreen)
    await user.until(lambda: "Permission" in screen.sheet.paragraphs[-1].text)
    return screen


async def begun(user: Driven, model_id: str) -> None:
    """Accept the offer of that model and wait until half of it is there."""
    await offered(user, model_id)
    await user.pilot.press("a")
    await user.until(lambda: "↓ 50 %" in state(user, model_id))


def state(user: Driven, model_id: str) -> str:
    place = [column.key for column in user.catalog.table.columns].index("state")
    return next(row.cells[place] for row in user.catalog.table.rows if row.key == model_id)


def under_way(user: Driven) -> list[str | None]:
    return [job.model_id for job in user.client.jobs.value if job.kind is JobKind.FETCH]


def said(screen: FetchOfferScreen, label: str) -> str:
    return next(one.text for one in screen.sheet.paragraphs if one.label == label)


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_d_says_whose_disk_it_goes_onto_how_much_it_is_and_under_which_licence(
    size: tuple[int, int],
) -> None:
    async with on_server(size=size) as user:
        screen = await offered(user, PLAIN)

        assert said(screen, "Server") == "http://10.0.0.7:5272, Foundry Local service v1"
        assert said(screen, "Download") == "2.00 GiB into the server's own cache, not into this app's"
        assert said(screen, "Licence") == "MIT, as its publisher declares it; not agreed to yet"
        assert user.shows("Permission is hereby granted")
        await user.until(lambda: user.shows("a  Accept the licence and download"))
        assert under_way(user) == []


async def test_the_key_that_opened_the_offer_does_not_agree_to_anything() -> None:
    async with on_server() as user:
        await offered(user, PLAIN)

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert "a accepts it" in user.words_told
        assert under_way(user) == []


async def test_what_was_accepted_is_downloaded_and_listed_as_there() -> None:
    async with on_server() as user:
        await offered(user, PLAIN)

        await user.pilot.press("a")
        await user.until(lambda: "is on the server" in user.words_told)

        await user.until(lambda: state(user, PLAIN) == "○ on disk")
        assert under_way(user) == []


async def test_a_licence_that_was_agreed_to_is_not_asked_about_again_for_the_same_text() -> None:
    async with on_server() as user:
        await offered(user, PLAIN)
        await user.pilot.press("a")
        await user.until(lambda: state(user, PLAIN) == "○ on disk")

        screen = await offered(user, ENDLESS)
        assert said(screen, "Licence") == "MIT, you agreed to it"
        await user.until(lambda: user.shows("d  Download") and not user.shows("a  Accept"))
        await user.pilot.press("d")

        await user.until(lambda: "↓ 50 %" in state(user, ENDLESS))


async def test_a_licence_that_the_settings_allow_is_downloaded_by_one_key() -> None:
    async with on_server(setup=ALLOWS) as user:
        screen = await offered(user, PLAIN)
        assert said(screen, "Licence") == "MIT, allowed by your rule “mit”"

        await user.pilot.press("d")

        await user.until(lambda: state(user, PLAIN) == "○ on disk")


async def test_the_state_column_says_how_far_it_is_and_x_behind_f8_stops_it() -> None:
    async with on_server() as user:
        await begun(user, ENDLESS)
        await user.pilot.press("f8")
        await user.until(lambda: isinstance(user.app.screen, FetchesScreen) and user.shows("50 %"))
        assert user.shows("1.00 GiB of 2.00 GiB")

        await user.pilot.press("x")
        await user.until(lambda: "stopped" in user.words_told)

        assert user.engine.open_streams == 0
        await user.until(lambda: user.shows("downloads nothing"))
        await user.pilot.press("escape")
        await user.until(lambda: state(user, ENDLESS) == "not here")


async def test_d_on_what_is_on_its_way_shows_it_instead_of_offering_it_again() -> None:
    async with on_server() as user:
        await begun(user, ENDLESS)

        await user.pilot.press("d")
        await user.until(lambda: isinstance(user.app.screen, FetchesScreen))

        assert user.app.screen.query_one("#fetches-table").has_focus
        await user.until(lambda: user.shows(ENDLESS))


async def test_a_download_that_the_server_gives_up_is_told_with_its_reason_and_can_be_wished_again() -> None:
    async with on_server() as user:
        await offered(user, BROKEN)

        await user.pilot.press("a")
        await user.until(lambda: "was not downloaded: scripted" in user.words_told)

        assert "→ try again" in user.words_told
        assert state(user, BROKEN) == "not here"
        await offered(user, BROKEN)


async def test_a_licence_that_the_settings_deny_is_not_downloaded_onto_a_server_either() -> None:
    async with on_server(setup=DENIES) as user:
        screen = await offered(user, PLAIN)
        await user.until(lambda: "denied by your rule “m*”" in said(screen, "Licence"))
        await user.until(lambda: not user.shows("a  Accept the licence"))

        await user.pilot.press("a")
        await user.until(lambda: bool(user.told))

        assert "“m*”" in user.words_told
        assert under_way(user) == []


async def test_escape_leaves_the_offer_and_nothing_was_asked_for_or_agreed_to() -> None:
    async with on_server() as user:
        await offered(user, PLAIN)

        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        assert under_way(user) == []
        assert said(await offered(user, PLAIN), "Licence").endswith("not agreed to yet")


async def test_a_second_key_that_comes_too_fast_orders_nothing_twice() -> None:
    async with on_server() as user:
        await offered(user, ENDLESS)

        await user.pilot.press("a", "a")
        await user.until(lambda: under_way(user) == [ENDLESS])
        await user.until(lambda: "↓ 50 %" in state(user, ENDLESS))

        assert "It did not work" not in user.words_told


async def test_hostile_words_of_a_server_are_shown_harmlessly() -> None:
    evil = "\x1b]52;c;c2VjcmV0\x07[red]x[/]"
    async with on_server(license=evil, license_text=f"Permission {evil}", publisher=evil) as user:
        screen = await offered(user, PLAIN)

        assert said(screen, "Licence").startswith("␛]52;c;c2VjcmV0␇[red]x[/]")
        assert not any("\x1b" in line or "\x07" in line for line in user.lines())


@pytest.mark.parametrize(
    ("kind", "words"),
    [(EndpointKind.FOUNDRY_V2, "with the foundry command"), (EndpointKind.OPENAI, "ollama pull")],
)
@pytest.mark.parametrize("has_disk", [False, True])
async def test_on_a_server_that_downloads_nothing_for_us_d_says_why_and_what_to_do(
    kind: EndpointKind, words: str, has_disk: bool
) -> None:
    info = replace(SERVER, kind=kind, capabilities=(Capability.CHAT, Capability.LIST))
    async with on_server(info, has_disk=has_disk) as user:
        assert user.catalog.table.move_cursor_to(PLAIN)

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert words in user.words_told.replace("\n", " ")
        assert user.app.screen is user.workspace


async def test_an_app_that_was_started_for_a_server_says_how_it_downloads_onto_this_machine() -> None:
    async with on_server(MANAGED_INFO) as user:
        assert user.catalog.table.move_cursor_to(PLAIN)

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert "without --endpoint" in user.words_told.replace("\n", " ")


async def test_on_this_machines_own_runtime_d_opens_the_offer_of_the_queue() -> None:
    async with on_server(MANAGED_INFO, has_disk=True) as user:
        assert user.catalog.table.move_cursor_to(PLAIN)

        await user.pilot.press("d")

        await user.until(lambda: isinstance(user.app.screen, DownloadOfferScreen))


async def test_f8_on_such_a_server_says_that_nothing_is_on_its_way() -> None:
    async with on_server() as user:
        await user.pilot.press("f8")
        await user.until(lambda: isinstance(user.app.screen, FetchesScreen))

        await user.until(lambda: user.shows("The server downloads nothing"))
        assert user.shows("10.0.0.7:5272")


async def test_what_the_server_has_not_answered_yet_is_shown_as_asked() -> None:
    async with on_server() as user:
        user.engine.gate = asyncio.Event()
        await offered(user, PLAIN)
        await user.pilot.press("a", "f8")

        await user.until(lambda: user.shows("has not said how far it is"))

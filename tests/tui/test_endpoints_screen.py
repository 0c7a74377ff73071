"""The switcher: what it lists, what it says before it switches, and that nothing changes when that fails."""

import asyncio
import unicodedata
from collections.abc import Sequence

import pytest
from textual.widgets import Input

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import BadInput, EngineUnavailable
from foundry_tui.services.discovery import FoundServer
from foundry_tui.tui.screens.endpoints import EndpointsScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from tests.tui.engine_screens import MANAGED_INFO, Around, Presented, Server, opened
from tests.tui.harness import HUGE, MEDIUM, NARROW, SHELF, Driven, driven

OLLAMA = Server(url="http://127.0.0.1:11434", software="Ollama", models=12)
LOCKED = Server(url="http://127.0.0.1:8000", models=None, wants_key=True, how="port 8000")
DISTANT = Server(url="http://10.1.2.3:8080", how="environment", models=1)
# A title, a cleared screen, a clipboard write, an override and a separator; then what looks like markup.
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b]52;c;eA==\x1b\\\x9b31m\x00\u202egnp\u2028 [@click=app.leave]x[/]y["


def managed() -> Presented:
    return Presented(MANAGED_INFO, models=SHELF)


async def switcher(user: Driven, around: Around) -> EndpointsScreen:
    await user.up()
    screen = around.screen(user.client)
    await opened(user, screen)
    return screen


async def choose(user: Driven, screen: EndpointsScreen, key: str) -> None:
    await user.until(lambda: screen.table.move_cursor_to(key))
    await user.pilot.press("enter")


def field(user: Driven, name: str) -> Input:
    return user.app.screen.query_one(f"#endpoints-{name}", Input)


def cells(screen: EndpointsScreen) -> dict[str, Sequence[str]]:
    return {row.key: row.cells for row in screen.table.rows}


async def test_it_lists_the_own_engines_and_what_was_found_with_kind_and_number_of_models() -> None:
    plain = Server(url="http://127.0.0.1:5273", kind=EndpointKind.FOUNDRY_V2, how="foundry program", models=1)
    async with driven(managed()) as user:
        screen = await switcher(user, Around(servers=(OLLAMA, plain, LOCKED)))
        await user.until(lambda: len(screen.table.rows) == 5)

        assert cells(screen) == {
            "managed": ("Managed runtime", "Foundry Local in this app", "", "in use"),
            "demo": ("Demo", "Foundry Local in this app", "", ""),
            OLLAMA.url: (OLLAMA.url, "Ollama", "12", "port 11434"),
            plain.url: (plain.url, "Foundry Local service v2", "1", "foundry program"),
            LOCKED.url: (LOCKED.url, "OpenAI-compatible server", "key", "port 8000"),
        }


async def test_a_server_is_listed_as_soon_as_it_answers_while_others_are_still_looked_for() -> None:
    around = Around(servers=(OLLAMA,), looking=asyncio.Event())
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await user.until(lambda: OLLAMA.url in cells(screen))
        while_looking = user.shows("Looking for servers")

        assert around.looking is not None
        around.looking.set()
        await user.until(lambda: user.shows("1 server found"))

        assert while_looking


async def test_looking_again_forgets_what_has_gone() -> None:
    around = Around(servers=(OLLAMA,))
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await user.until(lambda: OLLAMA.url in cells(screen))

        around.servers = ()
        await user.pilot.press("r")
        await user.until(lambda: OLLAMA.url not in cells(screen))

        assert around.looks == 2


async def test_the_server_in_use_is_listed_though_nothing_finds_it() -> None:
    around = Around(current="https://far.example")
    async with driven(managed()) as user:
        screen = await switcher(user, around)

        assert cells(screen)["https://far.example"][3] == "in use"


async def test_enter_checks_a_server_uses_it_and_closes() -> None:
    around = Around(servers=(OLLAMA,))
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await choose(user, screen, OLLAMA.url)
        await user.until(lambda: user.app.screen is user.workspace)

        assert around.checked == [(OLLAMA.url, None)]
        assert around.connected == [(OLLAMA.url, None)]
        assert user.client.engine_info is not None
        assert user.client.engine_info.url == OLLAMA.url
        assert "In use: OpenAI-compatible server" in user.words_told


async def test_the_one_in_use_is_not_switched_to_again() -> None:
    around = Around()
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await choose(user, screen, "managed")
        await user.until(lambda: "in use already" in user.words_told)

        assert around.connected == []
        assert user.app.screen is screen


async def test_it_says_beforehand_which_models_are_unloaded_and_a_no_changes_nothing() -> None:
    around = Around(servers=(OLLAMA,))
    async with driven(managed()) as user:
        await user.up()
        await user.client.load(MEDIUM)
        screen = await switcher(user, around)
        await choose(user, screen, OLLAMA.url)
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Stay"))
        asked = user.shows(f"{MEDIUM} is unloaded")
        await user.pilot.press("enter")
        await user.until(lambda: user.app.screen is screen and user.shows("1 server found"))

        assert asked
        assert around.connected == []
        assert user.is_loaded(MEDIUM)


async def test_a_yes_switches_to_an_own_engine_and_its_models_are_not_in_memory_any_more() -> None:
    around = Around()
    async with driven(managed()) as user:
        await user.up()
        await user.client.load(MEDIUM)
        screen = await switcher(user, around)
        await choose(user, screen, "demo")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Use Demo"))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.app.screen is user.workspace)

        assert around.connected == [("demo", None)]
        assert not user.is_loaded(MEDIUM)


async def test_a_check_that_fails_says_why_and_what_to_do_and_nothing_is_switched() -> None:
    around = Around(servers=(OLLAMA,))
    around.refusal = EngineUnavailable("cannot reach it: refused", remedy="see whether it runs")
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await choose(user, screen, OLLAMA.url)
        await user.until(lambda: user.shows("cannot reach it: refused"))

        assert user.shows("→ see whether it runs")
        assert user.shows("what was in use still is")
        assert around.connected == []


async def test_a_switch_that_fails_leaves_the_old_engine_with_its_models() -> None:
    around = Around(servers=(OLLAMA,))
    around.broken = EngineUnavailable("it went away", remedy="try another")
    async with driven(managed()) as user:
        await user.up()
        await user.client.load(MEDIUM)
        screen = await switcher(user, around)
        await choose(user, screen, OLLAMA.url)
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Stay"))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.shows("it went away"))

        assert user.client.engine_info == MANAGED_INFO
        assert user.is_loaded(MEDIUM)
        assert cells(screen)["managed"][3] == "in use"


async def test_escape_gives_up_a_switch_that_takes_too_long() -> None:
    around = Around(servers=(OLLAMA,), connecting=asyncio.Event())
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await choose(user, screen, OLLAMA.url)
        await user.until(lambda: user.shows("Esc leaves it as it is"))
        await user.pilot.press("enter", "escape")
        await user.until(lambda: user.shows("1 server found"))

        assert user.app.screen is screen
        assert around.connected == []
        assert user.client.engine_info == MANAGED_INFO
        assert "One switch is under way" in user.words_told


async def test_an_address_is_typed_with_the_name_of_its_keys_variable() -> None:
    around = Around(variables=("MY_KEY",))
    async with driven(managed(), size=NARROW) as user:
        await switcher(user, around)
        await user.pilot.press("a", *"https://h:1/v1", "tab", *"MY_KEY", "enter")
        await user.until(lambda: user.app.screen is user.workspace)

        assert around.connected == [("https://h:1/v1", "MY_KEY")]


async def test_a_key_in_place_of_a_variables_name_is_refused_and_shown_nowhere() -> None:
    around = Around()
    secret = "gsk_1234567890abcdef"
    async with driven(managed(), size=NARROW) as user:
        screen = await switcher(user, around)
        await user.pilot.press("a", *"https://h:1", "tab", *secret, "enter")
        await user.until(lambda: user.shows("no variable of that name"))

        assert around.checked == []
        assert not user.shows(secret)
        assert secret not in user.words_told
        assert field(user, "key").value == ""
        assert user.app.screen is screen


async def test_a_key_with_signs_that_no_name_has_does_not_even_get_into_the_field() -> None:
    async with driven(managed()) as user:
        await switcher(user, Around())
        field(user, "key").focus()
        await user.until(lambda: field(user, "key").has_focus)
        await user.pilot.press(*"sk-ab")

        assert field(user, "key").value == "skab"


async def test_an_address_that_is_refused_is_not_repeated() -> None:
    around = Around(refusal=BadInput("the endpoint holds a password", remedy="name a variable"))
    async with driven(managed()) as user:
        await switcher(user, around)
        field(user, "address").value = "http://me:hush@h/v1"
        await user.pilot.press("a", "enter")
        await user.until(lambda: user.shows("holds a password"))

        assert sum("hush" in line for line in user.lines()) == 1  # in the field, where it was typed
        assert "hush" not in user.words_told


async def test_a_server_without_an_address_is_not_asked_for() -> None:
    around = Around()
    async with driven(managed()) as user:
        await switcher(user, around)
        await user.pilot.press("a", "enter")
        await user.until(lambda: "Type an address" in user.words_told)

        assert around.checked == []


async def test_what_wants_a_key_has_its_address_ready_when_it_was_refused() -> None:
    around = Around(servers=(LOCKED,), broken=EngineUnavailable(f"{LOCKED.url} wants a key"))
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await choose(user, screen, LOCKED.url)
        await user.until(lambda: user.shows("wants a key"))

        assert field(user, "address").value == LOCKED.url


async def test_plain_http_beyond_this_machine_is_warned_of_and_asked_for() -> None:
    around = Around(servers=(DISTANT,))
    async with driven(managed()) as user:
        screen = await switcher(user, around)
        await user.until(lambda: screen.table.move_cursor_to(DISTANT.url))
        await user.until(lambda: user.shows("Not encrypted"))
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Stay"))
        await user.pilot.press("enter")
        await user.until(lambda: user.app.screen is screen)

        assert around.connected == []


async def test_without_a_look_beforehand_a_typed_address_is_still_asked_for_and_not_repeated() -> None:
    around = Around(checks=False)
    async with driven(managed()) as user:
        await switcher(user, around)
        field(user, "address").value = "http://me:hush@far.example:8080"
        await user.pilot.press("a", "enter")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Stay"))

        assert user.shows("Use the server at the address that you typed")
        assert user.shows("Not encrypted: whoever is on the way to far.example")
        assert sum("hush" in line for line in user.lines()) <= 1  # in the field below, where it was typed


async def test_escape_leaves_a_field_first_and_closes_then() -> None:
    async with driven(managed()) as user:
        screen = await switcher(user, Around())
        await user.pilot.press("a")
        await user.until(lambda: field(user, "address").has_focus)
        await user.pilot.press("escape")
        await user.until(lambda: screen.table.has_focus)
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        assert user.app.screen is user.workspace


async def test_an_engine_that_never_came_up_can_be_left_for_another() -> None:
    engine = managed()
    engine.refusal = EngineUnavailable("it does not start", remedy="read the log")
    around = Around(servers=(OLLAMA,))
    async with driven(engine) as user:
        await user.until(lambda: "it does not start" in user.words_told)
        screen = around.screen(user.client)
        await opened(user, screen)
        down = user.shows("Managed runtime: down")
        await choose(user, screen, OLLAMA.url)
        await user.until(lambda: user.app.screen is user.workspace)

        assert down
        assert user.client.engine_info is not None


@pytest.mark.parametrize("size", [NARROW, HUGE], ids=["narrow", "huge"])
async def test_what_a_server_says_of_itself_is_shown_and_does_nothing(size: tuple[int, int]) -> None:
    evil: FoundServer = Server(url="http://10.0.0.1:1", software=HOSTILE, how=HOSTILE, models=1)
    around = Around(servers=(evil,), refusal=EngineUnavailable(HOSTILE, remedy=HOSTILE))
    async with driven(managed(), size=size) as user:
        screen = await switcher(user, around)
        await choose(user, screen, evil.url)
        await user.until(lambda: user.shows("Problem"))
        text = "".join(user.lines())

        assert [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs"}] == []
        assert "[@click=app.leave]x[/]" in text

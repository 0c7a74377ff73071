"""The address of what runs and the lines to copy: right for the model, the server and the place."""

from dataclasses import replace

import pytest

from foundry_tui.aio import Feed
from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, SnapshotOrigin
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.reports.snippets import SnippetTarget, snippets
from foundry_tui.services.keep_warm import Warmth, WarmthState
from foundry_tui.services.setup import WarmthOptions
from foundry_tui.tui.screens.connect import ConnectScreen
from tests.support.supervised import SupervisedScript
from tests.tui.engine_screens import MANAGED_INFO, Presented
from tests.tui.harness import MEDIUM, NARROW, SHELF, WIDE, Driven, driven

URL = "http://127.0.0.1:43117"
SECOND_NS = 1_000_000_000


def managed() -> Presented:
    return Presented(MANAGED_INFO, models=SHELF)


def distant(url: str = "http://gpu-box.lan:8000") -> Presented:
    return Presented(replace(MANAGED_INFO, kind=EndpointKind.OPENAI, url=url), models=SHELF)


async def show(user: Driven, screen: ConnectScreen) -> None:
    user.app.push_screen(screen)
    await user.until(lambda: user.app.screen is screen and bool(screen.query("#connect-snippet")))
    await user.until(lambda: screen.sheet.has_focus and bool(screen.sheet.paragraphs))


async def test_the_address_and_a_line_for_curl_are_there_at_once() -> None:
    async with driven(managed(), size=NARROW) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, model_id=MEDIUM))
        await user.until(lambda: user.shows(f"{URL}/v1"))

        assert user.shows(f"curl -N {URL}/v1/chat/completions")


@pytest.mark.parametrize(
    ("key", "target"), [("1", SnippetTarget.CURL), ("2", SnippetTarget.PYTHON), ("3", SnippetTarget.VS_CODE)]
)
async def test_what_is_copied_is_the_whole_snippet_as_it_is(key: str, target: SnippetTarget) -> None:
    async with driven(managed(), size=NARROW) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, model_id=MEDIUM))
        await user.pilot.press(key, "c")
        await user.until(lambda: "copied" in user.words_told)

        made = {one.target: one.text for one in snippets(URL, MEDIUM, context_tokens=32_768)}
        assert user.app.clipboard == made[target]


async def test_the_address_alone_can_be_copied() -> None:
    async with driven(managed()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, model_id=MEDIUM))
        await user.pilot.press("a")

        assert user.app.clipboard == f"{URL}/v1"


async def test_a_registered_model_has_the_prefix_of_its_list_in_the_address_and_in_the_snippet() -> None:
    async with driven(managed()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, model_id=SCRIPTED_MODEL_ID))
        await user.pilot.press("c")
        snippet = user.app.clipboard
        await user.pilot.press("a")

        assert user.app.clipboard == f"{URL}/catalogs/local/v1"
        assert f"{URL}/catalogs/local/v1/chat/completions" in snippet


async def test_the_next_key_goes_through_the_models_that_are_here_loaded_ones_first() -> None:
    async with driven(managed()) as user:
        await user.up()
        await user.client.load(MEDIUM)
        screen = ConnectScreen(user.client)
        await show(user, screen)
        seen: list[str] = []
        for _ in range(5):
            assert screen.snippet is not None
            seen.append(
                next(one for one in user.client.catalog.value.models if one.id in screen.snippet.text).id
            )
            await user.pilot.press("m")

        assert seen[0] == MEDIUM
        assert seen[4] == MEDIUM
        assert len(set(seen)) == 4
        assert "large-instruct-qnn-npu:3" not in seen  # not on this machine


async def test_a_model_that_is_not_in_memory_is_said_to_be_so() -> None:
    async with driven(managed()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, model_id=MEDIUM))
        before = user.shows("not in memory")
        await user.client.load(MEDIUM)
        await user.until(lambda: not user.shows("not in memory"))

        assert before


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://gpu-box.lan:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("https://gpu-box.lan", False),
    ],
)
async def test_plain_http_beyond_this_machine_is_warned_of(url: str, warns: bool) -> None:
    async with driven(distant(url)) as user:
        await user.up()
        await show(user, ConnectScreen(user.client))
        await user.until(lambda: user.shows("Address"))

        assert user.shows("Not encrypted") == warns


async def test_a_key_is_named_by_its_variable_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sesame-open")
    async with driven(distant()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, key_env=lambda: "MY_KEY"))
        await user.pilot.press("2", "c")

        assert 'os.environ["MY_KEY"]' in user.app.clipboard
        assert not user.shows("sesame-open")
        assert "sesame-open" not in user.app.clipboard


async def test_the_managed_service_gets_no_key() -> None:
    async with driven(managed()) as user:
        await user.up()
        screen = ConnectScreen(user.client, key_env=lambda: "MY_KEY")
        await show(user, screen)

        assert screen.snippet is not None
        assert "MY_KEY" not in screen.snippet.text


async def test_a_pinned_port_is_told_from_one_that_changes() -> None:
    async with driven(managed()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client))
        free = user.shows("--port 5273")
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)
        await show(user, ConnectScreen(user.client, pinned_port=lambda: 5273))

        assert free
        assert user.shows("always on port 5273")


async def test_an_engine_that_comes_back_elsewhere_is_shown_at_its_new_address() -> None:
    engine = managed()
    async with driven(engine) as user:
        await user.up()
        screen = ConnectScreen(user.client, model_id=MEDIUM)
        await show(user, screen)
        await engine.die()
        await user.until(lambda: user.shows("Ctrl+R restarts"))
        nothing = screen.snippet
        engine.info = replace(MANAGED_INFO, url="http://127.0.0.1:50001")
        await user.client.restart()
        await user.until(lambda: user.shows("http://127.0.0.1:50001/v1"))

        assert nothing is None


async def test_an_engine_that_does_not_start_has_nothing_to_copy() -> None:
    engine = managed()
    engine.refusal = EngineUnavailable("the runtime is not installed", remedy="install it")
    async with driven(engine) as user:
        await user.until(lambda: "not installed" in user.words_told)
        await show(user, ConnectScreen(user.client))
        await user.pilot.press("c", "a", "m")

        assert user.shows("the runtime is not installed")
        assert user.app.clipboard == ""
        assert "There is nothing to copy" in user.words_told


async def test_an_engine_without_an_address_says_so() -> None:
    async with driven(SupervisedScript()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client))

        assert user.shows("no address that others could use")


async def test_without_any_model_it_says_where_to_get_one() -> None:
    async with driven(managed()) as user:
        await user.up()
        user.client.catalog.publish(CatalogSnapshot(models=(), origin=SnapshotOrigin.LIVE))
        await show(user, ConnectScreen(user.client))

        assert user.shows("No model is here to be named")


async def test_a_name_that_the_editor_would_run_has_no_snippet_for_it() -> None:
    trap = replace(SHELF[1], id="${input:secret}:1", catalog=CatalogKind.LOCAL)
    async with driven(Presented(MANAGED_INFO, models=[trap])) as user:
        await user.up()
        screen = ConnectScreen(user.client, model_id=trap.id)
        await show(user, screen)
        await user.pilot.press("3", "c")
        await user.until(lambda: user.shows("There is none for this model"))

        assert user.app.clipboard == ""


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
async def test_a_hostile_name_is_data_in_what_is_shown(size: tuple[int, int]) -> None:
    evil = replace(SHELF[1], id="m\x1b[2J\x9b31m[@click=app.leave]x[/]';rm -rf ~;'\u202e:1")
    async with driven(Presented(MANAGED_INFO, models=[evil]), size=size) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, model_id=evil.id))
        await user.until(lambda: user.shows("[@click=app.leave]x[/]"))

        assert all(line.isprintable() for line in user.lines())


async def test_what_keeps_models_warm_is_shown_and_followed() -> None:
    warmth = Feed(Warmth())
    now_ns = 100 * SECOND_NS
    async with driven(managed()) as user:
        await user.up()
        await show(user, ConnectScreen(user.client, warmth=warmth, clock_ns=lambda: now_ns))
        await user.until(lambda: user.shows("Keep warm off"))
        options = WarmthOptions(warm_every_s=240.0)
        warmth.publish(
            Warmth(state=WarmthState.WAITING, options=options, warmed=3, last_warm_ns=60 * SECOND_NS)
        )
        await user.until(lambda: user.shows("a light prompt every 4 min (3 so far, the last one 40 s ago)"))
        warmth.publish(Warmth(state=WarmthState.WAITING, options=options, problem="it went away"))
        await user.until(lambda: user.shows("the last attempt failed: it went away"))

        assert not user.shows("so far")

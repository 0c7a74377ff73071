"""The screen of settings: what stands there, how it is found, and how the screen is left."""

from pathlib import Path

import pytest

from foundry_tui.config.locate import shipped_folder
from foundry_tui.domain.settings import SettingOrigin, SettingOverride
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.settings import KeyedAction
from foundry_tui.tui.screens.settings_draft import is_heading
from tests.tui.settings_screens import ACTIONS, ALL_KEYS, opened

SHIPPED = (shipped_folder() / "settings.toml").read_bytes()
ELSEWHERE = (
    KeyedAction(id="log.write", label="Write a file", keys="w"),
    KeyedAction(id="app.quit", label="Quit", keys="ctrl+q"),
)
TABLES = ("[chat]", "[timeouts]", "[engine]", "[downloads]", "[licenses]", "[energy]", "[screen]", "[keys]")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_key_stands_there_once_under_its_table(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size=size) as user:
        seen: list[str] = []
        await user.pilot.press("home")
        for _ in range(len(ALL_KEYS) + len(ACTIONS)):
            seen.append(user.table.cursor_key or "")
            name = seen[-1].partition(".")[2]
            assert sum(f" {name} " in line and "▌" in line for line in user.lines()) == 1
            await user.pilot.press("down")

        headings = [row.cells[1] for row in user.table.rows if is_heading(row.key)]
        assert seen == [*ALL_KEYS, "keys.chat.new", "keys.chat.stop"]
        assert headings == list(TABLES)


async def test_a_row_says_where_its_value_comes_from(tmp_path: Path) -> None:
    overrides = {
        "engine.offline": SettingOverride(origin=SettingOrigin.OPTION, detail="--offline", value=True)
    }
    text = "[chat]\nmax_tokens = 700\n[keys]\n'chat.stop' = ''\n"
    async with opened(tmp_path, text, overrides=overrides) as user:
        assert user.row("chat.max_tokens") == ("", "max_tokens", "700", "file, line 2")
        assert user.row("chat.seed") == ("", "seed", "not set", "default")
        assert user.row("engine.offline") == ("", "offline", "true", "--offline")
        assert user.row("keys.chat.new") == ("", "chat.new", "ctrl+n", "default")
        assert user.row("keys.chat.stop") == ("", "chat.stop", "none", "file, line 4")


async def test_below_stand_meaning_default_place_and_when_it_is_heeded(tmp_path: Path) -> None:
    text = "[engine]\nport = 5\n"
    async with opened(tmp_path, text, size=(160, 30)) as user:
        await user.go_to("engine.port")

        assert user.shows("engine.port  Port of the managed web service; absent: a free one.")
        place = f"Default: not set · takes effect at the next start · from {user.path} line 2"
        assert place in " ".join(" ".join(user.lines()).replace("│", " ").split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_each_table_is_about_is_not_cut(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(tmp_path, size=size) as user:
        headings = {row.cells[1]: row.cells[2] for row in user.table.rows if is_heading(row.key)}
        seen = user.lines()
        for key in ("engine.port", "downloads.quiet_hour", "screen.theme", "keys.chat.new"):
            await user.go_to(key)
            seen += user.lines()

    assert headings.keys() == set(TABLES)
    for name, words in headings.items():
        assert any(f" {name} " in line and words in line for line in seen), name


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def test_the_foot_shows_both_ends_of_a_long_path_and_all_of_it_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = made(Path("the-first-folder", "a-folder-in-the-middle", "the-last-folder"))
    async with opened(folder, size=(80, 24)) as user:
        assert user.shows("saved to the-fi…/the-last-folder/settings.toml")

        await user.pilot.resize_terminal(120, 40)
        await user.until(lambda: user.shows(f"saved to {user.path} "))


async def test_what_stands_above_the_file_is_told(tmp_path: Path) -> None:
    overrides = {
        "engine.offline": SettingOverride(origin=SettingOrigin.OPTION, detail="--offline", value=True)
    }
    async with opened(tmp_path, overrides=overrides) as user:
        await user.go_to("engine.offline")

        assert user.shows("--offline decided true; what is saved here holds without it")


async def test_keys_for_no_action_are_marked(tmp_path: Path) -> None:
    async with opened(tmp_path, '[keys]\n"chat.gone" = "f9"\n') as user:
        await user.go_to("keys.chat.gone")

        assert user.shows("No action has this id")
        assert user.row("keys.chat.gone")[0] == "!"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("f5, ctrl+n", "same key: New conversation"),
        ("ctrl+q", "same key: Quit"),
        ("w", None),  # of the log, which is never there together with the chat
        ("", None),
    ],
)
async def test_what_has_the_same_key_in_reach_is_told(tmp_path: Path, keys: str, told: str | None) -> None:
    text = f'[keys]\n"chat.stop" = "{keys}"\n'
    async with opened(tmp_path, text, actions=(*ACTIONS, *ELSEWHERE)) as user:
        await user.go_to("keys.chat.stop")

        assert user.shows(told or "Default: escape")
        assert user.shows("same key") is (told is not None)


async def test_a_broken_file_is_told_instead(tmp_path: Path) -> None:
    async with opened(tmp_path, "[chat]\nseed = 'x'\n", waits=False) as user:
        await user.until(lambda: user.shows("/chat/seed: expected a whole number"))

        await user.pilot.press("enter", "space", "r", "u", "ctrl+s")
        await user.until(lambda: bool(user.app.results))

        assert user.app.results == [None]


async def test_hostile_text_of_the_file_is_harmless(tmp_path: Path) -> None:
    text = '[engine]\nendpoint = "\\u001b]8;;http://evil\\u0007[b]x[/b]\\n"\n'
    async with opened(tmp_path, text, size=(120, 40)) as user:
        await user.go_to("engine.endpoint")
        before = "".join(user.lines())
        await user.pilot.press("enter", "enter")
        await user.until(lambda: user.table.has_focus)

        assert "\x1b" not in before
        assert "␛]8;;http://evil␇[b]x[/b]" in before
        assert await user.save() == set()
        assert user.path.read_text() == text


async def test_what_is_typed_after_a_slash_filters_and_escape_shows_all_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        total = len(user.table.rows)
        await user.pilot.press("slash")
        await user.type("token sec")
        found = [row.key for row in user.table.rows if not is_heading(row.key)]
        await user.pilot.press("enter", "enter")
        await user.write("8")
        await user.pilot.press("enter")
        await user.until(lambda: user.table.has_focus)
        value = user.row("timeouts.first_token_s")[2]
        await user.pilot.press("escape")

        assert found == ["timeouts.first_token_s"]
        assert value == "8"
        assert len(user.table.rows) == total
        assert user.table.cursor_key == "timeouts.first_token_s"


async def test_words_that_nothing_has_say_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.pilot.press("slash", "ö", "ö")

        assert user.shows("no setting has all these words")


async def test_the_cursor_passes_over_headings(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        stops = []
        for key in ("home", "up", "end", "up", "up", "up"):
            await user.pilot.press(key)
            stops.append(user.table.cursor_key)

        assert stops == [
            "chat.system_prompt",
            "chat.system_prompt",
            "keys.chat.stop",
            "keys.chat.new",
            "screen.strip_hz",
            "screen.flush_hz",
        ]


async def test_escape_without_changes_leaves_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.pilot.press("escape")
        await user.until(lambda: bool(user.app.results))

        assert user.app.results == [None]
        assert not user.path.exists()


async def test_escape_with_changes_asks_and_staying_keeps_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("chat.save")
        await user.pilot.press("space", "escape")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        is_told = user.shows("1 change is not saved.")
        await user.pilot.press("enter")
        await user.until(lambda: user.app.screen is user.screen)

        assert is_told
        assert user.row("chat.save")[0] == "*"
        assert await user.save() == {"chat.save"}


async def test_saving_says_where_and_what_waits_for_the_next_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("chat.save")
        await user.pilot.press("space")
        await user.go_to("screen.animations")
        await user.pilot.press("space")
        await user.save()

    assert user.told == [f"2 settings saved to {user.path}\nchat.save: at the next start"]
    assert user.path.read_bytes() == SHIPPED.replace(b"# save = true", b"save = false").replace(
        b"# animations = true", b"animations = false"
    )


async def test_what_cannot_be_saved_is_told_and_kept_on_the_screen(tmp_path: Path) -> None:
    async with opened(tmp_path, "[chat]\n") as user:
        await user.go_to("chat.save")
        await user.pilot.press("space")
        user.path.write_text("[chat]\nmax_tokens = 0\n")
        await user.pilot.press("ctrl+s")
        await user.until(lambda: bool(user.told))

        assert "expected a number from 1 up, found 0" in user.told[0]
        assert user.row("chat.save")[0] == "*"
        assert user.app.results == []
        assert user.path.read_text() == "[chat]\nmax_tokens = 0\n"


async def test_the_mouse_sets_resets_and_saves(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        place = next(number for number, line in enumerate(user.lines()) if " save " in line)
        await user.pilot.click(offset=(10, place), times=2)
        await user.until(lambda: user.row("chat.save")[0] == "*")
        await user.pilot.click("#settings-default")
        await user.until(lambda: user.row("chat.save")[0] == "")
        await user.pilot.click(offset=(10, place), times=2)
        await user.pilot.click("#settings-save")
        await user.until(lambda: bool(user.app.results))

    assert user.app.results == [frozenset({"chat.save"})]


async def test_the_close_button_asks_as_escape_does(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("chat.save")
        await user.pilot.press("space")
        await user.pilot.click("#settings-close")

        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))

"""The settings screen on real files: every key shown, set, refused, reset and saved, by keys and by mouse."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.settings import load_settings
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.config.shapes import SettingsFile
from foundry_tui.domain.settings import SettingOrigin, SettingOverride
from foundry_tui.services.settings import SettingsService
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.screens.settings import KeyedAction, SettingsScreen, SettingsTable
from foundry_tui.tui.screens.settings_draft import is_heading, unknown_key

SHIPPED = (shipped_folder() / "settings.toml").read_bytes()
ACTIONS = (
    KeyedAction(id="chat.new", label="New conversation", keys="ctrl+n"),
    KeyedAction(id="chat.stop", label="Stop", keys="escape"),
)
ELSEWHERE = (
    KeyedAction(id="log.write", label="Write a file", keys="w"),
    KeyedAction(id="app.quit", label="Quit", keys="ctrl+q"),
)
THEMES = ("foundry-dark", "nord", "textual-light")
ALL_KEYS = [
    f"{table}.{name}"
    for table, group in SettingsFile.model_fields.items()
    if isinstance(group.annotation, type) and hasattr(group.annotation, "model_fields")
    for name in group.annotation.model_fields
]
TABLES = ("[chat]", "[timeouts]", "[engine]", "[downloads]", "[licenses]", "[energy]", "[screen]", "[keys]")
OTHER_VALUES = {
    "chat.system_prompt": "Be brief.",
    "chat.temperature": "0.5",
    "chat.max_tokens": "700",
    "chat.seed": "-3",
    "chat.history": "0",
    "chat.warn_at_context_share": "0.5",
    **{f"timeouts.{name}_s": "7" for name in ("connect", "headers", "first_token", "between", "total")},
    "engine.endpoint": "http://h:1",
    "engine.api_key_env": "MY_KEY",
    "engine.model_cache_dir": "/models",
    "engine.port": "5273",
    "engine.warm_every_min": "4",
    "engine.unload_after_min": "30",
    "engine.memory_limit_percent": "75",
    "downloads.quiet_hour": "3",
    "licenses.allow": "MIT",
    "licenses.deny": "*-nc-*",
    "energy.price_per_kwh": "0.32",
    "energy.currency": "EUR",
    "energy.cloud_price_in": "0",
    "energy.cloud_price_out": "0.6",
    "screen.flush_hz": "12",
    "screen.strip_hz": "2",
    "keys.chat.new": "f5",
    "keys.chat.stop": "ctrl+x, f6",
}
"""What is typed; of the others, the next choice is taken."""


class Harness(App[None]):
    """The settings screen over nothing, as the app opens it."""

    CSS_PATH = Path(inspect.getfile(FoundryApp)).with_name("css") / "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "escape", priority=True)]

    def __init__(self, screen: SettingsScreen) -> None:
        super().__init__()
        self.opened = screen
        self.results: list[frozenset[str] | None] = []

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.push_screen(self.opened, self.results.append)

    def action_escape(self) -> None:
        screen = self.screen
        if isinstance(screen, Overlay) and not screen.escape():
            screen.dismiss(None)


@dataclass(kw_only=True)
class Opened:
    """The screen and its file."""

    app: Harness
    pilot: Pilot[None]
    path: Path
    told: list[str] = field(default_factory=list[str])

    @property
    def screen(self) -> SettingsScreen:
        return self.app.opened

    @property
    def table(self) -> SettingsTable:
        return self.screen.table

    def lines(self) -> list[str]:
        """The screen from top to bottom."""
        # What the compositor joins is what goes to the terminal; it has no public door.
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    def row(self, key: str) -> tuple[str, ...]:
        """Mark, name, value and origin."""
        return next(row.cells for row in self.table.rows if row.key == key)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await self.pilot.pause()  # a turn for all that is under way

    async def go_to(self, key: str) -> None:
        self.table.move_cursor_to(key)
        await self.pilot.pause()  # the row is told of by a message

    async def write(self, text: str) -> None:
        """Put ``text`` in the place of what stands in the open field."""
        await self.pilot.press("end", "ctrl+u")
        await self.type(text)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if character == " " else character for character in text))

    async def edit(self, key: str, text: str) -> None:
        """Open the setting under the cursor, write and accept."""
        await self.pilot.press("enter")
        await self.write(text)
        await self.pilot.press("enter")
        await self.until(lambda: self.table.has_focus)

    async def save(self) -> set[str]:
        """Save all and wait for the end; the keys that were saved."""
        await self.pilot.press("ctrl+s")
        await self.until(lambda: bool(self.app.results))
        return set(self.app.results[-1] or ())


@asynccontextmanager
async def opened(
    user: Path,
    text: str | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    overrides: Mapping[str, SettingOverride] | None = None,
    actions: tuple[KeyedAction, ...] = ACTIONS,
    waits: bool = True,
) -> AsyncGenerator[Opened, None]:
    """The screen on the file of the folder ``user``, which has ``text``, or is what is shipped."""
    path = user / "settings.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    file = TomlSettingsFile((user, shipped_folder()), overrides=overrides)
    app = Harness(SettingsScreen(SettingsService(file), themes=THEMES, actions=actions))
    told: list[str] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notify):
            told.append(message.notification.message)

    async with app.run_test(size=size, notifications=True, message_hook=listen) as pilot:
        shown = Opened(app=app, pilot=pilot, path=path, told=told)
        await shown.until(lambda: app.screen is app.opened)
        if waits:
            await shown.until(lambda: bool(shown.table.rows))
        yield shown


# What stands there


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


# Changing


async def test_every_key_can_be_set_and_reset_by_keys_alone(tmp_path: Path) -> None:
    everything = {*ALL_KEYS, "keys.chat.new", "keys.chat.stop"}
    async with opened(tmp_path) as user:
        await user.pilot.press("home")
        for _ in everything:
            key = user.table.cursor_key or ""
            if key in OTHER_VALUES:
                await user.edit(key, OTHER_VALUES[key])
            else:
                await user.pilot.press("space")
            assert (key, user.row(key)[0], user.row(key)[3]) == (key, "*", "changed, not saved")
            await user.pilot.press("down")
        saved = await user.save()

    changed = load_settings(user.path)
    assert saved == everything
    assert (changed.chat.system_prompt, changed.chat.save, changed.screen.theme) == (
        "Be brief.",
        False,
        "nord",
    )
    assert changed.keys == {"chat.new": "f5", "chat.stop": "ctrl+x, f6"}

    async with opened(tmp_path) as user:
        await user.pilot.press("home")
        for number in range(len(everything)):
            await user.pilot.press("r" if number % 2 else "delete", "down")
        saved = await user.save()

    assert saved == everything
    assert load_settings(user.path) == load_settings(shipped_folder() / "settings.toml")


async def test_a_wrong_value_is_told_while_it_is_typed_and_cannot_be_accepted(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("chat.max_tokens")
        await user.pilot.press("enter")
        await user.write("0")
        await user.until(lambda: user.shows("✗ expected a number from 1 up, found 0"))
        await user.pilot.press("enter")
        await user.pilot.press("ctrl+s")
        await user.until(lambda: user.shows("✗ expected a number from 1 up, found 0"))
        is_open = not user.table.has_focus
        await user.write("9")
        await user.until(lambda: not user.shows("✗"))
        saved = await user.save()

    assert is_open
    assert saved == {"chat.max_tokens"}
    assert load_settings(user.path).chat.max_tokens == 9


async def test_escape_leaves_a_field_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("chat.seed")
        await user.pilot.press("enter", "1", "escape")

        assert user.table.has_focus
        assert user.row("chat.seed") == ("", "seed", "not set", "default")
        assert user.app.screen is user.screen


async def test_an_emptied_field_is_the_default_but_emptied_keys_are_none(tmp_path: Path) -> None:
    text = '[chat]\nseed = 3\n[keys]\n"chat.new" = "f5"\n'
    async with opened(tmp_path, text) as user:
        for key in ("chat.seed", "keys.chat.new"):
            await user.go_to(key)
            await user.edit(key, "")
        seed, keys = user.row("chat.seed"), user.row("keys.chat.new")
        await user.save()

    assert (seed[2], keys[2]) == ("not set", "none")
    assert user.path.read_text() == '[chat]\n# seed = 3\n[keys]\n"chat.new" = ""\n'


async def test_a_key_that_no_keyboard_has_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("keys.chat.new")
        await user.pilot.press("enter")
        await user.write("pagedwn")

        await user.until(lambda: user.shows("✗ no key is called 'pagedwn'; did you mean pagedown?"))


async def test_choices_go_round_both_ways_and_a_theme_is_tried_on(tmp_path: Path) -> None:
    async with opened(tmp_path, '[screen]\ntheme = "nord"\n') as user:
        await user.go_to("screen.theme")
        seen = []
        for key in ("right", "space", "left", "enter"):
            await user.pilot.press(key)
            seen.append(user.row("screen.theme")[2])
        worn = user.app.theme
        await user.pilot.press("u")

        assert seen == ["textual-light", "foundry-dark", "textual-light", "foundry-dark"]
        assert worn == "textual-light"  # the harness has no foundry-dark
        assert user.app.theme == "textual-dark"


@pytest.mark.parametrize(("is_saved", "theme"), [(True, "nord"), (False, "textual-dark")])
async def test_a_theme_that_was_tried_on_stays_only_if_it_is_saved(
    tmp_path: Path, is_saved: bool, theme: str
) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("screen.theme")
        await user.pilot.press("space")
        if is_saved:
            await user.save()
        else:
            await user.pilot.press("escape", "tab", "enter")
            await user.until(lambda: bool(user.app.results))
        await user.pilot.pause()  # the screen is taken away by a message

        assert user.app.theme == theme


async def test_prose_of_several_lines_is_edited_whole(tmp_path: Path) -> None:
    async with opened(tmp_path, '[chat]\nsystem_prompt = """\nBe brief.\nBe kind."""\n') as user:
        await user.pilot.press("home", "enter", "ctrl+j", "!", "enter")
        await user.until(lambda: user.table.has_focus)
        await user.save()

    assert load_settings(user.path).chat.system_prompt == "Be brief.\nBe kind.\n!"


async def test_undo_takes_back_one_change(tmp_path: Path) -> None:
    async with opened(tmp_path, "[chat]\nseed = 3\nmax_tokens = 4\n") as user:
        await user.go_to("chat.seed")
        await user.pilot.press("r", "u", "down", "u")

        assert await user.save() == set()


async def test_a_change_back_to_what_the_file_says_is_none(tmp_path: Path) -> None:
    async with opened(tmp_path) as user:
        await user.go_to("chat.save")
        await user.pilot.press("space")
        changed = user.row("chat.save")
        await user.pilot.press("r")

        assert changed == ("*", "save", "false", "changed, not saved")
        assert user.row("chat.save") == ("", "save", "true", "default")


# Finding


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


# Leaving and saving


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


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("", None),
        ("ctrl+n", None),
        ("f5, shift+f5,  A", None),
        ("?", None),
        ("+", None),
        ("ctrl+underscore,alt+1,space,comma,ö", None),
        ("esc", "no key is called 'esc'; did you mean escape?"),
        ("control+n", "no key is held as 'control': alt, ctrl, hyper, meta, shift, super"),
        ("ctrl+", "no key is called ''"),
        ("f99x", "no key is called 'f99x'; did you mean f9?"),
    ],
)
def test_the_names_of_keys_are_known(keys: str, problem: str | None) -> None:
    assert unknown_key(keys) == problem

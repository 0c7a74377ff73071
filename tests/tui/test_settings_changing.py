"""Settings changed on their screen: by keys alone, checked while they are typed, taken back."""

from pathlib import Path

import pytest

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.settings import load_settings
from foundry_tui.tui.screens.settings_draft import unknown_key
from tests.tui.settings_screens import ALL_KEYS, opened

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
        before = user.row("keys.chat.new")[2]
        await user.pilot.press("enter")
        await user.write("pagedwn")

        await user.until(lambda: user.shows("✗ no key is called 'pagedwn'; did you mean pagedown?"))
        await user.pilot.press("enter", "escape")

        assert user.row("keys.chat.new")[2] == before


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

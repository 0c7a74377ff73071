"""The settings file as the screen changes it: origins, checks, and what is on the disk afterwards."""

import os
import stat
import sys
from pathlib import Path

import platformdirs
import pytest

from foundry_tui.config.locate import config_folders, shipped_folder
from foundry_tui.config.settings import load_settings
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.config.shapes import SettingsFile
from foundry_tui.config.values import Settings
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.settings import (
    SettingEntry,
    SettingKind,
    SettingOrigin,
    SettingOverride,
    TakesEffect,
)

SHIPPED = (shipped_folder() / "settings.toml").read_bytes()
needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's own folder, which is not there yet."""
    return tmp_path / "home" / "foundry-tui"


@pytest.fixture
def file(tmp_path: Path, user: Path) -> TomlSettingsFile:
    """Nothing but what is shipped is there."""
    return TomlSettingsFile((tmp_path / "config", user, shipped_folder()))


def own_file(folder: Path, text: str | bytes = SHIPPED) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "settings.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def entry(file: TomlSettingsFile, key: str) -> SettingEntry:
    return next(entry for entry in file.entries() if entry.key == key)


# What is shown


def test_every_key_of_the_shape_is_offered_once_in_the_words_of_its_declaration(
    file: TomlSettingsFile,
) -> None:
    entries = file.entries()

    declared = {
        f"{table}.{name}": field.description
        for table, group in SettingsFile.model_fields.items()
        if isinstance(group.annotation, type) and hasattr(group.annotation, "model_fields")
        for name, field in group.annotation.model_fields.items()
    }
    assert len(declared) == 32
    assert [(entry.key, entry.description) for entry in entries] == list(declared.items())
    assert {entry.table: entry.group for entry in entries} == {
        table: group.description for table, group in SettingsFile.model_fields.items() if table != "keys"
    }


def test_where_nobody_says_anything_there_are_defaults(file: TomlSettingsFile) -> None:
    assert entry(file, "chat.max_tokens") == SettingEntry(
        key="chat.max_tokens",
        group="What a new chat starts with, and what is kept.",
        description="The longest answer, in tokens.",
        kind=SettingKind.WHOLE,
        value="512",
        stored=None,
        default="512",
        origin=SettingOrigin.DEFAULT,
        origin_detail="",
        line=None,
        takes_effect=TakesEffect.NOW,
    )


def test_a_value_of_the_file_names_the_file_and_the_line(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user, "[chat]\n\nmax_tokens = 700\n")

    found = entry(file, "chat.max_tokens")

    assert (found.value, found.stored, found.default) == ("700", "700", "512")
    assert (found.origin, found.origin_detail, found.line) == (SettingOrigin.FILE, f"{path} line 3", 3)


def test_an_option_stands_above_the_file(tmp_path: Path, user: Path) -> None:
    own_file(user, "[engine]\noffline = false\nport = 5\n")
    overrides = {
        "engine.offline": SettingOverride(origin=SettingOrigin.OPTION, detail="--offline", value=True),
        "engine.port": SettingOverride(origin=SettingOrigin.OPTION, detail="--demo", value=None),
        "engine.endpoint": SettingOverride(
            origin=SettingOrigin.ENVIRONMENT, detail="FOUNDRY_LOCAL_ENDPOINT", value="http://h:1"
        ),
    }
    file = TomlSettingsFile((user, shipped_folder()), overrides=overrides)

    offline, port, endpoint = (entry(file, f"engine.{name}") for name in ("offline", "port", "endpoint"))

    assert (offline.value, offline.stored, offline.origin) == ("true", "false", SettingOrigin.OPTION)
    assert (offline.origin_detail, offline.line) == ("--offline", 2)
    assert (port.value, port.stored, port.origin_detail) == (None, "5", "--demo")
    assert (endpoint.value, endpoint.stored, endpoint.origin) == (
        "http://h:1",
        None,
        SettingOrigin.ENVIRONMENT,
    )


@pytest.mark.parametrize(
    ("key", "kind", "default"),
    [
        ("chat.system_prompt", SettingKind.PROSE, None),
        ("chat.temperature", SettingKind.NUMBER, None),
        ("chat.save", SettingKind.TRUTH, "true"),
        ("chat.warn_at_context_share", SettingKind.NUMBER, "0.9"),
        ("timeouts.total_s", SettingKind.NUMBER, "900.0"),
        ("engine.port", SettingKind.WHOLE, None),
        ("engine.api_key_env", SettingKind.TEXT, None),
        ("screen.theme", SettingKind.CHOICE, "foundry-dark"),
        ("screen.flush_hz", SettingKind.WHOLE, "25"),
    ],
)
def test_a_setting_is_of_a_kind(
    file: TomlSettingsFile, key: str, kind: SettingKind, default: str | None
) -> None:
    found = entry(file, key)

    assert (found.kind, found.default) == (kind, default)


def test_what_is_decided_when_the_app_starts_takes_effect_at_the_next_start(file: TomlSettingsFile) -> None:
    later = [entry.key for entry in file.entries() if entry.takes_effect is TakesEffect.NEXT_START]

    engine = [key for key in later if key.startswith("engine.")]
    assert later == ["chat.save", "timeouts.connect_s", *engine]
    assert len(engine) == 5


def test_keys_are_offered_for_the_actions_asked_for_and_for_those_in_the_file(
    file: TomlSettingsFile, user: Path
) -> None:
    own_file(user, '[keys]\n"chat.gone" = "f9"\n"chat.stop" = ""\n')

    keys = [entry for entry in file.entries(["chat.new", "chat.stop"]) if entry.table == "keys"]

    assert [(entry.name, entry.value, entry.origin, entry.line) for entry in keys] == [
        ("chat.new", None, SettingOrigin.DEFAULT, None),
        ("chat.stop", "", SettingOrigin.FILE, 3),
        ("chat.gone", "f9", SettingOrigin.FILE, 2),
    ]
    assert {entry.kind for entry in keys} == {SettingKind.KEYS}


def test_a_broken_file_is_told_and_not_shown(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user, "[chat]\nmax_tokens = 0\n")

    with pytest.raises(BadInput) as caught:
        file.entries()

    assert str(caught.value) == f"{path}: /chat/max_tokens: expected a number from 1 up, found 0"


# Checks


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("chat.max_tokens", "700", None),
        ("chat.max_tokens", " 700 ", None),
        ("chat.max_tokens", "0", "expected a number from 1 up, found 0"),
        ("chat.max_tokens", "7.5", "expected a whole number, found 7.5"),
        ("chat.max_tokens", "many", 'expected a whole number, found "many"'),
        ("chat.max_tokens", "", 'expected a whole number, found ""'),
        ("chat.max_tokens", "1\n[engine]", 'expected a whole number, found "1 [engine]"'),
        ("chat.temperature", ".5", None),
        ("chat.temperature", "1e-3", None),
        ("chat.temperature", "0,7", 'expected a number, found "0,7"'),
        ("chat.temperature", "nan", 'expected a number, found "nan"'),
        ("timeouts.total_s", "1e999", "expected a finite number, found inf"),
        ("engine.offline", "true", None),
        ("engine.offline", "yes", 'expected true or false, found "yes"'),
        ("chat.system_prompt", " \n", 'expected text that is not blank, found ""'),
        ("keys.chat.new", "", None),
        ("keys.chat.new", "ctrl+n, f5", None),
        ("keys.chat.new", "ctrl+n,", 'expected names of keys with commas between them, found "ctrl+n,"'),
        ("keys.Chat", "f5", 'expected the id of an action (small letters, _ and dots), found "Chat"'),
        ("keys", "f5", "there is no setting keys"),
        ("chat.nothing", "1", "there is no setting chat.nothing"),
        ("nothing", "1", "there is no setting nothing"),
        ("", "1", "there is no setting "),
    ],
)
def test_a_text_is_checked_in_words(file: TomlSettingsFile, key: str, text: str, problem: str | None) -> None:
    assert file.check(key, text) == problem


def test_an_api_key_in_place_of_a_variable_is_not_repeated(file: TomlSettingsFile) -> None:
    problem = file.check("engine.api_key_env", "sk-secret")

    assert problem is not None
    assert "sk-secret" not in problem


def test_a_further_check_has_its_say_after_the_shape(user: Path) -> None:
    def no_address(text: str) -> None:
        raise BadInput(f"{text} is no address", remedy="an example: http://h:1")

    file = TomlSettingsFile((user, shipped_folder()), checks={"engine.endpoint": no_address})

    assert file.check("engine.endpoint", "here") == "here is no address; an example: http://h:1"
    assert file.check("engine.endpoint", "") == 'expected text that is not blank, found ""'


# Where it is saved


def test_the_first_save_makes_a_copy_of_the_shipped_file_in_the_users_folder(
    file: TomlSettingsFile, user: Path
) -> None:
    path = file.save({"chat.max_tokens": "700"})

    assert path == user / "settings.toml" == file.target()
    assert path.read_bytes() == SHIPPED.replace(b"# max_tokens = 512", b"max_tokens = 700")
    assert list(user.iterdir()) == [path]
    assert (shipped_folder() / "settings.toml").read_bytes() == SHIPPED


def test_that_folder_is_the_one_in_which_settings_are_looked_for() -> None:
    path = TomlSettingsFile(config_folders()).target()

    assert path == platformdirs.user_config_path("foundry-tui", appauthor=False) / "settings.toml"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_file_of_the_users_own_is_changed_where_it_lies(tmp_path: Path, place: int) -> None:
    folders = tuple(tmp_path / name for name in ("given", "config", "user"))
    path = own_file(folders[place])
    file = TomlSettingsFile((*folders, shipped_folder()))

    assert file.save({"chat.seed": "1"}) == path == file.target()
    assert load_settings(path).chat.seed == 1


def test_the_shipped_folder_named_by_the_user_is_the_users(tmp_path: Path) -> None:
    folder = tmp_path / "shipped"
    path = own_file(folder)

    assert TomlSettingsFile((folder, tmp_path / "user", folder)).save({"chat.seed": "1"}) == path


# What is saved


def test_what_is_saved_is_what_is_loaded(file: TomlSettingsFile) -> None:
    path = file.save(
        {
            "chat.system_prompt": "Grüße\n你好 🧪",
            "chat.temperature": "0.5",
            "engine.offline": "true",
            "screen.theme": "nord",
            "keys.chat.new": "ctrl+n, f5",
            "keys.chat.stop": "",
        }
    )

    settings = load_settings(path)
    assert settings.chat.system_prompt == "Grüße\n你好 🧪"
    assert settings.chat.temperature == 0.5
    assert settings.engine.offline is True
    assert settings.screen.theme == "nord"
    assert settings.keys == {"chat.new": "ctrl+n, f5", "chat.stop": ""}


def test_the_users_comments_and_order_survive(file: TomlSettingsFile, user: Path) -> None:
    before = (
        "# für mich\n[screen] # looks\ntheme = 'nord' # schön\n\n[chat]\n# seed = 3, not 4\nseed = 4 # four\n"
    )
    path = own_file(user, before)

    file.save({"chat.seed": "5", "screen.theme": None})

    after = before.replace("seed = 4 #", "seed = 5 #").replace("theme = 'nord'", '# theme = "foundry-dark"')
    assert path.read_text(encoding="utf-8") == after


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_line_ends_and_byte_order_mark_survive(
    file: TomlSettingsFile, user: Path, mark: bytes, line_end: bytes
) -> None:
    path = own_file(user, mark + SHIPPED.replace(b"\n", line_end))

    file.save({"chat.seed": "5", "keys.chat.stop": "f9"})

    expected = SHIPPED.replace(b"# seed = 7", b"seed = 5") + b'"chat.stop" = "f9"\n'
    assert path.read_bytes() == mark + expected.replace(b"\n", line_end)
    assert entry(file, "chat.seed").line == 12


def test_the_last_version_is_kept_beside_it(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user, "[chat]\nseed = 1\n")

    file.save({"chat.seed": "2"})
    file.save({"chat.seed": "3"})

    assert path.read_text() == "[chat]\nseed = 3\n"
    assert (user / "settings.toml.bak").read_text() == "[chat]\nseed = 2\n"
    assert sorted(name.name for name in user.iterdir()) == ["settings.toml", "settings.toml.bak"]


def test_saving_what_is_there_writes_nothing(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user, "[chat]\nseed = 1\n")

    assert file.save({"chat.seed": "1", "chat.max_tokens": None}) == path
    assert list(user.iterdir()) == [path]


def test_what_somebody_else_changed_meanwhile_stays(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user, "[chat]\nseed = 1\nmax_tokens = 2\n")
    file.entries()
    path.write_text("# new\n[chat]\nmax_tokens = 3\nseed = 1\nhistory = 4\n")

    file.save({"chat.seed": "9"})

    assert path.read_text() == "# new\n[chat]\nmax_tokens = 3\nseed = 9\nhistory = 4\n"


def test_permissions_stay(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user)
    path.chmod(0o660)

    file.save({"chat.seed": "1"})

    modes = [stat.S_IMODE(name.stat().st_mode) for name in (path, user / "settings.toml.bak")]
    assert modes == [path.stat().st_mode & 0o777] * 2
    assert sys.platform == "win32" or modes == [0o660] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_stays_a_link_and_its_target_is_changed(
    file: TomlSettingsFile, user: Path, tmp_path: Path
) -> None:
    real = own_file(tmp_path / "dotfiles")
    user.mkdir(parents=True)
    (user / "settings.toml").symlink_to(real)

    file.save({"chat.seed": "1"})

    assert (user / "settings.toml").is_symlink()
    assert load_settings(real).chat.seed == 1
    assert (user / "settings.toml.bak").read_bytes() == SHIPPED


# What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chat.seed": "1", "chat.max_tokens": "0"}, "chat.max_tokens: expected a number from 1 up, found 0"),
        ({"chat.nothing": "1"}, "chat.nothing: there is no setting chat.nothing"),
        ({"chat.nothing": None}, "chat.nothing: there is no setting chat.nothing"),
    ],
)
def test_a_refused_value_leaves_every_byte_as_it_was(
    file: TomlSettingsFile, user: Path, changes: dict[str, str | None], message: str
) -> None:
    path = own_file(user, "[chat]\nseed = 7\n")

    with pytest.raises(BadInput) as caught:
        file.save(changes)

    assert str(caught.value) == message
    assert path.read_text() == "[chat]\nseed = 7\n"
    assert list(user.iterdir()) == [path]


@pytest.mark.parametrize("broken", ["[chat\n", "[chat]\nmax_tokens = 0\n", "[cat]\n", "chat = 1\n"])
def test_a_file_that_was_broken_meanwhile_is_not_written(
    file: TomlSettingsFile, user: Path, broken: str
) -> None:
    path = own_file(user)
    file.entries()
    path.write_text(broken)

    with pytest.raises(BadInput, match=str(path)):
        file.save({"chat.seed": "1"})

    assert path.read_text() == broken
    assert list(user.iterdir()) == [path]


def test_a_value_that_was_broken_by_hand_can_be_mended(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user, "[chat]\nmax_tokens = 0\n")

    file.save({"chat.max_tokens": "5"})

    assert path.read_text() == "[chat]\nmax_tokens = 5\n"


def test_a_folder_that_cannot_be_made_is_a_storage_problem_with_a_remedy(tmp_path: Path, user: Path) -> None:
    tmp_path.joinpath("home").write_text("a file where the folder should go")
    file = TomlSettingsFile((tmp_path / "config", user, shipped_folder()))

    with pytest.raises(StorageProblem) as caught:
        file.save({"chat.seed": "1"})

    assert str(caught.value).startswith(f"{user / 'settings.toml'} cannot be written: ")
    assert "--config" in (caught.value.remedy or "")


@needs_permissions
def test_a_folder_that_is_read_only_is_a_storage_problem(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user)
    user.chmod(0o500)

    try:
        with pytest.raises(StorageProblem, match="Permission denied"):
            file.save({"chat.seed": "1"})
    finally:
        user.chmod(0o700)

    assert path.read_bytes() == SHIPPED


@needs_permissions
def test_a_file_that_is_read_only_is_not_gone_around(file: TomlSettingsFile, user: Path) -> None:
    path = own_file(user)
    path.chmod(0o400)

    with pytest.raises(StorageProblem, match="it is write-protected"):
        file.save({"chat.seed": "1"})

    assert path.read_bytes() == SHIPPED
    assert list(user.iterdir()) == [path]


def test_nothing_saved_is_the_settings_as_they_ship(file: TomlSettingsFile, user: Path) -> None:
    path = file.save({"chat.max_tokens": "700", "engine.offline": "true"})
    file.save({"chat.max_tokens": None, "engine.offline": None})

    assert path.read_bytes() == SHIPPED
    assert load_settings(path) == Settings()

"""Settings: defaults, every key, TOML syntax, and what is said about bad values."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foundry_tui.config.settings import load_settings
from foundry_tui.config.values import ChatSettings, EngineSettings, ScreenSettings, Settings
from foundry_tui.domain.chat import PhaseTimeouts
from foundry_tui.domain.errors import BadInput


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_an_empty_file_has_all_defaults(path: Path) -> None:
    path.write_text("")

    assert load_settings(path) == Settings(
        chat=ChatSettings(
            system_prompt=None,
            temperature=None,
            max_tokens=512,
            seed=None,
            history=500,
            save=True,
            warn_at_context_share=0.9,
        ),
        timeouts=PhaseTimeouts(connect_s=5, headers_s=30, first_token_s=300, between_s=30, total_s=900),
        engine=EngineSettings(
            endpoint=None, api_key_env=None, model_cache_dir=None, port=None, offline=False
        ),
        screen=ScreenSettings(
            theme="foundry-dark", animations=True, plain_ribbon=False, flush_hz=25, strip_hz=1.0
        ),
        keys={},
    )


def test_every_key_is_read(path: Path) -> None:
    path.write_text(
        """
        [chat]
        system_prompt = "Be brief."
        temperature = 0
        max_tokens = 1
        seed = -7
        history = 0
        save = false
        warn_at_context_share = 1
        [timeouts]
        connect_s = 1
        headers_s = 2.5
        first_token_s = 3
        between_s = 4
        total_s = 5
        [engine]
        endpoint = "http://127.0.0.1:5273"
        api_key_env = "MY_KEY"
        model_cache_dir = "/models"
        port = 65535
        offline = true
        [screen]
        theme = "nord"
        animations = false
        plain_ribbon = true
        flush_hz = 60
        strip_hz = 0.1
        [keys]
        "chat.new" = "ctrl+n, f5"
        stop = ""
        """
    )

    assert load_settings(path) == Settings(
        chat=ChatSettings(
            system_prompt="Be brief.",
            temperature=0,
            max_tokens=1,
            seed=-7,
            history=0,
            save=False,
            warn_at_context_share=1,
        ),
        timeouts=PhaseTimeouts(connect_s=1, headers_s=2.5, first_token_s=3, between_s=4, total_s=5),
        engine=EngineSettings(
            endpoint="http://127.0.0.1:5273",
            api_key_env="MY_KEY",
            model_cache_dir="/models",
            port=65535,
            offline=True,
        ),
        screen=ScreenSettings(theme="nord", animations=False, plain_ribbon=True, flush_hz=60, strip_hz=0.1),
        keys={"chat.new": "ctrl+n, f5", "stop": ""},
    )


def test_a_key_left_out_beside_others_has_its_default(path: Path) -> None:
    path.write_text("[chat]\nseed = 3\n")

    assert load_settings(path) == Settings(chat=ChatSettings(seed=3))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[chat]\ntemperature = 3", "/chat/temperature: expected a number up to 2, found 3"),
        ("[chat]\ntemperature = -0.1", "/chat/temperature: expected a number from 0 up, found -0.1"),
        ("[chat]\nmax_tokens = 0", "/chat/max_tokens: expected a number from 1 up, found 0"),
        ("[chat]\nseed = 1.5", "/chat/seed: expected a whole number, found 1.5"),
        (
            "[chat]\nseed = 9223372036854775808",
            "/chat/seed: expected a number up to 9223372036854775807, found 9223372036854775808",
        ),
        ("[timeouts]\ntotal_s = 0", "/timeouts/total_s: expected a number above 0, found 0"),
        ("[timeouts]\ntotal_s = inf", "/timeouts/total_s: expected a finite number, found inf"),
        (
            "[timeouts]\ntotal_s = 1979-05-27",
            "/timeouts/total_s: expected a number, found 1979-05-27",
        ),
        ("[engine]\nport = 70000", "/engine/port: expected a number up to 65535, found 70000"),
        ("[engine]\noffline = 1", "/engine/offline: expected true or false, found 1"),
        ('[screen]\ntheme = ""', '/screen/theme: expected text that is not blank, found ""'),
        ("[screen]\nflush_hz = 0", "/screen/flush_hz: expected a number from 1 up, found 0"),
        ("[screen]\nflush_hz = 61", "/screen/flush_hz: expected a number up to 60, found 61"),
        ("[screen]\nflush_hz = 2.5", "/screen/flush_hz: expected a whole number, found 2.5"),
        ("[screen]\nstrip_hz = 0.05", "/screen/strip_hz: expected a number from 0.1 up, found 0.05"),
        ("[screen]\nstrip_hz = 6", "/screen/strip_hz: expected a number up to 5, found 6"),
        ("[screen]\nanimations = 1", "/screen/animations: expected true or false, found 1"),
        ("[chat]\nhistory = -1", "/chat/history: expected a number from 0 up, found -1"),
        (
            "[chat]\nwarn_at_context_share = 1.1",
            "/chat/warn_at_context_share: expected a number up to 1, found 1.1",
        ),
        (
            '[keys]\n"Chat.new" = "f5"',
            '/keys/Chat.new: expected the id of an action (small letters, _ and dots), found "Chat.new"',
        ),
        (
            '[keys]\n"chat.new" = "f5 f6"',
            '/keys/chat.new: expected names of keys with commas between them, found "f5 f6"',
        ),
        ('[keys]\nchat.new = "f5"', "/keys/chat: expected text in quotes, found a table of 1"),
        ("chat = 1", "/chat: expected a table, found 1"),
        (
            "[cat]",
            "/cat: expected one of the keys chat, timeouts, engine, downloads, licenses, energy, screen,"
            ' keys, found "cat"',
        ),
        (
            "[chat]\nmax_token = 3",
            "/chat/max_token: expected one of the keys system_prompt, temperature, max_tokens, seed,"
            ' history, save, warn_at_context_share, found "max_token"',
        ),
        (
            "[chat]\nseed",
            "line 2, column 5: expected '=' after a key in a key/value pair, found the end of the file",
        ),
        ("[screen]\ntheme = nord", 'line 2, column 9: expected a value (text needs quotes), found "n"'),
        (
            "[chat]\n[chat]\n",
            "line 2, column 6: expected valid TOML (Cannot declare ('chat',) twice), found \"]\"",
        ),
        ("a = [1,", "line 1, column 8: expected a value (text needs quotes), found the end of the file"),
        ("seed = " + "1" * 5000, "expected TOML of a sane size, found too long a number"),
    ],
)
def test_a_bad_file_is_named_with_the_place(path: Path, text: str, problem: str) -> None:
    path.write_text(text)

    with pytest.raises(BadInput) as caught:
        load_settings(path)

    assert str(caught.value) == f"{path}: {problem}"


def test_an_action_without_quotes_is_told_to_have_some(path: Path) -> None:
    path.write_text('[keys]\nchat.new = "f5"')

    with pytest.raises(BadInput) as caught:
        load_settings(path)

    assert caught.value.remedy == (
        'Write the whole id of the action in quotes, as in "chat.…" = "f5".'
        "  `foundry-tui schema settings` prints the format."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ChatSettings(history=-1),
        lambda: ChatSettings(warn_at_context_share=1.5),
        lambda: ScreenSettings(flush_hz=0),
        lambda: ScreenSettings(strip_hz=9),
    ],
)
def test_values_that_make_no_sense_are_refused_wherever_they_come_from(
    wrong: Callable[[], object],
) -> None:
    with pytest.raises(ValueError):
        wrong()


def test_an_api_key_in_place_of_a_variable_is_not_repeated(path: Path) -> None:
    path.write_text('[engine]\napi_key_env = "sk-secret"')

    with pytest.raises(BadInput) as caught:
        load_settings(path)

    assert str(caught.value) == (
        f"{path}: /engine/api_key_env: expected the name of an environment variable"
        " (letters, digits and _), found text of 9 characters"
    )


def test_pydantic_is_not_imported_before_a_file_has_something_to_check(path: Path) -> None:
    path.write_text("[chat]\n[screen]\n[keys]\n")
    program = (
        "import pathlib, sys\n"
        "from foundry_tui.config.settings import load_settings\n"
        "load_settings(pathlib.Path(sys.argv[1]))\n"
        "sys.exit('pydantic' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program, path], check=False)

    assert done.returncode == 0

"""TOML changed key by key: everything that was not meant stays as it was."""

import tomllib

import pytest

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.toml_edit import Change, Reset, SetTo, edited
from foundry_tui.config.toml_lines import commented_out, key_places

SHIPPED = (shipped_folder() / "settings.toml").read_text(encoding="utf-8")


def set_to(text: str, table: str, name: str, value: str | float | bool) -> str:
    return edited(text, {(table, name): SetTo(value=value)})


def reset(text: str, table: str, name: str, default: str | float | bool | None = None) -> str:
    return edited(text, {(table, name): Reset(default=default)})


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [(old, new) for old, new in pairs if old != new]


# Setting


def test_a_key_that_the_shipped_file_has_in_a_comment_is_set_on_that_line() -> None:
    after = set_to(SHIPPED, "chat", "max_tokens", 700)

    assert changed_lines(SHIPPED, after) == [("# max_tokens = 512", "max_tokens = 700")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[chat]\nmax_tokens=5 # few\n", "[chat]\nmax_tokens=9 # few\n"),
        ("[chat]\n\t'max_tokens' = 5\n", "[chat]\n\t'max_tokens' = 9\n"),
        ("[chat]\n  # max_tokens = 5  # few\n", "[chat]\n  max_tokens = 9  # few\n"),
        ("chat.max_tokens = 5\n", "chat.max_tokens = 9\n"),
        ("chat = { seed = 1, max_tokens = 5 } # both\n", "chat = { seed = 1, max_tokens = 9 } # both\n"),
        ("[chat]\nseed = 1\n\n# see\n[screen]\n", "[chat]\nseed = 1\nmax_tokens = 9\n\n# see\n[screen]\n"),
        ("[chat]\n# mine\n\n\n# looks\n", "[chat]\n# mine\nmax_tokens = 9\n\n\n# looks\n"),
        ("[chat]\n\n# mine\nseed = 1\n# more\n", "[chat]\n\n# mine\nseed = 1\n# more\nmax_tokens = 9\n"),
        ("", "[chat]\nmax_tokens = 9\n"),
        ("# only words", "# only words\n[chat]\nmax_tokens = 9\n"),
        # What only looks like the key.
        ("[chat]\n# max_tokens = 5 was too few\n", "[chat]\n# max_tokens = 5 was too few\nmax_tokens = 9\n"),
        ("[screen]\n# max_tokens = 5\n[chat]\n", "[screen]\n# max_tokens = 5\n[chat]\nmax_tokens = 9\n"),
        ("[chat]\n# max_tokens_old = 5\n", "[chat]\n# max_tokens_old = 5\nmax_tokens = 9\n"),
        (
            '[chat]\nsystem_prompt = """\n[screen]\n# max_tokens = 5\n"""\n',
            '[chat]\nsystem_prompt = """\n[screen]\n# max_tokens = 5\n"""\nmax_tokens = 9\n',
        ),
    ],
)  # fmt: skip
def test_a_key_is_set_however_the_file_is_written(before: str, after: str) -> None:
    assert set_to(before, "chat", "max_tokens", 9) == after


def test_several_changes_are_made_at_once() -> None:
    changes: dict[tuple[str, str], Change] = {
        ("screen", "flush_hz"): SetTo(value=12),
        ("keys", "chat.new"): SetTo(value="f5"),
        ("keys", "chat.stop"): SetTo(value=""),
        ("engine", "offline"): SetTo(value=True),
    }

    assert tomllib.loads(edited(SHIPPED, changes)) == {
        "chat": {},
        "timeouts": {},
        "engine": {"offline": True},
        "downloads": {},
        "licenses": {},
        "energy": {},
        "screen": {"flush_hz": 12},
        "keys": {"chat.new": "f5", "chat.stop": ""},
    }


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        'with "quotes" and \\ a backslash',
        "Grüße 你好 🧪",
        "two\nlines",
        "\nbegins and ends with one\n",
        'three """ quotes\nand an end"',
        "a control \x07, a tab \t, an escape \x1b[31m and \x7f",
        "a carriage\rreturn\r\nor two",
        "# no comment",
        " ",
    ],
)
def test_any_text_is_read_back_as_it_was_set(text: str) -> None:
    after = set_to(SHIPPED, "chat", "system_prompt", text)

    assert tomllib.loads(after)["chat"] == {"system_prompt": text}
    assert reset(after, "chat", "system_prompt").count("\n# temperature = 0.7\n") == 1


# Resetting


def test_what_was_set_and_reset_leaves_the_shipped_file_as_it_was() -> None:
    after = set_to(set_to(SHIPPED, "chat", "max_tokens", 700), "engine", "offline", True)

    assert reset(reset(after, "chat", "max_tokens", 512), "engine", "offline", False) == SHIPPED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[chat]\nseed = 5 # mine\n", "[chat]\n# seed = 5 # mine\n"),
        ("[chat]\nseed = 5", "[chat]\n# seed = 5"),
        ("chat.seed = 5\nchat.max_tokens = 1\n", "chat.max_tokens = 1\n"),
        ("chat = {seed = 5}\n", "chat = {}\n"),
        ("[chat]\nmax_tokens = 1\n", "[chat]\nmax_tokens = 1\n"),
        ("", ""),
    ],
)
def test_a_key_is_reset_however_the_file_is_written(before: str, after: str) -> None:
    assert reset(before, "chat", "seed") == after


def test_a_long_text_that_is_reset_stays_to_be_read() -> None:
    before = '[chat]\nsystem_prompt = """\nBe brief.\n[screen]"""\nseed = 1\n'

    after = reset(before, "chat", "system_prompt")

    assert after == '[chat]\n# system_prompt = """\n# Be brief.\n# [screen]"""\nseed = 1\n'


def test_setting_again_what_was_reset_takes_the_same_line() -> None:
    text = set_to("[keys]\n", "keys", "chat.new", "f5")

    assert set_to(reset(text, "keys", "chat.new"), "keys", "chat.new", "f6") == '[keys]\n"chat.new" = "f6"\n'


# Line ends


def test_windows_line_ends_stay_on_every_line_old_and_new() -> None:
    windows = SHIPPED.replace("\n", "\r\n")

    after = set_to(set_to(windows, "chat", "max_tokens", 700), "keys", "chat.stop", "f5")

    assert after.count("\r\n") == after.count("\n") == windows.count("\n") + 1
    assert set_to(reset(windows, "chat", "seed"), "chat", "seed", 1).count("\r\n") == windows.count("\n")


def test_mixed_line_ends_stay_as_they_are_where_nothing_changes() -> None:
    before = "[chat]\r\nseed = 1\nmax_tokens = 2\r\n"

    assert set_to(before, "chat", "seed", 3) == "[chat]\r\nseed = 3\nmax_tokens = 2\r\n"
    assert reset(before, "chat", "max_tokens", 512) == "[chat]\r\nseed = 1\n# max_tokens = 512\r\n"


# Places


def test_every_key_has_its_line() -> None:
    text = (
        'engine = { port = 1 }\nscreen.theme = "x"\n\n[chat] # c\n'
        'system_prompt = """"a"\\"""\n# [no] table\n""""\nseed = 3\n'
        "[timeouts]\r\n\r\nconnect_s = 5\r\n[keys]\n'chat.new' = '''\n[''' # ]\n\"a\" = '{'\nb=''"
    )

    lines = {key: place.line for key, place in key_places(text).items()}

    assert lines == {
        ("engine", "port"): 1,
        ("screen", "theme"): 2,
        ("chat", "system_prompt"): 5,
        ("chat", "seed"): 8,
        ("timeouts", "connect_s"): 11,
        ("keys", "chat.new"): 13,
        ("keys", "a"): 15,
        ("keys", "b"): 16,
    }


def test_a_place_spans_its_statement_and_nothing_more() -> None:
    text = "[chat]\r\nsystem_prompt = '''\r\na\r\n''' # c\r\nseed = 1\r\n"

    place = key_places(text)["chat", "system_prompt"]

    assert text[place.start : place.end] == "system_prompt = '''\r\na\r\n''' # c"


@pytest.mark.parametrize("name", ["history", "chat.new", "chat"])
def test_only_a_whole_statement_counts_as_commented_out(name: str) -> None:
    text = "[chat]\n# the history = long\n# chat.new = 1\n# history = \n# history = 1 = 2\n#history\n"

    assert commented_out(text, "chat", name) is None or name == "chat"

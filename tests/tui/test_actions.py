"""Keys in words, and the keys of the settings as Textual takes them."""

import pytest

from foundry_tui.tui.actions import actions_of, every_action, key_words, keymap
from foundry_tui.tui.panes.catalog import CatalogPane


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("ctrl+n", "Ctrl+N"),
        ("slash", "/"),
        ("question_mark", "?"),
        ("left_square_bracket", "["),
        ("less_than_sign", "<"),
        ("f5", "F5"),
        ("escape", "Esc"),
        ("enter", "Enter"),
        ("space", "Space"),
        ("shift+enter,ctrl+j", "Shift+Enter, Ctrl+J"),
        ("N", "N"),
        ("n", "n"),
        ("pageup", "PageUp"),
        ("ctrl+right", "Ctrl+Right"),
        ("delete", "Delete"),
        ("", ""),
    ],
)
def test_a_key_reads_as_it_stands_on_a_keyboard(keys: str, words: str) -> None:
    assert key_words(keys) == words


def test_the_actions_of_a_place_are_its_own_and_what_it_inherits_from_us() -> None:
    ids = [action.id for action in actions_of(CatalogPane, {})]

    assert "catalog.filter" in ids
    assert "models.load" in ids
    assert len(ids) == len(set(ids))


def test_every_place_that_is_imported_has_its_actions_among_all() -> None:
    assert {"catalog.filter", "models.load", "table.up"} < {action.id for action in every_action()}


def test_keys_from_the_settings_stand_in_the_place_of_the_usual_ones() -> None:
    chosen = {action.id: action.keys for action in actions_of(CatalogPane, {"catalog.filter": "f9"})}

    assert chosen["catalog.filter"] == "f9"


def test_taken_away_keys_become_one_that_no_terminal_sends_and_unknown_actions_are_told() -> None:
    keys, problems = keymap({"catalog.filter": "", "catalog.fly": "f9"}, {"catalog.filter"})

    assert keys == {"catalog.filter": "unbound"}
    assert problems == ["no action 'catalog.fly' (settings.toml, [keys])"]

"""Notes about models: both forms of the file, and what is said about a bad one."""

from pathlib import Path

import pytest

from foundry_tui.config.models_file import load_models
from foundry_tui.config.values import ModelEntry
from foundry_tui.domain.errors import BadInput


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models.json"


def test_the_object_form_is_read_in_its_order(path: Path) -> None:
    path.write_text(
        '{"models": {"qwen": {"capabilities": ["chat"], "size_mb": 840, "priority": 2},'
        ' "phi": {"capabilities": []}}}'
    )

    assert load_models(path) == (
        ModelEntry(alias="qwen", capabilities=("chat",), size_mb=840, priority=2),
        ModelEntry(alias="phi"),
    )


def test_the_bare_form_of_the_workshop_is_read(path: Path) -> None:
    path.write_text('{"phi-4-mini": {"capabilities": ["general"], "size_mb": 3.5}}')

    assert load_models(path) == (ModelEntry(alias="phi-4-mini", capabilities=("general",), size_mb=3.5),)


def test_a_file_without_models_has_none(path: Path) -> None:
    path.write_text('{"$schema": "schema/models.json", "models": {}}')

    assert load_models(path) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"models": {"a": {"size_mb": "3"}}}', '/models/a/size_mb: expected a number, found "3"'),
        ('{"models": {"a": {"size_mb": true}}}', "/models/a/size_mb: expected a number, found true"),
        ('{"a": {"size_mb": 0}}', "/a/size_mb: expected a number above 0, found 0"),
        ('{"a": {"size_mb": 1e999}}', "/a/size_mb: expected a finite number, found inf"),
        ('{"a": {"priority": 1.5}}', "/a/priority: expected a whole number, found 1.5"),
        ('{"a": {"capabilities": [""]}}', '/a/capabilities/0: expected text that is not blank, found ""'),
        ('{"a": 5}', "/a: expected an object, found 5"),
        ('{"models": []}', "/models: expected an object, found a list of 0"),
        ("[]", "the whole file: expected an object, found a list of 0"),
        ('{"models": {"": {}}}', '/models/: expected text that is not blank, found ""'),
        ('{"models": {}, "more": 1}', '/more: expected one of the keys $schema, models, found "more"'),
        (
            '{"a/b~c": {"size": 3}}',
            '/a~1b~0c/size: expected one of the keys capabilities, size_mb, priority, found "size"',
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_pointer(path: Path, text: str, problem: str) -> None:
    path.write_text(text)

    with pytest.raises(BadInput) as caught:
        load_models(path)

    assert str(caught.value) == f"{path}: {problem}"


def test_a_misspelt_key_is_guessed_and_the_format_pointed_to(path: Path) -> None:
    path.write_text('{"models": {"a": {"sizemb": 3}}}')

    with pytest.raises(BadInput) as caught:
        load_models(path)

    assert caught.value.remedy == "Did you mean size_mb?  `foundry-tui schema models` prints the format."


def test_an_alias_given_twice_is_not_silently_dropped(path: Path) -> None:
    path.write_text('{"models": {"a": {}, "b": {}, "a": {}}}')

    with pytest.raises(BadInput) as caught:
        load_models(path)

    assert str(caught.value) == f'{path}: /models: expected each key once, found "a" again'

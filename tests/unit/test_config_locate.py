"""Where configuration files are looked for, and in which order."""

from pathlib import Path

import pytest

from foundry_tui.config.locate import config_folders, find_file, shipped_folder
from foundry_tui.config.models_file import load_models
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.settings import load_settings
from foundry_tui.domain.errors import BadInput


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder that is no checkout."""
    monkeypatch.chdir(tmp_path)


def test_a_given_folder_comes_first_and_the_shipped_one_last(tmp_path: Path) -> None:
    folders = config_folders(tmp_path)

    assert folders[0] == tmp_path
    assert folders[1] == Path("config")
    assert folders[2].name == "foundry-tui"
    assert folders[3] == shipped_folder()


def test_without_a_given_folder_the_working_directory_comes_first() -> None:
    assert config_folders()[0] == Path("config")


def test_in_a_checkout_the_shipped_folder_is_not_taken_for_the_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(shipped_folder().parent)

    folders = config_folders()

    assert [folder.name for folder in folders] == ["foundry-tui", shipped_folder().name]


def test_whoever_names_the_shipped_folder_means_it() -> None:
    folders = config_folders(shipped_folder())

    assert folders[0] == folders[-1] == shipped_folder()


def test_the_first_folder_that_has_the_file_wins(tmp_path: Path) -> None:
    folders = (tmp_path / "missing", tmp_path / "first", tmp_path / "second")
    for folder in folders[1:]:
        folder.mkdir()
        (folder / "models.json").write_text("{}")

    assert find_file("models.json", folders) == tmp_path / "first" / "models.json"


def test_a_dangling_link_is_found_so_that_it_can_be_complained_about(tmp_path: Path) -> None:
    (tmp_path / "models.json").symlink_to(tmp_path / "gone.json")

    assert find_file("models.json", (tmp_path, shipped_folder())) == tmp_path / "models.json"


def test_what_the_user_does_not_have_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text("[chat]\nseed = 5\n")
    folders = (Path("config"), shipped_folder())

    assert load_settings(find_file("settings.toml", folders)).chat.seed == 5
    assert find_file("prompts.json", folders) == shipped_folder() / "prompts.json"


def test_a_given_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        config_folders(tmp_path / "nope")

    assert str(caught.value) == f"--config {tmp_path / 'nope'}: expected a folder, found nothing"


def test_a_given_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    file.write_text("{}")

    with pytest.raises(BadInput) as caught:
        config_folders(file)

    assert str(caught.value) == f"--config {file}: expected a folder, found a file"


def test_a_file_that_nobody_has_is_said_with_the_places(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        find_file("other.json", (tmp_path / "a", tmp_path / "b"))

    assert str(caught.value) == f"other.json is in none of {tmp_path / 'a'}, {tmp_path / 'b'}"


def test_the_shipped_prompts_load_and_have_the_workshops_default() -> None:
    prompts = load_prompts(shipped_folder() / "prompts.json")

    assert (prompts[0].id, prompts[0].text) == ("rag", "Explain retrieval augmented generation briefly.")
    assert all(prompt.aspects and prompt.tags for prompt in prompts)


def test_the_shipped_models_load_in_an_unambiguous_order() -> None:
    priorities = [model.priority for model in load_models(shipped_folder() / "models.json")]

    assert len(set(priorities)) == len(priorities)
    assert None not in priorities

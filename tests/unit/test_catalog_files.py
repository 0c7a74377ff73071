"""What catalogs said last, on disk; and the folders of downloads."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.models import CatalogListing, ModelVariant
from foundry_tui.engines.catalog.files import CatalogFiles, ModelFolders
from foundry_tui.engines.catalog.records import variant_of
from tests.support.hub import hostile_model, standard_models

URL, OTHER = "https://a/models", "https://b/models?key=secret"


def some_models() -> tuple[ModelVariant, ...]:
    found = (variant_of(model.record()) for model in standard_models())
    return tuple(model for model in found if model is not None)


LISTING = CatalogListing(models=some_models(), saved_at_unix=1_780_000_000)


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    files = CatalogFiles(tmp_path / "catalogs")

    files.write(URL, LISTING)

    assert files.read(URL) == LISTING


def test_each_catalog_has_its_own_file_and_its_address_is_nowhere(tmp_path: Path) -> None:
    files = CatalogFiles(tmp_path)
    other = replace(LISTING, models=LISTING.models[:1])

    files.write(URL, LISTING)
    files.write(OTHER, other)

    assert (files.read(URL), files.read(OTHER)) == (LISTING, other)
    assert not any("secret" in path.name or b"secret" in path.read_bytes() for path in tmp_path.iterdir())


def test_hostile_words_come_back_exactly(tmp_path: Path) -> None:
    model = variant_of(hostile_model().record())
    assert model is not None
    model = replace(model, display_name="\ud800\n\u2028\x00")
    files = CatalogFiles(tmp_path)

    files.write(URL, replace(LISTING, models=(model,)))

    assert files.read(URL) == replace(LISTING, models=(model,))


def test_nothing_written_is_nothing_read(tmp_path: Path) -> None:
    assert CatalogFiles(tmp_path / "nowhere").read(URL) is None


def test_a_file_cut_off_anywhere_is_not_shown_as_if_it_were_all(tmp_path: Path) -> None:
    files = CatalogFiles(tmp_path)
    files.write(URL, replace(LISTING, models=LISTING.models[:3]))
    path = the_file(tmp_path)
    content = path.read_bytes()
    lines = [n + 1 for n, byte in enumerate(content) if byte == 10]

    for length in (*range(0, len(content) - 1, 7), *lines[:-1]):
        path.write_bytes(content[:length])
        assert files.read(URL) is None, length


@pytest.mark.parametrize(
    "head", ["", "null", "{}", '{"schema":"other","saved_at_unix":1}', "[" * 9999, "\xff"]
)
def test_another_file_in_its_place_is_nothing(tmp_path: Path, head: str) -> None:
    files = CatalogFiles(tmp_path)
    files.write(URL, LISTING)
    the_file(tmp_path).write_text(f"{head}\n", encoding="latin-1")

    assert files.read(URL) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in the way")
def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    files = CatalogFiles(tmp_path)
    files.write(URL, LISTING)
    path = the_file(tmp_path)
    (tmp_path / f"{path.name}.{os.getpid()}.tmp").mkdir()

    with pytest.raises(StorageProblem) as caught:
        files.write(URL, replace(LISTING, models=()))

    assert caught.value.remedy
    assert files.read(URL) == LISTING


def make_folder(cache: Path, publisher: str, name: str, *files: str) -> Path:
    folder = cache / publisher / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text("{}")
    return folder


def test_folders_are_complete_without_a_mark_of_a_download(tmp_path: Path) -> None:
    done = make_folder(tmp_path, "Two Words", "m-generic-cpu-1", "genai_config.json", ".download.lock")
    make_folder(tmp_path, "P", "half-1", "genai_config.json", "download.tmp")
    make_folder(tmp_path, "P", "removed-1", ".download.lock")
    (tmp_path / "foundry.modelinfo.json").write_text("{}")

    assert list(ModelFolders(tmp_path).complete()) == [str(done)]


def test_another_download_of_the_same_model_is_another_number(tmp_path: Path) -> None:
    folders = ModelFolders(tmp_path)
    config = make_folder(tmp_path, "P", "m-1", "genai_config.json") / "genai_config.json"
    before = folders.complete()
    os.utime(config, ns=(1, 1))

    assert folders.complete() != before


def test_no_cache_has_no_folders(tmp_path: Path) -> None:
    assert ModelFolders(tmp_path / "nowhere").complete() == {}


@pytest.mark.parametrize("publisher", ["..", ".", "a/b", "a\\b", "a\0b", None])
def test_a_name_that_would_leave_the_cache_is_no_path(tmp_path: Path, publisher: str | None) -> None:
    assert ModelFolders(tmp_path).find(replace(LISTING.models[0], publisher=publisher)) is None

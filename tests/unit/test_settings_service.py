"""The settings, asked away from the event loop."""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.settings import SettingEntry
from foundry_tui.ports.storage import SettingsStore
from foundry_tui.services.settings import SettingsService


class SlowFile:
    """Saves only once it is let; notes who called it and how many were in it at once."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.saved: list[Mapping[str, str | None]] = []
        self.inside = 0
        self.most_inside = 0
        self.may_save = threading.Event()
        self.entered = threading.Event()

    def target(self) -> Path:
        self.threads.add(threading.get_ident())
        return Path("settings.toml")

    def entries(self, actions: Iterable[str] = ()) -> tuple[SettingEntry, ...]:
        self.threads.add(threading.get_ident())
        return ()

    def check(self, key: str, text: str) -> str | None:
        self.threads.add(threading.get_ident())
        return f"{key} is not {text}"

    def save(self, changes: Mapping[str, str | None]) -> Path:
        self.threads.add(threading.get_ident())
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.entered.set()
        self.may_save.wait(10)
        self.saved.append(changes)
        self.inside -= 1
        return Path("settings.toml")


async def test_the_file_is_never_touched_on_the_event_loop() -> None:
    file = SlowFile()
    file.may_save.set()
    service = SettingsService(file)

    assert await service.entries() == ()
    assert await service.target() == Path("settings.toml")
    assert await service.check("a.b", "c") == "a.b is not c"
    assert await service.save({"a.b": "c"}) == Path("settings.toml")

    assert threading.get_ident() not in file.threads


async def test_two_saves_come_one_after_the_other() -> None:
    file = SlowFile()
    service = SettingsService(file)

    async with asyncio.TaskGroup() as both:
        both.create_task(service.save({"a": "1"}))
        both.create_task(service.save({"a": "2"}))
        await asyncio.to_thread(file.entered.wait, 10)
        file.may_save.set()

    assert file.saved == [{"a": "1"}, {"a": "2"}]
    assert file.most_inside == 1


async def test_what_is_changed_after_a_save_began_is_not_part_of_it() -> None:
    file = SlowFile()
    changes: dict[str, str | None] = {"a": "1"}

    async with asyncio.TaskGroup() as group:
        group.create_task(SettingsService(file).save(changes))
        await asyncio.to_thread(file.entered.wait, 10)
        changes["b"] = "2"
        file.may_save.set()

    assert file.saved == [{"a": "1"}]


async def test_a_real_file_is_asked_anew_each_time(tmp_path: Path) -> None:
    file: SettingsStore = TomlSettingsFile((tmp_path, shipped_folder()))
    service = SettingsService(file)

    async def seed() -> str | None:
        return next(entry.value for entry in await service.entries() if entry.key == "chat.seed")

    before = await seed()
    path = await service.save({"chat.seed": "3"})
    saved = await seed()
    path.write_text("[chat]\nseed = 4\n")

    assert (before, saved, await seed()) == (None, "3", "4")
    assert await service.target() == path


async def test_a_refusal_reaches_the_caller(tmp_path: Path) -> None:
    service = SettingsService(TomlSettingsFile((tmp_path, shipped_folder())))

    with pytest.raises(BadInput, match="expected a whole number"):
        await service.save({"chat.seed": "many"})

    assert not (tmp_path / "settings.toml").exists()

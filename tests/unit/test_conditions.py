"""What changes slowly: on made-up files and sensors, and on whatever this machine has."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from foundry_tui.domain.resources import Conditions, HostSample, Temperature, why_missing
from foundry_tui.ports.machine import ConditionsProbe
from foundry_tui.resources.conditions import LocalConditionsProbe
from foundry_tui.resources.host import PsutilHostProbe
from foundry_tui.resources.missing import Reasons, Unreadable
from foundry_tui.resources.processes import UniqueMemory
from foundry_tui.resources.surroundings import SensorReading


@dataclass(frozen=True)
class Read:
    label: str
    current: float | None


def probe_with(
    tmp_path: Path,
    *,
    governors: Sequence[str] = (),
    chips: Mapping[str, Sequence[SensorReading]] | None = None,
) -> ConditionsProbe:
    for number, governor in enumerate(governors):
        folder = tmp_path / "cpus" / f"cpu{number}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{governor}\n")
    return LocalConditionsProbe(tmp_path, cpus=tmp_path / "cpus", sensors=lambda: chips or {})


def test_a_governor_of_all_cores_is_told_once(tmp_path: Path) -> None:
    assert probe_with(tmp_path, governors=["powersave"] * 4).sample(None).governor == "powersave"


def test_cores_that_differ_are_told_of_all(tmp_path: Path) -> None:
    governors = ["performance", "powersave\x1b[2J", "performance"]

    assert probe_with(tmp_path, governors=governors).sample(None).governor == "performance, powersave␛[2J"


def test_a_machine_that_tells_no_governor_says_so(tmp_path: Path) -> None:
    conditions = probe_with(tmp_path).sample(None)

    assert conditions.governor is None
    assert why_missing(conditions.missing, "governor") == "the system does not tell it"


def test_temperatures_are_those_of_processors(tmp_path: Path) -> None:
    chips = {"coretemp": [Read("Package id 0", 71.0)], "nvme": [Read("", 84.0)]}

    found = probe_with(tmp_path, chips=chips).sample(None).temperatures

    assert found == (Temperature(name="coretemp Package id 0", celsius=71.0),)


def test_a_machine_without_sensors_has_no_temperature_and_a_reason(tmp_path: Path) -> None:
    conditions = probe_with(tmp_path).sample(None)

    assert conditions.temperatures is None
    assert why_missing(conditions.missing, "temperatures") == "no sensor of a processor can be read"


def test_whatever_this_machine_has_what_is_unknown_has_a_reason_and_what_is_known_has_none(
    tmp_path: Path,
) -> None:
    conditions = LocalConditionsProbe(tmp_path).sample(None)

    unknown = {
        each.name
        for each in fields(Conditions)
        if getattr(conditions, each.name) is None and each.name != "pid"
    }
    assert {each.field for each in conditions.missing} == unknown
    assert (conditions.disk_free_bytes or 0) > 0


def test_the_same_holds_of_what_is_read_at_every_tick() -> None:
    sample = PsutilHostProbe().sample(None)

    unknown = {each.name for each in fields(HostSample) if getattr(sample, each.name) is None}
    assert {each.field for each in sample.missing} == unknown


def test_cores_are_told_apart_and_add_up_to_the_machine() -> None:
    probe = PsutilHostProbe()
    sample = probe.sample(None)
    while sample.core_shares is None or not any(sample.core_shares):
        sample = probe.sample(None)

    assert all(0 <= share <= 1 for share in sample.core_shares)
    assert sample.cpu_share is not None
    assert min(sample.core_shares) <= sample.cpu_share <= max(sample.core_shares)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 100_000_000  # each look at the clock takes a tenth of a second
        return self.now_ns


def test_a_dear_reading_is_made_the_more_rarely() -> None:
    clock = Clock()
    memory = UniqueMemory(clock_ns=clock)

    # It takes 0.1 s here, which is a fifth of a per cent of 50 s.
    first = memory.read(os.getpid())
    clock.now_ns = 49_800_000_000
    early = memory.read(os.getpid())
    clock.now_ns = 50_000_000_000
    late = memory.read(os.getpid())

    assert early == first
    assert (first[1], late[1]) == (100_000_000, 50_100_000_000)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Unreadable("the disk cannot be read"), "the disk cannot be read"),
        (PermissionError(13, "no"), "no permission to read it"),
        (FileNotFoundError(2, "no"), "the system does not tell it"),
        (AttributeError("sensors_battery"), "the system does not tell it"),
        (OSError(5, "in\x1b[31m"), "OSError: [Errno 5] in␛[31m"),
    ],
)
def test_each_failure_of_a_reading_has_its_words(error: Exception, why: str) -> None:
    reasons = Reasons()

    def fail() -> int:
        raise error

    assert reasons.take(fail, "one", "other") is None
    assert [(each.field, each.why) for each in reasons.all()] == [("one", why), ("other", why)]

"""What a run took of the machine, in the results format and back."""

import json
from collections.abc import Callable

import jsonschema
import pytest

from foundry_tui.config.result_schemas import results_schema
from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_reading import read_run
from tests.support.resource_readings import some_readings
from tests.support.runs import a_request, a_run


def text_of(resources: "tuple[ResourceReading, ...]" = ()) -> str:
    return results_json(results_object(a_run(), (a_request(),), resources))


def test_readings_stand_last_as_lists_of_one_length() -> None:
    readings = (
        ResourceReading(at_ns=5, rss_bytes=7, vram_bytes=None, cpu_share=1.5, available_bytes=9),
        ResourceReading(at_ns=6, rss_bytes=8, vram_bytes=0, cpu_share=None, available_bytes=None),
    )

    content = json.loads(text_of(readings))

    assert list(content)[-1] == "resources"
    assert content["resources"] == {
        "at_ns": [5, 6],
        "rss_bytes": [7, 8],
        "vram_bytes": [None, 0],
        "cpu_share": [1.5, None],
        "available_bytes": [9, None],
    }
    assert list(content["resources"]) == ["at_ns", "rss_bytes", "vram_bytes", "cpu_share", "available_bytes"]


def test_a_run_without_readings_has_empty_lists() -> None:
    content = json.loads(text_of())

    assert set(map(len, content["resources"].values())) == {0}


def test_each_kind_of_reading_takes_one_line() -> None:
    assert len(text_of(some_readings(500)).splitlines()) == len(text_of().splitlines())


def test_readings_come_back_as_they_went_out_even_those_of_another_clock() -> None:
    readings = (*some_readings(200, begin_ns=10**15), *some_readings(200, seed=2, begin_ns=3))

    back = read_run(text_of(readings), "run.json", now_unix_ms=0)

    assert back.resources == readings


def test_a_file_of_a_version_that_kept_no_readings_has_none() -> None:
    content = json.loads(text_of(some_readings(2)))
    del content["resources"]

    back = read_run(json.dumps(content), "run.json", now_unix_ms=0)

    assert back.resources == ()
    assert len(back.requests) == 1


def _set(name: str, value: object) -> Callable[[dict[str, object]], None]:
    def change(resources: dict[str, object]) -> None:
        resources[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_set("at_ns", [1, 2]), "/resources/rss_bytes: expected 2 entries"),
        (_set("at_ns", [1, -2, 3]), "/resources/at_ns/1: expected a whole number from 0 up"),
        (_set("rss_bytes", [1, "2", 3]), "/resources/rss_bytes/1: expected"),
        (_set("vram_bytes", [-1, 2, 3]), "/resources/vram_bytes/0: expected"),
        (_set("cpu_share", [None, -0.5, 0]), "/resources/cpu_share/1: expected a number from 0"),
        (_set("cpu_share", [None, True, 0]), "/resources/cpu_share/1: expected a number"),
        (_set("available_bytes", 5), "/resources/available_bytes: expected a list"),
    ],
)
def test_readings_that_cannot_be_are_refused_by_their_place(
    change: Callable[[dict[str, object]], None], place: str
) -> None:
    content = json.loads(text_of(some_readings(3)))
    change(content["resources"])

    with pytest.raises(BadInput, match=place):
        read_run(json.dumps(content), "run.json", now_unix_ms=0)


def test_the_schema_describes_them_and_older_files_without() -> None:
    content = json.loads(text_of(some_readings(30)))

    jsonschema.validate(content, results_schema())
    del content["resources"]
    jsonschema.validate(content, results_schema())
    content["resources"] = {"at_ns": ["now"]}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, results_schema())

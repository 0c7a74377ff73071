"""What is said of engines, servers, execution providers and warmth: harmless, and right in number."""

import pytest

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.resources import GpuSample, GpuSamples
from foundry_tui.reports.engine import (
    KIND_ABILITIES,
    KIND_NAMES,
    exposure_words,
    machine_gpus,
    models_in_words,
    names_in_words,
    no_providers_words,
    pace_in_words,
    switch_words,
    warmth_words,
)

GPU = GpuSamples(gpus=(GpuSample(name="Card\x1b[2J", total_bytes=8 << 30, used_bytes=0),))


@pytest.mark.parametrize(
    ("url", "warns"),
    [
        ("http://example.org", True),
        ("HTTP://EXAMPLE.ORG:80/v1", True),
        ("http://10.0.0.1:8000", True),
        ("http://127.evil.example", True),
        ("http://localhost.evil.example", True),
        ("http://0.0.0.0:1", True),
        ("https://example.org", False),
        ("http://localhost:5273", False),
        ("http://box.localhost", False),
        ("http://127.0.0.2:1", False),
        ("http://[::1]:1", False),
        ("http://[nonsense", False),
        ("example.org:80", False),
    ],
)
def test_plain_http_is_warned_of_unless_it_leads_to_this_machine(url: str, warns: bool) -> None:
    assert (exposure_words(url) is not None) == warns


def test_the_warning_names_the_host_and_no_login() -> None:
    words = exposure_words("http://me:hush@far.example/v1")

    assert words is not None
    assert "far.example" in words
    assert "hush" not in words


@pytest.mark.parametrize(
    ("kind", "loaded", "words"),
    [
        (None, ["a:1"], "nothing is in memory, so nothing is lost"),
        (EndpointKind.MANAGED, [], "nothing is in memory, so nothing is lost"),
        (
            EndpointKind.MANAGED,
            ["a:1"],
            "a:1 is unloaded, and the memory becomes free; coming back does not load again",
        ),
        (EndpointKind.FOUNDRY_V2, ["a:1", "b:1"], "a:1, b:1 stay loaded on the server"),
        (EndpointKind.OPENAI, ["a:1"], "a:1 stays loaded on the server"),
    ],
)
def test_what_becomes_of_models_in_memory_depends_on_whose_memory_it_is(
    kind: EndpointKind | None, loaded: list[str], words: str
) -> None:
    assert switch_words(kind, loaded) == words


def test_every_kind_has_a_name_and_says_what_it_can_do() -> None:
    assert set(KIND_NAMES) == set(EndpointKind) == set(KIND_ABILITIES)


def test_many_names_are_counted_and_each_is_harmless() -> None:
    assert names_in_words(["a\x1b", "b", "c", "d", "e"]) == "a␛, b, c and 2 more"


@pytest.mark.parametrize(("count", "words"), [(1, "1 model"), (1200, "1,200 models"), (None, "n/a models")])
def test_models_are_counted_in_words(count: int | None, words: str) -> None:
    assert models_in_words(count) == words


def test_gpus_are_named_harmlessly_or_their_absence_is_explained() -> None:
    assert machine_gpus(GPU) == "Card␛[2J with 8.00 GiB"
    assert machine_gpus(GpuSamples(absence="no driver")) == "none that can be read: no driver"
    assert machine_gpus(None) == "not read yet"


def test_why_there_are_no_providers_depends_on_whether_there_is_a_gpu() -> None:
    assert "nvidia-smi" in no_providers_words(GPU)
    assert "no GPU or NPU" in no_providers_words(GpuSamples(absence="no driver"))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.0, "59 s"), (240.0, "4 min"), (90.0, "1 min 30 s")]
)
def test_spans_are_short(seconds: float, words: str) -> None:
    assert pace_in_words(seconds) == words


def test_warmth_says_what_is_wanted_what_was_done_and_what_failed() -> None:
    off = warmth_words(warm_every_s=None, unload_after_s=None, warmed=3, since_warm_s=1.0)
    whole = warmth_words(
        warm_every_s=30.0,
        unload_after_s=600.0,
        is_busy=True,
        warmed=2,
        since_warm_s=5.0,
        problem="gone\x1b[2J",
    )

    assert off == "off"
    assert whole == (
        "a light prompt every 30 s (2 so far, the last one 5 s ago); unloaded after 10 min without use;"
        " at it right now; the last attempt failed: gone␛[2J"
    )

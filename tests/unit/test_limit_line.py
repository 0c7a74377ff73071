"""Limits on one line: what they are read as, what is refused, and that they are written as they were read."""

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.metrics.candidate import Dimension
from foundry_tui.metrics.selection import Asked, Limits
from foundry_tui.reports.limit_line import Wanted, just_kept, limit_line, read_limit_line, with_limit
from tests.support.hostile import CORPUS, harm_in

ALL = Limits(
    max_latency_s=2.0,
    max_ttft_s=0.5,
    min_tokens_per_s=12.5,
    max_memory_bytes=4 * 10**9,
    max_footprint_bytes=3 << 30,
    min_quality=3.5,
    licenses=("MIT", "apache-2.0"),
)


def test_every_limit_has_its_name_and_its_unit() -> None:
    line = "latency<=2s ttft<=500ms rate>=12.5 memory<=4gb disk<=3gib quality>=3.5 license:MIT,apache-2.0"

    assert read_limit_line(line).limits == ALL


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        ("", Limits()),
        ("  latency <= 2  RAM≤1000 ", Limits(max_latency_s=2.0, max_memory_bytes=1000)),
        ("latency<1.5min", Limits(max_latency_s=90.0)),
        ("throughput > 10tok/s footprint=<1", None),
        ('licence:"a long name, MIT" quality>=5', Limits(min_quality=5.0, licenses=("a long name", "MIT"))),
    ],
)
def test_other_names_and_blanks_are_read_too(line: str, limits: Limits | None) -> None:
    if limits is None:
        with pytest.raises(BadInput):
            read_limit_line(line)
    else:
        assert read_limit_line(line).limits == limits


def test_weights_stand_on_the_same_line() -> None:
    wanted = read_limit_line("weights:latency=2,memory=0.5 latency<=1s")

    assert wanted.weights == {Dimension.LATENCY: 2.0, Dimension.MEMORY: 0.5}
    assert wanted.limits == Limits(max_latency_s=1.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fast", "fast is no limit"),
        ("speed<=2s", "speed<=2s is of none of latency, ttft"),
        ("latency>=2s", "latency>=2s cannot be: latency takes <="),
        ("quality<=3", "takes >="),
        ("latency<=2s latency<=3s", "comes after another limit of latency"),
        ("latency<=soon", "has no time such as 2s"),
        ("latency<=0", "has no time"),
        ("memory<=much", "has no size such as 4gb"),
        (f"memory<={'9' * 400}", "has no size"),
        ("quality>=6", "from 1 to 5"),
        ("rate>=nan", "has no number"),
        ("license:,", "has no names"),
        ("weights:latency=2,latency=3", "each once"),
        ("weights:license=1", "such as weights:latency=2"),
    ],
)
def test_what_cannot_be_meant_is_named(line: str, said: str) -> None:
    with pytest.raises(BadInput) as told:
        read_limit_line(line)

    assert said in str(told.value)


@pytest.mark.parametrize("limits", [Limits(), ALL, Limits(max_latency_s=0.00001, licenses=("a b",))])
def test_what_is_written_is_read_as_the_same(limits: Limits) -> None:
    wanted = Wanted(limits=limits, weights={Dimension.QUALITY: 3.0})

    assert read_limit_line(limit_line(wanted)) == wanted


def test_a_limit_is_set_and_taken_away() -> None:
    wanted = with_limit(read_limit_line("latency<=2s quality>=4"), Asked.LATENCY, None)

    assert limit_line(wanted) == "quality>=4"
    assert limit_line(with_limit(wanted, Asked.MEMORY, 1 << 30)) == "memory<=1gib quality>=4"


@pytest.mark.parametrize(
    ("asked", "value", "limit"),
    [
        (Asked.LATENCY, 1.2341, 1.24),
        (Asked.LATENCY, 0.060004, 0.0601),
        (Asked.RATE, 41.39, 41.3),
        (Asked.QUALITY, 4.129, 4.12),
        (Asked.MEMORY, (1 << 30) + 1, (1 << 30) + (1 << 20)),
        (Asked.LICENSES, "MIT", ("MIT",)),
    ],
)
def test_the_limit_that_is_just_kept_to_is_round(
    asked: Asked, value: float | str, limit: float | tuple[str, ...]
) -> None:
    assert just_kept(asked, value) == limit


@pytest.mark.parametrize("text", [payload.text for payload in CORPUS[::7]])
def test_what_is_refused_is_harmless(text: str) -> None:
    with pytest.raises(BadInput) as told:
        read_limit_line(f"!{text}")

    assert harm_in(str(told.value)) == set()

"""What makes finding among thousands of variants quick finds what the slow way would."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from foundry_tui.domain.model_filter import ModelFilter, parse_filter
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.tui.panes.catalog_columns import CHOICE, DEFAULT_VIEW, CatalogView
from foundry_tui.tui.panes.catalog_completion import completion
from foundry_tui.tui.panes.catalog_index import CatalogIndex, Finding

BY_SIZE = CatalogView(columns=("id",), sort="size", descending=True)


def variant(number: int, *, size_bytes: int | None = None, license_name: str | None = None) -> ModelVariant:
    return ModelVariant(
        id=f"model-{number}:1",
        alias=f"model-{number}",
        catalog=CatalogKind.PUBLIC,
        license=license_name,
        device=Device.CPU if number % 2 else Device.GPU,
        size_bytes=size_bytes,
    )


class Counted(list[ModelVariant]):
    """Models that tell how often one of them was looked at."""

    looks = 0

    def __getitem__(self, place: int) -> ModelVariant:  # type: ignore[override]  # nobody slices it
        Counted.looks += 1
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[ModelVariant]:
        Counted.looks += len(self)
        return super().__iter__()


def test_typing_on_finds_the_same_as_seeking_afresh() -> None:
    index = CatalogIndex([variant(number) for number in range(200)])
    finding = Finding()

    for text in (
        "m",
        "mo",
        "model-1",
        "model-1 cpu",
        "model-1 cpu 7",
        "model-1",
        "",
        "gpu",
        "-gpu",
        "-gpu 9",
    ):
        wanted = parse_filter(text)
        expected = [place for place, model in enumerate(index.models) if wanted.matches(model)]

        assert list(finding.places(index, wanted, DEFAULT_VIEW)) == expected, text


def test_typing_on_looks_only_among_what_was_found() -> None:
    index = CatalogIndex(Counted(variant(number) for number in range(1_000)))
    finding = Finding()
    finding.places(index, parse_filter("id:model-77"), DEFAULT_VIEW)
    Counted.looks = 0

    places = finding.places(index, parse_filter("id:model-77 device:cpu"), DEFAULT_VIEW)

    assert [index.ids[place] for place in places] == [
        "model-77:1",
        *(f"model-77{n}:1" for n in (1, 3, 5, 7, 9)),
    ]
    assert Counted.looks == 11 + 11  # the eleven of before, for each of the two parts


def test_the_same_question_has_the_very_same_answer() -> None:
    index = CatalogIndex([variant(number) for number in range(20)])
    finding = Finding()
    first = finding.places(index, parse_filter("cpu size<"), DEFAULT_VIEW)

    assert finding.places(index, parse_filter("cpu size<2"), DEFAULT_VIEW) is first
    assert finding.places(CatalogIndex(index.models), parse_filter("cpu"), DEFAULT_VIEW) is not first


def test_a_filter_keeps_the_order_and_another_order_keeps_the_filter() -> None:
    sizes = (3, None, 1, 5, 2, 4)
    index = CatalogIndex([variant(number, size_bytes=size) for number, size in enumerate(sizes)])
    finding = Finding()

    everything = finding.places(index, ModelFilter(), BY_SIZE)
    narrowed = finding.places(index, parse_filter("gpu"), BY_SIZE)
    in_order = finding.places(index, parse_filter("gpu"), DEFAULT_VIEW)

    assert list(everything) == [3, 5, 0, 4, 2, 1]
    assert list(narrowed) == [0, 4, 2]
    assert list(in_order) == [0, 2, 4]


@pytest.mark.parametrize("sort", [column.key for column in CHOICE])
def test_every_column_sorts_with_the_unknown_last_either_way(sort: str) -> None:
    known = ModelVariant(
        id="b:1",
        alias="B",
        catalog=CatalogKind.PUBLIC,
        display_name="B",
        publisher="B",
        license="B",
        task="B",
        device=Device.CPU,
        execution_provider="B",
        quantization="B",
        size_bytes=1,
        disk_bytes=1,
        context_tokens=1,
        max_output_tokens=1,
        is_cached=True,
    )
    unknown = ModelVariant(id="a:1", alias="a", catalog=CatalogKind.LOCAL)
    index = CatalogIndex([unknown, known])

    up = list(index.order(CatalogView(columns=("id",), sort=sort)))
    down = list(index.order(CatalogView(columns=("id",), sort=sort, descending=True)))

    if sort in ("id", "alias"):  # never unknown, and in alphabetical order whatever the case
        assert (up, down) == ([0, 1], [1, 0])
    elif sort in ("state", "source"):
        assert (up, down) == ([1, 0], [0, 1])
    else:
        assert (up, down) == ([1, 0], [1, 0])


def test_what_is_the_very_same_model_keeps_its_text() -> None:
    models = [variant(number) for number in range(3)]
    before = CatalogIndex(models)
    renamed = replace(models[1], publisher="New Lab")

    after = CatalogIndex([models[0], renamed, models[2]], before=before)

    assert after.haystacks[0] is before.haystacks[0]
    assert "new lab" in after.haystacks[1]
    assert CatalogIndex(models[:2], before=before).haystacks == before.haystacks[:2]


def test_values_come_by_how_often_they_occur_in_one_case() -> None:
    licences = ("MIT", "apache-2.0", "mit", None, "Gemma Terms")
    index = CatalogIndex([variant(n, license_name=name) for n, name in enumerate(licences)])

    assert list(index.values("license")) == ["mit", "apache-2.0", "gemma terms"]
    assert list(index.values("task")) == []


VALUES = {
    "license": ["mit", "apache-2.0", "gemma terms of use", "two,parts", "\x1b[31mred", "x" * 80, 'q"uote'],
    "device": ["gpu", "cpu"],
}


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("lic", "license:"),
        ("phi -dev", "phi -device:"),
        ("loa", "loaded"),
        ("siz", "size<"),
        ("LIC", "LICense:"),
        ("license:", "license:mit"),
        ("licence:a", "licence:apache-2.0"),
        ("license:ge", "license:gemma"),
        ('license:"ge', 'license:"gemma terms of use"'),
        ('license:"gemma t', 'license:"gemma terms of use"'),
        ("license:tw", "license:two"),
        ("device:gpu,", "device:gpu,gpu"),
        ("device:gpu,c", "device:gpu,cpu"),
        ("", None),
        ("phi ", None),
        ("phi", None),
        ("cached", None),
        ("-", None),
        ("license:mit", None),
        ("license:mit ", None),
        ("license:x", None),
        ("license:\x1b", None),
        ('license:"q', None),
        ("file:", None),
        ("task:", None),
        ('"lic', None),
    ],
)
def test_completion_offers_what_there_is(text: str, completed: str | None) -> None:
    def values(key: str) -> list[str]:
        return VALUES.get("license" if key == "licence" else key, [])

    assert completion(text, values) == completed

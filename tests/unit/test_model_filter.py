"""The language in which models are sought: what matches, what is told, what is never hidden by mistake."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from foundry_tui.domain.model_filter import ModelFilter, haystack_of, parse_filter, split_filter
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant

GB = 1_000_000_000
PHI = ModelVariant(
    id="phi-4-mini-cuda-gpu:5",
    alias="phi-4-small",
    catalog=CatalogKind.PUBLIC,
    display_name="Phi the Fourth",
    publisher="Microsoft",
    license="MIT License",
    task="chat-completion",
    device=Device.GPU,
    execution_provider="CUDAExecutionProvider",
    quantization="int4",
    size_bytes=2 * GB,
    disk_bytes=3 * GB,
    context_tokens=8192,
    is_cached=True,
    is_loaded=True,
)
OWN = ModelVariant(
    id="own:1",
    alias="own",
    catalog=CatalogKind.LOCAL,
    license="apache-2.0",
    device=Device.CPU,
    disk_bytes=500_000_000,
    context_tokens=4000,
    is_cached=True,
    is_loaded=False,
    problem="its tokenizer is missing",
)
UNKNOWN = ModelVariant(id="bare:1", alias="bare", catalog=CatalogKind.ENDPOINT)
ALL = (PHI, OWN, UNKNOWN)


def found(text: str, marked: tuple[str, ...] | None = None) -> list[str]:
    wanted = parse_filter(text, marked=marked)
    return [model.alias.partition("-")[0] for model in ALL if wanted.matches(model)]


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.at, problem.part) for problem in parse_filter(text).problems]


@pytest.mark.parametrize(
    "word",
    ["mini-cuda", "phi-4-small", "the", "microsoft", "mit", "chat", "gpu", "cudaexecution", "PHI", ":5"],
)
def test_a_word_is_sought_in_every_text_of_a_model_in_any_case(word: str) -> None:
    assert found(word) == ["phi"]


@pytest.mark.parametrize("text", ["", "   ", "\t\n"])
def test_an_empty_filter_finds_everything(text: str) -> None:
    assert found(text) == ["phi", "own", "bare"]
    assert problems(text) == []


def test_all_parts_must_hold() -> None:
    assert found("mini microsoft") == ["phi"]
    assert found("mini apache") == []


def test_words_do_not_run_from_one_text_into_the_next() -> None:
    assert found("5phi-4") == []
    assert found('"fourth microsoft"') == []


def test_a_phrase_keeps_its_spaces_and_nothing_in_it_has_a_meaning() -> None:
    assert found('"the fourth"') == ["phi"]
    assert found('"fourth the"') == []
    assert found('"license:mit"') == []
    assert found('"cached"') == []
    assert found('"-mini"') == ["phi"]


def test_a_minus_turns_a_part_round() -> None:
    assert found("-mini") == ["own", "bare"]
    assert found('-"the fourth"') == ["own", "bare"]
    assert found("-license:mit") == ["own", "bare"]
    assert found("-cached") == ["bare"]
    assert found("-size<1gb") == ["phi", "bare"]


@pytest.mark.parametrize(
    ("text", "aliases"),
    [
        ("license:mit", ["phi"]),
        ("licence:MIT", ["phi"]),
        ("LICENSE:mit", ["phi"]),
        ('license:"mit license"', ["phi"]),
        ("device:gpu", ["phi"]),
        ("task:chat", ["phi"]),
        ("publisher:micro", ["phi"]),
        ("provider:cuda", ["phi"]),
        ("ep:cuda", ["phi"]),
        ("alias:small", ["phi"]),
        ("id:own", ["own"]),
        ("id:small", []),
        ("quantization:int4", ["phi"]),
    ],
)
def test_a_key_seeks_in_one_place(text: str, aliases: list[str]) -> None:
    assert found(text) == aliases
    assert problems(text) == []


def test_a_comma_means_or() -> None:
    assert found("device:gpu,cpu") == ["phi", "own"]
    assert found('license:apache,"mit license"') == ["phi", "own"]
    assert found("-device:gpu,cpu") == ["bare"]


def test_the_first_letter_of_a_device_is_enough() -> None:
    assert found("device:g") == ["phi"]
    assert found("device:n") == []


@pytest.mark.parametrize(
    ("flag", "aliases"),
    [
        ("cached", ["phi", "own"]),
        ("loaded", ["phi"]),
        ("local", ["own"]),
        ("public", ["phi"]),
        ("problem", ["own"]),
        ("Cached", ["phi", "own"]),
        ("cached -loaded", ["own"]),
    ],
)
def test_a_flag_is_what_a_model_is_known_to_be(flag: str, aliases: list[str]) -> None:
    assert found(flag) == aliases


def test_marked_models_are_those_that_were_told() -> None:
    assert found("marked", marked=("own:1", "gone:1")) == ["own"]
    assert found("-marked", marked=("own:1",)) == ["phi", "bare"]
    assert found("marked", marked=()) == []


def test_where_nothing_can_be_marked_the_flag_is_told_and_left_out() -> None:
    assert found("marked own") == ["own"]
    assert problems("own marked") == [(4, "marked")]


@pytest.mark.parametrize(
    ("text", "aliases"),
    [
        ("size<2gb", ["own"]),
        ("size<=2gb", ["phi", "own"]),
        ("size>2gb", []),
        ("size>=2gb", ["phi"]),
        ("size:<2gb", ["own"]),
        ("SIZE<2GB", ["own"]),
        ("size<1.9gib", ["phi", "own"]),
        ("size<1.8gib", ["own"]),
        ("size>=500mb", ["phi", "own"]),
        ("size>500mb", ["phi"]),
        ("size>500000kb", ["phi"]),
        ("size>476mib", ["phi", "own"]),
        ("size>477mib", ["phi"]),
        ("size<.5g", []),
        ("size>0", ["phi", "own"]),
        ("size<1tb", ["phi", "own"]),
        ("disk>2gb", ["phi"]),
        ("disk<2gb", ["own"]),
        ("context>=4001", ["phi"]),
        ("context<4001", ["own"]),
        ("context<1m", ["phi", "own"]),
    ],
)
def test_a_comparison_holds_for_what_is_known(text: str, aliases: list[str]) -> None:
    assert found(text) == aliases
    assert problems(text) == []


@pytest.mark.parametrize("tokens", [8000, 8192])
def test_a_round_number_of_thousands_is_not_told_from_its_power_of_two(tokens: int) -> None:
    model = replace(PHI, context_tokens=tokens)

    assert parse_filter("context>=8k").matches(model)
    assert parse_filter("context<=8k").matches(model)
    assert not parse_filter("context<8k").matches(model)
    assert not parse_filter("context>8k").matches(model)


@pytest.mark.parametrize("text", ["size<9tb", "size>=0", "disk<9tb", "disk>0", "context<9m", "context>=0"])
def test_what_is_unknown_is_neither_small_nor_large(text: str) -> None:
    assert "bare" not in found(text)
    assert "bare" in found(f"-{text}")


def test_none_is_a_number_too() -> None:
    assert parse_filter("size<1kb").matches(replace(UNKNOWN, size_bytes=0))


@pytest.mark.parametrize(
    ("half", "part"),
    [
        ("size<", "size<"),
        ("size:", "size:"),
        ("size:<", "size:<"),
        ("size<2", "size<2"),
        ("size<2gi", "size<2gi"),
        ("size<1.", "size<1."),
        ("size=2gb", "size=2gb"),
        ("size<two", "size<two"),
        ("context>=", "context>="),
        ("context>=8gb", "context>=8gb"),
        ("device:", "device:"),
        ("device:x", "device:x"),
        ("license:", "license:"),
        ("license:,", "license:,"),
        ('license:"', 'license:"'),
        ("license<mit", "license<mit"),
        ("-", "-"),
        ("-license:", "-license:"),
        ('""', '""'),
    ],
)
def test_what_is_half_typed_is_told_and_hides_nothing(half: str, part: str) -> None:
    assert found(half) == ["phi", "own", "bare"]
    assert found(f"own {half}") == ["own"]
    assert set(problems(f"own {half}")) == {(4, part)}


@pytest.mark.parametrize(
    ("text", "aliases", "part"),
    [
        ('"the fou', ["phi"], '"the fou'),
        ("device:gpu,", ["phi"], "device:gpu,"),
        ("device:gpu,x", ["phi"], "device:gpu,x"),
        ("license:,mit", ["phi"], "license:,mit"),
    ],
)
def test_what_can_be_understood_of_a_part_holds_meanwhile(text: str, aliases: list[str], part: str) -> None:
    assert found(text) == aliases
    assert problems(text) == [(0, part)]


def test_a_problem_says_what_is_wrong_and_what_would_do() -> None:
    first, second = parse_filter("phi size<2 device:tpu").problems

    assert first.words == "“size<2”: a unit is missing, try size<2gb"
    assert second.words == "“device:tpu”: tpu is no device, try device:cpu,gpu,npu"
    assert (first.at, second.at) == (4, 11)


@pytest.mark.parametrize(
    "text", ["file:", "http://x", "phi-4:5", "name:phi", "size", "a<b", "1>0", "--x", "l:"]
)
def test_a_word_that_is_no_key_is_a_word(text: str) -> None:
    model = replace(UNKNOWN, display_name=f"x {text} -x y")

    assert parse_filter(text).problems == ()
    assert parse_filter(text).matches(model) is not text.startswith("-")
    assert not parse_filter(f"-{text}").matches(model)


def test_typing_on_narrows() -> None:
    def narrows(longer: str, shorter: str) -> bool:
        return parse_filter(longer).narrows(parse_filter(shorter))

    assert narrows("phi", "ph")
    assert narrows("phi mini", "phi")
    assert narrows("phi mini size<2gb", "ph min")
    assert narrows("phi cached", "phi size<")
    assert narrows("anything", "")
    assert not narrows("ph", "phi")
    assert not narrows("-phi", "-ph")
    assert not narrows("phi", "-ph")
    assert not narrows("size<20gb", "size<2gb")
    assert not narrows("", "phi")


PIECES = (
    *("phi", "own", "-", '"', ":", ",", "<", ">=", " ", "  ", "size", "disk", "context", "license", "device"),
    *(
        "ep",
        "2",
        ".5",
        "gb",
        "kib",
        "k",
        "cached",
        "loaded",
        "marked",
        "problem",
        "g",
        "cpu",
        "=",
        "\x1b",
        "ß",
    ),
)


def random_texts() -> list[str]:
    choose = random.Random(11)
    return ["".join(choose.choices(PIECES, k=choose.randrange(9))) for _ in range(3_000)]


def test_any_text_is_parsed_and_many_at_once_are_found_as_one_by_one() -> None:
    haystacks = [haystack_of(model) for model in ALL]

    for text in random_texts():
        wanted = parse_filter(text, marked=("own:1",))
        at_once = wanted.select(ALL, haystacks, range(len(ALL)))

        assert list(at_once) == [place for place, model in enumerate(ALL) if wanted.matches(model)], text
        assert all(text[problem.at :].startswith(problem.part) for problem in wanted.problems), text


def test_whatever_narrows_finds_no_more_than_before() -> None:
    texts = random_texts()
    filters = [parse_filter(text, marked=("own:1",)) for text in texts]

    compared = 0
    for longer, shorter in pairwise(filters):
        if longer.narrows(shorter):
            compared += 1
            assert all(shorter.matches(model) for model in ALL if longer.matches(model))
    assert compared > 100


def test_what_is_pasted_a_thousand_times_is_asked_once() -> None:
    assert len(parse_filter("phi " * 1_000).terms) == 1


def test_parts_know_where_they_begin() -> None:
    parts = split_filter('  phi -license:"a b"  "x')

    assert [(part.at, part.text) for part in parts] == [(2, "phi"), (6, '-license:"a b"'), (22, '"x')]
    assert [part.body for part in parts] == ["phi", 'license:"a b"', '"x']


def test_an_empty_filter_selects_what_it_is_given() -> None:
    places = range(3)

    assert ModelFilter().select(ALL, ["", "", ""], places) is places

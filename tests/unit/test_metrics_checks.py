"""What each kind of check finds in an answer, however it is written."""

import time

import pytest

from foundry_tui.domain.check_form import check_from, check_object
from foundry_tui.domain.checks import LANGUAGES, Check, Matches
from foundry_tui.domain.quantities import plural
from foundry_tui.metrics.checks import (
    CheckedAnswer,
    Finding,
    Passed,
    TriedPattern,
    finding,
    model_checks,
)
from foundry_tui.metrics.intervals import Interval

YES, NO, UNKNOWN = Passed.YES, Passed.NO, Passed.NOT_APPLICABLE


def never(pattern: Matches, text: str) -> TriedPattern:
    raise AssertionError("no pattern is to be looked for")


def found(answer: str, **written: object) -> tuple[Passed, str | None]:
    told = finding(check_from(written), answer, never)
    return told.passed, told.why


@pytest.mark.parametrize(
    ("answer", "how", "passed"),
    [
        ("It is Mixed.", {"texts": ["mixed"]}, NO),
        ("It is Mixed.", {"texts": ["mixed"], "ignore_case": True}, YES),
        ("STRASSE", {"texts": ["straße"], "ignore_case": True}, YES),
        ("cafe\u0301", {"texts": ["caf\u00e9"]}, YES),
        ("I know it", {"texts": ["no"]}, YES),
        ("I know it", {"texts": ["no"], "whole_words": True}, NO),
        ("No, it is not.", {"texts": ["no"], "whole_words": True, "ignore_case": True}, YES),
        ("C++ (fast)", {"texts": ["C++"], "whole_words": True}, YES),
        ("one", {"texts": ["one", "two"]}, NO),
        ("one", {"texts": ["one", "two"], "needs": "any"}, YES),
        ("three", {"texts": ["one", "two"], "needs": "any"}, NO),
        ("", {"texts": ["one"]}, NO),
    ],
)
def test_texts_are_looked_for(answer: str, how: dict[str, object], passed: Passed) -> None:
    assert found(answer, kind="contains", **how)[0] is passed


def test_what_is_missing_or_should_not_be_there_is_named() -> None:
    assert found("one", kind="contains", texts=["one", "two"]) == (NO, "it has not “two”")
    assert found("a", kind="contains", texts=["x", "y"], needs="any") == (NO, "it has none of them")
    assert found("Blue sea", kind="not_contains", texts=["blue", "red"], ignore_case=True) == (
        NO,
        "it has “blue”",
    )
    assert found("", kind="not_contains", texts=["blue"]) == (YES, None)


@pytest.mark.parametrize(
    ("tried", "passed", "why"),
    [
        (TriedPattern(is_found=True), YES, None),
        (TriedPattern(is_found=False), NO, "the pattern is not found in it"),
        (TriedPattern(is_found=None, why="it took too long"), UNKNOWN, "it took too long"),
    ],
)
def test_a_pattern_is_as_whoever_looked_for_it_says(
    tried: TriedPattern, passed: Passed, why: str | None
) -> None:
    told = finding(Matches(pattern="a"), "a", lambda pattern, text: tried)

    assert (told.passed, told.why) == (passed, why)


@pytest.mark.parametrize(
    ("answer", "fence", "why"),
    [
        (' {"a": 1}\n', False, None),
        ("[]", False, None),
        ("165", False, None),
        ('```json\n{"a": 1}\n```', False, "its JSON is in a code fence"),
        ('```json\n{"a": 1}\n```', True, None),
        ("```\r\n[1]\r\n```", True, None),
        ('Here: ```json\n{"a": 1}\n```', True, "it is not JSON: Expecting value at character 1"),
        ('{"a": 1} done', False, "it is not JSON: Extra data at character 10"),
        (
            "{'a': 1}",
            False,
            "it is not JSON: Expecting property name enclosed in double quotes at character 2",
        ),
        ("", False, "it is empty"),
        ("```json\n\n```", True, "it is empty"),
        ("NaN", False, "it is not JSON: NaN is no number of JSON at character 1"),
        ("9" * 5000, False, "it is not JSON of a sane size"),
    ],
)
def test_json_is_the_whole_answer(answer: str, fence: bool, why: str | None) -> None:
    assert found(answer, kind="json", allow_fence=fence) == (YES if why is None else NO, why)


def test_brackets_without_end_are_no_json() -> None:
    assert found("[" * 90_000, kind="json")[0] is NO


def test_json_of_another_shape_fails_with_the_place() -> None:
    schema = {"type": "object", "required": ["born"], "properties": {"born": {"const": "1815-12-10"}}}

    assert found('{"born": "1815-12-10"}', kind="json_schema", schema=schema) == (YES, None)
    assert found('{"born": "10 December"}', kind="json_schema", schema=schema) == (
        NO,
        "/born: expected '1815-12-10', found 10 December",
    )
    assert found("{}", kind="json_schema", schema=schema) == (
        NO,
        "the whole: expected the key born, found none",
    )
    assert found('```\n{"born": "1815-12-10"}\n```', kind="json_schema", schema=schema)[0] is NO


@pytest.mark.parametrize(
    ("answer", "equals", "passed"),
    [
        ("165", 165, YES),
        ("It takes 165 minutes.", 165, YES),
        ("165min", 165, YES),
        ("1,650", 1650, YES),
        ("1.650", 1650, YES),
        ("1,650", 1.65, YES),
        ("1.650,5", 1650.5, YES),
        ("1,650.5", 1650.5, YES),
        ("1'650", 1650, YES),
        ("1\u202f650", 1650, YES),
        ("1 650", 1650, NO),
        ("16,5", 16.5, YES),
        ("0,165", 165, NO),
        ("0,165", 0.165, YES),
        (".5", 0.5, YES),
        ("1.65e2", 165, YES),
        ("−165", -165, YES),
        ("-165", 165, NO),
        ("0.1", 0.1, YES),
        ("GPT4 says 165", 165, YES),
        ("one hundred and sixty-five", 165, NO),
        ("2 h 45 min = 165", 165, NO),
        ("14:35", 1435, NO),
        ("9" * 1000, 165, NO),
        ("", 165, NO),
    ],
)
def test_the_only_number_is_read_as_people_write_it(answer: str, equals: float, passed: Passed) -> None:
    assert found(answer, kind="number", equals=equals)[0] is passed


def test_of_several_numbers_the_last_or_any_may_be_meant() -> None:
    answer = "2 h 45 min, so 165 minutes"

    assert found(answer, kind="number", equals=165, which="last") == (YES, None)
    assert found(answer, kind="number", equals=45, which="any") == (YES, None)
    assert found(answer, kind="number", equals=45, which="last") == (NO, "expected 45, found 165")
    assert found(answer, kind="number", equals=165) == (
        NO,
        "it has 3 numbers where one is wanted: 2, 45, 165",
    )
    assert found("none", kind="number", equals=1) == (NO, "it has no number")


def test_a_tolerance_is_kept_to_in_decimals() -> None:
    assert found("0.4", kind="number", equals=0.3, tolerance=0.1) == (YES, None)
    assert found("0.41", kind="number", equals=0.3, tolerance=0.1) == (
        NO,
        "expected 0.3 ± 0.1, found 0.41",
    )


@pytest.mark.parametrize(
    ("answer", "unit", "count"),
    [
        ("", "characters", 0),
        ("  ab\n", "characters", 2),
        ("e\u0301", "characters", 2),
        ("", "words", 0),
        ("two – words", "words", 2),
        ("**bold** don't", "words", 2),
        ("", "sentences", 0),
        ("...", "sentences", 0),
        ("One. Two! Three?", "sentences", 3),
        ("no full stop", "sentences", 1),
        ("Dr. Smith came at 9.30 a.m. and left.", "sentences", 1),
        ("It is e.g. this. And that.", "sentences", 2),
        ("Wait... what?! No.", "sentences", 2),
        ("A paragraph that\ngoes on. And ends.", "sentences", 2),
        ("- one\n- two\n- three", "sentences", 3),
        ("# Title\nText.", "sentences", 2),
        ("はい。そうです。", "sentences", 2),
    ],
)
def test_length_is_counted(answer: str, unit: str, count: int) -> None:
    assert found(answer, kind=unit, min=count, max=count) == (YES, None)
    assert found(answer, kind=unit, min=count + 1) == (
        NO,
        f"expected at least {plural(count + 1, unit[:-1])}, found {count}",
    )
    if count:
        assert found(answer, kind=unit, max=count - 1) == (
            NO,
            f"expected at most {plural(count - 1, unit[:-1])}, found {count}",
        )


TEXTS = {
    "de": "Die Bibliothek ist an Wochentagen ab neun geöffnet und am Sonntag nicht.",
    "en": "The library opens at nine on weekdays and it is closed on Sundays.",
    "es": "La biblioteca abre a las nueve y está cerrada los domingos por la tarde.",
    "fr": "La bibliothèque est ouverte à neuf heures et elle est fermée le dimanche.",
    "it": "La biblioteca apre alle nove nei giorni feriali ed è chiusa la domenica, ma non in estate.",
    "nl": "De bibliotheek is op zondag niet open, maar het is wel open op werkdagen.",
    "pt": "A biblioteca abre às nove e não está aberta aos domingos, mas os livros podem ser devolvidos.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_each_language_is_told_from_all_others(language: str) -> None:
    assert set(TEXTS) == set(LANGUAGES)
    for other, text in TEXTS.items():
        passed, why = found(text, kind="language", **{"is": language})
        assert (passed, why) == (
            (YES, None) if other == language else (NO, f"expected {language}, found {other}")
        )


@pytest.mark.parametrize("answer", ["", "165", "OK", "print(x)", "Ja, nein, si, oui, yes"])
def test_where_the_language_is_not_clear_nothing_is_said(answer: str) -> None:
    passed, why = found(answer, kind="language", **{"is": "en"})

    assert passed is UNKNOWN
    assert why is not None
    assert why.startswith("the language is unknown: ")


def test_another_script_is_another_language() -> None:
    assert found("图书馆九点开门", kind="language", **{"is": "en"}) == (
        NO,
        "expected en, found another script",
    )


HOSTILE = {
    "full stops": "A. " * 33_000,
    "marks": "!" * 99_000 + "x",
    "brackets": "[" * 99_000,
    "digits": "9" * 99_000,
    "lists of numbers": "1," * 49_000,
    "accents": "a" + "\u0301" * 20_000,
    "fences": "```\n" * 24_000,
    "surrogates": "\ud83d" * 99_000,
    "spaces": " " * 99_000,
}
CHECKS: list[dict[str, object]] = [
    {"kind": "contains", "texts": ["x y", "é"], "ignore_case": True, "whole_words": True},
    {"kind": "not_contains", "texts": ["zz"]},
    {"kind": "json", "allow_fence": True},
    {"kind": "json_schema", "schema": {"uniqueItems": True}},
    {"kind": "number", "equals": 1},
    {"kind": "characters", "min": 1},
    {"kind": "words", "max": 3},
    {"kind": "sentences", "min": 1},
    {"kind": "language", "is": "en"},
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_takes_no_time(name: str) -> None:
    begun = time.perf_counter()
    for written in CHECKS:
        found(HOSTILE[name], **written)

    assert time.perf_counter() - begun < 5


def test_of_an_answer_without_end_only_the_length_is_checked() -> None:
    answer = "x" * 100_001

    assert found(answer, kind="contains", texts=["x"]) == (
        UNKNOWN,
        "the answer has 100,001 characters, more than 100,000",
    )
    assert found(answer, kind="characters", max=5)[0] is NO


@pytest.mark.parametrize("written", [*CHECKS, {"kind": "regex", "pattern": "a|b", "ignore_case": True}])
def test_a_check_is_written_and_read_again(written: dict[str, object]) -> None:
    check = check_from(written)

    assert check_object(check) == written
    assert check_from(check_object(check)) == check


def an_answer(model: str, *passed: Passed, number: int = 1) -> CheckedAnswer:
    check: Check = Matches(pattern="a")
    findings = tuple(Finding(check=check, passed=each) for each in passed)
    return CheckedAnswer(number=number, model=model, prompt_id=f"p{number}", findings=findings)


def test_what_does_not_apply_is_in_no_share() -> None:
    answers = [
        an_answer("a", YES, YES, NO),
        an_answer("a", YES, UNKNOWN, number=2),
        an_answer("a", UNKNOWN, number=3),
        an_answer("b", NO, number=4),
    ]

    counted = model_checks("a", answers, unanswered=("p9",))

    assert (counted.passed, counted.made, counted.not_applicable) == (3, 4, 2)
    assert counted.share == 0.75
    assert counted.interval is None
    assert (counted.answers_passed, counted.answers_made, counted.answers_interval) == (1, 2, None)
    assert counted.unanswered == ("p9",)
    assert [answer.number for answer in counted.answers] == [1, 2, 3]


def test_an_interval_is_there_from_six_checks_on() -> None:
    five = model_checks("a", [an_answer("a", *[YES] * 5)])
    six = model_checks("a", [an_answer("a", *[YES] * 5, NO)])

    assert five.interval is None
    # Wilson, 5 of 6, z = 1.96: by hand (0.8333 + 0.3201 ± 1.96 · 0.2213) / 1.6402.
    assert isinstance(six.interval, Interval)
    assert six.interval.low == pytest.approx(0.4365, abs=5e-4)
    assert six.interval.high == pytest.approx(0.9699, abs=5e-4)
    assert six.answers_interval is None


def test_of_nothing_no_share_is_known() -> None:
    counted = model_checks("a", [an_answer("a", UNKNOWN)])

    assert (counted.share, counted.made, counted.answers_made) == (None, 0, 0)

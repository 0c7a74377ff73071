"""Prompt sets: both forms of the file, JSON syntax, and files that cannot be read."""

import json
import os
from pathlib import Path

import pytest

from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.values import Prompt
from foundry_tui.domain.errors import BadInput


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prompts.json"


def problem_of(path: Path) -> str:
    """What is said of ``path``, without its name."""
    with pytest.raises(BadInput) as caught:
        load_prompts(path)
    assert caught.value.remedy
    return str(caught.value).removeprefix(f"{path}: ")


def test_the_object_form_is_read_in_its_order(path: Path) -> None:
    path.write_text(
        '{"prompts": [{"id": "rag", "text": " Explain\\n", "system": "Be brief.",'
        ' "aspects": ["two sentences"], "tags": ["t"]}, {"id": "b", "text": "B", "system": null}]}'
    )

    assert load_prompts(path) == (
        Prompt(id="rag", text=" Explain\n", system="Be brief.", aspects=("two sentences",), tags=("t",)),
        Prompt(id="b", text="B"),
    )


def test_a_bare_list_gets_numbered_ids(path: Path) -> None:
    path.write_text('["one", "two"]')

    assert load_prompts(path) == (Prompt(id="p1", text="one"), Prompt(id="p2", text="two"))


def test_a_byte_order_mark_does_no_harm(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf["one"]')

    assert load_prompts(path) == (Prompt(id="p1", text="one"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"prompts": [{"id": "a", "text": 42}]}', "/prompts/0/text: expected text in quotes, found 42"),
        ('{"prompts": [{"id": "a"}]}', "/prompts/0/text: expected this key, found nothing"),
        ('{"prompts": []}', "/prompts: expected at least 1 item, found a list of 0"),
        ("[]", "the whole file: expected at least 1 item, found a list of 0"),
        ("{}", "/prompts: expected this key, found nothing"),
        ("null", "the whole file: expected an object, found null"),
        ('["a", {"text": "b"}]', "/1: expected text in quotes, found an object of 1"),
        ('[" \\u001c"]', '/0: expected text that is not blank, found "␜"'),
        ('["\\ud800"]', '/0: expected text without halves of surrogate pairs, found "\ufffd"'),
    ],
)
def test_a_wrong_value_is_named_with_its_pointer(path: Path, text: str, problem: str) -> None:
    path.write_text(text)

    assert problem_of(path) == problem


def test_a_repeated_id_is_refused(path: Path) -> None:
    path.write_text('{"prompts": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}')

    assert problem_of(path) == '/prompts/1/id: expected an id of its own, found "a" as in /prompts/0/id'


def test_of_many_problems_three_are_named_and_all_counted(path: Path) -> None:
    path.write_text('["a", 1, 2, 3, 4]')

    assert problem_of(path) == (
        "4 problems, the first 3: /1: expected text in quotes, found 1;"
        " /2: expected text in quotes, found 2; /3: expected text in quotes, found 3"
    )


def test_of_two_problems_both_are_named(path: Path) -> None:
    path.write_text("[1, 2]")

    assert problem_of(path) == (
        "2 problems: /0: expected text in quotes, found 1; /1: expected text in quotes, found 2"
    )


def test_what_was_found_is_shortened_and_harmless(path: Path) -> None:
    path.write_text('{"prompts": "\\u001b[31m' + "x" * 100 + '"}')

    assert problem_of(path) == f'/prompts: expected a list, found "␛[31m{"x" * 34}…"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"prompts": [}', 'line 1, column 14: expected a value, found "}"'),
        ('["a"\n "b"]', 'line 2, column 2: expected a comma, found "\\""'),
        ('["a"', "line 1, column 5: expected a comma, found the end of the file"),
        ('["a"] x', 'line 1, column 7: expected the end of the file, found "x"'),
        ("", "line 1, column 1: expected a value, found the end of the file"),
        ("{'a': 1}", 'line 1, column 2: expected a key in double quotes, found "\'"'),
        ("[NaN]", "expected numbers that JSON knows, found NaN"),
        ("[" * 100_000, "expected JSON of a sane size, found too many brackets inside each other"),
        ("[" + "1" * 5000 + "]", "expected JSON of a sane size, found too long a number"),
    ],
)
def test_broken_json_is_named_with_its_line_and_column(path: Path, text: str, problem: str) -> None:
    path.write_text(text)

    assert problem_of(path) == problem


def test_a_key_repeated_deep_inside_is_found(path: Path) -> None:
    path.write_text('{"prompts": [{"id": "a", "text": "x"}, {"id": "b", "id": "c", "text": "y"}]}')

    assert problem_of(path) == '/prompts/1: expected each key once, found "id" again'


def test_a_missing_file_is_said_to_be_missing(path: Path) -> None:
    assert problem_of(path) == "no such file"


def test_a_folder_is_not_a_file(path: Path) -> None:
    path.mkdir()

    assert problem_of(path) == "expected a file, found a folder"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_file_without_permission_is_said_to_be_so(path: Path) -> None:
    path.write_text("[]")
    path.chmod(0)

    assert problem_of(path) == "cannot be read: Permission denied"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system whose links can loop")
def test_another_trouble_of_the_system_is_passed_on(path: Path) -> None:
    path.symlink_to(path)

    assert problem_of(path) == "cannot be read: Too many levels of symbolic links"


def test_a_file_in_another_encoding_is_named_with_the_line(path: Path) -> None:
    path.write_bytes(b'["a",\n"caf\xe9"]')

    assert problem_of(path) == "line 2: expected UTF-8 text, found the byte 0xe9"


def test_a_huge_file_is_not_read_to_its_end(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(16_000_001)

    assert problem_of(path) == "expected at most 16 MB, found more"


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"kind": "smells"}, ": expected a kind that is one of 'contains', 'not_contains', "),
        ({"texts": ["a"]}, ": expected the key kind with what kind it is, found an object of 1"),
        ({"kind": "contains"}, "/texts: expected this key, found nothing"),
        ({"kind": "contains", "texts": []}, "/texts: expected at least 1 item, found a list of 0"),
        ({"kind": "contains", "texts": [" "]}, "/texts/0: expected text that is not blank"),
        (
            {"kind": "contains", "texts": ["a"], "needs": "some"},
            "/needs: expected 'all' or 'any', found \"some\"",
        ),
        (
            {"kind": "not_contains", "texts": ["a"], "needs": "any"},
            '/needs: expected one of the keys texts, ignore_case, whole_words, kind, found "needs"',
        ),
        ({"kind": "regex", "pattern": "(a"}, ": expected a regular expression of Python's (missing )"),
        ({"kind": "regex", "pattern": ""}, "/pattern: expected text that is not empty"),
        ({"kind": "json_schema", "schema": {"type": "thing"}}, ": expected one of array, boolean, "),
        ({"kind": "json_schema", "schema": {"pattern": "a"}}, ": expected in schema no keyword but type, "),
        ({"kind": "number", "equals": "5"}, '/equals: expected a number, found "5"'),
        ({"kind": "number", "equals": 5, "tolerance": -1}, "/tolerance: expected a number from 0 up"),
        ({"kind": "words"}, ": expected min, max or both"),
        ({"kind": "words", "min": 3, "max": 2}, ": expected a max that is not below min"),
        (
            {"kind": "language", "is": "tlh"},
            "/is: expected 'de', 'en', 'es', 'fr', 'it', 'nl' or 'pt', found",
        ),
    ],
)
def test_a_check_that_cannot_be_made_is_told_with_its_place(
    path: Path, check: dict[str, object], problem: str
) -> None:
    prompts = [{"id": "a", "text": "A"}, {"id": "b", "text": "B", "checks": [{"kind": "json"}, check]}]
    path.write_text(json.dumps({"prompts": prompts}))

    assert problem_of(path).startswith(f"/prompts/1/checks/1{problem}")


def test_a_key_of_a_check_that_is_nearly_one_is_guessed(path: Path) -> None:
    check = {"kind": "contains", "texts": ["a"], "ignore_cases": True}
    path.write_text(json.dumps({"prompts": [{"id": "a", "text": "A", "checks": [check]}]}))

    with pytest.raises(BadInput) as caught:
        load_prompts(path)

    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("Did you mean ignore_case?")

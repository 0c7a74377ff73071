"""``foundry-tui conversations …``: on a store in memory, and once as a program on a real file."""

import argparse
import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.cli.conversations import Act, add_commands
from foundry_tui.config.schema import BUILDERS, json_schema
from foundry_tui.domain.chat import ChunkReceived, Outcome, Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.conversation_json import conversation_json, parse_conversation_json
from foundry_tui.reports.conversation_markdown import conversation_markdown
from tests.cli.program import Ended, one_process
from tests.support.memory_store import MemoryStore

AT = 1_780_000_000_000
EVIL = "\x1b]0;owned\x07"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The working directory."""
    was = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(was)


def kept(
    conversation_id: str, title: str, text: str, *, at: int = 0, tags: tuple[str, ...] = ()
) -> Conversation:
    trace = GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=None,
        chunks=(ChunkReceived(at_ns=4, text=text),),
        end_ns=5,
        usage=None,
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
    )
    asked = Turn(id=f"{conversation_id}-1", parent_id=None, role=Role.USER, text="?", at_unix_ms=AT)
    answer = Turn(
        id=f"{conversation_id}-2",
        parent_id=asked.id,
        role=Role.ASSISTANT,
        text=text,
        at_unix_ms=AT + at,
        model_id="small-instruct-generic-cpu:1",
        trace=trace,
    )
    return Conversation(
        id=conversation_id,
        title=title,
        created_unix_ms=AT,
        updated_unix_ms=AT + at,
        tags=tags,
        turns=(asked, answer),
        head_id=answer.id,
    )


def farm() -> MemoryStore:
    store = MemoryStore()
    for conversation in (
        kept("aaaa1111", "Two hens", "Hens lay eggs.", at=1, tags=("farm",)),
        kept("aaaa2222", "Bread", "Bread needs flour and eggs.", at=2, tags=("food",)),
        kept("bbbb3333", "", f"evil {EVIL}", at=3),
    ):
        store.kept[conversation.id] = conversation
    return store


def do(store: MemoryStore, *arguments: str) -> int:
    """Run one command line on ``store``."""
    parser = argparse.ArgumentParser(prog="foundry-tui")
    add_commands(parser.add_subparsers())
    parsed = parser.parse_args(("conversations", *arguments))
    act: Act = parsed.act

    async def run() -> int:
        return await act(store, parsed)

    return asyncio.run(run())


def test_the_list_has_a_row_for_each_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert do(farm(), "list") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ID", "TITLE", "USED", "TURNS", "TAGS", "MODELS"]
    assert [line.split()[0] for line in lines[1:]] == ["bbbb3333", "aaaa2222", "aaaa1111"]
    assert lines[3].split() == [
        *("aaaa1111", "Two", "hens", "2026-05-28T20:26:40.001Z", "2", "#farm"),
        "small-instruct-generic-cpu:1",
    ]


def test_the_list_can_be_cut_and_narrowed_to_a_tag(capsys: pytest.CaptureFixture[str]) -> None:
    do(farm(), "list", "--limit", "1", "--json")
    newest = json.loads(capsys.readouterr().out)
    do(farm(), "list", "--tag", "FARM", "--json")
    tagged = json.loads(capsys.readouterr().out)

    assert [entry["id"] for entry in newest["conversations"]] == ["bbbb3333"]
    assert [entry["id"] for entry in tagged["conversations"]] == ["aaaa1111"]


def test_more_than_a_page_is_listed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    store = MemoryStore()
    store.kept = {f"{n:08}": kept(f"{n:08}", f"No. {n}", "x", at=n) for n in range(1_200)}

    do(store, "list", "--json")

    ids = [entry["id"] for entry in json.loads(capsys.readouterr().out)["conversations"]]
    assert len(ids) == len(set(ids)) == 1_200
    assert ids[0] == "00001199"


def test_a_search_shows_the_words_around_the_hit(capsys: pytest.CaptureFixture[str]) -> None:
    assert do(farm(), "search", "flour", "egg") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ID", "TITLE", "USED", "WHERE"]
    assert [line.split()[0] for line in lines[1:]] == ["aaaa2222"]
    assert lines[1].endswith("Bread needs flour and eggs.")


def test_a_search_as_json_says_where_the_hits_stand(capsys: pytest.CaptureFixture[str]) -> None:
    do(farm(), "search", "lay", "--json")

    content = json.loads(capsys.readouterr().out)
    (entry,) = content["conversations"]
    assert content["schema"] == "foundry-tui/conversation-list@1"
    assert (entry["id"], entry["hit_turn_id"]) == ("aaaa1111", "aaaa1111-2")
    assert [entry["snippet"][start:end] for start, end in entry["hits"]] == ["lay"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--tag", "none"), "no conversation has this tag\n"),
        (("search", "zebra"), "no conversation has all these words\n"),
    ],
)
def test_without_a_hit_stdout_is_empty_and_stderr_says_so(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do(farm(), *arguments) == 0

    assert capsys.readouterr() == ("", words)


def test_show_prints_markdown_or_everything_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    store = farm()

    do(store, "show", "aaaa1111")
    markdown = capsys.readouterr().out
    do(store, "show", "aaaa1", "--json")
    exact = capsys.readouterr().out

    assert markdown == conversation_markdown(store.kept["aaaa1111"])
    assert parse_conversation_json(exact, "x") == store.kept["aaaa1111"]


@pytest.mark.skipif("conversation" not in BUILDERS, reason="config/schema.py does not offer it yet")
def test_what_is_printed_as_json_is_as_its_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    do(farm(), "show", "bbbb3333", "--json")
    jsonschema.validate(json.loads(capsys.readouterr().out), json_schema("conversation"))
    do(farm(), "search", "eggs", "--json")
    jsonschema.validate(json.loads(capsys.readouterr().out), json_schema("conversation-list"))


@pytest.mark.parametrize("arguments", [("list",), ("search", "evil"), ("show", "bbbb3333")])
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_nothing_on_stdout_commands_a_terminal(
    arguments: tuple[str, ...], as_json: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    do(farm(), *arguments, *as_json)

    out = capsys.readouterr().out
    assert out
    assert all(character.isprintable() or character == "\n" for character in out)


@pytest.mark.parametrize(
    ("given", "problem", "remedy"),
    [
        ("none", "no conversation 'none'", "foundry-tui conversations list shows all ids"),
        ("bbb", "no conversation 'bbb'", "foundry-tui conversations list shows all ids"),
        ("aaaa", "2 conversations have ids that begin with 'aaaa'", "give more of it"),
    ],
)
def test_an_id_that_is_none_or_several_is_refused(given: str, problem: str, remedy: str) -> None:
    with pytest.raises(BadInput) as caught:
        do(farm(), "show", given)

    assert (str(caught.value), caught.value.remedy) == (problem, remedy)


def test_export_takes_the_format_from_the_name_or_as_it_is_told(folder: Path) -> None:
    store = farm()

    do(store, "export", "aaaa1111", "--output", "a.json")
    do(store, "export", "aaaa1111", "--output", "a.md")
    do(store, "export", "aaaa1111", "--output", "a.txt", "--format", "md")

    assert (folder / "a.json").read_text() == conversation_json(store.kept["aaaa1111"])
    assert (folder / "a.md").read_text() == conversation_markdown(store.kept["aaaa1111"])
    assert (folder / "a.txt").read_text() == (folder / "a.md").read_text()
    with pytest.raises(BadInput, match="expected a name that ends in"):
        do(store, "export", "aaaa1111", "--output", "b.txt")


def test_export_overwrites_only_with_force(folder: Path) -> None:
    (folder / "a.md").write_text("mine")

    with pytest.raises(BadInput, match="exists already"):
        do(farm(), "export", "aaaa1111", "--output", "a.md")
    assert (folder / "a.md").read_text() == "mine"

    do(farm(), "export", "aaaa1111", "--output", "a.md", "--force")
    assert (folder / "a.md").read_text() == conversation_markdown(farm().kept["aaaa1111"])


def test_all_are_exported_under_names_of_their_own(folder: Path) -> None:
    store = farm()
    store.kept["AAAA1111x"] = kept("AAAA1111x", "two HENS", "x")

    assert do(store, "export", "--all", "--output", "out/deep", "--format", "json") == 0

    files = {path.name: path.read_text() for path in (folder / "out" / "deep").iterdir()}
    assert sorted(files) == [
        "Bread-aaaa2222.json",
        "Two-hens-aaaa1111.json",
        "conversation-bbbb3333.json",
        "two-HENS-AAAA1111-2.json",
    ]
    assert {parse_conversation_json(text, name).id for name, text in files.items()} == set(store.kept)


def test_a_hostile_id_or_title_names_no_file_outside_the_folder(folder: Path) -> None:
    store = MemoryStore()
    store.kept["../../x"] = kept("../../x", "../../etc/passwd", "x")

    do(store, "export", "--all", "--output", "out")

    assert [path.name for path in (folder / "out").iterdir()] == ["etc-passwd-x.md"]
    assert [path.name for path in folder.iterdir()] == ["out"]


def test_exporting_all_writes_nothing_where_one_name_is_taken(folder: Path) -> None:
    (folder / "Bread-aaaa2222.md").write_text("mine")

    with pytest.raises(BadInput, match=r"Bread-aaaa2222\.md exists already"):
        do(farm(), "export", "--all", "--output", ".")

    assert [path.name for path in folder.iterdir()] == ["Bread-aaaa2222.md"]


@pytest.mark.parametrize("arguments", [("aaaa1111", "--all"), ()])
def test_export_wants_one_or_all(folder: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="one conversation or all"):
        do(farm(), "export", *arguments, "--output", "x.md")


def test_exporting_all_into_a_file_is_refused(folder: Path) -> None:
    (folder / "x").write_text("mine")

    with pytest.raises(BadInput, match="x is no folder"):
        do(farm(), "export", "--all", "--output", "x")


def test_import_keeps_what_is_in_the_files_and_prints_the_ids(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = kept("cccc4444", "Cheese", "Milk.")
    (folder / "c.json").write_text(conversation_json(new))
    (folder / "log.md").write_text("my notes\n\n## User\n\nhi\n")
    store = farm()

    assert do(store, "import", "c.json", "log.md") == 0

    captured = capsys.readouterr()
    (log,) = set(store.kept) - {"aaaa1111", "aaaa2222", "bbbb3333", "cccc4444"}
    assert store.kept["cccc4444"] == new
    assert captured.out == f"cccc4444  Cheese\n{log}  hi\n"
    assert captured.err == "log.md: left out: line 1 before the first speaker: left out\n"


def test_nothing_is_imported_if_one_of_the_files_is_bad(folder: Path) -> None:
    (folder / "good.json").write_text(conversation_json(kept("cccc4444", "Cheese", "Milk.")))
    (folder / "bad.json").write_text("{}")
    store = farm()

    with pytest.raises(BadInput, match=r"bad\.json: /schema: expected this key, found nothing"):
        do(store, "import", "good.json", "bad.json")

    assert len(store.kept) == 3


def test_nothing_is_imported_if_two_files_hold_the_same(folder: Path) -> None:
    (folder / "c.json").write_text(conversation_json(kept("cccc4444", "Cheese", "Milk.")))
    store = farm()

    with pytest.raises(BadInput, match="cccc4444 is here already"):
        do(store, "import", "c.json", "c.json")

    assert len(store.kept) == 3


def test_what_is_here_already_is_imported_only_as_a_copy(folder: Path) -> None:
    store = farm()
    (folder / "a.json").write_text(conversation_json(store.kept["aaaa1111"]))

    with pytest.raises(BadInput, match=r"a\.json: the conversation aaaa1111 is here already") as caught:
        do(store, "import", "a.json")
    do(store, "import", "a.json", "a.json", "--copy")

    assert caught.value.remedy == "--copy keeps a second one beside it; nothing was imported"
    assert [one.title for one in store.kept.values()].count("Two hens") == 3


def test_delete_removes_all_that_are_named_or_none(capsys: pytest.CaptureFixture[str]) -> None:
    store = farm()

    with pytest.raises(BadInput, match="no conversation 'none'"):
        do(store, "delete", "aaaa1111", "none")
    assert len(store.kept) == 3
    do(store, "delete", "aaaa1", "bbbb3333", "bbbb3333")

    assert list(store.kept) == ["aaaa2222"]
    assert capsys.readouterr().out == "aaaa1111 deleted\nbbbb3333 deleted\n"


def test_a_store_that_cannot_be_read_ends_the_command() -> None:
    store = farm()
    store.fail_with = StorageProblem("the database cannot be read", remedy="look at the disk")

    with pytest.raises(StorageProblem):
        do(store, "list")


def test_the_program_imports_lists_shows_and_deletes_on_a_real_file(folder: Path) -> None:
    (folder / "c.json").write_text(conversation_json(kept("cccc4444", "Cheese", "Milk. \ud83d")))

    ends = one_process(
        [
            ("conversations", "import", str(folder / "c.json")),
            ("conversations", "search", "milk", "--json"),
            ("conversations", "show", "cccc", "--json"),
            ("conversations", "import", str(folder / "c.json")),
            ("conversations", "delete", "cccc4444"),
            ("conversations", "list"),
        ],
        data_dir=folder / "data",
    )

    assert [end.code for end in ends] == [0, 0, 0, 2, 0, 0]
    assert [entry["id"] for entry in json.loads(ends[1].out)["conversations"]] == ["cccc4444"]
    assert ends[2].out == (folder / "c.json").read_text()
    assert ends[5] == Ended(code=0, out="", err="no conversation is kept\n")

"""``foundry-tui models …`` on the real runtime with the bundled model, and on a scripted endpoint."""

import asyncio
import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest

import foundry_tui
from foundry_tui.cli.output import print_table
from foundry_tui.config.schema import json_schema
from tests.cli.plain_sitting import Paper
from tests.cli.program import Ended, one_process, run, run_async, two_processes
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.hub import Hub, demo_model, synthetic_model
from tests.support.routes import ServedModel
from tests.support.script import answer

TINY = Path(foundry_tui.__file__).parent / "demo" / "tiny"
ID = "tiny-own-generic-cpu:1"
# The first one is sought below; each of the others differs from it in one thing that can be filtered by.
PUBLIC = (
    ("phi-4-mini-cuda-gpu:5", "phi-4-mini", "Microsoft", "MIT", "chat-completion", "GPU"),
    ("phi-4-mini-generic-cpu:5", "phi-4-mini", "Microsoft", "MIT", "chat-completion", "CPU"),
    ("phi-4-free-cuda-gpu:1", "phi-4-free", "Microsoft", "apache-2.0", "chat-completion", "GPU"),
    ("phi-4-voice-cuda-gpu:1", "phi-4-voice", "Microsoft", "MIT", "automatic-speech-recognition", "GPU"),
    ("qwen3-cuda-gpu:1", "qwen3", "Alibaba", "MIT", "chat-completion", "GPU"),
)
LANGUAGE = ("--filter", "PHI-4 license:mit task:chat device:gpu size<1gb -loaded")
FILTERS = ("--filter", "PHI-4", "--license", "mit", "--task", "chat-completion", "--device", "gpu")

pytestmark = pytest.mark.native


def write_public_list(data_dir: Path) -> None:
    records = [
        {
            "id": model_id,
            "alias": alias,
            "publisher": publisher,
            "license": licence,
            "task": task,
            "fileSizeMb": 100,
            "runtime": {"deviceType": device},
            "displayName": "\x1b]0;pwned\x07",
        }
        for model_id, alias, publisher, licence, task, device in PUBLIC
    ]
    cache = data_dir / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "foundry.modelinfo.json").write_text(
        json.dumps({"models": records, "savedAtUnix": 1_780_400_000, "version": 1})
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundled model is registered as our own and the public catalog was once seen."""
    folder = tmp_path_factory.mktemp("models") / "data"
    write_public_list(folder)
    end = run("models", "register", str(TINY), "--id", ID, "--offline", data_dir=folder)
    assert end == Ended(code=0, out=f"{ID} registered for {TINY}\n", err="")
    return folder


@pytest.fixture(scope="module")
def lists(data_dir: Path) -> dict[tuple[str, ...], Ended]:
    """The list by every filter."""
    filters: list[tuple[str, ...]] = [
        (),
        ("--json",),
        ("--cached",),
        ("--loaded",),
        FILTERS,
        LANGUAGE,
    ]
    ends = two_processes([("models", "list", "--offline", *each) for each in filters], data_dir=data_dir)
    return dict(zip(filters, ends, strict=True))


def ids_in(table: str) -> list[str]:
    return [line.split()[0] for line in table.splitlines()[1:]]


def test_the_list_has_a_row_for_every_variant_registered_ones_first(
    lists: dict[tuple[str, ...], Ended],
) -> None:
    end = lists[()]

    header, first, second, *_ = end.out.splitlines()
    assert end.code == 0
    assert header.split() == ["ID", "DEVICE", "SIZE", "CONTEXT", "TASK", "LICENSE", "STATE"]
    assert first.split()[0] == ID
    assert first.endswith(" on disk")
    assert " ".join(second.split()) == (
        "phi-4-mini-cuda-gpu:5 gpu 100 MiB n/a chat-completion MIT not on this machine"
    )
    assert ids_in(end.out) == [ID, *(record[0] for record in PUBLIC)]


def test_what_is_no_row_is_told_on_stderr(lists: dict[tuple[str, ...], Ended]) -> None:
    (line,) = lists[()].err.splitlines()
    notice, _, age = line.partition("; ")
    assert notice == "offline by choice: the public catalog was not asked"
    assert re.fullmatch(r"its list was fetched \d+ d ago", age)


def test_the_list_as_json_is_as_its_schema_says(lists: dict[tuple[str, ...], Ended]) -> None:
    end = lists["--json",]

    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("model-list"))
    assert content["schema"] == "foundry-tui/model-list@1"
    assert content["saved_at_unix"] == 1_780_400_000
    assert content["notice"] == "offline by choice: the public catalog was not asked"
    assert [model["id"] for model in content["models"]] == [ID, *(record[0] for record in PUBLIC)]
    assert [source["problem"] for source in content["sources"]] == [None]
    assert content["models"][1]["display_name"] == "\x1b]0;pwned\x07"
    assert "\x1b" not in end.out


async def test_what_cannot_run_here_is_listed_with_the_reason_and_a_dead_catalog_is_named(
    tmp_path: Path,
) -> None:
    dead = "http://127.0.0.1:9/asset-gallery/v1.0/models"
    async with Hub([demo_model(), synthetic_model("granit", "cuda-gpu")]) as hub:
        listed = ("models", "list", *hub.arguments(), "--catalog-url", dead)
        table, content = await asyncio.gather(
            run_async(*listed, data_dir=tmp_path / "table", extra=hub.environment()),
            run_async(*listed, "--json", data_dir=tmp_path / "json", extra=hub.environment()),
        )

    told = json.loads(content.out)
    jsonschema.validate(told, json_schema("model-list"))
    reason = "needs an NVIDIA GPU (CUDA execution provider)"
    assert {model["id"]: model["unavailable"] for model in told["models"]} == {
        "tiny-hub-generic-cpu:1": None,
        "granit-cuda-gpu:1": reason,
    }
    alive, silent = told["sources"]
    assert (alive["problem"], silent["saved_at_unix"]) == (None, None)
    assert alive["saved_at_unix"] > 0
    assert (silent["host"], bool(silent["problem"])) == ("127.0.0.1:9", True)
    assert table.out.splitlines()[2].endswith(f" cannot run here: {reason}")
    assert "the catalog at 127.0.0.1:9 did not answer (" in table.err
    assert "nothing of it was ever fetched" in table.err
    assert "\x1b" not in table.out


def test_rows_that_cannot_run_here_are_greyed_on_a_terminal_unless_it_is_to_be_plain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = []
    for variables in ({"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}):
        paper = Paper(is_terminal=True)
        with monkeypatch.context() as patched:
            patched.delenv("NO_COLOR", raising=False)
            patched.setenv("WT_SESSION", "1")
            for name, value in variables.items():
                patched.setenv(name, value)
            patched.setattr(sys, "stdout", paper)
            print_table(("ID",), (("a",), ("b",)), right=frozenset(), dim=frozenset({1}))
        shown.append(paper.getvalue())

    assert shown == ["ID\na\n\x1b[2mb\x1b[0m\n", "ID\na\nb\n", "ID\na\nb\n"]


def test_each_filter_leaves_out_what_does_not_match_it(lists: dict[tuple[str, ...], Ended]) -> None:
    end = lists[FILTERS]

    assert end.code == 0
    assert ids_in(end.out) == ["phi-4-mini-cuda-gpu:5"]


def test_a_filter_speaks_the_language_of_the_app(lists: dict[tuple[str, ...], Ended]) -> None:
    end = lists[LANGUAGE]

    assert end.code == 0
    assert ids_in(end.out) == ["phi-4-mini-cuda-gpu:5"]


def test_a_filter_that_is_not_understood_ends_with_two_and_names_the_place(tmp_path: Path) -> None:
    end = run("models", "list", "--filter", "phi size<", data_dir=tmp_path / "data")

    assert (end.code, end.out) == (2, "")
    assert end.err == ("foundry-tui: --filter, character 5: “size<”: a number is missing\n  → try size<2gb\n")
    assert not (tmp_path / "data").exists()


def test_only_what_is_on_this_machine_can_be_listed(lists: dict[tuple[str, ...], Ended]) -> None:
    end = lists["--cached",]

    assert end.code == 0
    assert ids_in(end.out) == [ID]


def test_a_list_without_a_match_is_empty_and_says_so_on_stderr(lists: dict[tuple[str, ...], Ended]) -> None:
    end = lists["--loaded",]

    assert (end.code, end.out) == (0, "")
    assert end.err.splitlines()[-1] == "no models match"


@pytest.fixture(scope="module")
def asked(data_dir: Path) -> dict[tuple[str, ...], Ended]:
    """What is said and done about single models."""
    lines: list[tuple[str, ...]] = [
        ("info", "phi-4-mini"),
        ("info", "tiny-own", "--json"),
        ("info", "tiny"),
        ("load", ID),
        ("load", "phi-4-mini-generic-cpu:5"),
        ("unload", ID),
        ("register", str(TINY), "--id", "no version"),
        ("register", str(data_dir), "--id", "other:1"),
        ("unregister", "never-seen:1"),
    ]
    ends = two_processes([("models", *line, "--offline") for line in lines], data_dir=data_dir)
    return dict(zip(lines, ends, strict=True))


def test_info_has_a_line_for_everything_known_and_hostile_text_is_harmless(
    asked: dict[tuple[str, ...], Ended],
) -> None:
    end = asked["info", "phi-4-mini"]

    lines = dict(line.split(": ", 1) for line in end.out.splitlines())
    assert (end.code, end.err) == (0, "")
    assert (lines["id"], lines["catalog"]) == ("phi-4-mini-cuda-gpu:5", "public")
    assert (lines["display_name"], lines["license"]) == ("␛]0;pwned␇", "MIT")
    assert lines["size_bytes"] == "104857600 (100 MiB)"
    assert (lines["cached"], lines["disk_bytes"], lines["path"]) == ("False", "n/a", "n/a")
    # 100 MiB, what 4,096 tokens take of so much, and 500 MiB of the driver's own
    assert lines["memory"].startswith("needs ~641 MiB of GPU memory; how much of it is free is not known")
    assert lines["worked_out"].startswith("~100 MiB weights + ~41.0 MiB keys and values of 4,096 tokens")
    assert lines["estimate"] == "no load on this machine has checked this estimate yet"


def test_info_as_json_is_one_entry_of_the_list(asked: dict[tuple[str, ...], Ended]) -> None:
    end = asked["info", "tiny-own", "--json"]

    entry = json.loads(end.out)
    schema = json_schema("model-list")["properties"]
    assert isinstance(schema, dict)
    jsonschema.validate(entry, schema["models"]["items"])
    assert (end.code, entry["id"], entry["loaded"]) == (0, ID, False)


def test_an_unknown_model_ends_with_two_and_names_close_ones(asked: dict[tuple[str, ...], Ended]) -> None:
    end = asked["info", "tiny"]

    assert (end.code, end.out) == (2, "")
    assert end.err == (f"foundry-tui: no model 'tiny'\n  → did you mean {ID}?\n")


def test_loading_proves_it_and_tells_time_and_memory(asked: dict[tuple[str, ...], Ended]) -> None:
    end = asked["load", ID]

    assert end.code == 0
    assert end.out.startswith(f"{ID} loaded in ")
    assert ", memory +" in end.out
    assert end.err == "it was unloaded again: with the managed runtime nothing stays loaded after a command\n"


def test_a_model_that_is_not_here_does_not_load_and_ends_with_one(
    asked: dict[tuple[str, ...], Ended],
) -> None:
    end = asked["load", "phi-4-mini-generic-cpu:5"]

    assert (end.code, end.out) == (1, "")
    assert end.err == (
        "foundry-tui: phi-4-mini-generic-cpu:5 is not on this machine: it was not downloaded\n"
        "  → foundry-tui models list --cached shows what is\n"
    )


def test_with_the_managed_runtime_there_is_nothing_to_unload(asked: dict[tuple[str, ...], Ended]) -> None:
    end = asked["unload", ID]

    assert (end.code, end.out) == (2, "")
    assert "nothing stays loaded after a command" in end.err


def test_a_folder_or_id_that_cannot_be_registered_ends_with_two(
    asked: dict[tuple[str, ...], Ended], data_dir: Path
) -> None:
    bad_id = asked["register", str(TINY), "--id", "no version"]
    no_model = asked["register", str(data_dir), "--id", "other:1"]

    assert [end.code for end in (bad_id, no_model)] == [2, 2]
    assert "an id looks like my-model:1" in bad_id.err
    assert "has no genai_config.json" in no_model.err


def test_what_was_never_registered_cannot_be_unregistered(asked: dict[tuple[str, ...], Ended]) -> None:
    end = asked["unregister", "never-seen:1"]

    assert (end.code, end.out) == (2, "")
    assert "'never-seen:1' is not registered" in end.err


def test_unregistering_forgets_the_model_and_leaves_its_files(tmp_path: Path) -> None:
    register, unregister, left = one_process(
        [
            ("models", "register", str(TINY), "--id", "mine:1", "--offline"),
            ("models", "unregister", "mine:1", "--offline"),
            ("models", "list", "--cached", "--json", "--offline"),
        ],
        data_dir=tmp_path / "data",
    )

    assert register.code == 0
    assert unregister == Ended(code=0, out="mine:1 unregistered; its files stay\n", err="")
    assert json.loads(left.out)["models"] == []
    assert (TINY / "genai_config.json").is_file()


async def test_on_an_endpoint_a_model_stays_loaded_until_it_is_unloaded(tmp_path: Path) -> None:
    served = (ServedModel(id="a-generic-cpu:1"), ServedModel(id="b-cuda-gpu:1", is_loaded=True))
    async with scripted_endpoint(answer(["x"]), Setting(kind="foundry-v2", models=served)) as endpoint:
        place = ("--endpoint", f"{endpoint.url}/v1")
        data_dir = tmp_path / "data"

        actions = [("load", "a"), ("list", "--loaded"), ("unload", "b-cuda-gpu:1")]
        load, loaded, unload = await asyncio.to_thread(
            one_process, [("models", *action, *place) for action in actions], data_dir=data_dir
        )

        assert load.code == 0
        assert load.out.startswith("a-generic-cpu:1 loaded in ")
        assert load.err == ""
        assert ids_in(loaded.out) == ["a-generic-cpu:1", "b-cuda-gpu:1"]
        assert unload == Ended(code=0, out="b-cuda-gpu:1 unloaded\n", err="")
        assert [model.is_loaded for model in endpoint.routes.models] == [True, False]


async def test_what_an_endpoint_cannot_do_ends_with_two_and_a_remedy(tmp_path: Path) -> None:
    async with scripted_endpoint(answer(["x"])) as endpoint:
        end = await run_async(
            *("models", "register", str(TINY), "--id", "mine:1", "--endpoint", endpoint.url),
            data_dir=tmp_path / "data",
        )

    assert (end.code, end.out) == (2, "")
    assert "leave out --endpoint" in end.err


def test_a_load_beyond_the_limit_of_memory_is_refused_with_two_unless_it_is_forced(
    data_dir: Path, tmp_path: Path
) -> None:
    # More than one percent of any machine's memory is in use already.
    (tmp_path / "settings.toml").write_text("[engine]\nmemory_limit_percent = 1\n")
    asked = ("models", "load", ID, "--offline", "--config", str(tmp_path))

    refused = run(*asked, data_dir=data_dir)
    forced = run(*asked, "--force", data_dir=data_dir)
    warned = run(
        *("chat", ID, "--prompt", "hello", "--max-tokens", "4", "--offline", "--config", str(tmp_path)),
        data_dir=data_dir,
    )

    assert (refused.code, refused.out) == (2, "")
    assert re.search(rf"{ID} needs about .* more than the limit of .*\n.*--force loads it all", refused.err)
    assert (forced.code, forced.out.startswith(f"{ID} loaded in ")) == (0, True)
    assert warned.code == 0
    assert f"warning: {ID} needs about " in warned.err

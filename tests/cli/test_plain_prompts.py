"""What goes with a question in plain mode: files, saved prompts, what was asked before."""

from pathlib import Path

from foundry_tui.domain.conversations import SavedPrompt
from tests.cli.plain_sitting import heard
from tests.cli.plain_talks import told
from tests.support.memory_store import MemoryStore


async def test_files_and_a_saved_prompt_go_with_the_next_question_only(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("one\ntwo\n")

    end = await heard(
        tmp_path,
        *("/prompt-save short = Be brief.", f"/attach {note}", "/prompt short", "/context", "Why?", "Else?"),
        *(
            f"/attach {note}",
            "/send",
            f"/attach {note}",
            "/detach",
            "/detach",
            "/send",
            "/attach nowhere.txt",
        ),
    )

    sent = [request.messages[-1].text for request in end.engine.seen]
    file = "File: note.txt\n```\none\ntwo\n```"
    assert sent == [f"Be brief.\nWhy?\n\n{file}", "Else?", f"\n\n{file}"]
    assert "Attached: note.txt, 8 B, 2 lines. It goes with your next question." in end.lines
    assert "About 22 of 4,096 tokens: 4,074 left for the answer." in end.lines
    assert "Taken away: note.txt." in end.lines
    assert "Nothing is attached." in end.lines
    assert "There is nothing to send." in end.lines
    assert end.lines[-2].endswith("/nowhere.txt: no such file.")
    assert end.lines[-1] == "What to do: check the path."


async def test_saved_prompts_are_listed_used_by_name_or_number_and_deleted_after_a_yes(
    tmp_path: Path,
) -> None:
    store = MemoryStore()
    await store.save_prompt(SavedPrompt(id="1", name="Rhyme", text="Make it rhyme:"))

    end = await heard(
        tmp_path,
        *(
            "Hi",
            "/prompt-save greeting",
            "/prompts",
            "/prompts rhym",
            "/prompt 1",
            "The sea",
            "/prompt-save greeting",
        ),
        *(
            "/prompt gretting",
            "/prompt-delete greeting",
            "no",
            "/prompt-delete greeting",
            "yes",
            "/prompts xyz",
        ),
        store=store,
    )

    assert end.engine.seen[1].messages[-1].text == "Make it rhyme:\nThe sea"
    assert [(prompt.name, prompt.text) for prompt in await store.prompts()] == [("Rhyme", "Make it rhyme:")]
    assert (await store.prompts())[0].used_unix_ms is not None
    lines = told(end, "Saved as greeting: Hi")
    assert lines[:7] == [
        "2 saved prompts.",
        "1, greeting: Hi",
        "2, Rhyme: Make it rhyme:",
        "1 saved prompt.",
        "1, Rhyme: Make it rhyme:",
        "Make it rhyme:",
        "This goes in front of your next line. /send sends it alone, /detach drops it.",
    ]
    assert lines[10:] == [
        "A saved prompt has that name already.",
        "There is no saved prompt gretting.",
        "What to do: did you mean greeting?",
        "Delete the saved prompt greeting? Yes or no?",
        "Nothing was deleted.",
        "Delete the saved prompt greeting? Yes or no?",
        "It was deleted.",
        "No saved prompt matches.",
    ]


async def test_what_was_asked_before_is_listed_newest_first(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/inputs", "One", "Two", "/inputs 5")

    assert "Nothing was asked yet." in end.lines
    assert end.lines[-2:] == ["1: Two", "2: One"]

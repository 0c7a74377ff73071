"""Plain mode from its first line to its exit code: talking, stopping, leaving, and what goes wrong."""

import asyncio
import io
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.cli.plain import run_plain
from foundry_tui.domain.chat import ChatEvent, ChatOptions, ChatRequest, ChunkKind, ChunkReceived, Outcome
from foundry_tui.domain.conversations import Turn
from foundry_tui.domain.errors import EngineUnavailable, StorageProblem
from foundry_tui.engines.hosting.configs import ScriptedConfig
from tests.cli.plain_sitting import MODEL, SHELF, Paper, heard, services_over, sitting
from tests.support.memory_store import MemoryStore
from tests.support.supervised import SupervisedScript

HARMFUL = "\x7f\x9b\u202e"
HOSTILE = "\x1b]0;owned\x07 \x1b[31mred \x9b31m \u202egnp.exe \x00\x7f"
NUMBERS = (
    "Time to first token 10.0 milliseconds, 100 tokens per second (usage), 7 tokens in, 3 tokens out,"
    " 30.0 milliseconds in all, stop."
)


def script(*pieces: str, hold: bool = False, fails: bool = False) -> SupervisedScript:
    """An engine that answers so."""
    fail_with = Outcome.STREAM_ERROR if fails else None
    return SupervisedScript(ScriptedConfig(pieces=pieces, hold=hold, fail_with=fail_with), models=SHELF)


class Thinker(SupervisedScript):
    """The first piece of every answer is a thought."""

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        async for event in super().stream_chat(request):
            if isinstance(event, ChunkReceived) and event.read == 1:
                event = replace(event, kind=ChunkKind.REASONING)
            yield event


async def test_a_question_is_answered_in_lines_with_its_numbers_behind_it(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi")

    assert end.code == 0
    assert end.lines == [
        "foundry-tui in plain mode. Type a question, or /help for the commands; /quit leaves.",
        "Starting the engine, scripted.",
        "4 models, 3 on disk, 0 loaded.",
        f"Loading {MODEL}.",
        f"{MODEL} was loaded in 10.0 milliseconds.",
        f"Questions go to {MODEL}.",
        f"{MODEL} answers:",
        "Hello, world",
        NUMBERS,
    ]


async def test_what_was_said_is_kept_as_a_conversation_and_among_the_inputs(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "And?")

    (kept,) = end.store.kept.values()
    assert [turn.text for turn in kept.turns] == ["Hi", "Hello, world", "And?", "Hello, world"]
    assert await end.store.inputs(10) == ("Hi", "And?")
    assert [message.text for message in end.engine.seen[1].messages] == ["Hi", "Hello, world", "And?"]


async def test_a_script_in_which_something_failed_ends_with_one(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", engine=script("Hel", fails=True))

    assert end.code == 1
    assert end.lines[-3:] == [
        "Hel",
        "Time to first token 10.0 milliseconds, unknown tokens per second, unknown tokens in,"
        " about 1 token out, 10.0 milliseconds in all, stream error.",
        "Scripted failure.",
    ]


async def test_a_model_that_thinks_aloud_is_heard_to_think_and_its_thoughts_are_read_on_demand(
    tmp_path: Path,
) -> None:
    engine = Thinker(ScriptedConfig(pieces=("Let me see. ", "Paris.")))

    end = await heard(tmp_path, "Hi", "/thoughts", engine=engine)

    assert "It is thinking; /thoughts reads that afterwards.\nParis.\n" in end.text
    assert end.lines[-1] == "Let me see. "


async def test_two_slashes_a_backslash_and_a_long_text_are_questions(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "//etc holds what?", "one \\", "two", "TeX ends so \\\\", "/long", "a", "/b", "", ".", "  "
    )

    asked = [request.messages[-1].text for request in end.engine.seen]
    assert end.code == 0
    assert asked == ["/etc holds what?", "one \ntwo", "TeX ends so \\\\", "a\n/b\n"]


async def test_a_long_text_that_the_input_ends_in_is_sent_all_the_same(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/long", "a", "b")

    assert end.engine.seen[0].messages[-1].text == "a\nb"


async def test_an_unknown_command_is_told_the_nearest_names_and_does_nothing(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/modles", "/xyzzy", "/quit now", "/use")

    assert end.code == 1
    assert end.engine.seen == []
    assert end.lines[-8:] == [
        "There is no command /modles.",
        "What to do: did you mean /models, /more or /code? /help lists all.",
        "There is no command /xyzzy.",
        "What to do: /help lists all.",
        "/quit stands alone, and was not done.",
        "What to do: /quit alone; a question that begins with a slash begins with two.",
        "/use needs MODEL.",
        "What to do: /use phi-4-mini, for example.",
    ]


async def test_nothing_hostile_reaches_the_output_as_it_came(tmp_path: Path) -> None:
    evil = replace(SHELF[0], id=f"evil{HOSTILE}:1", license=HOSTILE, problem=HOSTILE, license_text=HOSTILE)
    engine = SupervisedScript(
        ScriptedConfig(pieces=("a\r", "\nb", "\x1b", "]0;owned\x07", HOSTILE, "\u0301" * 500)), models=[evil]
    )

    end = await heard(
        tmp_path,
        *(
            f"Hi {HOSTILE.replace(chr(0), '')}",
            "/models",
            "/info 3",
            "/messages",
            "/read 1",
            "/read",
            "/rename x",
        ),
        *(
            f"/tag {HOSTILE}",
            f"/find {HOSTILE}",
            f"/{HOSTILE}",
            f"/use {HOSTILE}",
            f"/set {HOSTILE}",
            "/timings",
        ),
        *(f"/save 1 {HOSTILE}/x", f"/attach {HOSTILE}", f"/prompt-save {HOSTILE} = {HOSTILE}", "/prompts"),
        engine=engine,
    )

    assert "a\nb" in end.text
    assert "\u241b]0;owned\u2407" in end.text
    assert not [one for one in end.text if (ord(one) < 0x20 and one not in "\n\t") or one in HARMFUL]
    assert "\u0301" * 6 not in end.text


async def test_what_is_too_long_for_the_model_is_sent_only_if_it_is_said_again(tmp_path: Path) -> None:
    long = "word " * 3_000

    end = await heard(tmp_path, long, long, "/new", "word " * 2_300)

    assert len(end.engine.seen) == 2
    assert end.code == 1
    assert (
        "This would take about 5,008 of the model's 4,096 tokens and be refused. Shorten it, or begin anew"
        " with /new; the same once more sends it all the same." in end.lines
    )
    assert "About 3,842 of 4,096 tokens: 254 left for the answer, which may take 512." in end.lines


async def test_without_a_model_nobody_is_asked(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", start_with=None)

    assert end.code == 1
    assert end.engine.seen == []
    assert end.lines[-2:] == [
        "No model was chosen yet.",
        "What to do: /models lists them, /use NAME chooses one.",
    ]


async def test_an_engine_that_does_not_come_up_is_told_and_can_be_started_again(tmp_path: Path) -> None:
    engine = SupervisedScript(models=SHELF)
    engine.refusal = EngineUnavailable("nobody answers at http://127.0.0.1:1", remedy="start the server")

    end = await heard(tmp_path, "Hi", "/restart", engine=engine)

    assert end.code == 1
    assert end.lines[2:5] == [
        "The engine is down: nobody answers at http://127.0.0.1:1.",
        "What to do: start the server.",
        "/restart tries again.",
    ]
    assert end.lines[5:7] == [
        "The engine is down, and nothing was sent.",
        "What to do: /restart restarts it.",
    ]
    assert end.engine.seen == []


async def test_an_engine_that_dies_while_a_line_is_awaited_is_told_at_once_and_comes_back(
    tmp_path: Path,
) -> None:
    async with sitting(tmp_path) as sat:
        await sat.until("> ")

        await sat.engine.die()
        await sat.until("/restart brings it back")
        sat.type("/restart", "Hi", "/quit")
        code = await sat.code()

    told = sat.text.partition("> ")[2]
    assert code == 0
    assert told.startswith(
        "\nThe engine is down: the engine's process was killed (SIGKILL): by hand, or by the system for lack"
        f" of memory.\nIt had loaded: {MODEL}.\n/restart brings it back with what was loaded.\n"
        "> Restarting the engine.\n"
    )
    assert f"The engine was restarted.\n{MODEL} was loaded in 10.0 milliseconds.\n" in told
    assert told.endswith(f"Hello, world\n{NUMBERS}\n> ")


async def test_an_engine_that_dies_in_an_answer_is_told_once_below_what_had_arrived(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=script("So far. ", "x", hold=True)) as sat:
        sat.type("Hi")
        await sat.until("So far. ")

        await sat.engine.die()
        sat.type("/quit")
        await sat.code()

    after = sat.text.partition("So far. ")[2]
    assert after.startswith("x\n")
    assert "engine died.\nThe engine is down:" in after
    assert after.count("The engine is down") == 1


async def test_what_takes_long_is_said_now_and_then_in_whole_lines(tmp_path: Path) -> None:
    engine = SupervisedScript(models=SHELF)
    engine.loading = asyncio.Event()
    async with sitting(tmp_path, engine=engine, busy_s=0.01) as sat:
        await sat.until("so far.\n")
        engine.loading.set()
        sat.type("/quit")
        await sat.code()

    lines = [line for line in sat.text.splitlines() if line.endswith("so far.")]
    assert all(line.startswith((f"Loading {MODEL}, ", "Starting the engine, ")) for line in lines)
    assert lines[-1].endswith(" milliseconds so far.")


async def test_ctrl_c_stops_an_answer_which_is_kept_and_the_sitting_goes_on(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=script("So far. ", "x", hold=True)) as sat:
        sat.type("Hi")
        await sat.until("So far. ")

        signal.raise_signal(signal.SIGINT)
        await sat.until("stopped.\n")
        sat.type("/read", "/quit")
        code = await sat.code()

    (kept,) = sat.store.kept.values()
    assert code == 0
    assert kept.turns[-1].text == "So far. x"
    assert sat.text.endswith(f"> Message 2, {MODEL}:\nSo far. x\n> ")
    assert sat.engine.open_streams == 0


async def test_ctrl_c_at_the_prompt_asks_and_once_more_leaves_with_130(tmp_path: Path) -> None:
    async with sitting(tmp_path) as sat:
        await sat.until("> ")

        signal.raise_signal(signal.SIGINT)
        await sat.until("\nCtrl+C once more leaves; so does /quit.\n> ")
        signal.raise_signal(signal.SIGINT)

        assert await sat.code() == 130


async def test_a_line_in_between_takes_the_first_ctrl_c_back(tmp_path: Path) -> None:
    async with sitting(tmp_path) as sat:
        await sat.until("> ")
        signal.raise_signal(signal.SIGINT)
        await sat.until("once more leaves")

        sat.type("Hi")
        await sat.until(f"{NUMBERS}\n> ")
        signal.raise_signal(signal.SIGINT)
        await sat.until_holds(lambda: sat.text.count("once more leaves") == 2)
        sat.type("/quit")

        assert await sat.code() == 0


async def test_ctrl_c_stops_a_load_and_a_question_for_yes_or_no(tmp_path: Path) -> None:
    engine = SupervisedScript(models=SHELF)
    async with sitting(tmp_path, engine=engine) as sat:
        sat.type("Hi", "/delete")
        await sat.until("Yes or no?\n> ")
        signal.raise_signal(signal.SIGINT)
        await sat.until("Stopped.")
        engine.loading = asyncio.Event()
        sat.type("/load small")
        await sat.until("Loading small")
        signal.raise_signal(signal.SIGINT)
        await sat.until_holds(lambda: sat.text.count("Stopped.") == 2)
        sat.type("/quit")

        assert await sat.code() == 0
    assert len(sat.store.kept) == 1


async def test_ctrl_c_ends_a_script_with_130(tmp_path: Path) -> None:
    engine, paper = script("So far. ", "x", hold=True), Paper(is_terminal=False)
    async with services_over(engine, MemoryStore(), tmp_path) as services, asyncio.timeout(10):
        ending = asyncio.ensure_future(
            run_plain(services, input=io.StringIO("Hi\nNever asked\n"), output=paper)
        )
        async for _ in paper.length.watch():
            if "So far. " in paper.getvalue():
                break

        signal.raise_signal(signal.SIGINT)

        assert await ending == 130
    assert len(engine.seen) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
async def test_sigterm_in_an_answer_keeps_what_arrived_and_ends_with_143(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=script("So far. ", "x", hold=True)) as sat:
        sat.type("Hi")
        await sat.until("So far. ")

        signal.raise_signal(signal.SIGTERM)

        assert await sat.code() == 128 + signal.SIGTERM
    (kept,) = sat.store.kept.values()
    assert kept.turns[-1].text == "So far. x"


async def test_signals_are_as_they_were_afterwards(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    await heard(tmp_path, "Hi")

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_the_end_of_what_is_typed_leaves_with_zero_even_where_something_failed(tmp_path: Path) -> None:
    async with sitting(tmp_path) as sat:
        sat.type("/nonsense")
        sat.keyboard.hang_up()

        assert await sat.code() == 0
    assert sat.text.endswith("> \n")


async def test_a_line_that_is_no_text_is_left_out_and_the_next_one_is_read(tmp_path: Path) -> None:
    end = await heard(tmp_path, "half \ud800 a pair", "Hi")

    assert end.code == 1
    assert "The line is not text from character 6 on, and was left out." in end.lines
    assert [request.messages[-1].text for request in end.engine.seen] == ["Hi"]


async def test_an_input_that_cannot_be_decoded_is_told_and_ends_the_sitting(tmp_path: Path) -> None:
    async with sitting(tmp_path) as sat:
        sat.keyboard.break_down(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"))

        assert await sat.code() == 0
    assert "The input cannot be read: 'utf-8' codec can't decode byte 0xff" in sat.text


async def test_a_disk_that_takes_nothing_is_told_of_and_the_talk_goes_on(tmp_path: Path) -> None:
    store = MemoryStore()
    store.fail_with = StorageProblem("the disk is full", remedy="free some space")

    end = await heard(tmp_path, "Hi", store=store)

    assert end.code == 1
    assert "Hello, world" in end.lines
    assert end.lines[-3:] == [
        "The conversation cannot be written down at present.",
        "The disk is full.",
        "What to do: free some space.",
    ]


async def test_a_disk_that_fails_only_as_one_leaves_is_told_of_too(tmp_path: Path) -> None:
    loop, has_left = asyncio.get_running_loop(), asyncio.Event()

    class LastLine(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # of bytes, says its base
            line = super().readline()
            if not line:
                loop.call_soon_threadsafe(has_left.set)
            return line

    class Slow(MemoryStore):
        async def finish_turn(self, turn: Turn) -> None:
            await has_left.wait()
            for _ in range(20):
                await asyncio.sleep(0)  # the end of the input is read by then
            raise StorageProblem("the disk is full", remedy="free some space")

    paper, script = Paper(is_terminal=False), LastLine("Hi\n")
    async with services_over(SupervisedScript(models=SHELF), Slow(), tmp_path) as services:
        code = await run_plain(services, input=script, output=paper)

    assert code == 1
    assert paper.getvalue().endswith("at present.\nThe disk is full.\nWhat to do: free some space.\n")


async def test_it_is_said_if_nothing_is_kept(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "/messages", is_kept=False)

    assert end.lines[1] == "What is said is not written down."
    assert 'Conversation "Hi", 2 messages, not written down.' in end.lines
    assert end.store.kept == {}


async def test_a_prompt_shows_on_a_terminal_only(tmp_path: Path) -> None:
    piped = await heard(tmp_path, "Hi")
    async with sitting(tmp_path) as sat:
        await sat.until("> ")

    assert "> " not in piped.text


async def test_long_lists_are_broken_off_at_a_terminal_and_read_on_by_more(tmp_path: Path) -> None:
    shelf = [replace(SHELF[0], id=f"model-{n}:1", alias=f"model-{n}") for n in range(30)]
    async with sitting(tmp_path, engine=SupervisedScript(models=shelf)) as sat:
        sat.type("/models model-")
        await sat.until("11 more lines: /more reads on.\n> ")
        sat.type("/more", "/more", "/quit")
        await sat.code()
    piped = await heard(tmp_path, "/models model-", engine=SupervisedScript(models=shelf))

    assert "\n30: model-29:1, " in sat.text
    assert "There is nothing more to read." in sat.text
    assert "\n30: model-29:1, " in piped.text


async def test_answers_stream_by_phrases_or_as_they_come(tmp_path: Path) -> None:
    engine = script("One ", "two. Three ", "four")
    engine.gate = asyncio.Event()
    async with sitting(tmp_path, engine=engine) as sat:
        sat.type("/set speech off", "Hi")
        await sat.until("answers:\n")
        engine.gate.set()
        sat.type("/quit")
        await sat.code()

    assert "One two. Three four\n" in sat.text
    assert "speech, answers by whole phrases: off\n" in sat.text


async def test_options_of_the_start_go_along(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", chat=ChatOptions(max_tokens=9, seed=4))

    assert (end.engine.seen[0].max_tokens, end.engine.seen[0].seed) == (9, 4)


async def test_a_reader_who_has_left_ends_it_as_a_broken_pipe(tmp_path: Path) -> None:
    class Left(Paper):
        def write(self, text: str, /) -> int:
            if "answers" in text:
                raise BrokenPipeError
            return super().write(text)

    engine = SupervisedScript(models=SHELF)
    async with services_over(engine, MemoryStore(), tmp_path) as services:
        with pytest.raises(BrokenPipeError):
            await run_plain(services, input=io.StringIO("Hi\nNever asked\n"), output=Left(is_terminal=False))

    assert len(engine.seen) <= 1

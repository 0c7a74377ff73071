"""What is used of the machine, read out."""

from pathlib import Path

from tests.cli.plain_sitting import MODEL, Heard, heard


def told(end: Heard, last: str) -> list[str]:
    """The lines from the one that begins so."""
    begin = next(place for place, line in enumerate(end.lines) if line.startswith(last))
    return end.lines[begin:]


async def test_the_machine_each_model_and_what_happened_are_read_out(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi there", "/unload", "/resources")

    lines = told(end, "RAM 2.00 GiB of 8.00 GiB.")
    assert lines[1].startswith("Over the last ")
    assert lines[2:4] == [
        "CPU: now 25 percent, mean 25 percent, at most 25 percent.",
        "RAM: now 2.00 GiB, mean 2.00 GiB, at most 2.00 GiB.",
    ]
    assert lines[4].startswith("Engine RAM: unknown, ")
    assert lines[5:9] == [
        "VRAM, engine VRAM, GPU load, GPU power: unknown, no driver.",
        f"{MODEL}, unloaded: before the load unknown, loaded unknown, took unknown, at most unknown.",
        "The last 6 events, the newest first:",
        f"1 second ago: unloaded {MODEL}.",
    ]


async def test_before_any_model_was_loaded_it_says_so(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/resources", start_with=None)

    assert "No model was loaded so far." in end.lines


async def test_a_number_of_minutes_is_a_number(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/resources soon")

    assert told(end, "Soon")[:2] == ["Soon says not how many.", "What to do: a number from 1 to 1,440."]

"""The progress of the v1 service's downloads is read in every form, in pieces of any size."""

import tracemalloc

import pytest

from foundry_tui.engines.endpoints.v1_progress import DownloadEnd, ProgressReader

WIRE = (
    "Total 0.00% Downloading genai_config.json\n"
    "Total 45.67% Downloading model.onnx.data\n"
    "Total 100.00% Downloading model.onnx.data\n"
    "[DONE] All Completed!\n"
    '{"success":true,"errorMessage":null}'
)
DOCUMENTED = (
    '("genai_config.json", 0.01)\n("model.onnx.data", 0.5)\n("", 1)\n'
    '{\n  "Success": true,\n  "ErrorMessage": null\n}\n'
)
FINE = DownloadEnd(True, None)


def read(text: str, size: int = 10_000) -> tuple[list[float], DownloadEnd | None]:
    reader = ProgressReader()
    data = text.encode()
    shares: list[float] = []
    for at in range(0, len(data), size):
        shares += reader.feed(data[at : at + size])
    return shares, reader.end()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_lines_of_the_wire_are_percentages_of_the_whole(size: int) -> None:
    assert read(WIRE, size) == ([0.0, pytest.approx(0.4567), 1.0], FINE)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_lines_of_the_documentation_are_fractions(size: int) -> None:
    assert read(DOCUMENTED, size) == ([0.01, 0.5, 1.0], FINE)


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("Total 45,67% Downloading model.onnx.data", 0.4567),
        ("Total 45.67 % of 100% sure.bin", 0.4567),
        ("Total 250% Downloading", 1.0),
        ("Total 7%\r", 0.07),
        ("\x1b[31mTotal 8%", 0.08),
    ],
)
def test_other_ways_to_write_a_share_are_understood(line: str, share: float) -> None:
    assert read(f"{line}\n")[0] == [pytest.approx(share)]


@pytest.mark.parametrize(
    "line", ["Downloading", "[DONE] All Completed!", "1234%", '("x", "y")', '{"a": "5%"}']
)
def test_what_tells_no_share_tells_none(line: str) -> None:
    assert read(f"{line}\n")[0] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"success":false,"errorMessage":"disk {full}"}', "disk {full}"),
        ('{"Success": false, "ErrorMessage": "no"}', "no"),
        ('{"SUCCESS": false, "error": "no"}', "no"),
        ('{"success": "true"}', None),
        ('Total 5% x\n[DONE] All Completed!{"success": false}', None),
        ('{"success": true}\n{"success": false, "message": "late"}', "late"),
    ],
)
def test_a_failure_has_the_services_words(text: str, message: str | None) -> None:
    assert read(text)[1] == DownloadEnd(False, message)


@pytest.mark.parametrize("text", ["", "Total 5% x\n", "[DONE] All Completed!\n", '{"success"', "{{{{", "[1]"])
def test_a_stream_without_an_end_has_none(text: str) -> None:
    assert read(text)[1] is None


def test_the_mark_of_completion_is_noted_even_without_a_line_end() -> None:
    reader = ProgressReader()

    reader.feed(b"[DONE] All Completed!")
    reader.end()

    assert reader.said_done


def test_a_line_without_end_and_a_flood_of_braces_are_taken_in_stride() -> None:
    reader = ProgressReader()
    tracemalloc.start()
    try:
        for _ in range(100):
            reader.feed(b"x" * 65_536)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    reader.feed(b"{" * 65_536)
    reader.feed(b'\n{"success": true}')

    assert reader.end() == FINE
    assert kept_bytes < 1_000_000


def test_bytes_that_are_no_text_do_not_stop_it() -> None:
    reader = ProgressReader()

    assert reader.feed(b"\xff\xfe Total 5% \xff\n") == [0.05]

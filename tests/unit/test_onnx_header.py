"""What an ONNX file says of itself."""

from pathlib import Path

import pytest

from foundry_tui.demo import demo_registration
from foundry_tui.engines.model_files.onnx_header import ExternalPart, OnnxProblem, read_onnx_header
from tests.support.onnx_file import external_tensor, field, graph_input, number, onnx_file, varint

FLOAT, FLOAT16, INT64 = 1, 10, 7


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return path


def test_a_file_without_external_weights_names_none(tmp_path: Path) -> None:
    assert read_onnx_header(written(tmp_path, onnx_file())).external == ()


def test_each_file_of_weights_is_named_with_how_long_it_must_be(tmp_path: Path) -> None:
    graph = b"".join(
        field(5, tensor)
        for tensor in (
            external_tensor("a.data", offset=4096, length=50),
            external_tensor("a.data", offset=0, length=100),
            external_tensor("b.data", offset=7, length=3),
        )
    )

    header = read_onnx_header(written(tmp_path, onnx_file(graph)))

    assert header.external == (ExternalPart("a.data", 4146), ExternalPart("b.data", 10))


def test_without_a_length_the_shape_and_the_type_tell_it(tmp_path: Path) -> None:
    graph = field(5, external_tensor("a.data", offset=1000))  # 10 × 4 floats of 4 bytes

    assert read_onnx_header(written(tmp_path, onnx_file(graph))).external == (ExternalPart("a.data", 1160),)


def test_weights_inside_nodes_and_their_graphs_are_found(tmp_path: Path) -> None:
    inner = field(5, external_tensor("deep.data", offset=0, length=8))
    branch = field(1, field(5, field(6, inner)))  # a node whose attribute is a graph
    constant = field(1, field(5, field(5, external_tensor("constant.data", offset=0, length=4))))

    header = read_onnx_header(written(tmp_path, onnx_file(branch + constant)))

    assert header.external == (ExternalPart("deep.data", 8), ExternalPart("constant.data", 4))


def test_the_type_of_the_cache_is_that_of_its_first_input(tmp_path: Path) -> None:
    graph = field(11, graph_input("input_ids", INT64)) + field(
        11, graph_input("past_key_values.0.key", FLOAT16)
    )

    assert read_onnx_header(written(tmp_path, onnx_file(graph))).cache_value_bytes == 2


def test_a_gigabyte_of_weights_inside_is_stepped_over(tmp_path: Path) -> None:
    size = 1_000_000_000
    # A tensor with its weights inside; the file is only reserved, so that the test costs no room.
    tensor_head = number(2, FLOAT) + varint(9 << 3 | 2) + varint(size)
    tensor_bytes = len(tensor_head) + size
    graph_head = varint(5 << 3 | 2) + varint(tensor_bytes) + tensor_head
    behind = field(5, external_tensor("a.data", offset=0, length=9))
    head = number(1, 10) + varint(7 << 3 | 2) + varint(len(graph_head) + size + len(behind)) + graph_head
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.write(head)
        file.seek(size, 1)
        file.write(behind + field(8, number(2, 21)))

    assert read_onnx_header(path).external == (ExternalPart("a.data", 9),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (bytes(10_000), "is no ONNX file, or was damaged"),
        (b"<html><body>404 Not Found</body></html>", "is no ONNX file, or was damaged"),
        (b'{"error": "expired"}', "is no ONNX file, or was damaged"),
        (b"\xff" * 4_000, "is no ONNX file, or was damaged"),
        (field(2, b"by hand"), "is no ONNX file"),
        (number(1, 10) + field(2, b"by hand"), "it holds no graph"),
        (onnx_file(version=0), "is no ONNX file"),
        (onnx_file(operators=False), "is cut off: the versions of its operators are missing"),
        (onnx_file(field(5, external_tensor("")))[:], "names no file"),
        (onnx_file(field(1, b"\x0b")), "is no ONNX file, or was damaged"),
        (onnx_file(field(5, field(13, b"\x0a" + varint(5_000) + b"x" * 5_000))), "too long"),
        (number(1, 10) + varint(7 << 3 | 2) + varint(2**63), "is cut off"),
    ],
    ids=lambda content: repr(content)[:30],
)
def test_what_is_no_model_is_told_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(OnnxProblem, match=words):
        read_onnx_header(written(tmp_path, content))


def test_the_bundled_model_cut_anywhere_is_found(tmp_path: Path) -> None:
    whole = (Path(demo_registration().path) / "model.onnx").read_bytes()

    for end in [1, 2, 5, 100, *range(1_000, len(whole), 60_000), len(whole) - 1]:
        with pytest.raises(OnnxProblem):
            read_onnx_header(written(tmp_path, whole[:end]))


def test_graphs_within_graphs_without_end_are_refused(tmp_path: Path) -> None:
    graph = b""
    for _ in range(200):
        graph = field(1, field(5, field(6, graph)))

    with pytest.raises(OnnxProblem, match="nested too deeply"):
        read_onnx_header(written(tmp_path, onnx_file(graph)))


@pytest.mark.parametrize("number_of_bits", [8, 63])
def test_flipped_bits_never_raise_anything_else(tmp_path: Path, number_of_bits: int) -> None:
    graph = field(5, external_tensor("a.data", offset=0, length=100)) + field(
        11, graph_input("past_key_values.0.key", FLOAT)
    )
    whole = onnx_file(graph)

    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= number_of_bits
        try:
            read_onnx_header(written(tmp_path, bytes(damaged)))
        except OnnxProblem as problem:
            assert str(problem)  # noqa: PT017 - either outcome is right, any other error is not

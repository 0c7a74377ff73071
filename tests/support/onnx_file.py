"""ONNX files of a few bytes, written by hand."""

__all__ = ["external_tensor", "field", "graph_input", "number", "onnx_file", "varint"]


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(key: int, content: bytes) -> bytes:
    """A field of bytes: a text or a message."""
    return varint(key << 3 | 2) + varint(len(content)) + content


def number(key: int, value: int) -> bytes:
    """A field of one number."""
    return varint(key << 3) + varint(value)


def external_tensor(location: str, *, offset: int | None = None, length: int | None = None) -> bytes:
    """A tensor of 10 × 4 floats whose weights lie in another file."""
    entries = [("location", location), ("offset", offset), ("length", length)]
    told = b"".join(
        field(13, field(1, key.encode()) + field(2, str(value).encode()))
        for key, value in entries
        if value is not None
    )
    return number(1, 10) + number(1, 4) + number(2, 1) + field(8, b"weights") + told + number(14, 1)


def graph_input(name: str, element_type: int) -> bytes:
    """An input of the graph."""
    return field(1, name.encode()) + field(2, field(1, number(1, element_type)))


def onnx_file(graph: bytes = b"", *, version: int = 10, operators: bool = True) -> bytes:
    """A whole file: the version of the format, who wrote it, the graph, its operators."""
    head = number(1, version) + field(2, b"by hand")
    return head + field(7, field(2, b"main") + graph) + (field(8, number(2, 21)) if operators else b"")

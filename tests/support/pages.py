"""A page as a reader gets it: what it is made of, and what of it could do anything."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

__all__ = ["Page", "page_of"]

_VOID = frozenset({"meta", "br"})


@dataclass
class Page:
    """Its elements, texts and attributes, in order.

    Attributes:
        unclosed: Elements that were closed by none, or in the wrong order.
    """

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that is read, in one line."""
        return " ".join(" ".join(self.texts).split())

    @property
    def ids(self) -> list[str]:
        """Every id."""
        return [value for _, attributes in self.elements if (value := attributes.get("id"))]

    def of(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for element, attributes in self.elements if element == name]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.page.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.page.texts.append(data)

    def close(self) -> None:
        super().close()
        self.page.unclosed += self._open


def page_of(html: str) -> Page:
    """``html`` as a parser of HTML reads it; it must be well-formed XML as well, but for its first line."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    doctype, _, rest = html.partition("\n")
    assert doctype == "<!DOCTYPE html>"
    ElementTree.fromstring(rest)
    return reader.page

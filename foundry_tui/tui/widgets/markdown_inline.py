"""The words of one paragraph: emphasis, code, links with their addresses; all that could act is taken out."""

from collections.abc import Iterable, Mapping

from markdown_it.token import Token
from rich.style import Style

from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.folding import shown
from foundry_tui.tui.widgets.transcript_rows import Run, with_addresses

__all__ = ["inline_lines"]

_TAB = "    "
_EMPHASES = {"strong": Style(bold=True), "em": Style(italic=True), "s": Style(strike=True)}
_OPENED = ("http://", "https://")


def inline_lines(tokens: Iterable[Token], base: Style, palette: Mapping[str, Style]) -> list[list[Run]]:
    """``tokens`` as lines of runs, at least one."""
    writer = _Writer(base, palette)
    for token in tokens:
        writer.take(token)
    return writer.lines


class _Writer:
    def __init__(self, base: Style, palette: Mapping[str, Style]) -> None:
        self.lines: list[list[Run]] = [[]]
        self._palette = palette
        self._styles = [base]
        self._targets: list[tuple[str, int, int]] = []  # of open links; line and run where their text began

    def take(self, token: Token) -> None:
        kind = token.type
        if kind == "text":
            self._write(token.content)
        elif kind in ("softbreak", "hardbreak"):
            # Models end lines where they mean to: verses, addresses, one finding a line.
            self.lines.append([])
        elif kind == "code_inline":
            self._add(_harmless(token.content), self._styles[-1] + self._palette["code"])
        elif kind == "link_open":
            self._targets.append(
                (_address(token.attrs.get("href")), len(self.lines) - 1, len(self.lines[-1]))
            )
            self._styles.append(self._styles[-1] + self._palette["link"])
        elif kind == "link_close":
            self._styles.pop()
            self._end_link()
        elif kind == "image":
            self._add(f"[image: {clean_line(shown(token.content))}]", self._styles[-1])
            self._add_address(_address(token.attrs.get("src")))
        elif kind.removesuffix("_open") in _EMPHASES:
            self._styles.append(self._styles[-1] + _EMPHASES[kind.removesuffix("_open")])
        elif kind.removesuffix("_close") in _EMPHASES:
            self._styles.pop()
        else:
            self._write(token.content)

    def _end_link(self) -> None:
        target, line, began = self._targets.pop()
        words = [run for runs in self.lines[line:] for run in runs][began:]
        # An automatic link is its own text.
        if target and "".join(run.text for run in words) != target:
            self._add_address(target)
        if target.startswith(_OPENED):
            for runs in self.lines[line:]:
                runs[began:] = [Run(text, style, target) for text, style, _ in runs[began:]]
                began = 0

    def _add_address(self, address: str) -> None:
        if address:
            self._add(f" ({address})", self._styles[-1] + self._palette["url"])

    def _write(self, text: str) -> None:
        self.lines[-1].extend(with_addresses(_harmless(text), self._styles[-1], self._palette["url"]))

    def _add(self, text: str, style: Style) -> None:
        if text:
            self.lines[-1].append(Run(text, style))


def _harmless(text: str) -> str:
    """``text`` on one line; an entity may have become a control since the text was cleaned."""
    return shown(text).replace("\n", " ").replace("\t", _TAB)


def _address(value: str | int | float | None) -> str:
    return clean_line(shown(str(value or "")))

"""The page and what it loads: ours, and from textual-serve the terminal.  Nothing comes from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template

from foundry_tui.domain.errors import StorageProblem

__all__ = ["Asset", "load_assets", "load_page"]

_JS, _CSS, _TTF = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "font/ttf"
_OURS = {"page.js": _JS, "page.css": _CSS}
_TERMINAL = {
    "textual.js": ("js/textual.js", _JS),
    "xterm.css": ("css/xterm.css", _CSS),
    "roboto-mono.ttf": ("fonts/RobotoMono-VariableFont_wght.ttf", _TTF),
    "roboto-mono-italic.ttf": ("fonts/RobotoMono-Italic-VariableFont_wght.ttf", _TTF),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    content_type: str


def load_assets() -> Mapping[str, Asset]:
    """All that is served below ``/static/``, by name; 0.9 MB that is read once.

    Raises:
        StorageProblem: The installation is not whole.
    """
    ours, terminal = files("foundry_tui.web") / "static", files("textual_serve") / "static"
    assets = {name: Asset(body=_read(ours / name), content_type=kind) for name, kind in _OURS.items()}
    for name, (path, kind) in _TERMINAL.items():
        assets[name] = Asset(body=_read(terminal / path), content_type=kind)
    return assets


def load_page() -> Template:
    """The page; ``$websocket`` stands for the address of its connection.

    Raises:
        StorageProblem: The installation is not whole.
    """
    return Template(_read(files("foundry_tui.web") / "static" / "page.html").decode())


def _read(file: Traversable) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StorageProblem(
            f"{file} cannot be read: {error.strerror}", remedy="install foundry-tui and textual-serve again"
        ) from error

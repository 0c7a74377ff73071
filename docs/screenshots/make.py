"""Take the README's screenshots: the real app on the real runtime with the bundled model.

``python docs/screenshots/make.py`` writes those that README shows beside itself;
``python docs/screenshots/make.py FOLDER`` writes all of them, every size and overlay, into FOLDER.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

import foundry_tui
from foundry_tui.bootstrap import open_services
from foundry_tui.launching import LaunchOptions, resolve
from foundry_tui.services.opened import at_hand
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.screens.workspace import WorkspaceScreen
from foundry_tui.tui.widgets.prompt_input import PromptInput

QUESTIONS = ("What is the capital of France?", "Tell me a story.")
SHOWN = ("workspace", "narrow")
SIZES = {"narrow": (80, 24), "workspace": (120, 40), "wide": (200, 60)}


async def main(folder: Path | None) -> None:
    """One run of the demo per size; None takes only README's pictures."""
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as data_dir:
            launch = resolve(LaunchOptions(demo=True, data_dir=Path(data_dir)), {})
            async with open_services(launch) as services:
                app = FoundryApp(launch.setup, at_hand(services))
                async with app.run_test(size=size) as pilot:
                    await _shoot(app, pilot, folder, name)


async def _shoot(app: FoundryApp, pilot: Pilot[None], folder: Path | None, name: str) -> None:
    while not isinstance(app.screen, WorkspaceScreen):
        await pilot.pause(0.05)
    chat = app.screen.query_one(ChatPane)
    while not any(model.is_loaded for model in app.services.client.catalog.value.models):
        await pilot.pause(0.05)
    for question in QUESTIONS:
        chat.query_one(PromptInput).text = question
        await pilot.press("enter")
        while chat.is_generating or len(chat.messages) < 2 * (QUESTIONS.index(question) + 1):
            await pilot.pause(0.05)
    await pilot.pause(1.2)  # one tick of the resource strip
    _save(app, folder, name)
    if name == "workspace":
        for keys, shot in (
            (("alt+1", "i"), "detail"),
            (("escape", "ctrl+o"), "options"),
            (("escape", "f1"), "keys"),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.3)
            _save(app, folder, shot)
    if name == "narrow":
        await pilot.press("alt+1")
        await pilot.pause(0.3)
        _save(app, folder, "narrow-catalog")


def _save(app: FoundryApp, folder: Path | None, name: str) -> None:
    if folder is None and name not in SHOWN:
        return
    folder = folder or Path(__file__).parent
    svg = app.export_screenshot(title="foundry-tui demo")
    # Whoever looks at the picture need not fetch a font from somewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    # The home of whoever made it is not to be seen.
    svg = svg.replace(str(Path(foundry_tui.__file__).parent), "foundry_tui")
    (folder / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))

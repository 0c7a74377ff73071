"""Take the README's screenshots: the real app on the real runtime with the bundled model.

``python docs/screenshots/make.py [FOLDER]`` writes SVG files into FOLDER, by default this one.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from foundry_tui.bootstrap import LaunchOptions, open_services, resolve
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.widgets.prompt_input import PromptInput

QUESTIONS = ("What is the capital of France?", "Tell me a story.")
SIZES = {"narrow": (80, 24), "workspace": (120, 40), "wide": (200, 60)}


async def main(folder: Path) -> None:
    """One run of the demo per size."""
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as data_dir:
            launch = resolve(LaunchOptions(demo=True, data_dir=Path(data_dir)), {})
            async with open_services(launch) as services:
                app = FoundryApp(services)
                async with app.run_test(size=size) as pilot:
                    await _shoot(app, pilot, folder, name)


async def _shoot(app: FoundryApp, pilot: Pilot[None], folder: Path, name: str) -> None:
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


def _save(app: FoundryApp, folder: Path, name: str) -> None:
    (folder / f"{name}.svg").write_text(app.export_screenshot(title="foundry-tui demo"), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent))

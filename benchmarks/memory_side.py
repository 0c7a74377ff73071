"""What ``memory.py`` runs on the terminal: the app, asked again and again.

``python memory_side.py JSON``: the argument says where and how often.  One line of JSON goes to the
descriptor in it before the first question, one at each count that is named, once the app has come to rest.
"""

import asyncio
import inspect
import json
import os
import sys
from functools import partial
from pathlib import Path

from waiting import until

from foundry_tui.bootstrap import open_services
from foundry_tui.launching import LaunchOptions, resolve
from foundry_tui.services import calm
from foundry_tui.services.opened import Services, at_hand
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.messages import ModelActivated
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.panes.composer import Composer
from foundry_tui.tui.screens.workspace import WorkspaceScreen

_REST_S = 1.0


class AskingApp(FoundryApp):
    """The app, which asks by itself."""

    CSS_PATH = inspect.getfile(FoundryApp).replace("app.py", "css/app.tcss")  # else it is looked for here

    def __init__(self, services: Services, report: int, marks: list[int]) -> None:
        super().__init__(services.setup, at_hand(services))
        self._report = report
        self._marks = marks

    def on_ready(self) -> None:
        """Begin once the screen is up."""
        self.run_worker(self._ask())

    async def _ask(self) -> None:
        await until(lambda: isinstance(self.screen, WorkspaceScreen))
        screen = self.screen
        if not isinstance(screen, WorkspaceScreen):
            raise TypeError("another screen has opened")
        await self.services.client.start()
        screen.post_message(ModelActivated(self.services.client.catalog.value.models[0].id))
        await until(lambda: screen.chat.active_model)
        await self._tell(screen.chat, 0)
        for number in range(1, self._marks[-1] + 1):
            text = f"Question {number}"
            screen.chat.composer.post_message(Composer.Submitted(written=text, text=text))
            await until(partial(self._has_answered, screen.chat, number), every_s=0.005)
            if number in self._marks:
                await self._tell(screen.chat, number)

    @staticmethod
    def _has_answered(chat: ChatPane, number: int) -> bool:
        return len(chat.messages) >= 2 * number and not chat.is_generating

    async def _tell(self, chat: ChatPane, answers: int) -> None:
        """Say that all is drawn, written and at rest; wait until that was read."""
        await self.services.recorder.settled()
        await until(lambda: chat.transcript.is_idle)
        await asyncio.sleep(_REST_S)
        os.write(self._report, json.dumps({"answers": answers}).encode() + b"\n")
        await asyncio.sleep(_REST_S)


async def run(order: dict[str, object]) -> int:
    """Open the services as the program does, and the app on them."""
    folder = Path(str(order["folder"]))
    launch = resolve(
        LaunchOptions(endpoint=str(order["url"]), data_dir=folder / "data", config_dir=folder / "config")
    )
    marks = order["marks"]
    if not isinstance(marks, list):
        raise TypeError(f"{marks!r} is no list of counts")
    calm.begin()  # as the program does
    async with open_services(launch) as services:
        app = AskingApp(services, int(str(order["report"])), marks)
        await app.run_async()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(run(json.loads(sys.argv[1]))))

"""What ``bench_error.py`` runs on the terminal: the app with its benchmark pane open, and a real run in it.

``python bench_side.py JSON``: the argument is ``bench_error.Order``.  One line of JSON goes to the descriptor
in it when the run has ended: how often the screen drew meanwhile, and for how long.
"""

import asyncio
import inspect
import json
import os
import sys
import time
from pathlib import Path

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from waiting import until

from foundry_tui.bootstrap import open_services
from foundry_tui.domain.bench import BenchPlan, PlannedPrompt
from foundry_tui.launching import LaunchOptions, resolve
from foundry_tui.services import calm
from foundry_tui.services.opened import Services, at_hand
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.screens.bench.screen import BenchScreen
from foundry_tui.tui.screens.workspace import WorkspaceScreen


class BenchingApp(FoundryApp):
    """The app; as soon as its workspace is there, it opens the pane and begins."""

    CSS_PATH = inspect.getfile(FoundryApp).replace("app.py", "css/app.tcss")  # else it is looked for here

    def __init__(self, services: Services, plan: BenchPlan, report: int) -> None:
        self._drawn = [0]  # before what asks for the driver
        super().__init__(services.setup, at_hand(services))
        self._plan = plan
        self._report = report

    def get_driver_class(self) -> type[Driver]:
        drawn = self._drawn

        class CountingDriver(LinuxDriver):
            def write(self, data: str) -> None:
                drawn[0] += 1
                super().write(data)

        return CountingDriver

    def on_ready(self) -> None:
        """Go on by itself."""
        self.run_worker(self._measure())

    async def _measure(self) -> None:
        await until(lambda: isinstance(self.screen, WorkspaceScreen))
        await self.services.client.start()
        workspace = self.screen
        if not isinstance(workspace, WorkspaceScreen):
            raise TypeError("another screen has opened")
        workspace.action_bench()
        await until(lambda: isinstance(self.screen, BenchScreen))
        drawn, begun_s = self._drawn[0], time.monotonic()
        await self.services.bench.begin(self._plan)
        await self.services.bench.finished()
        told = {"drawn": self._drawn[0] - drawn, "took_s": time.monotonic() - begun_s}
        os.write(self._report, json.dumps(told).encode() + b"\n")


async def run(order: dict[str, object]) -> int:
    """Open the services as the program does, and the app on them."""
    folder = Path(str(order["folder"]))
    launch = resolve(
        LaunchOptions(
            endpoint=str(order["url"]), data_dir=folder / "data", config_dir=folder / "config", offline=True
        )
    )
    plan = BenchPlan(
        models=tuple(str(order["models"]).split(",")),
        prompts=(PlannedPrompt(id="p1", text=str(order["prompt"])),),
        rounds=int(str(order["rounds"])),
        max_tokens=int(str(order["max_tokens"])),
        temperature=0.0,
    )
    calm.begin()  # as the program does
    async with open_services(launch) as services:
        app = BenchingApp(services, plan, int(str(order["report"])))
        await app.run_async()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(run(json.loads(sys.argv[1]))))

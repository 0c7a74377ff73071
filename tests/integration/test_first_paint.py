"""What the program has imported by its first frame: nothing that takes long."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "foundry_local_sdk",
    "httpcore2",
    "httpx2",
    "markdown_it",
    "numpy",
    "openai",
    "psutil",
    "pydantic",
    "pygments",
    "pynvml",
    "sqlalchemy",
    "aiohttp",
    "foundry_tui.bootstrap",
    "foundry_tui.services.client",
)
# Drives the command line as the user does; the first frame with a pane's name on it ends it.
PROBE = """
import json, sys
from pathlib import Path
import foundry_tui.tui.app as module

class Probe(module.FoundryApp):
    CSS_PATH = Path(module.__file__).parent / module.FoundryApp.CSS_PATH

    async def run_async(self):
        return await super().run_async(headless=True, size=(120, 40))

    def _display(self, screen, renderable):  # all that is drawn passes here on its way to the terminal
        super()._display(screen, renderable)
        shown = [strip.text for strip in screen._compositor.render_strips()]
        if "Catalog" in "".join(shown) and not Path(sys.argv[1]).exists():
            Path(sys.argv[1]).write_text(json.dumps({"modules": sorted(sys.modules), "screen": shown}))
            self.exit()

module.FoundryApp = Probe
from foundry_tui.cli.main import main
sys.exit(main(json.loads(sys.argv[2])))
"""


@pytest.mark.native
@pytest.mark.parametrize("arguments", [["demo"], [], ["--endpoint", "http://127.0.0.1:9"]], ids=" ".join)
def test_the_first_frame_comes_before_anything_heavy_is_imported(
    arguments: list[str], tmp_path: Path
) -> None:
    seen = tmp_path / "seen.json"

    run = subprocess.run(
        [sys.executable, "-c", PROBE, str(seen), json.dumps([*arguments, "--offline"])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    found = json.loads(seen.read_text())
    assert "Catalog" in "\n".join(found["screen"])
    assert [name for name in HEAVY if name in found["modules"]] == []

"""A program that starts a host, says its process id and waits: for tests of how a host ends with its parent.

``python -m tests.integration.parent_of_a_host FOLDER [--close-pipe]``
"""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

from foundry_tui.domain.chat import ChatMessage, ChatRequest, ChunkReceived, Role
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID


async def main(folder: Path) -> None:
    """Run until killed, in the middle of an answer."""
    engine = HostedEngine(ScriptedConfig(hold=True), log_dir=folder)
    info = await engine.start()
    request = ChatRequest(
        model=SCRIPTED_MODEL_ID, messages=(ChatMessage(role=Role.USER, text="hi"),), max_tokens=8
    )
    async with aclosing(engine.stream_chat(request)) as stream:
        while not isinstance(await anext(stream), ChunkReceived):
            pass
        sys.stdout.write(f"{info.pid}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

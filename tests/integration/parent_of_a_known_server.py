"""A program that starts the server of known timing, says its process id and waits: for tests of its end.

``python -m tests.integration.parent_of_a_known_server``
"""

import asyncio
import sys

from foundry_tui.engines.known_process import known_server


async def main() -> None:
    """Run until killed."""
    async with known_server() as server:
        sys.stdout.write(f"{server.pid}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

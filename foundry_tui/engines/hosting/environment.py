"""What the child process finds in its environment."""

import os

from foundry_tui.children import python_path
from foundry_tui.engines.hosting.configs import HostConfig, ManagedConfig

__all__ = ["child_environment"]

# Port 9, "discard", is served nowhere: what is led there fails at once.
_CLOSED_PORT = "http://127.0.0.1:9"


def child_environment(config: HostConfig) -> dict[str, str]:
    """The child's environment: ours, without what the OpenAI SDK would read behind our back."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    environment["PYTHONPATH"] = python_path()
    if isinstance(config, ManagedConfig):
        environment["ORT_TELEMETRY_DISABLED"] = "1"
        if config.offline:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                environment[name] = environment[name.lower()] = _CLOSED_PORT
            environment["NO_PROXY"] = environment["no_proxy"] = "127.0.0.1,localhost,::1"
    return environment

"""The Foundry Local SDK's own ``ChatSession``, as a child of ``path_overhead.py``, on a runtime of its own.

Reads one JSON object a line on stdin (``prompt``, ``max_tokens``), answers each with one where stdout was.
A session keeps the conversation, so each answer gets a fresh one.  ``opened_ns`` is read before the session
is made, ``sent_ns`` when session and request are ready, just before ``process_streaming_request``.
"""

import json
import os
import sys
import time
from pathlib import Path

import foundry_local_sdk as sdk

__all__: list[str] = []

# Port 9, "discard", is served nowhere: the runtime's own requests fail at once, as in the app's demo.
_CLOSED_PORT = "http://127.0.0.1:9"


def main() -> None:
    """Serve until stdin closes."""
    folder, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # whatever a library prints
        model = _load(folder, scratch)
        print(json.dumps({"versions": f"foundry-local-sdk {sdk.__version__}"}), file=answers, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            print(json.dumps(_answer(model, asked["prompt"], asked["max_tokens"])), file=answers, flush=True)
    os._exit(0)  # the runtime's own close costs a second and protects nothing here


def _load(folder: Path, scratch: Path) -> sdk.IModel:
    os.environ["ORT_TELEMETRY_DISABLED"] = "1"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ[name] = os.environ[name.lower()] = _CLOSED_PORT
    sdk.FoundryLocalManager.initialize(
        sdk.Configuration(
            app_name="path-overhead",
            app_data_dir=str(scratch / "data"),
            model_cache_dir=str(scratch / "cache"),
            logs_dir=str(scratch / "logs"),
            disable_nonessential_telemetry=True,
        )
    )
    manager = sdk.FoundryLocalManager.instance
    if manager is None:
        raise RuntimeError("the runtime did not initialise")
    with sdk.ModelInfoBuilder() as facts:
        facts.set_string_property("task", "chat-completion")
        model = manager.get_catalog(sdk.CatalogType.LOCAL).register_model(str(folder), "measured:1", facts)
    model.load()
    return model


def _answer(model: sdk.IModel, prompt: str, max_tokens: int) -> dict[str, object]:
    opened_ns = time.perf_counter_ns()
    with sdk.ChatSession(model) as session:
        session.set_streaming(True)
        request = sdk.Request()
        request.add_item(sdk.MessageItem(sdk.MessageRole.USER, prompt))
        request.set_options(
            sdk.RequestOptions(search=sdk.SearchOptions(temperature=0.0, max_output_tokens=max_tokens))
        )
        chunks: list[tuple[int, str]] = []
        sent_ns = time.perf_counter_ns()
        with session.process_streaming_request(request) as items:
            for item in items:
                at_ns = time.perf_counter_ns()
                if isinstance(item, sdk.TextItem) and item.text:
                    chunks.append((at_ns, item.text))
            with items.final_response as final:
                tokens = final.get_usage().completion_tokens
    return {"opened_ns": opened_ns, "sent_ns": sent_ns, "chunks": chunks, "tokens": tokens}


if __name__ == "__main__":
    main()

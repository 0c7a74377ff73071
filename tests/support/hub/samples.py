"""Models for a hub: the bundled one that really answers, made-up ones of every kind, any number of rows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from foundry_tui.demo import demo_registration
from tests.support.hub.content import Content, FileContent, Inline, Synthetic
from tests.support.hub.model import HubModel

__all__ = [
    "DEMO_ALIAS",
    "DEMO_ID",
    "HOSTILE_TEXT",
    "demo_files",
    "demo_model",
    "hostile_model",
    "models",
    "standard_models",
    "synthetic_files",
    "synthetic_model",
    "variant",
]

DEMO_ALIAS: Final = "tiny-hub"
DEMO_ID: Final = "tiny-hub-generic-cpu:1"
MB: Final = 1_000_000

HOSTILE_TEXT: Final = (
    "\x1b]0;owned\x07[bold red]Evil[/] \x1b[31mred\x1b[2J \u202elave\u202c"
    " \x1b]8;;http://owned\x07link\x1b]8;;\x07\r\n\0 end"
)
"""Sequences, markup, a direction override, line ends and a NUL."""

APACHE: Final = (
    "Apache License\nVersion 2.0, January 2004\n\nGrant of Copyright License. Subject to the terms …"
)
CUSTOM: Final = "\n\n".join(
    f"{n}. You may use the Materials on day {n} of a year only. " + "It is further agreed that " * 40
    for n in range(1, 41)
)
"""40 paragraphs, some 43,000 characters."""

_KINDS: Final = {
    "generic-cpu": ("cpu", "CPUExecutionProvider"),
    "cuda-gpu": ("gpu", "CUDAExecutionProvider"),
    "generic-gpu": ("gpu", "WebGpuExecutionProvider"),
    "qnn-npu": ("npu", "QNNExecutionProvider"),
}
# Nothing but a version, a producer, an operator set and an empty graph: it begins as an ONNX file must.
_EMPTY_ONNX: Final = b"\x08\x0a\x12\x09synthetic\x3a\x0b\x12\x09synthetic\x42\x04\x0a\x00\x10\x15"


@cache
def demo_files() -> Mapping[str, Content]:
    """The bundled model's files, as they lie in the package."""
    folder = Path(demo_registration().path)
    return {path.name: FileContent(path) for path in sorted(folder.iterdir()) if path.is_file()}


def demo_model(
    *, padding_bytes: int = 0, folder: str = "", name: str = "tiny-hub-generic-cpu", version: int = 1
) -> HubModel:
    """The bundled model: downloaded, it loads and answers.

    Args:
        padding_bytes: Size of a further file that the model does not need, so that its download takes time.
        folder: Where in its container the files lie, such as ``cpu/v1/``, as those of many real models do.
    """
    files = {f"{folder}{file}": content for file, content in demo_files().items()}
    if padding_bytes:
        files[f"{folder}padding.bin"] = Synthetic(size_bytes=padding_bytes, seed=7)
    return replace(
        variant(DEMO_ALIAS, "generic-cpu"), name=name, version=version, display_name="Tiny hub", files=files
    )


def synthetic_files(size_bytes: int, *, seed: int = 1, context_tokens: int = 4096) -> Mapping[str, Content]:
    """Files that look like a model's from outside; no runtime can load them.

    Args:
        size_bytes: Of the weights; what stands around them is some hundred bytes more.
    """
    config = {
        "model": {
            "type": "llama",
            "context_length": context_tokens,
            "vocab_size": 1024,
            "decoder": {"filename": "model.onnx"},
        },
        "search": {"max_length": context_tokens},
    }
    return {
        "genai_config.json": Inline(json.dumps(config, indent=1).encode()),
        "tokenizer.json": Inline(b'{"version":"1.0","model":{"type":"BPE","vocab":{},"merges":[]}}'),
        "tokenizer_config.json": Inline(b'{"tokenizer_class":"LlamaTokenizer"}'),
        "model.onnx": Inline(_EMPTY_ONNX),
        "model.onnx.data": Synthetic(size_bytes=size_bytes, seed=seed),
    }


def variant(alias: str, kind: str, *, version: int = 1) -> HubModel:
    """A variant without files: ``kind`` is ``generic-cpu``, ``cuda-gpu``, ``generic-gpu`` or ``qnn-npu``."""
    device, provider = _KINDS[kind]
    return HubModel(
        name=f"{alias}-{kind}", alias=alias, version=version, device=device, execution_provider=provider
    )


def synthetic_model(
    alias: str, kind: str = "generic-cpu", *, size_bytes: int = 2 * MB, version: int = 1, seed: int = 1
) -> HubModel:
    """A made-up variant with files of that size."""
    files = synthetic_files(size_bytes, seed=seed)
    return replace(variant(alias, kind, version=version), files=files)


def hostile_model(*, name: str = "hostile-generic-cpu") -> HubModel:
    """A variant whose words are written to harm whoever shows them; its name is harmless."""
    return replace(
        synthetic_model("hostile"),
        name=name,
        display_name=HOSTILE_TEXT,
        license=f"MIT{HOSTILE_TEXT}",
        license_text=HOSTILE_TEXT * 20,
        capabilities=("tool-calling", HOSTILE_TEXT),
        quantization=(HOSTILE_TEXT,),
    )


def standard_models() -> list[HubModel]:
    """Something of everything: 20 variants of 10 aliases.

    On a machine with nothing but a processor, those with ``-generic-cpu`` are listed, without the archived
    one, the old one and the one that wants a newer runtime.
    """
    return [
        demo_model(),
        *(synthetic_model(DEMO_ALIAS, kind, size_bytes=2 * MB) for kind in _KINDS if kind != "generic-cpu"),
        *_family("granit-3b", "Apache-2.0", APACHE, size_bytes=48 * MB, context_tokens=131_072),
        *_family("lama-8b", "custom", CUSTOM, size_bytes=96 * MB, context_tokens=8192),
        replace(
            synthetic_model("thinker-1b", size_bytes=12 * MB),
            capabilities=("tool-calling", "reasoning"),
            publisher="Two Words",
        ),
        replace(synthetic_model("embedder"), task="embeddings", context_tokens=512, max_output_tokens=None),
        replace(synthetic_model("listener"), task="automatic-speech-recognition", license="Apache-2.0"),
        hostile_model(),
        # Some gigabytes, of which nothing is held: for free space, estimates and ETA.
        replace(synthetic_model("giant-70b", size_bytes=40_000 * MB), license="custom", license_text=CUSTOM),
        synthetic_model("thinker-1b", version=2, size_bytes=13 * MB, seed=2),
        replace(synthetic_model("retired"), is_archived=True),
        replace(synthetic_model("futuristic"), min_fl_version="99.0.0"),
    ]


def models(count: int) -> list[HubModel]:
    """That many variants for the processor; sizes, contexts and licences vary, the same way each time."""
    return list(_rows(count))


def _rows(count: int) -> Iterator[HubModel]:
    files = synthetic_files(64_000)
    licenses = (("MIT", "Permission is hereby granted."), ("Apache-2.0", APACHE), ("custom", CUSTOM[:300]))
    for n in range(count):
        name, text = licenses[n % 3]
        alias = f"row-{n:05d}-{('instruct', 'coder', 'vision', 'base')[n % 4]}"
        yield replace(
            variant(alias, "generic-cpu"),
            display_name=f"Row {n:05d}",
            publisher=f"Publisher {n % 17}",
            license=name,
            license_text=text,
            context_tokens=2048 << n % 7,
            said_bytes=(n * 7919 % 60_000 + 100) * MB // 10,
            files=files,
        )


def _family(
    alias: str, license_name: str, license_text: str, *, size_bytes: int, context_tokens: int
) -> Iterator[HubModel]:
    for n, kind in enumerate(_KINDS):
        files = synthetic_files(size_bytes, seed=n, context_tokens=context_tokens)
        yield replace(
            variant(alias, kind),
            license=license_name,
            license_text=license_text,
            context_tokens=context_tokens,
            files=files,
        )

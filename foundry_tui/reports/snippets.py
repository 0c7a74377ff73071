"""Ready-made lines with which other programs use the same server: quoted for where they are pasted.

A model's name comes from a server and an address from a user, but both end in a shell or a program: what they
hold is data there, whatever it is.
"""

import json
import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from foundry_tui.domain.models import CatalogKind

__all__ = ["Snippet", "SnippetTarget", "api_base", "snippets"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROMPT = "Say hello."
_MAX_TOKENS = 128
_LOCAL_PREFIX = "/catalogs/local"


class SnippetTarget(StrEnum):
    """Where a snippet is pasted."""

    CURL = "curl"
    PYTHON = "python"
    VS_CODE = "vscode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A text to copy, ASCII only and without controls.

    Attributes:
        language: For highlighting: ``bash``, ``python`` or ``json``.
        hint: Where it goes, or what it needs.
    """

    target: SnippetTarget
    title: str
    language: str
    text: str
    hint: str


def api_base(url: str, catalog: CatalogKind = CatalogKind.PUBLIC) -> str:
    """What a client takes as its base URL: registered models have one of their own on a Foundry server."""
    # Percent signs stay: what is escaped already is not escaped again.
    plain = quote(url.rstrip("/"), safe=":/?#[]@!$&()*+,;=%-._~")
    return f"{plain}{_LOCAL_PREFIX if catalog is CatalogKind.LOCAL else ''}/v1"


def snippets(
    url: str,
    model_id: str,
    *,
    catalog: CatalogKind = CatalogKind.PUBLIC,
    key_env: str | None = None,
    context_tokens: int | None = None,
) -> tuple[Snippet, ...]:
    """One snippet for each target.

    Args:
        url: Base address of the server, without ``/v1``.
        model_id: Exact, as a chat names it.
        catalog: Which list the model is from.
        key_env: Name of the environment variable with the key; None where the server wants none.
        context_tokens: The model's context, if it is known.

    Raises:
        ValueError: ``key_env`` is no name of a variable.
    """
    if key_env is not None and _VARIABLE.fullmatch(key_env) is None:
        raise ValueError("key_env must be the name of an environment variable")
    base = api_base(url, catalog)
    found = [_curl(base, model_id, key_env), _python(base, model_id, key_env)]
    # That editor puts its user's secrets where a text says ${input:…}, and knows no way to escape it.
    if "${" not in model_id and "${" not in base:
        found.append(_vs_code(base, model_id, context_tokens))
    return tuple(found)


def _curl(base: str, model_id: str, key_env: str | None) -> Snippet:
    body = {
        "model": model_id,
        "messages": [{"role": "user", "content": _PROMPT}],
        "max_tokens": _MAX_TOKENS,
        "stream": True,
    }
    lines = [
        f"curl -N {shlex.quote(f'{base}/chat/completions')}",
        "-H 'Content-Type: application/json'",
        *([] if key_env is None else [f'-H "Authorization: Bearer ${key_env}"']),
        f"-d {shlex.quote(json.dumps(body))}",
    ]
    return Snippet(
        target=SnippetTarget.CURL,
        title="curl",
        language="bash",
        text=" \\\n  ".join(lines) + "\n",
        hint="for a POSIX shell: bash, zsh, Git Bash",
    )


def _python(base: str, model_id: str, key_env: str | None) -> Snippet:
    imports = "" if key_env is None else "import os\n\n"
    # Left out, the library would send whatever OPENAI_API_KEY holds.
    key = '"none"' if key_env is None else f'os.environ["{key_env}"]'
    text = f"""{imports}from openai import OpenAI

client = OpenAI(base_url={base!a}, api_key={key})
answer = client.chat.completions.create(
    model={model_id!a},
    messages=[{{"role": "user", "content": {_PROMPT!a}}}],
    max_tokens={_MAX_TOKENS},
    stream=True,
)
for chunk in answer:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()
"""
    return Snippet(
        target=SnippetTarget.PYTHON,
        title="Python (openai)",
        language="python",
        text=text,
        hint="needs the package openai",
    )


def _vs_code(base: str, model_id: str, context_tokens: int | None) -> Snippet:
    limits = {} if context_tokens is None else {"maxInputTokens": context_tokens}
    provider = {
        "name": "Foundry Local",
        "vendor": "customendpoint",
        "apiKey": "${input:foundry-local-key}",
        "apiType": "chat-completions",
        "models": [
            {
                "id": model_id,
                "name": model_id,
                "url": f"{base}/chat/completions",
                "toolCalling": False,
                "vision": False,
                **limits,
            }
        ],
    }
    return Snippet(
        target=SnippetTarget.VS_CODE,
        title="VS Code",
        language="json",
        text=json.dumps([provider], indent=2) + "\n",
        hint="chatLanguageModels.json, by the command Chat: Manage Language Models;"
        " any text is a key to a server that wants none",
    )

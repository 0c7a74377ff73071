"""Snippets run as they are, whatever the model is called."""

import ast
import json
import shutil
import subprocess

import pytest

from foundry_tui.domain.models import CatalogKind
from foundry_tui.reports.snippets import Snippet, SnippetTarget, api_base, snippets

URL = "http://127.0.0.1:5273"
HOSTILE = (
    "it's:1",
    'a"b\\:1',
    "$(touch pwned):1",
    "`touch pwned`:1",
    "x'; touch pwned; ':1",
    "line\nbreak:1",
    "\x1b]0;pwned\x07:1",
    "\u202egnp.exe \U0001f600:1",
    "{Content}%s$HOME!!",
    "x\\",
)
needs_a_shell = pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")


def snippet(
    target: SnippetTarget, model: str = "phi:1", key_env: str | None = None, url: str = URL
) -> Snippet:
    return {found.target: found for found in snippets(url, model, key_env=key_env)}[target]


def shell_words(text: str) -> list[str]:
    """What a shell would hand to ``curl``."""
    script = 'curl() { for word in "$@"; do printf \'%s\\0\' "$word"; done; }\n'
    done = subprocess.run(
        ["sh", "-c", script + text], env={"TOKEN": "sesame"}, capture_output=True, check=True, timeout=10
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


def calls_in(code: str) -> dict[str, object]:
    """The keyword arguments of all calls, as far as they are literals."""
    found: dict[str, object] = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                try:
                    found[keyword.arg or ""] = ast.literal_eval(keyword.value)
                except ValueError:
                    found[keyword.arg or ""] = ast.unparse(keyword.value)
    return found


def test_there_is_one_for_each_target() -> None:
    assert [found.target for found in snippets(URL, "phi:1")] == list(SnippetTarget)


@pytest.mark.parametrize("model", HOSTILE)
def test_none_holds_anything_but_plain_characters(model: str) -> None:
    for found in snippets(URL, model):
        assert found.text.isascii()
        assert found.text.replace("\n", "").isprintable()


@needs_a_shell
@pytest.mark.parametrize("model", ["phi:1", *HOSTILE])
def test_curl_is_handed_the_model_as_it_is_called(model: str) -> None:
    words = shell_words(snippet(SnippetTarget.CURL, model).text)

    body = json.loads(words[words.index("-d") + 1])
    assert body["model"] == model
    assert (body["stream"], body["max_tokens"]) == (True, 128)
    assert words[:2] == ["-N", "http://127.0.0.1:5273/v1/chat/completions"]


@needs_a_shell
def test_curl_takes_the_key_from_its_variable() -> None:
    text = snippet(SnippetTarget.CURL, key_env="TOKEN").text

    assert "Authorization: Bearer sesame" in shell_words(text)
    assert "$TOKEN" in text


@needs_a_shell
@pytest.mark.parametrize("url", ["http://h:1/it's", "http://h:1/$(touch pwned)", "http://h:1/a b\x1b[2J"])
def test_an_odd_address_stays_one_word(url: str) -> None:
    words = shell_words(snippet(SnippetTarget.CURL, url=url).text)

    assert words[1].endswith("/v1/chat/completions")
    assert words[2] == "-H"


@pytest.mark.parametrize("model", ["phi:1", *HOSTILE])
def test_python_names_the_model_as_it_is_called(model: str) -> None:
    given = calls_in(snippet(SnippetTarget.PYTHON, model).text)

    assert (given["model"], given["base_url"], given["api_key"]) == (model, f"{URL}/v1", "none")
    assert given["max_tokens"] == 128


def test_python_takes_the_key_from_its_variable() -> None:
    given = calls_in(snippet(SnippetTarget.PYTHON, key_env="TOKEN").text)

    assert given["api_key"] == "os.environ['TOKEN']"


@pytest.mark.parametrize("model", ["phi:1", *HOSTILE])
def test_the_editors_file_names_the_model_as_it_is_called(model: str) -> None:
    provider = json.loads(snippet(SnippetTarget.VS_CODE, model).text)[0]

    assert provider["models"][0]["id"] == model
    assert provider["models"][0]["url"] == f"{URL}/v1/chat/completions"
    assert provider["apiType"] == "chat-completions"


def test_a_name_that_would_draw_a_secret_out_of_the_editor_has_no_snippet_for_it() -> None:
    found = snippets(URL, "${input:chat.lm.secret.1}")

    assert [each.target for each in found] == [SnippetTarget.CURL, SnippetTarget.PYTHON]


def test_a_context_that_is_known_is_told_to_the_editor() -> None:
    *_, found = snippets(URL, "phi:1", context_tokens=4096)

    assert json.loads(found.text)[0]["models"][0]["maxInputTokens"] == 4096


def test_a_registered_model_has_an_address_of_its_own() -> None:
    assert api_base(f"{URL}/", CatalogKind.LOCAL) == f"{URL}/catalogs/local/v1"
    assert api_base(URL, CatalogKind.ENDPOINT) == f"{URL}/v1"


@pytest.mark.parametrize("name", ["", "a b", "X; rm", "$(x)", "1X"])
def test_a_key_is_named_and_never_given(name: str) -> None:
    with pytest.raises(ValueError, match="environment variable"):
        snippets(URL, "phi:1", key_env=name)

"""Finds the shades of code with Pygments.

Importing this imports Pygments, and a language's first use compiles its grammar: do both in a worker thread.
"""

import threading
from functools import cache
from time import perf_counter, sleep

from pygments.lexers import get_all_lexers, get_lexer_by_name  # type: ignore[import-untyped]  # it ships no types
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType  # type: ignore[import-untyped]

from foundry_tui.tui.widgets.markdown_code import SHADES, Shades

__all__ = ["shades_of"]

# Hostile code takes a lexer some hundred milliseconds, and a fault in one may take it for ever.
_LONGEST_S = 2.0
# After so many words, half a millisecond, the interpreter's lock is let go: else the event loop waits up to
# five milliseconds for it whenever it wakes.
_WORDS_AT_ONCE = 64
_SHADE_OF = {
    Comment: "code-comment",
    Keyword: "code-keyword",
    Name.Function: "code-name",
    Name.Class: "code-name",
    Number: "code-number",
    String: "code-string",
}


def shades_of(language: str, code: str, given_up: threading.Event) -> Shades:
    """The shades of ``code``; none where ``language`` is unknown, the lexer fails or it takes too long.

    ``language`` is what follows the opening fence, in lower case; it is never guessed.  ``given_up`` ends the
    work early, for nobody waits for it any more.
    """
    if language not in _languages():
        return Shades()
    until_s = perf_counter() + _LONGEST_S
    runs: list[tuple[int, int]] = []
    at = 0
    try:
        tokens = get_lexer_by_name(language).get_tokens_unprocessed(code)
        for n, (start, token, text) in enumerate(tokens):
            if n % _WORDS_AT_ONCE == 0:
                if given_up.is_set() or perf_counter() > until_s:
                    return Shades()
                sleep(0)
            if start != at:
                return Shades()  # it leaves characters out, so its places are not to be trusted
            at += len(text)
            shade = _shade(token)
            if runs and runs[-1][1] == shade:
                runs[-1] = (runs[-1][0] + len(text), shade)
            elif text:
                runs.append((len(text), shade))
    except Exception:  # noqa: BLE001 - hostile code met a fault in a lexer; it is fit to read without colours
        return Shades()
    return Shades(runs)


@cache
def _languages() -> frozenset[str]:
    # Asking Pygments for a name that it lacks would search the plug-ins of every installed package.
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


@cache
def _shade(token: _TokenType) -> int:
    while token is not None and token not in _SHADE_OF:
        token = token.parent
    return 0 if token is None else SHADES.index(_SHADE_OF[token])

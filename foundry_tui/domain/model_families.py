"""Which family a model is of, as far as its name tells: a judge likes its own kin."""

import re
from collections.abc import Iterable

__all__ = ["families_of"]

# By the letters that a word of the name begins with.  Names of one house that are trained apart are one
# family here: to take two for kin costs a word on the command line, not to see kin costs a wrong figure.
_FAMILIES = {
    "aya": "command",
    "bloom": "bloom",
    "bloomz": "bloom",
    "chatglm": "glm",
    "claude": "claude",
    "codegemma": "gemma",
    "codellama": "llama",
    "codeqwen": "qwen",
    "codestral": "mistral",
    "command": "command",
    "deepseek": "deepseek",
    "devstral": "mistral",
    "dolly": "dolly",
    "ernie": "ernie",
    "exaone": "exaone",
    "falcon": "falcon",
    "gemini": "gemma",
    "gemma": "gemma",
    "glm": "glm",
    "gpt": "gpt",
    "granite": "granite",
    "grok": "grok",
    "internlm": "internlm",
    "jamba": "jamba",
    "kimi": "kimi",
    "llama": "llama",
    "magistral": "mistral",
    "minicpm": "minicpm",
    "ministral": "mistral",
    "mistral": "mistral",
    "mixtral": "mistral",
    "mpt": "mpt",
    "nemotron": "nemotron",
    "olmo": "olmo",
    "olmoe": "olmo",
    "phi": "phi",
    "pythia": "pythia",
    "qvq": "qwen",
    "qwen": "qwen",
    "qwq": "qwen",
    "smollm": "smollm",
    "stablelm": "stablelm",
    "starcoder": "starcoder",
    "tinyllama": "llama",
    "vicuna": "llama",
    "yi": "yi",
    "zephyr": "mistral",
}
_WORD = re.compile(r"[a-z]+")
_BETWEEN = re.compile(r"[^a-z0-9.]+")


def families_of(names: Iterable[str]) -> frozenset[str]:
    """All families that ``names`` of one model tell of: alias, variant, whatever it is called.

    A word counts by the letters that it begins with, lower or upper case: ``qwen2.5`` is qwen, ``SmolLM2``
    smollm; ``deepseek-r1-distill-qwen`` is both.  Empty where no word is known, which is not to say that two
    such models are strangers.
    """
    words = (word for name in names for word in _BETWEEN.split(name.lower()))
    beginnings = (_WORD.match(word) for word in words)
    return frozenset(
        _FAMILIES[beginning[0]] for beginning in beginnings if beginning and beginning[0] in _FAMILIES
    )

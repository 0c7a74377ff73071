"""In which of a few languages a text is, by its commonest words; unknown where they do not tell."""

import re
from dataclasses import dataclass

__all__ = ["LEAST_WORDS", "LanguageGuess", "language_of"]

LEAST_WORDS = 4
"""Fewer common words than that tell nothing."""

# So many times as many of its common words as of the next language's, so that cousins are told apart.
_AHEAD = 1.5
# Nor is anything told where less of a text are common words of any: names, code, another language.
_LEAST_SHARE = 0.12
_LOOKED_AT = 20_000
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LATIN = re.compile(r"[A-Za-zªºÀ-ÖØ-öø-ʸ]")
_COMMON = {
    "de": "der die das und ist nicht ein eine einen einem einer zu mit von auf für den dem des im sich auch"
    " es wird werden sind wie oder aber als bei nach durch kann können ich sie wir man diese dieser"
    " nur noch mehr um aus wenn dass ihre zum zur über vor",
    "en": "the and of to is in that it for as with on are this be by an or not from at which can you your"
    " have has was were will their they we but more when these its also into than how what there would"
    " should i he she his her my if about do does each between without",
    "es": "el la los las de del que y en un una es por con para no se su lo como más al pero sus este esta"
    " ser son entre cuando muy sin sobre también hasta hay donde desde todo nos durante uno ni contra"
    " otros puede pueden está están fue",
    "fr": "le la les de des du et est un une que qui dans en pour pas sur au aux avec ce cette ces il elle"
    " ils elles nous vous je se son sa ses par plus ne ou mais comme sont être ont peut peuvent leur"
    " leurs aussi entre sans très c'est l'on d'un d'une",
    "it": "il lo la i gli le di del della dei delle degli e è un una che in per non con si da dal dalla"
    " come più al alla ma sono anche questo questa questi nel nella nelle su sul sulla essere può"
    " possono ha hanno o se ci tra fra quando senza loro suo sua",
    "nl": "de het een en van is niet dat die in op te met voor zijn aan er ook als bij door naar om dan"
    " maar wordt worden kan kunnen uit over nog deze dit ze hij je we of tot meer wel geen hebben"
    " heeft moet onder waar zich",
    "pt": "o a os as de do da dos das que e em um uma é por com para não se no na nos nas como mais ao à"
    " mas seu sua seus suas este esta isso são ser entre quando muito sem sobre também até há pelo"
    " pela pode podem está estão foi ou",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageGuess:
    """What is known of the language of a text.

    Attributes:
        language: Its code; None where it is not clear.
        is_latin: Whether at least half of the letters are Latin: else it is in none of the languages.  None
            without a letter.
    """

    language: str | None
    is_latin: bool | None


def language_of(text: str) -> LanguageGuess:
    """The language whose common words are by far the most frequent in the first 20,000 characters."""
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text[:_LOOKED_AT])]
    letters = sum(map(len, words))
    if letters == 0:
        return LanguageGuess(language=None, is_latin=None)
    if 2 * len(_LATIN.findall(text[:_LOOKED_AT])) < letters:
        return LanguageGuess(language=None, is_latin=False)
    hits = {language: sum(word in common for word in words) for language, common in _WORDS.items()}
    first, second = sorted(hits, key=lambda language: hits[language], reverse=True)[:2]
    is_clear = (
        hits[first] >= LEAST_WORDS
        and hits[first] >= _AHEAD * hits[second]
        and hits[first] >= _LEAST_SHARE * len(words)
    )
    return LanguageGuess(language=first if is_clear else None, is_latin=True)

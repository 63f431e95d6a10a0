"""Find the nearest known character: another case, accent or typographic form of the same letter."""

import unicodedata

# Look-alikes that Unicode does not fold, group by group.
_ALIKE = ("'‘’‛′`´", '"“”„‟″«»', "-‐‑‒–—―−", " \u00a0\u2002\u2003\u2009\t")


def find_nearest(character: str, vocabulary: str) -> str:
    """Return known text to use for `character`, or `character` itself if nothing is near."""
    for candidate in _list_candidates(character):
        if candidate and all(part in vocabulary for part in candidate):
            return candidate
    return character


def _list_candidates(character: str) -> list[str]:
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    forms = [character, plain]
    cased = [case for form in forms for case in (form.lower(), form.casefold(), form.upper())]
    alike = [other for group in _ALIKE if character in group for other in group]
    return [plain, *cased, *alike]

"""The nearest character a vocabulary knows: same letter, other case, accent or typographic form."""

import unicodedata

# Typographic forms that Unicode does not fold, one group of look-alikes a line.
_ALIKE = ("'‘’‛′`´", '"“”„‟″«»', "-‐‑‒–—―−", " \u00a0\u2002\u2003\u2009\t")


def find_nearest(character: str, vocabulary: str) -> str:
    """A known stand-in for `character`, or itself where there is none."""
    for candidate in _candidates(character):
        if candidate and all(part in vocabulary for part in candidate):
            return candidate
    return character


def _candidates(character: str) -> list[str]:
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    forms = [character, plain]
    cased = [case for form in forms for case in (form.lower(), form.casefold(), form.upper())]
    alike = [other for group in _ALIKE if character in group for other in group]
    return [plain, *cased, *alike]

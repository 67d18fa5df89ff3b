"""Text that PostgreSQL can store. Lengths are in characters (code points), as in the tables' CHECKs."""

from unicodedata import category

# Control and format characters, surrogates, and separators, among them all spaces.
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}

# What looks like nothing although its category says otherwise. Except for the last four these are the code points
# that Unicode lists as Default_Ignorable_Code_Point, which Python does not know.
_INVISIBLE = frozenset(
    chr(code)
    for span in (
        range(0x034F, 0x0350),  # combining grapheme joiner
        range(0x115F, 0x1161),  # Hangul fillers
        range(0x17B4, 0x17B6),  # Khmer inherent vowels
        range(0x180B, 0x1810),  # Mongolian variation selectors and vowel separator
        range(0x2065, 0x2066),
        range(0x3164, 0x3165),  # Hangul filler
        range(0xFE00, 0xFE10),  # variation selectors
        range(0xFFA0, 0xFFA1),  # halfwidth Hangul filler
        range(0xFFF0, 0xFFF9),
        range(0xE0000, 0xE1000),  # tags, more variation selectors, and what is reserved for the like
        range(0x2800, 0x2801),  # Braille pattern blank
        range(0x13441, 0x13443),  # Egyptian hieroglyph blanks
        range(0x16FE4, 0x16FE5),  # Khitan small script filler
        range(0x1D159, 0x1D15A),  # musical symbol null notehead
    )
    for code in span
)


def storable(text: str) -> str:
    """The text as it is. Raises ValueError for NUL, and for half of a surrogate pair, which has no UTF-8."""
    if "\0" in text:
        raise ValueError("must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must not contain half of a surrogate pair") from error
    return text


def bounded(text: str, *, max_length: int) -> str:
    """The text as it is. Raises ValueError if it is longer."""
    if len(text) > max_length:
        raise ValueError(f"must have at most {max_length:,} characters")
    return storable(text)


def trimmed(text: str, *, max_length: int) -> str:
    """Without surrounding white space.

    Raises ValueError unless that leaves 1 to `max_length` characters, of which one can be seen.
    """
    kept = storable(text.strip())
    if not 1 <= len(kept) <= max_length:
        raise ValueError(f"must have 1 to {max_length} characters besides surrounding white space")
    if not any(_is_visible(character) for character in kept):  # the first one is, mostly
        raise ValueError("must have a visible character")
    return kept


def _is_visible(character: str) -> bool:
    return category(character) not in _INVISIBLE_CATEGORIES and character not in _INVISIBLE

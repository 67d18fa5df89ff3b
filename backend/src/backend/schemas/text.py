"""Text that PostgreSQL can store. Lengths are in characters (code points), as in the tables' CHECKs."""


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
    """Without surrounding white space. Raises ValueError unless that leaves 1 to `max_length` characters."""
    kept = storable(text.strip())
    if not 1 <= len(kept) <= max_length:
        raise ValueError(f"must have 1 to {max_length} characters besides surrounding white space")
    return kept

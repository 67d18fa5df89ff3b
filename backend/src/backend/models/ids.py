"""Ids of new rows."""

import sys

if sys.version_info >= (3, 14):
    from uuid import uuid7
else:
    import secrets
    import time
    from uuid import UUID

    def uuid7() -> UUID:
        """A time-ordered id (RFC 9562, section 5.7), which keeps new rows next to each other in an index."""
        milliseconds = time.time_ns() // 1_000_000
        version, variant = 0x7 << 76, 0b10 << 62
        random = secrets.randbits(74)
        return UUID(int=milliseconds << 80 | version | (random >> 62) << 64 | variant | random & (1 << 62) - 1)


__all__ = ["uuid7"]

from time import time

from .tokens import ClaimRules, Key, Principal, UnverifiedToken, verify


class SecretVerifier:
    """Tokens signed with HS256 and the secret that Better Auth and this service share (RFC 7518, section 3.2)."""

    def __init__(self, secret: str, rules: ClaimRules) -> None:
        """Raises jwt.InvalidKeyError for a secret of fewer than 32 bytes."""
        self._key = Key("HS256", secret.encode())
        self._rules = rules

    async def verify(self, token: UnverifiedToken) -> Principal:
        """Raises InvalidCredentials."""
        return verify(token, self._key, self._rules, time())

    async def check(self) -> None:
        """Does nothing: a secret needs no source that could fail."""

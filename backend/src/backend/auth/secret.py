from time import time

from backend.auth.tokens import ClaimRules, Principal, UnverifiedToken, verify


class SecretVerifier:
    """Tokens signed with HS256 and the secret that Better Auth and this service share (RFC 7518, section 3.2)."""

    def __init__(self, secret: str, rules: ClaimRules) -> None:
        self._key = secret.encode()
        self._rules = rules

    async def verify(self, token: UnverifiedToken) -> Principal:
        """Raises InvalidToken."""
        return verify(token, self._key, "HS256", self._rules, time())

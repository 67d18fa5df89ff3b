"""What to do about a token that was refused, by the reason that auth/ gives."""

_ADVICE = {  # by a part of the reason; the first that fits counts
    "expired": "fetch a new one; if that has expired too, a clock is wrong",
    "does not list": "it comes from another Better Auth: correct BETTER_AUTH_URL or JWKS_URL",
    "another issuer": "correct BETTER_AUTH_URL or JWT_ISSUER; `make token` needs the service's FRONTEND_PORT",
    "another audience": "correct BETTER_AUTH_URL or JWT_AUDIENCE",
    "a session token with a wrong signature": "BETTER_AUTH_SECRET is not Better Auth's",
    "wrong signature": "it was not signed with BETTER_AUTH_SECRET, or with the key that it names",
    "not switched on": "add its source to AUTH_SOURCES",
    "lives too long": "shorten jwt.expirationTime of Better Auth, or raise JWT_MAX_LIFETIME",
    "without its signature": "send it with its signature, or unset SESSION_REQUIRE_SIGNATURE",
    "session": "sign in again",
    "not a Bearer token": "send `Authorization: Bearer <token>`",
    "three parts": "send all of it, or set the shell's variable; for a session token add session to AUTH_SOURCES",
}


def advice_on(reason: str) -> str | None:
    return next((advice for part, advice in _ADVICE.items() if part in reason), None)


def explain(reason: str) -> str:
    """For development. In production it would help a forger."""
    advice = advice_on(reason)
    return f"The token was refused: {reason}{f'; {advice}' if advice else ''}."

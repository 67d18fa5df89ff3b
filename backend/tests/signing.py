"""Key pairs such as Better Auth makes, held by the tests."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import AllowedPrivateKeys, get_default_algorithms

from support import Json

ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")

_MAKE: Mapping[str, Callable[[], AllowedPrivateKeys]] = {
    "EdDSA": Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}


class KeyPair(NamedTuple):
    algorithm: str
    id: str
    private: AllowedPrivateKeys

    @property
    def public_jwk(self) -> Json:
        return {**jwk_of(self.algorithm, self.private.public_key()), "alg": self.algorithm, "kid": self.id}

    def sign(self, claims: Mapping[str, object], **header: object) -> str:
        """With these members of the header as well; None takes one out. Like Better Auth, it sets no type."""
        given = {"kid": self.id, **header}
        members = {"typ": None, **{name: value for name, value in given.items() if value is not None}}
        return jwt.encode(dict(claims), self.private, self.algorithm, members)


def new_key_pair(algorithm: str = "EdDSA", key_id: str | None = None) -> KeyPair:
    return KeyPair(algorithm, key_id or uuid4().hex, _MAKE[algorithm]())


def jwk_of(algorithm: str, key: object) -> Json:
    """The members of a JWK that make up the key alone: `kty`, `crv` and the numbers."""
    jwk = json.loads(get_default_algorithms()[algorithm].to_jwk(key))
    return {name: value for name, value in jwk.items() if name not in {"alg", "key_ops", "use"}}

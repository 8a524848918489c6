"""An identity provider: keys that it publishes, and tokens that it signs with them."""

import base64
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://id.heliograph.test"
AUDIENCE = "heliograph"


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _number(value: int, size: int = 0) -> str:
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """Threads: one thread."""

    def __init__(self, name: str, algorithm: str = "ES256"):
        self.name = name
        self.algorithm = algorithm
        is_rsa = algorithm == "RS256"
        self._key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())

    def jwk(self) -> dict:
        numbers = self._key.public_key().public_numbers()
        common = {"kid": self.name, "alg": self.algorithm, "use": "sig"}
        if self.algorithm == "RS256":
            return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), **common}
        return {"kty": "EC", "crv": "P-256", "x": _number(numbers.x, 32), "y": _number(numbers.y, 32), **common}

    def token(self, header: dict | None = None, **claims) -> str:
        """For one hour, of the user ann of tenant acme, unless `claims` say otherwise; None leaves one out."""
        header = {"alg": self.algorithm, "kid": self.name, "typ": "JWT", **(header or {})}
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3600, "sub": "ann@acme.test", "tenant": "acme",
            "scope": "connections:read actions:write", **claims,
        }  # fmt: skip
        parts = [{name: value for name, value in part.items() if value is not None} for part in (header, claims)]
        text = ".".join(encode(json.dumps(part).encode()) for part in parts)
        return f"{text}.{encode(self._signature(text.encode()))}"

    def _signature(self, text: bytes) -> bytes:
        if self.algorithm == "RS256":
            return self._key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self._key.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def key_set(*keys: Key) -> dict:
    return {"keys": [key.jwk() for key in keys]}

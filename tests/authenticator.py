"""An authenticator in software: makes passkeys and shows them, for whatever origin it is told. Attestation `none`."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def packed(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One device with one key; what a careful one would not do can be asked of it too."""

    origin: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0
    flags: int = PRESENT | VERIFIED

    def make(self, options: str | dict[str, Any]) -> str:
        """Answer to options for registration."""
        asked = json.loads(options) if isinstance(options, str) else options
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(cose)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + held}
        return self._answer(
            clientDataJSON=packed(self._client("webauthn.create", asked["challenge"])),
            attestationObject=packed(cbor2.dumps(attestation)),
        )

    def show(self, options: str | dict[str, Any]) -> str:
        """Answer to options for authentication."""
        asked = json.loads(options) if isinstance(options, str) else options
        self.counter += 1
        client, data = self._client("webauthn.get", asked["challenge"]), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=packed(client), authenticatorData=packed(data), signature=packed(signature))

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, more: int = 0) -> bytes:
        return (
            hashlib.sha256(self.host.encode()).digest() + bytes([self.flags | more]) + self.counter.to_bytes(4, "big")
        )

    def _answer(self, **response: str) -> str:
        name = packed(self.credential)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )

"""SoftHSM2, a whole PKCS#11 token in software: one folder of tokens for each test process."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import enrolling
import pkcs11
from cryptography.hazmat.primitives import serialization
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

if TYPE_CHECKING:
    from world import World

MODULE = next(
    (
        path
        for path in (
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib64/pkcs11/libsofthsm2.so",
            "/opt/homebrew/lib/softhsm/libsofthsm2.so",
        )
        if Path(path).exists()
    ),
    "",
)
PIN, OFFICER = "2468", "13579135"
CURVES = {"p256": "secp256r1", "p384": "secp384r1"}
_FLAGS = bytes.fromhex("000000008000534b0000000000000002")
"""How SoftHSM writes its attribute CKA_OS_TOKENFLAGS: its type, and that a number follows."""


@dataclass(frozen=True)
class Hsm:
    """The tokens of one test process."""

    folder: Path

    def module(self) -> Any:
        return pkcs11.lib(MODULE)

    def make_token(self, label: str) -> None:
        """Make a token with an officer and a PIN."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", OFFICER, "--pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        self.module().reinitialize()

    def make_key(self, label: str, kind: str) -> Any:
        """Make a key of a kind in a token, and return its public half; its label is its kind, its id one byte of it."""
        with self._token(label).open(rw=True, user_pin=PIN) as session:
            known = {"store": True, "label": kind, "id": kind.encode()[-1:]}
            if kind in CURVES:
                curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(CURVES[kind])}
                parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
                public, _ = parameters.generate_keypair(**known)
                data = encode_ec_public_key(public)
            else:
                public, _ = session.generate_keypair(KeyType.RSA, int(kind.removeprefix("rsa")), **known)
                data = encode_rsa_public_key(public)
            return serialization.load_der_public_key(data)

    def seal_in(self, world: World, label: str) -> None:
        """Give the samples' second maker a seal whose key is made in a token."""
        folder = world.folder / "keys"
        issuer = enrolling.Issuer(folder)
        own = issuer.certify(self.make_key(label, "p256"), at=world.at)
        (folder / "token.pin").write_text(PIN)
        (folder / "token.crt.pem").write_bytes(enrolling.pem(own, issuer.certificate))
        files = {"pin_file": "token.pin", "certificate": "token.crt.pem"}
        where = {"store": "pkcs11", "module": MODULE, "token": label, "key_label": "p256"}
        enrolling.enrol(world, own, enrolling.describe(world, "token", **where, **files))

    def put_certificate(self, label: str, der: bytes, *, key_id: bytes) -> None:
        self.module().reinitialize()  # whoever is logged in is so no longer
        with self._token(label).open(rw=True, user_pin=PIN) as session:
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.ID: key_id,
                    Attribute.SUBJECT: b"",
                    Attribute.VALUE: der,
                }
            )

    def _token(self, label: str) -> Any:
        return next(iter(self.module().get_tokens(token_label=label)))

    def flags(self, label: str) -> Any:
        return self._token(label).flags

    def serial(self, label: str) -> str:
        return str(self._token(label).serial.decode())

    def path_of(self, label: str) -> Path:
        padded = label.ljust(32).encode()
        return next(path.parent for path in self.folder.rglob("token.object") if padded in path.read_bytes())

    def unplug(self, label: str) -> Path:
        """Take a token's folder away; return where it is now."""
        path = self.path_of(label)
        away = self.folder.parent / f"away-{path.name}"
        shutil.move(path, away)
        return away

    def plug(self, away: Path) -> None:
        shutil.move(away, self.folder / away.name.removeprefix("away-"))

    def set_flags(self, label: str, flags: int) -> None:
        """Write flags into a token, as if it had counted wrong PINs."""
        path = self.path_of(label) / "token.object"
        data = path.read_bytes()
        place = data.index(_FLAGS) + len(_FLAGS)
        known = int.from_bytes(data[place : place + 8], "big")
        path.write_bytes(data[:place] + (known | flags).to_bytes(8, "big") + data[place + 8 :])
        self.module().reinitialize()


def start(folder: Path) -> Hsm:
    """Begin with an empty folder of tokens; the module reads where it is from the environment, once a process."""
    tokens = folder / "tokens"
    tokens.mkdir()
    described = folder / "softhsm2.conf"
    described.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(described)
    return Hsm(tokens)

"""Codes on paper made by hand, good ones and every kind of bad one; and a trust list with the keys that signed them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.domain.number import Number
from signer.domain.trust import Purpose, SealState, TrustEntry, TrustList

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
"""When the codes say that they were signed."""
MAKER, OTHER = "91990000MA000AAA1N", "91990000MA000BBB2P"
NAMES = {MAKER: "恒远示例汽车制造有限公司", OTHER: "星河示例汽车股份有限公司"}
EXPORTER = "91650000MA0TH03XX3"
VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102", "L0YSA3B22T0000103")
NUMBER = str(Number.draw(lambda bits: 0x1234567890ABCDEF1 % (1 << bits)))
AAD = b"signer/paper/1"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BASE_33 = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key, the same for the same name in one run."""
    del name
    return ec.generate_private_key(ec.SECP256R1())


def spki(name: str) -> bytes:
    return key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def kid(name: str) -> bytes:
    return hashlib.sha256(spki(name)).digest()[:8]


def packed(*vins: str) -> bytes:
    found = b""
    for vin in vins:
        number = 0
        for char in vin:
            number = number * 33 + _BASE_33.index(char)
        found += number.to_bytes(11, "big")
    return found


def inner(**changes: Any) -> dict[int, Any]:
    """Return our own claim: `vins`, `destination`, `digest`, `status`, `page`, `exporter`, `until`; None leaves out."""
    names = {"vins": 1, "destination": 2, "digest": 3, "status": 4, "page": 5, "exporter": 6, "until": 7}
    told: dict[str, Any] = {
        "vins": packed(*VINS),
        "destination": "KZ",
        "digest": bytes(range(32)),
        "status": [3, 4711],
        "exporter": EXPORTER,
        "until": 20_800,
        **changes,
    }
    return {names[name]: value for name, value in told.items() if value is not None}


def claims(**changes: Any) -> dict[int, Any]:
    """Return the claims of a CWT; `issuer`, `number`, `issued` (seconds), and what `inner` takes."""
    outer = {1: changes.pop("issuer", MAKER), 2: changes.pop("number", NUMBER)}
    issued = changes.pop("issued", int(AT.timestamp()))
    return {**outer, 6: issued, -65537: inner(**changes)}


@dataclass(frozen=True)
class Code:
    """The parts of a code, each of which may be spoilt before it is signed, or after."""

    by: str = "maker"
    payload: bytes = field(default_factory=lambda: dumps(claims()))
    protected: bytes | None = None
    unprotected: bytes = b"\xa0"
    tag: bytes = b"\xd2"
    version: bytes = b"\x01"
    aad: bytes = AAD
    is_high: bool = False

    @property
    def data(self) -> bytes:
        protected = dumps({1: -7, 4: kid(self.by)}) if self.protected is None else self.protected
        signed = dumps(["Signature1", protected, self.aad, self.payload])
        r, s = decode_dss_signature(key(self.by).sign(signed, ec.ECDSA(hashes.SHA256())))
        s = max(s, ORDER - s) if self.is_high else min(s, ORDER - s)
        signature = dumps(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return self.version + self.tag + b"\x84" + dumps(protected) + self.unprotected + dumps(self.payload) + signature

    @property
    def digits(self) -> str:
        return str(int.from_bytes(self.data, "big"))

    @property
    def text(self) -> str:
        """The fragment."""
        return f"#{self.digits}"


def dumps(value: Any) -> bytes:
    return cbor2.dumps(value, canonical=True)


def of(data: bytes) -> str:
    """Return the fragment of any bytes."""
    return f"#{int.from_bytes(data, 'big')}"


def entry(name: str, uscc: str = MAKER, **changes: Any) -> TrustEntry:
    """Return the entry of a key on the trust list, good for 2026 and 2027."""
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"TEST paper key {name}")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key(name), hashes.SHA256())
    )
    der = made.public_bytes(Encoding.DER)
    plain = TrustEntry(
        purpose=Purpose.PAPER,
        uscc=uscc,
        legal_name=NAMES[uscc],
        certificate=base64.b64encode(der).decode(),
        certificate_digest=hashlib.sha256(der).hexdigest(),
        from_at=begins,
        until_at=ends,
    )
    return plain.model_copy(update=changes)


def trust_list(*, issued: datetime = AT + timedelta(hours=1), days: int = 30, test: bool = True) -> TrustList:
    """Return a list, issued after the codes: `maker` and `other` active, and one key in every other state."""
    since = {"state_since": AT}
    entries = (
        entry("maker"),
        entry("other", OTHER),
        entry("revoked", state=SealState.REVOKED, revoked_at=AT, **since),
        entry("suspended", state=SealState.SUSPENDED, **since),
        entry("kept", state=SealState.VERIFY_ONLY, state_since=AT + timedelta(seconds=1)),
        entry("kept-too-late", state=SealState.VERIFY_ONLY, **since),
        entry("late", from_at=AT + timedelta(seconds=1)),
        entry("early", until_at=AT),
    )
    return TrustList(
        origin="tests",
        sequence=7,
        issued=issued,
        expires=issued + timedelta(days=days),
        test=test,
        entries=entries,
    )

"""The code on paper: signed, and how large it is, beside the same claims as a compact JSON Web Token."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

from cases import BASE_URL, Case
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signer.document.page import SIGNED_MODULE_MM
from signer.domain import paper_code
from signer.domain.number import Number
from signer.domain.paper_code import PaperClaims
from signer.domain.parties import Uscc
from signer.domain.vehicle import Vin, vin_check_character
from signer.paper import cose, symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = 4
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
KID = cose.kid_of(SPKI)


def _vin(serial: int) -> Vin:
    plain = f"L0YSA3B20T0{serial:06d}"
    return Vin(plain[:8] + vin_check_character(plain) + plain[9:])


def _claims(vehicles: int) -> PaperClaims:
    return PaperClaims(
        issuer=Uscc("91440000MA0YX01AAY"),
        number=Number("ESJP6-X3FE9-SJ22"),
        issued_at=datetime(2026, 11, 30, 8, tzinfo=UTC),
        vins=tuple(map(_vin, range(vehicles))),
        destination="KZ",
        content_digest=bytes(range(32)),
        exporter=Uscc("91650000MA0TH03XX3"),
        status=(1, 77_777),
        page=None if vehicles == 1 else (1, 3),
        until=date(2027, 3, 1),
    )


def _sign(data: bytes) -> bytes:
    return KEY.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def _ours(claims: PaperClaims) -> str:
    return paper_code.link(BASE_URL, cose.encode(claims, kid=KID, sign_raw=_sign))


def _token(claims: PaperClaims) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = {"alg": "ES256", "kid": KID.hex()}
    plain = claims.model_dump(mode="json", exclude_none=True, exclude={"content_digest"})
    told = plain | {"digest": base64.urlsafe_b64encode(claims.content_digest).rstrip(b"=").decode()}
    signed = ".".join(part(json.dumps(each, separators=(",", ":")).encode()) for each in (head, told))
    r, s = decode_dss_signature(KEY.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{BASE_URL}/v#{signed}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _side(text: str) -> float:
    """Return the side of a text's symbol in millimetres, its quiet zone included."""
    return (len(symbol.matrix(text, level="Q")) + 2 * QUIET) * SIGNED_MODULE_MM


def all_cases() -> Iterator[Case]:
    for vehicles in (1, 20):
        claims = _claims(vehicles)
        text, token = _ours(claims), _token(claims)
        size = len(paper_code.from_digits(paper_code.find(text))) + 1
        version = (len(symbol.matrix(text, level="Q")) - 17) // 4
        peer = "the same claims as a compact JWT (ES256, JSON, base64url)"
        yield Case(
            name=f"paper.seal.{vehicles}",
            ours=partial(_ours, claims),
            peer=partial(_token, claims),
            peer_name=peer,
        )
        yield Case(
            name=f"paper.bytes.{vehicles}",
            ours=lambda size=size: size,  # type: ignore[misc]
            peer=lambda token=token: len(token.partition("#")[2]),  # type: ignore[misc]
            peer_name=peer,
            unit="bytes",
        )
        yield Case(
            name=f"paper.side.{vehicles}",
            ours=partial(_side, text),
            peer=partial(_side, token),
            peer_name=f"that JWT in QR level Q; ours is version {version}, modules of {SIGNED_MODULE_MM} mm",
            unit="mm",
        )

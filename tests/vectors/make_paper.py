"""
Write the vectors of the code on paper: `python tests/vectors/make_paper.py`.

Frozen: a run must change nothing that is published. A reader takes each text of `accepted` with those claims, refuses
each of `refused` (a reader that finds another fault first may name that), and believes none of `unbelieved`, though it
can read it: `why` is `signature` (it is not by the key that its kid names), `issuer` (it is, but the code names another
manufacturer than the key's) or `unknown-key`.

Everything is TEST. The keys are computed from their names: anybody can sign with them, and nothing else may ever be.
The bytes are put together here, by cbor2 and by hand, not by the program that they test.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HERE = Path(__file__).parent
FILE = "paper.json"
AAD = b"signer/paper/1"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
VIN_ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
VALUES = dict(zip(VIN_ALPHABET, (*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True))
USCC_A, USCC_B, USCC_EXPORTER = "91440000MA0YX01AAY", "91110000MA0BC02BBK", "91650000MA0TH03XX3"
NUMBER = "ESJP6-X3FE9-SJ22"
ADDRESS = "https://confirm.example.org/v"
IAT, UNTIL = 1_795_300_000, 20_881
Plain = dict[Any, Any]


def key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the TEST key of a name."""
    scalar = int.from_bytes(hashlib.sha256(f"signer vectors, paper, {name}".encode()).digest(), "big") % ORDER
    return ec.derive_private_key(scalar, ec.SECP256R1())


A, B, STRANGER = key("A"), key("B"), key("stranger")


def spki(own: ec.EllipticCurvePrivateKey) -> bytes:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return own.public_key().public_bytes(*form)


def kid(own: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(spki(own)).digest()[:8]


def vin(serial: int) -> str:
    """Return a VIN that no vehicle has, its ninth character right."""
    plain = f"L0YSA3B20T0{serial:06d}"
    rest = sum(VALUES[char] * weight for char, weight in zip(plain, WEIGHTS, strict=True)) % 11
    return f"{plain[:8]}{'X' if rest == 10 else rest}{plain[9:]}"


def packed(*vins: str) -> bytes:
    """Return eleven bytes a VIN: a number to the base 33."""
    whole = b""
    for one in vins:
        number = sum(VIN_ALPHABET.index(char) * 33**place for place, char in enumerate(reversed(one)))
        whole += number.to_bytes(11, "big")
    return whole


ONE = packed(vin(101))
DIGEST = hashlib.sha256(b"the content of the vectors").digest()


def claims(inner: Plain | None = None, outer: Plain | None = None) -> Plain:
    """Return the claims of the plain case with changes; what is changed to None is left out."""
    ours = {1: ONE, 2: "KZ", 3: DIGEST, 4: [1, 77_777], 6: USCC_EXPORTER, 7: UNTIL} | (inner or {})
    whole = {1: USCC_A, 2: NUMBER, 6: IAT, -65537: {k: v for k, v in ours.items() if v is not None}} | (outer or {})
    return {k: v for k, v in whole.items() if v is not None}


def dumps(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def signature(protected: bytes, payload: bytes, own: ec.EllipticCurvePrivateKey, aad: bytes = AAD) -> bytes:
    """Return r and the lower s (RFC 6979; RFC 9052, 4.4)."""
    signed = dumps(["Signature1", protected, aad, payload])
    r, s = decode_dss_signature(own.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def code(
    payload: bytes | None = None,
    *,
    own: ec.EllipticCurvePrivateKey = A,
    protected: bytes | None = None,
    unprotected: Plain | None = None,
    signed: bytes | None = None,
    aad: bytes = AAD,
    head: bytes = b"\x01\xd2",
    tail: bytes = b"",
) -> str:
    """Return the fragment of a code, by default the plain one, with any part exchanged."""
    payload = dumps(claims()) if payload is None else payload
    protected = dumps({1: -7, 4: kid(own)}) if protected is None else protected
    signed = signature(protected, payload, own, aad) if signed is None else signed
    whole = head + dumps([protected, unprotected or {}, payload, signed]) + tail
    return f"#{int.from_bytes(whole, 'big')}"


PLAIN = code()
TWENTY = claims({1: packed(*(vin(serial) for serial in range(101, 121))), 5: [1, 3]})


def high_s() -> bytes:
    low = signature(dumps({1: -7, 4: kid(A)}), dumps(claims()), A)
    return low[:32] + (ORDER - int.from_bytes(low[32:], "big")).to_bytes(32, "big")


def wide(text: str) -> str:
    return "".join(chr(0xFEE0 + ord(char)) if char.isdigit() else char for char in text)


def told(found: Plain) -> Plain:
    """Return claims as a reader tells them."""
    ours = found[-65537]
    vins = []
    for start in range(0, len(ours[1]), 11):
        number, chars = int.from_bytes(ours[1][start : start + 11], "big"), ""
        for _ in range(17):
            number, value = divmod(number, 33)
            chars = VIN_ALPHABET[value] + chars
        vins.append(chars)
    names = {2: "destination", 4: "status", 5: "page", 6: "exporter", 7: "until_day"}
    return {
        "issuer": found[1],
        "number": found[2],
        "iat": found[6],
        "vins": vins,
        "content_digest": ours[3].hex(),
        **{name: ours[number] for number, name in names.items() if number in ours},
    }


def accepted() -> list[Plain]:
    """Return what every reader takes and, by key A, believes."""
    bare, zero = claims({4: None, 7: None}), claims({4: [4_294_967_295, 0], 7: 0}, {6: 0})
    cases = [
        ("one vehicle", ADDRESS + PLAIN, claims()),
        ("the fragment alone", PLAIN, claims()),
        ("another host and path: they say nothing", "http://elsewhere.example/x/y?z" + PLAIN, claims()),
        ("what a messenger appends is not read", f"{ADDRESS}{PLAIN}&utm_source=x", claims()),
        ("a full stop of a sentence", f"{ADDRESS}{PLAIN}.", claims()),
        ("full-width digits behind it are what a messenger appends", f"{ADDRESS}{PLAIN}{wide('77')}", claims()),
        ("twenty vehicles, the first page of three", ADDRESS + code(dumps(TWENTY)), TWENTY),
        ("neither status nor until", ADDRESS + code(dumps(bare)), bare),
        ("the least and the largest of numbers", ADDRESS + code(dumps(zero)), zero),
    ]
    return [{"name": name, "text": text, "key": "A", "claims": told(found)} for name, text, found in cases]


def spelled(*pairs: bytes, head: bytes = b"\xa4") -> bytes:
    """Return a payload whose map is put together by hand."""
    return head + b"".join(pairs)


def refused() -> list[Plain]:
    """Return what no reader takes, though the signature is right wherever there is one."""
    iss, sub, iat = b"\x01" + dumps(USCC_A), b"\x02" + dumps(NUMBER), b"\x06" + dumps(IAT)
    ours = dumps(-65537) + dumps(claims()[-65537])
    protected = dumps({1: -7, 4: kid(A)})
    middle = len(PLAIN) // 2
    by_form = [
        ("empty", "", "form"),
        ("an address without a fragment", ADDRESS, "form"),
        ("99 digits", "#" + "9" * 99, "form"),
        ("4001 digits", "#" + "9" * 4001, "form"),
        ("a leading zero", PLAIN.replace("#", "#0"), "form"),
        ("a sign", PLAIN.replace("#", "#+"), "form"),
        ("a blank", PLAIN.replace("#", "# "), "form"),
        ("full-width digits", wide(PLAIN), "form"),
        ("the first digit full-width", wide(PLAIN[:2]) + PLAIN[2:], "form"),
        ("a digit in the middle full-width", PLAIN[:middle] + wide(PLAIN[middle]) + PLAIN[middle + 1 :], "version"),
        ("a digit more", PLAIN + "0", "version"),
        ("a digit less", PLAIN[:-1], "version"),
        ("version 2", code(head=b"\x02\xd2"), "version"),
    ]
    by_message = [
        ("not tagged", code(head=b"\x01"), "cose"),
        ("tagged as COSE_Mac0", code(head=b"\x01\xd1"), "cose"),
        ("tagged as a CWT as well", code(head=b"\x01\xd8\x3d\xd2"), "cose"),
        ("bytes behind the message", code(tail=b"\x00"), "trailing"),
        ("the last byte is missing", f"#{int(PLAIN[1:]) >> 8}", "truncated"),
        ("an unprotected header", code(unprotected={4: kid(A)}), "cose"),
        ("no kid", code(protected=dumps({1: -7})), "cose"),
        ("a kid of seven bytes", code(protected=dumps({1: -7, 4: kid(A)[:7]})), "cose"),
        ("a header too many", code(protected=dumps({1: -7, 3: 61, 4: kid(A)})), "cose"),
        ("another algorithm, ES384", code(protected=dumps({1: -35, 4: kid(A)})), "algorithm"),
        ("another algorithm, HMAC", code(protected=dumps({1: 5, 4: kid(A)})), "algorithm"),
        ("the header's alg twice", code(protected=b"\xa3\x01\x26\x01\x26" + protected[3:]), "duplicate-key"),
        ("the header in another order", code(protected=b"\xa2" + protected[3:] + b"\x01\x26"), "key-order"),
        ("a signature of 63 bytes", code(signed=bytes(63)), "cose"),
        ("the signature's other spelling", code(signed=high_s()), "high-s"),
    ]
    by_encoding = [
        ("a claim twice", code(spelled(iss, iss, sub, iat, ours, head=b"\xa5")), "duplicate-key"),
        (
            "a claim twice, with another value",
            code(spelled(iss, b"\x01" + dumps(USCC_B), sub, iat, ours, head=b"\xa5")),
            "duplicate-key",
        ),
        ("claims in another order", code(spelled(sub, iss, iat, ours)), "key-order"),
        (
            "a number that is longer than it must be",
            code(spelled(iss, sub, b"\x06\x1b" + IAT.to_bytes(8, "big"), ours)),
            "not-minimal",
        ),
        (
            "a length that is longer than it must be",
            code(spelled(b"\x01\x78\x12" + USCC_A.encode(), sub, iat, ours)),
            "not-minimal",
        ),
        ("a map without a length", code(b"\xbf" + iss + sub + iat + ours + b"\xff"), "indefinite"),
        ("a text in pieces", code(spelled(b"\x01\x7f" + dumps(USCC_A) + b"\xff", sub, iat, ours)), "indefinite"),
        ("a time as a float", code(spelled(iss, sub, b"\x06" + b"\xfb\x41\xda\xc0\x8c\x88\x00\x00\x00", ours)), "type"),
        ("a time with a tag", code(spelled(iss, sub, b"\x06\xc1" + dumps(IAT), ours)), "type"),
        ("a claim that is null", code(spelled(iss, sub, b"\x06\xf6", ours)), "type"),
        ("a claim whose name is a text", code(spelled(iss, sub, iat, ours, b"\x61a\x00", head=b"\xa5")), "type"),
        ("a text that is not UTF-8", code(spelled(b"\x01\x72" + b"\xff" * 18, sub, iat, ours)), "text"),
        ("bytes behind the claims", code(dumps(claims()) + b"\x00"), "trailing"),
        ("claims that end too early", code(dumps(claims())[:-1]), "truncated"),
    ]
    changes = [
        ("no issuer", {}, {1: None}, "claims"),
        ("an audience", {}, {3: "customs"}, "claims"),
        ("an expiry", {}, {4: IAT + 1}, "claims"),
        ("no VINs", {1: None}, {}, "claims"),
        ("an unknown claim of ours", {8: 1}, {}, "claims"),
        ("a number with a wrong check character", {}, {2: "ESJP6-X3FE9-SJ23"}, "claim"),
        ("a number without hyphens", {}, {2: NUMBER.replace("-", "")}, "claim"),
        ("a USCC with a wrong check character", {}, {1: "91440000MA0YX01AAX"}, "claim"),
        ("a time before 1970", {}, {6: -1}, "claim"),
        ("a time as text", {}, {6: "2026-11-22T03:06:40Z"}, "claim"),
        ("VINs of no vehicle", {1: b""}, {}, "claim"),
        ("VINs of twelve bytes", {1: ONE + b"\x00"}, {}, "claim"),
        ("a VIN beyond its range", {1: (33**17).to_bytes(11, "big")}, {}, "claim"),
        ("a VIN with a wrong check digit", {1: packed("L0YSA3B21T0000101")}, {}, "claim"),
        ("a VIN twice", {1: ONE * 2}, {}, "claim"),
        ("twenty-one VINs", {1: packed(*(vin(serial) for serial in range(101, 122)))}, {}, "claim"),
        ("a destination of three letters", {2: "KAZ"}, {}, "claim"),
        ("a destination in small letters", {2: "kz"}, {}, "claim"),
        ("a digest of 31 bytes", {3: DIGEST[:31]}, {}, "claim"),
        ("status list 0", {4: [0, 1]}, {}, "claim"),
        ("a status index out of range", {4: [1, 131_072]}, {}, "claim"),
        ("a status without an index", {4: [1]}, {}, "claim"),
        ("the only page of one", {5: [1, 1]}, {}, "claim"),
        ("page three of two", {5: [3, 2]}, {}, "claim"),
        ("page none of two", {5: [0, 2]}, {}, "claim"),
        ("one of eleven pages", {5: [1, 11]}, {}, "claim"),
        ("until before 1970", {7: -1}, {}, "claim"),
    ]
    by_claim = [(name, code(dumps(claims(inner, outer))), reason) for name, inner, outer, reason in changes]
    cases = (*by_form, *by_message, *by_encoding, *by_claim)
    return [{"name": name, "text": text, "reason": reason} for name, text, reason in cases]


def unbelieved() -> list[Plain]:
    """Return what can be read, and proves nothing."""
    protected, payload = dumps({1: -7, 4: kid(A)}), dumps(claims())
    own = signature(protected, payload, A)
    altered = dumps(claims({2: "RU"}))
    last = bytearray(own)
    last[-1] ^= 1
    cases = [
        ("another destination under the same signature", code(altered, signed=own), "signature"),
        ("another page under the same signature", code(dumps(claims({5: [2, 2]})), signed=own), "signature"),
        ("one bit of the signature", code(signed=bytes(last)), "signature"),
        ("a signature of zeros", code(signed=bytes(64)), "signature"),
        ("signed without the external data", code(aad=b""), "signature"),
        ("signed with another version's external data", code(aad=b"signer/paper/2"), "signature"),
        ("signed by B under A's kid", code(protected=protected, own=B), "signature"),
        ("A's USCC under B's key", code(own=B), "issuer"),
        ("B's USCC under A's key", code(dumps(claims(outer={1: USCC_B}))), "issuer"),
        ("a key that nobody listed", code(own=STRANGER), "unknown-key"),
    ]
    return [{"name": name, "text": text, "why": why} for name, text, why in cases]


def build() -> Plain:
    """Return the whole file."""
    listed = {"A": (A, USCC_A), "B": (B, USCC_B)}
    keys = {
        name: {"uscc": uscc, "kid": kid(own).hex(), "spki": base64.b64encode(spki(own)).decode()}
        for name, (own, uscc) in listed.items()
    }
    return {
        "schema": "signer.paper-vectors/1",
        "external_aad": AAD.decode(),
        "keys": keys,
        "accepted": accepted(),
        "refused": refused(),
        "unbelieved": unbelieved(),
    }


if __name__ == "__main__":
    (HERE / FILE).write_text(json.dumps(build(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

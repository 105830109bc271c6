"""Codes on paper made by hand, good ones and every kind of bad one; and a trust list with the keys that signed them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.domain.number import Number
from signer.domain.trust import Purpose, SealState, TrustEntry, TrustList
from signer.domain.vehicle import vin_check_character

if TYPE_CHECKING:
    import random

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
"""When the codes say that they were signed."""
BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
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


@cache
def certificate(name: str) -> bytes:
    """Return a certificate of a key for 2026 and 2027, in DER."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"TEST paper key {name}")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .sign(key(name), hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def entry(name: str, uscc: str = MAKER, **changes: Any) -> TrustEntry:
    """Return the entry of a key on the trust list, good for 2026 and 2027."""
    der = certificate(name)
    plain = TrustEntry(
        purpose=Purpose.PAPER,
        uscc=uscc,
        legal_name=NAMES[uscc],
        certificate=base64.b64encode(der).decode(),
        certificate_digest=hashlib.sha256(der).hexdigest(),
        from_at=BEGINS,
        until_at=ENDS,
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
        entry("revoked-late", state=SealState.REVOKED, revoked_at=AT, from_at=AT + timedelta(seconds=1), **since),
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


def spoilt() -> dict[str, str]:
    """Return codes with one thing right or wrong each, all of them signed, by what it is."""
    good = dumps(claims())
    outer = {1: MAKER, 2: NUMBER, 6: 1, -65537: inner()}
    start, pairs = b"\xa4", {name: dumps(name) + dumps(value) for name, value in outer.items()}
    one, two, six, own = pairs[1], pairs[2], pairs[6], pairs[-65537]
    payloads = {
        "good": good,
        "bare": dumps(claims(status=None, until=None)),
        "full": dumps(claims(page=[10, 10], status=[2**32 - 1, 131_071], until=376_199, issued=2**35 - 1)),
        "least": dumps(claims(page=[1, 2], status=[1, 0], until=0, issued=0)),
        "trailing": good + b"\x00",
        "cut": good[:-1],
        "empty": b"",
        "twice": b"\xa5" + one + one + two + six + own,
        "order": start + two + one + six + own,
        "order of lengths": start + one + two + dumps(-65537) + dumps(inner()) + six,
        "not shortest": start + one + two + b"\x06\x18\x01" + own,
        "not shortest by two": start + one + two + b"\x06\x19\x00\xff" + own,
        "not shortest by four": start + one + two + b"\x06\x1a\x00\x00\xff\xff" + own,
        "not shortest by eight": start + one + two + b"\x06\x1b\x00\x00\x00\x00\xff\xff\xff\xff" + own,
        "not shortest key": start + b"\x18\x01" + dumps(MAKER) + two + six + own,
        "not shortest string": start + b"\x01\x78\x12" + MAKER.encode() + two + six + own,
        "not shortest map": b"\xb8\x04" + one + two + six + own,
        "without end": b"\xbf" + one + two + six + own + b"\xff",
        "string without end": start + b"\x01\x7f\x72" + MAKER.encode() + b"\xff" + two + six + own,
        "list without end": b"\x9f\x01\xff",
        "break alone": b"\xff",
        "float": start + one + two + b"\x06\xf9\x3c\x00" + own,
        "true": start + one + two + b"\x06\xf5" + own,
        "null": b"\xf6",
        "tag": start + one + two + b"\x06\xc1\x01" + own,
        "reserved": start + one + two + b"\x06\x1c" + own,
        "text for key": b"\xa1\x61a\x01",
        "list for key": b"\xa1\x80\x01",
        "not UTF-8": start + b"\x01\x61\xff" + two + six + own,
        "surrogate": start + b"\x01\x63\xed\xa0\x80" + two + six + own,
        "mark of order": start + b"\x01\x63\xef\xbb\xbf" + two + six + own,
        "deep": b"\x81" * 9 + b"\x00",
        "as deep as may be": b"\x81" * 8 + b"\x00",
        "huge map": b"\xbb" + b"\xff" * 8,
        "huge list": b"\x9b\x00\x00\x00\x01" + b"\x00" * 4,
        "huge string": b"\x5b" + b"\xff" * 8,
        "huge key": b"\xa1\x1b" + b"\xff" * 8 + b"\x00",
        "huge keys twice": b"\xa2" + 2 * (b"\x1b" + b"\xff" * 8 + b"\x00"),
        "huge negative": start + one + two + b"\x06\x3b" + b"\xff" * 8 + own,
        "huge": start + one + two + b"\x06\x1b" + b"\xff" * 8 + own,
        "no map": dumps([1, 2]),
        "missing": dumps({1: MAKER, 2: NUMBER, 6: 1}),
        "unknown": dumps({**outer, 7: b""}),
        "expiry": dumps({**outer, 4: 1}),
        "unknown inside": dumps({**outer, -65537: {**inner(), 8: 1}}),
        "missing inside": dumps(claims(digest=None)),
        "no map inside": dumps({**outer, -65537: 1}),
    }
    values: dict[str, dict[str, Any]] = {
        "issuer's check": {"issuer": "91990000MA000AAA1P"},
        "issuer's length": {"issuer": MAKER[:-1]},
        "issuer's letters": {"issuer": MAKER.lower()},
        "issuer in bytes": {"issuer": MAKER.encode()},
        "number's check": {"number": NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")},
        "number bare": {"number": NUMBER.replace("-", "")},
        "number small": {"number": NUMBER.lower()},
        "number a line": {"number": f"{NUMBER}\n"},
        "number's hyphens": {"number": NUMBER.replace("-", " ")},
        "time before": {"issued": -1},
        "time beyond": {"issued": 2**35},
        "time in text": {"issued": "1"},
        "no vin": {"vins": b""},
        "vins' length": {"vins": packed(*VINS) + b"\x00"},
        "vin's check": {"vins": packed("L0YSA3B20T0000101")},
        "vin beyond": {"vins": b"\xff" * 11},
        "vin just beyond": {"vins": (33**17).to_bytes(11, "big")},
        "vin twice": {"vins": packed(VINS[0], VINS[0])},
        "vins in text": {"vins": "a" * 11},
        "vins too many": {"vins": packed(*many(21))},
        "vins as many as may be": {"vins": packed(*many(20))},
        "destination small": {"destination": "kz"},
        "destination long": {"destination": "KAZ"},
        "destination a line": {"destination": "KZ\n"},
        "destination unknown": {"destination": "ZZ"},
        "destination with a mark of order": {"destination": "\ufeffKZ"},
        "destination in bytes": {"destination": b"KZ"},
        "digest short": {"digest": bytes(31)},
        "digest in text": {"digest": "a" * 32},
        "status zero": {"status": [0, 1]},
        "status beyond": {"status": [2**32, 1]},
        "index beyond": {"status": [1, 131_072]},
        "index negative": {"status": [1, -1]},
        "status three": {"status": [1, 2, 3]},
        "status alone": {"status": 1},
        "status in text": {"status": ["1", 2]},
        "page zero": {"page": [0, 2]},
        "page beyond": {"page": [3, 2]},
        "pages alone": {"page": [1, 1]},
        "pages too many": {"page": [1, 11]},
        "page a map": {"page": {1: 2}},
        "exporter's check": {"exporter": f"{EXPORTER[:-1]}0"},
        "until before": {"until": -1},
        "until beyond": {"until": 376_200},
        "until far beyond": {"until": 2**19},
        "until in bytes": {"until": b"\x01"},
    }
    payloads |= {name: dumps(claims(**changes)) for name, changes in values.items()}
    digits, data = Code().digits, Code().data
    whole = {
        "leading zero": f"#0{digits}",
        "trailing digit": f"#{digits}0",
        "full width": "#" + "".join(chr(0xFF10 + int(digit)) for digit in digits),
        "full width at the end": f"#{digits}\N{FULLWIDTH DIGIT ONE}",
        "arabic": "#" + "".join(chr(0x660 + int(digit)) for digit in digits),
        "no hash": digits,
        "a digit before": f"1#{digits}",
        "address": f"https://any.example/v#{digits}",
        "two hashes": f"#x#{digits}",
        "two codes": f"#{digits}#{digits}1",
        "ninety-nine": "#" + "1" * 99,
        "hundred": "#" + "1" * 100,
        "four thousand": "#" + "1" * 4000,
        "four thousand and one": "#" + "1" * 4001,
        "nothing": "",
        "minus": f"#-{digits}",
        "exponent": f"#{digits}e9",
        "version two": Code(version=b"\x02").text,
        "version with a byte before": Code(version=b"\x01\x01").text,
        "no tag": Code(tag=b"").text,
        "tag of another": Code(tag=b"\xd1").text,
        "tag twice": Code(tag=b"\xd2\xd2").text,
        "tag not shortest": Code(tag=b"\xd8\x12").text,
        "unprotected": Code(unprotected=b"\xa1\x04\x41a").text,
        "unprotected a list": Code(unprotected=b"\x80").text,
        "unprotected without end": Code(unprotected=b"\xbf\xff").text,
        "other s": Code(is_high=True).text,
        "other aad": Code(aad=b"").text,
        "another's key": Code("other", protected=dumps({1: -7, 4: kid("maker")})).text,
        "unknown key": Code("nobody").text,
        "cut off": of(data[:-1]),
        "a byte behind": of(data + b"\x00"),
        "short signature": of(data[:-66] + b"\x58\x3f" + data[-63:]),
        "five parts": of(data[:2] + b"\x85" + data[3:] + b"\x00"),
        "three parts": of(data[:2] + b"\x83" + data[3:-66]),
        "no parts": of(b"\x01\xd2" + b"\x00" + data[3:]),
        "not even cbor": of(b"\x01\xd2" + b"\xff" * 60),
    }
    headers = {
        "alg": {1: -35, 4: kid("maker")},
        "alg in text": {1: "ES256", 4: kid("maker")},
        "no alg": {4: kid("maker")},
        "no kid": {1: -7},
        "short kid": {1: -7, 4: kid("maker")[:7]},
        "kid in text": {1: -7, 4: "12345678"},
        "crit": {1: -7, 2: [4], 4: kid("maker")},
        "no map": [1, -7],
    }
    return {
        **{f"payload: {name}": Code(payload=payload).text for name, payload in payloads.items()},
        **whole,
        **{f"header: {name}": Code(protected=dumps(header)).text for name, header in headers.items()},
        "header: empty": Code(protected=b"").text,
        "header: twice": Code(protected=b"\xa3\x01\x26\x01\x26\x04\x48" + kid("maker")).text,
    }


def many(count: int) -> tuple[str, ...]:
    """Return different VINs."""
    bare = (f"L0YSA3B20T0{place:06d}" for place in range(count))
    return tuple(vin[:8] + vin_check_character(vin) + vin[9:] for vin in bare)


def mutated(chance: random.Random) -> str:
    """Return a code of which a few bytes were changed, added or taken away, and then signed, or not."""
    code = Code(payload=dumps(claims(vins=packed(*many(chance.randint(1, 3))), page=chance.choice([None, [1, 2]]))))
    kind = chance.randrange(4)
    if kind == 0:
        return of(b"\x01" + changed(code.data[1:], chance))
    if kind == 1:
        return Code(protected=changed(dumps({1: -7, 4: kid("maker")}), chance), payload=code.payload).text
    if kind == 2:
        digits = list(code.digits)
        digits[chance.randrange(len(digits))] = chance.choice("0123456789 .#x")
        return "#" + "".join(digits)
    return Code(payload=changed(code.payload, chance)).text


def changed(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        place = chance.randrange(len(found))
        kind = chance.randrange(4)
        if kind == 0:
            found[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            found[place] = chance.choice((0, 1, 0x18, 0x1B, 0x3B, 0x5F, 0x7F, 0x9F, 0xBF, 0xC1, 0xF6, 0xFF))
        elif kind == 2:
            found.insert(place, chance.randrange(256))
        else:
            del found[place]
    return bytes(found)

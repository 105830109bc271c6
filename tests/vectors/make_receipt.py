"""
Write the vectors of receipts: `python tests/vectors/make_receipt.py`.

Frozen: a run must change nothing that is published. A verifier that has pinned `pinned`, and believes the `list` of a
case at `at`, answers about its `receipt` with `state` and `reason`.

Everything is TEST. The keys are computed from their names, as those of the trust list's vectors are: anybody can sign
with them, and nothing else may ever be. The claims are written out here, not by the program that they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).parent
FILE = "receipt.json"
NUMBER, OTHER_NUMBER = "ESJP6-X3FE9-SJ22", "00000-00000-0000"
VINS = ("L0YSA3B29T0000101", "L0YSA3B20T0000102")
USCC = "91000000MA0TE00019"
Plain = dict[str, Any]


def _lists() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_trust_list", HERE / "make_trust_list.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made = _lists()
AT = made.AT
IAT = int((AT - timedelta(hours=1)).timestamp())


def service(own: str, purpose: str, **more: Any) -> Plain:
    """Return the entry of a key of the service."""
    subject = [(NameOID.COMMON_NAME, f"TEST {own} of the vectors")]
    der = made.certificate(own, "authority", subject, above=made.ABOVE)
    entry: Plain = made.entry(der, purpose, f"TEST {own} of the vectors", **more)
    return entry


def changed(name: str, hours: float) -> Plain:
    """Return how an entry says that its state changed so many hours before the question."""
    return {"state": name, "state_since": made.instant(AT - timedelta(hours=hours))}


def lists() -> dict[str, str]:
    """Return the lists that the cases name."""
    revoked = {**changed("revoked", 0.5), "revoked_at": made.instant(AT - timedelta(hours=0.5)), "reason": "key-misuse"}
    entries = [
        made.CA,
        made.seal("seal", made.MAKER),
        service("receipts", "receipt"),
        service("bundles", "bundle"),
        service("retired receipts", "receipt", **changed("verify-only", 2)),
        service("just retired receipts", "receipt", **changed("verify-only", 0.5)),
        service("revoked receipts", "receipt", **revoked),
        service("suspended receipts", "receipt", **changed("suspended", 0.5)),
        service("receipts that end", "receipt", until_at=made.instant(AT - timedelta(hours=2))),
    ]
    plain = made.listed(7, "the list before", entries)
    return {
        "list": made.jws(plain),
        "expired": made.jws({**plain, "entries": entries[:3], "expires": made.instant(AT - timedelta(minutes=30))}),
    }


def head(**more: Any) -> Plain:
    """Return the claims that every receipt has."""
    return {
        "iss": "https://confirm.example.org",
        "jti": "0123-4567-89AB-CDEF",
        "iat": IAT,
        "notice": "States one moment, iat; says nothing about today.",
        "test": True,
        "trust_list": 7,
        "policy": "signer-policy/1 test",
        "software": "signer 0.1.0",
        **more,
    }


PASSED = {"integrity": "passed", "seal": "passed", "standing": "passed"}
WINDOW = {"n": 85, "state": "inside", "through": "2027-02-24", "free_from": "2027-02-25"}
MAKER = {"name": made.MAKER, "uscc": USCC, "seal_class": "TEST"}
FILE_SUBJECT = {"sha256": hashlib.sha256(b"a file").hexdigest(), "size": 6}


def of_file(**more: Any) -> Plain:
    """Return the claims about a file."""
    found = {
        "kind": "verdict",
        "subject": FILE_SUBJECT,
        "question": {"vins": [VINS[0]], "destination": "KZ", "exporter": USCC, "applied_on": "2026-11-22"},
        "code": "VALID",
        "outcome": "pass",
        "number": NUMBER,
        "issuer": MAKER,
        "sealed_at": "2026-11-20T03:00:00Z",
        "proven_at": "2026-11-20T03:00:01Z",
        "proven_by": "timestamp",
        "parts": PASSED,
        "coverage": {
            "vins": [{"vin": VINS[0], "state": "matched", "window": WINDOW}],
            "extra": 1,
            "destination": "equal",
            "exporter": "equal",
        },
        "checks": [{"id": "form", "state": "passed"}, {"id": "revocation", "state": "passed"}],
    }
    return head(**{**found, **more})


def of_look_up(**more: Any) -> Plain:
    """Return the claims about a look-up that found nothing."""
    found = {
        "kind": "verdict",
        "subject": {"number": OTHER_NUMBER},
        "question": {"vins": [], "tail": "000101"},
        "code": "NOT_ON_RECORD",
        "reason": "NOT_ON_RECORD",
        "outcome": "fail",
        "parts": {"integrity": "undetermined", "seal": "undetermined", "standing": "failed"},
        "coverage": {"vins": [], "extra": 0, "destination": "not-asked", "exporter": "not-asked"},
        "checks": [{"id": "record", "state": "failed"}],
    }
    return head(**{**found, **more})


def of_licence() -> Plain:
    """Return the claims about a licence."""
    said = {"issuer": MAKER, "number": NUMBER, "checks": [{"id": "timestamp", "state": "undetermined"}]}
    return head(
        kind="licence",
        question={"vins": list(VINS), "destination": "KZ", "exporter": USCC, "applied_on": "2026-11-22"},
        outcome="fail",
        matched=1,
        asked=2,
        extra=0,
        rows=[
            {"vin": VINS[0], "state": "matched", "number": NUMBER, "window": WINDOW},
            {"vin": VINS[1], "state": "missing"},
        ],
        sources=[
            {"subject": FILE_SUBJECT, "code": "VALID_WITH_NOTICE", "outcome": "pass", "parts": PASSED, **said},
            {
                "subject": {"number": NUMBER},
                "code": "COVERED",
                "outcome": "pass",
                "parts": {"integrity": "undetermined", "seal": "undetermined", "standing": "passed"},
                **said,
            },
        ],
    )


def kid(name: str) -> str:
    """Return the `kid` of a key."""
    return hashlib.sha256(base64.b64decode(made.spki(name))).hexdigest()[:16]


def jws(claims: Plain | bytes, *, by: str = "receipts", names: str | None = None, **header: Any) -> str:
    """Sign claims; `names` is the key that the header names, if it is another."""
    top = rfc8785.dumps({"alg": "ES256", "kid": kid(names or by), "typ": "signer-receipt+jwt", **header})
    body = claims if isinstance(claims, bytes) else rfc8785.dumps(claims)
    whole = f"{made.encoded(top)}.{made.encoded(body)}"
    made_by: ec.EllipticCurvePrivateKey = made.key(by)
    r, s = decode_dss_signature(made_by.sign(whole.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return f"{whole}.{made.encoded(r.to_bytes(32) + s.to_bytes(32))}"


def keyed(claims: Plain) -> str:
    """Authenticate claims by HMAC, the public key as its secret: what a verifier does that believes `alg`."""
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    secret = made.key("receipts").public_key().public_bytes(*form)
    whole = jws(claims, alg="HS256").rpartition(".")[0]
    return f"{whole}.{made.encoded(hmac.digest(secret, whole.encode(), 'sha256'))}"


def altered(token: str) -> str:
    """Turn the answer of a receipt from `fail` to `pass`, and keep its signature."""
    top, body, signature = token.split(".")
    plain = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b'"outcome":"fail"', b'"outcome":"pass"')
    return ".".join((top, made.encoded(plain), signature))


def high(token: str) -> str:
    """Return the other signature that ES256 allows over the same bytes (s replaced by n - s)."""
    whole, _, signature = token.rpartition(".")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    raw = base64.urlsafe_b64decode(signature + "==")
    return f"{whole}.{made.encoded(raw[:32] + (order - int.from_bytes(raw[32:])).to_bytes(32))}"


Case = tuple[str, str, str | None]
"""Name, receipt, and the reason why it is not genuine, or cannot be told; None: it is genuine."""
HEADERS: tuple[tuple[str, Any], ...] = (
    ("jwk", {}),
    ("jku", "https://example.org"),
    ("x5u", "https://example.org"),
    ("x5c", []),
    ("crit", ["b64"]),
    ("zip", "DEF"),
    ("alg", "none"),
    ("alg", "ES384"),
    ("typ", "JWT"),
    ("typ", "signer-trust+jwt"),
)
NOT_GENUINE = ("MALFORMED", "WRONG_SIGNATURE", "NOT_A_RECEIPT_KEY", "NOT_ENTITLED")


def genuine(asked: str) -> list[Case]:
    """Return what is genuine."""
    return [
        ("a file that is valid", jws(of_file()), None),
        ("a look-up that found nothing", asked, None),
        ("a licence", jws(of_licence()), None),
        ("blanks around it", f"\r\n {asked}\n", None),
        ("the other signature that ES256 allows", high(asked), None),
        ("a code that is not known yet", jws(of_look_up(code="A_NEW_CODE")), None),
        ("a key that was retired later", jws(of_look_up(), by="just retired receipts"), None),
    ]


def malformed(asked: str) -> list[Case]:
    """Return what has not our form."""
    return [
        ("nothing", "", "MALFORMED"),
        ("two parts", asked.rpartition(".")[0], "MALFORMED"),
        ("five parts", f"{asked}..", "MALFORMED"),
        ("padding", f"{asked}=", "MALFORMED"),
        ("a public key as a secret", keyed(of_look_up()), "MALFORMED"),
        *(
            (f"a header with {name} {value or ''}".strip(), jws(of_look_up(), **{name: value}), "MALFORMED")
            for name, value in HEADERS
        ),
    ]


def by_others(asked: str) -> list[Case]:
    """Return what was signed by another key than a receipt key in its time, or by one that is in doubt."""
    plain = of_look_up()
    return [
        ("another answer under the same signature", altered(asked), "WRONG_SIGNATURE"),
        ("another key under its name", jws(plain, by="stranger", names="receipts"), "WRONG_SIGNATURE"),
        ("a seal's key", jws(plain, by="seal"), "NOT_A_RECEIPT_KEY"),
        ("the key of offline bundles", jws(plain, by="bundles"), "NOT_A_RECEIPT_KEY"),
        ("of a time before its key", jws(of_look_up(iat=IAT - 1_000_000)), "NOT_ENTITLED"),
        ("of a time after its key", jws(plain, by="receipts that end"), "NOT_ENTITLED"),
        ("a key that was retired before", jws(plain, by="retired receipts"), "NOT_ENTITLED"),
        ("a key of nobody", jws(plain, by="stranger"), "KEY_NOT_LISTED"),
        ("the root of the list", jws(plain, by="root"), "KEY_NOT_LISTED"),
        ("a revoked key", jws(plain, by="revoked receipts"), "KEY_REVOKED"),
        ("a suspended key", jws(plain, by="suspended receipts"), "KEY_SUSPENDED"),
        ("a later list", jws(of_look_up(trust_list=8)), "TRUST_LIST_OLDER"),
        ("of a time to come", jws(of_look_up(iat=IAT + 4_000)), "FROM_THE_FUTURE"),
    ]


def unknown() -> list[Case]:
    """Return claims that are rightly signed, and are not of our form."""
    plain = of_look_up()
    text = rfc8785.dumps(plain)
    claims: dict[str, Plain | bytes] = {
        "a claim that is not known": of_look_up(extra=1),
        "a claim that is null": {**plain, "number": None},
        "a claim that is missing": {name: value for name, value in plain.items() if name != "jti"},
        "a claim that stands twice": text.replace(b'{"checks"', b'{"test":true,"checks"', 1),
        "claims with a blank": text.replace(b",", b", ", 1),
        "a time with a fraction": text.replace(b'"iat":', b'"iat":0.5,"x":'),
        "claims that are no JSON": b"\xff\xfe",
        "claims that are very deep": b"[" * 5_000,
    }
    return [(name, jws(what), "CLAIMS_UNKNOWN") for name, what in claims.items()]


def answered(name: str, token: str, reason: str | None, *, by: str = "list") -> Plain:
    """Return a case as it is published."""
    state = "genuine" if reason is None else "not-genuine" if reason in NOT_GENUINE else "cannot-tell"
    return {"name": name, "list": by, "receipt": token, "state": state, **({"reason": reason} if reason else {})}


def pages() -> dict[str, str]:
    """Return the file of vectors."""
    asked = jws(of_look_up())
    cases = (*genuine(asked), *malformed(asked), *by_others(asked), *unknown())
    found = [answered(*case) for case in cases]
    found.append(answered("a list that is over", asked, "TRUST_LIST_EXPIRED", by="expired"))
    whole = {
        "about": " ".join((__doc__ or "").split("Frozen: ")[1].split()),
        "at": made.instant(AT),
        "pinned": made.spki("root"),
        "lists": lists(),
        "cases": found,
    }
    return {FILE: json.dumps(whole, indent=1, ensure_ascii=False) + "\n"}


if __name__ == "__main__":
    for name_, text_ in pages().items():
        (HERE / name_).write_text(text_, encoding="utf-8")

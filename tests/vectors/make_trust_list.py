"""
Write the vectors of the trust list: `python tests/vectors/make_trust_list.py`.

Frozen: a run must change nothing that is published. A verifier that has pinned `pinned`, and seen nothing yet, is given
the `given` lists of a case one after the other at `at`; all but the last are accepted, and `answer` is about the last.

Everything is TEST. The keys are computed from their names, so that signatures come out alike each time: anybody can
sign with them, and nothing else may ever be.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from signer.seal.certificates import TEST_POLICY_OID

HERE = Path(__file__).parent
FILE = "trust_list.json"
AT = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
MAKER, USCC = "甲样例汽车股份有限公司", "91000000MA0TE00019"
OTHER = "乙样例汽车有限公司"
Entry = dict[str, Any]
Subject = list[tuple[x509.ObjectIdentifier, str]]


def key(name: str) -> ec.EllipticCurvePrivateKey:
    """Compute a key from its name."""
    return ec.derive_private_key(
        int.from_bytes(hashlib.sha256(f"signer vectors: {name}".encode()).digest()), ec.SECP256R1()
    )


def spki(name: str) -> str:
    """Return a public key as `next_root` announces it."""
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(key(name).public_key().public_bytes(*form)).decode()


def usage(*, is_ca: bool) -> x509.KeyUsage:
    """Return what an authority, or a seal, may do."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        **dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
        ),
    )


def certificate(
    own: str, issuer: str, subject: list[tuple[x509.ObjectIdentifier, str]], *, above: x509.Name | None
) -> bytes:
    """Make a TEST certificate (DER)."""
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in subject])
    policy = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(TEST_POLICY_OID), None)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above or name)
        .public_key(key(own).public_key())
        .serial_number(int.from_bytes(hashlib.sha256(own.encode()).digest()[:8]))
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=above is None, path_length=None), critical=True)
        .add_extension(usage(is_ca=above is None), critical=True)
        .add_extension(policy, critical=False)
    )
    made = builder.sign(key(issuer), hashes.SHA256(), ecdsa_deterministic=True)
    return made.public_bytes(serialization.Encoding.DER)


CA_NAME = [(NameOID.COMMON_NAME, "TEST authority of the vectors")]
ABOVE = x509.Name([x509.NameAttribute(oid, text) for oid, text in CA_NAME])


def seal_certificate(own: str, name: str) -> bytes:
    """Make a seal's certificate by the naming profile `organization`."""
    subject = [(NameOID.ORGANIZATION_NAME, name), (NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{USCC}")]
    return certificate(own, "authority", subject, above=ABOVE)


def entry(der: bytes, purpose: str, name: str, **more: Any) -> Entry:
    """Return an entry as it stands in a list."""
    return {
        "purpose": purpose,
        "legal_name": name,
        "certificate": base64.b64encode(der).decode(),
        "certificate_digest": hashlib.sha256(der).hexdigest(),
        "chain": [],
        "from_at": "2026-11-21T03:00:00Z",
        "state": "active",
        **more,
    }


CA = entry(certificate("authority", "authority", CA_NAME, above=None), "ca", "TEST authority of the vectors")


def seal(own: str, name: str, **more: Any) -> Entry:
    """Return the entry of a seal."""
    chain = [CA["certificate_digest"]]
    fixed = {"uscc": USCC, "naming_profile": "organization", "seal_class": "TEST", "chain": chain}
    return entry(seal_certificate(own, name), "pdf-seal", MAKER, **{**fixed, **more})


def instant(at: datetime) -> str:
    """Write an instant."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def listed(sequence: int, previous: str | None, entries: list[Entry], **more: Any) -> dict[str, Any]:
    """Return a list's payload."""
    issued = AT - timedelta(hours=10 - sequence)
    plain = {
        "origin": "vectors",
        "sequence": sequence,
        "previous_digest": None if previous is None else hashlib.sha256(previous.encode()).hexdigest(),
        "issued": instant(issued),
        "expires": instant(issued + timedelta(days=30)),
        "test": True,
        "entries": entries,
        "revocation_hosts": [],
        **more,
    }
    return {name: value for name, value in plain.items() if value is not None}


def jws(payload: dict[str, Any] | bytes, *, by: str = "root", header: dict[str, Any] | None = None) -> str:
    """Sign a payload as a compact JWS."""
    kid = hashlib.sha256(base64.b64decode(spki(by))).hexdigest()[:16]
    head = rfc8785.dumps({"alg": "ES256", "kid": kid, "typ": "signer-trust+jwt", **(header or {})})
    body = payload if isinstance(payload, bytes) else rfc8785.dumps(payload)
    whole = f"{encoded(head)}.{encoded(body)}"
    signature = key(by).sign(whole.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(signature)
    return f"{whole}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"


def lists() -> dict[str, str]:
    """Return the lists that the cases name."""
    one = seal("seal", MAKER)
    retired = {**one, "state": "verify-only", "state_since": instant(AT)}
    first = jws(listed(1, None, [CA, one]))
    second = jws(listed(2, first, [CA, retired]))
    announcing = jws(listed(2, first, [CA, one], next_root=spki("next root")))
    by_next = jws(listed(3, announcing, [CA, one]), by="next root")
    plain = listed(2, first, [CA, one])
    return {
        "first": first,
        "second": second,
        "announcing": announcing,
        "by-next": by_next,
        "by-next-unannounced": jws(listed(2, first, [CA, one]), by="next root"),
        "by-first-after-next": jws(listed(4, by_next, [CA, one])),
        "another-second": jws(listed(2, first, [CA, one])),
        "removed": jws(listed(3, second, [CA])),
        "mended": jws(listed(3, second, [CA, one])),
        "forked": jws(listed(2, second, [CA, one])),
        "expired": jws({**plain, "expires": instant(AT - timedelta(hours=1))}),
        "too-long": jws({**plain, "expires": instant(AT + timedelta(days=60))}),
        "two-purposes": jws(listed(2, first, [CA, one, seal("authority", MAKER)])),
        "root-as-seal": jws(listed(2, first, [CA, one, seal("root", MAKER)])),
        "other-name": jws(listed(2, first, [CA, one, seal("other", OTHER)])),
        "unknown-header": jws(plain, header={"zip": "DEF"}),
        "own-key": jws(plain, header={"jwk": {}}),
        "not-canonical": jws(rfc8785.dumps(plain).replace(b",", b", ", 1)),
        "by-stranger": jws(plain, by="stranger"),
        "stranger-in-root-s-name": jws(plain, by="stranger", header={"kid": json.loads(_head(first))["kid"]}),
        "official": jws(listed(2, first, [CA, one, seal("other", MAKER, seal_class="OFFICIAL")])),
    }


def _head(data: str) -> bytes:
    part = data.split(".", maxsplit=1)[0]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


CASES: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("a first list", ("first",), "accepted", ""),
    ("the same list again", ("first", "first"), "accepted", ""),
    ("a seal made verify-only", ("first", "second"), "accepted", ""),
    ("an expired list is read", ("first", "expired"), "accepted", ""),
    ("an announced root", ("first", "announcing", "by-next"), "accepted", ""),
    ("a lower sequence", ("first", "second", "first"), "trust-list-stale", "sequence 1 is older than 2"),
    ("the same sequence, another list", ("second", "another-second"), "trust-list-stale", "another list"),
    ("a removed entry", ("second", "removed"), "invalid-input", "was removed"),
    ("a state that comes back", ("second", "mended"), "invalid-input", "from verify-only to active"),
    ("another predecessor", ("first", "forked"), "invalid-input", "/previous_digest"),
    ("a life of more than 30 days", ("first", "too-long"), "invalid-input", "within 30 days"),
    ("a key with two purposes", ("first", "two-purposes"), "invalid-input", "two purposes"),
    ("the root's key on the list", ("first", "root-as-seal"), "invalid-input", "root of trust lists"),
    ("a certificate of another name", ("first", "other-name"), "invalid-input", "does not name the manufacturer"),
    ("OFFICIAL on a TEST list", ("first", "official"), "invalid-input", "seal_class"),
    ("an unknown header parameter", ("first", "unknown-header"), "invalid-input", "not canonical"),
    ("a header that brings its key", ("first", "own-key"), "invalid-input", "jwk is refused"),
    ("a payload with a blank", ("first", "not-canonical"), "invalid-input", "not canonical JSON"),
    ("another root", ("first", "by-stranger"), "trust-list-stale", "pinned root"),
    ("another root under the root's kid", ("first", "stranger-in-root-s-name"), "trust-list-stale", "signature"),
    ("a next root that nobody announced", ("first", "by-next-unannounced"), "trust-list-stale", "pinned root"),
    ("the first root after the next", ("announcing", "by-next", "by-first-after-next"), "trust-list-stale", "replaced"),
)


def pages() -> dict[str, str]:
    """Return the file that this script writes, by name."""
    cases = [
        {"name": name, "given": list(given), "answer": answer, **({"reason": reason} if reason else {})}
        for name, given, answer, reason in CASES
    ]
    whole = {"pinned": spki("root"), "at": instant(AT), "lists": lists(), "cases": cases}
    return {FILE: json.dumps(whole, ensure_ascii=False, indent=1) + "\n"}


def main() -> None:
    """Write the vectors."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

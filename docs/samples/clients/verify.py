"""Verify confirmations with Python's standard library alone.

    python3 verify.py online URL FILE                                   one file
    python3 verify.py licence URL NUMBER EXPORTER DESTINATION VIN...    what stands on an export licence
    python3 verify.py offline BUNDLE ROOT FILE                          by a bundle, and the root's public key (PEM)

Prints the outcome, what led to it, and TEST where nothing has effect. Exit: 0 pass, 1 fail, 2 review, 3 none.

Offline, a file is known by its SHA-256: it is, byte for byte, one that the register recorded, and stood so at the
bundle's time. The seal itself is not looked at; `signer verify --offline` does all of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Point = tuple[int, int] | None
Answer = dict[str, Any]
Told = tuple[str, str, bool]
EXITS = {"pass": 0, "fail": 1, "review": 2, "none": 3}

# Elliptic curve P-256 (SEC 2, 2.4.2), and ECDSA on it (FIPS 186-5, 6.4.2); a point is (x, y), None is infinity.

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(a: Point, b: Point) -> Point:
    """Return the sum of two points."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    top, bottom = (3 * a[0] * a[0] - 3, 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = top * pow(bottom, -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k: int, point: Point) -> Point:
    """Return k times a point."""
    found = None
    for bit in bin(k)[2:]:
        found = add(found, found)
        if bit == "1":
            found = add(found, point)
    return found


def signed(spki: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature (r and s, 32 bytes each) over a message is by the key of a SubjectPublicKeyInfo."""
    x, y = int.from_bytes(spki[-64:-32], "big"), int.from_bytes(spki[-32:], "big")
    if len(spki) != 91 or not (x < P and y < P) or (y * y - x * x * x + 3 * x - B) % P:
        return False  # 91 bytes: a point of P-256 in its long form; and the point must be on the curve
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not (0 < r < N and 0 < s < N):
        return False
    e, w = int.from_bytes(hashlib.sha256(message).digest(), "big"), pow(s, -1, N)
    point = add(times(e * w % N, G), times(r * w % N, (x, y)))
    return point is not None and point[0] % N == r


# Keys, tokens, bundles


def decoded(text: bytes) -> bytes:
    """Return what stands in base64url."""
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def kid(spki: bytes) -> str:
    """Return the name of a key."""
    return hashlib.sha256(spki).hexdigest()[:16]


def refuse_unsigned(head: bytes, payload: bytes, signature: bytes, spki: bytes, kind: str) -> None:
    """Refuse a token that is not of this kind, or not signed by this key."""
    if json.loads(decoded(head)) != {"alg": "ES256", "kid": kid(spki), "typ": kind}:
        raise SystemExit(f"not a {kind} of this key")
    if not signed(spki, head + b"." + payload, decoded(signature)):
        raise SystemExit(f"the signature of the {kind} is wrong")


def parts(der: bytes) -> list[tuple[bytes, bytes]]:
    """Return the elements of a DER sequence, whole."""
    found, at = [], 0
    while at < len(der):
        size, start = der[at + 1], at + 2
        if size > 127:  # the long form: how many bytes hold the size
            start += size - 128
            size = int.from_bytes(der[at + 2 : start], "big")
        found.append((der[at : start + size], der[start : start + size]))
        at = start + size
    return found


def public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an X.509 certificate (RFC 5280, 4.1): the seventh field of its first part."""
    whole = parts(certificate)[0][1]
    return parts(parts(whole)[0][1])[6][0]


def believed(bundle: bytes, root: bytes) -> tuple[Answer, list[bytes]]:
    """Return the header and the lines of records of a bundle, after everything was checked. SystemExit."""
    first, detached, rest = bundle.split(b"\n", 2)
    trust_list = rest.split(b"\n", 1)[0]
    refuse_unsigned(*trust_list.split(b"."), root, "signer-trust+jwt")
    trust = json.loads(decoded(trust_list.split(b".")[1]))
    header = json.loads(first)
    at = header["complete_until"]  # instants of one form are in order as texts are
    head, _, signature = detached.split(b".")
    for entry in trust["entries"]:
        spki = public_key(base64.b64decode(entry["certificate"]))
        if entry["purpose"] == "bundle" and kid(spki) == json.loads(decoded(head))["kid"]:
            break
    else:
        raise SystemExit("the bundle's key is not on the trust list")
    if entry["state"] != "active" or not entry["from_at"] <= at < entry["until_at"]:
        raise SystemExit("the bundle's key was not entitled")
    payload = base64.urlsafe_b64encode(first).rstrip(b"=")
    refuse_unsigned(head, payload, signature, spki, "signer-bundle+jws")
    if len(rest) != header["size"] or hashlib.sha256(rest).hexdigest() != header["sha256"]:
        raise SystemExit("the bundle is not whole")
    return header, rest.splitlines()[1 + header["counts"]["revocations"] + header["counts"]["seals"] :]


def offline(bundle: str, root: str, file: str) -> Told:
    """Return the outcome of a file by a bundle, what led to it, and whether it is a TEST."""
    pem = Path(root).read_text(encoding="ascii").split("-----")[2]
    header, records = believed(Path(bundle).read_bytes(), base64.b64decode(pem))
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    now = datetime.now(UTC)
    heard = datetime.strptime(header["complete_until"], "%Y-%m-%dT%H:%M:%S%z")
    for record in map(json.loads, records):
        if digest not in record.get("file_digests", ()):
            continue
        standing = record.get("standing", "mixed")
        outcome = {"issued": "pass", "withdrawn": "fail"}.get(standing, "review")
        today = (now + timedelta(hours=8)).date().isoformat()  # in Beijing
        is_over = today > record.get("until", today) or now - heard > timedelta(hours=24)
        return "review" if outcome == "pass" and is_over else outcome, f"{standing} {record['number']}", header["test"]
    return "none", "no such file is on record", header["test"]


# Online


def ask(url: str, path: str, body: bytes, kind: str) -> Answer:
    """Return the answer to a question."""
    question = urllib.request.Request(f"{url.rstrip('/')}/api/v1/{path}", body, {"Content-Type": kind})
    with urllib.request.urlopen(question, timeout=60) as answer:
        return json.load(answer)


def online(url: str, file: str) -> Told:
    """Return the outcome of a file, its code, and whether it is a TEST."""
    told = ask(url, "verify", Path(file).read_bytes(), "application/pdf")
    return told["outcome"], told["code"], told["test"]


def licence(url: str, number: str, exporter: str, destination: str, *vins: str) -> Told:
    """Return the outcome of what stands on a licence, how many vehicles were found, and whether it is a TEST."""
    asked = {"numbers": [number], "exporter": exporter, "destination": destination, "vins": vins}
    told = ask(url, "licence-checks", json.dumps(asked).encode(), "application/json")
    return told["outcome"], f"{told['matched']} of {told['asked']}", told["test"]


if __name__ == "__main__":
    ways = {"online": online, "licence": licence, "offline": offline}
    if len(sys.argv) < 4 or sys.argv[1] not in ways:
        sys.exit(__doc__)
    outcome, why, is_test = ways[sys.argv[1]](*sys.argv[2:])
    print(outcome, why, *["TEST"] * is_test)
    sys.exit(EXITS.get(outcome, 1))  # an outcome that is not known is treated as `fail`

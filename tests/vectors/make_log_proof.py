"""
Write the vectors of the log: `python tests/vectors/make_log_proof.py`.

Frozen: a run must change nothing that is published. A verifier that believes the logs and witnesses of `keys` (those
under `trusted`) answers about the `proof` of a case with `state`, and if it is refused with why: `malformed` (no proof,
or not in its one encoding), `checkpoint` (no log that counts has signed it), `proof` (the leaf is not opened, or not in
the tree).

Everything is TEST. Keys and nonces are computed from their names: anybody can sign with them. The trees, proofs and
CBOR are written out here from RFC 6962 and RFC 8949, not by the program that they test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = Path(__file__).parent
FILE = "log_proof.json"
ORIGIN, OTHER_ORIGIN, WITNESS = "confirm.example.org/log", "other.example.org/log", "witness.example.org/w1"
NUMBERS = ("ESJP6-X3FE9-SJ22", "00000-00000-0000")
USCC = "91000000MA0TE00019"
SECRET = hashlib.sha256(b"TEST issuer secret of the vectors").digest()
MINUTE = 29_930_000
SEEN_AT = 1_795_800_600
Plain = dict[str, Any]


def private(name: str) -> Ed25519PrivateKey:
    """Return the private key of a name."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"TEST {name} of the vectors".encode()).digest())


def key_id(name: str, kind: int) -> bytes:
    """Return a key's id in a note: C2SP signed-note."""
    return hashlib.sha256(
        name.encode() + b"\n" + bytes([kind]) + private(name).public_key().public_bytes_raw()
    ).digest()[:4]


def vkey(name: str, kind: int) -> str:
    """Return a key as it is handed to verifiers."""
    public = base64.b64encode(bytes([kind]) + private(name).public_key().public_bytes_raw()).decode()
    return f"{name}+{key_id(name, kind).hex()}+{public}"


def cbor(value: Any) -> bytes:
    """Encode by RFC 8949, 4.2.1, what leaves are made of."""
    if value is None:
        return b"\xf6"
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode("ascii")
    return head(0, int(value))


def head(major: int, value: int) -> bytes:
    """Return the head of an item, as short as it can be."""
    if value < 24:
        return bytes([major << 5 | value])
    width = next(width for width in (1, 2, 4, 8) if value < 1 << 8 * width)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + value.to_bytes(width, "big")


def tree_hash(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash: RFC 6962, 2.1."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """Return the audit path of a leaf: RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*path(m, leaves[:k]), tree_hash(leaves[k:])]
    return [*path(m - k, leaves[k:]), tree_hash(leaves[:k])]


def consistency(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """Return the proof that the first m leaves begin the tree: RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*consistency(m, leaves[:k], whole=whole), tree_hash(leaves[k:])]
    return [*consistency(m - k, leaves[k:], whole=False), tree_hash(leaves[:k])]


MAKER_KEY = hmac.digest(SECRET, USCC.encode(), "sha256")


def tag(running: int) -> bytes:
    """Return the tag of the manufacturer's n-th leaf."""
    return hmac.digest(MAKER_KEY, b"signer/tag/1" + running.to_bytes(8, "big"), "sha256")


def opening(kind: str, number: str, digest: str, previous: bytes | None = None) -> Plain:
    """Return what opens a leaf."""
    found = {
        "nonce": hashlib.sha256(f"TEST nonce {kind} {number}".encode()).hexdigest(),
        "type": kind,
        "number": number,
        "digest": hashlib.sha256(digest.encode()).hexdigest(),
    }
    return found if previous is None else {**found, "previous": previous.hex()}


def leaf(opened: Plain, running: int, minute: int) -> bytes:
    """Return the bytes of a leaf."""
    previous = bytes.fromhex(opened["previous"]) if "previous" in opened else None
    fields = [opened["type"], opened["number"], tag(running), bytes.fromhex(opened["digest"]), previous]
    commitment = hashlib.sha256(b"signer/leaf/1" + bytes.fromhex(opened["nonce"]) + cbor(fields)).digest()
    return cbor([1, opened["type"], minute, tag(running), commitment])


def text(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


def body(origin: str, leaves: list[bytes]) -> str:
    """Return the text of a checkpoint."""
    return f"{origin}\n{len(leaves)}\n{text(tree_hash(leaves))}\n"


def line(name: str, signed: str, *, by: str | None = None) -> str:
    """Return the line of a log."""
    return f"\u2014 {name} {text(key_id(by or name, 1) + private(by or name).sign(signed.encode()))}\n"


def witness_line(signed: str) -> str:
    """Return the line of a witness: C2SP tlog-cosignature."""
    message = f"cosignature/v1\ntime {SEEN_AT}\n{signed}".encode()
    return (
        f"\u2014 {WITNESS} {text(key_id(WITNESS, 4) + SEEN_AT.to_bytes(8, 'big') + private(WITNESS).sign(message))}\n"
    )


def note(origin: str, leaves: list[bytes], *, more: str = "", by: str | None = None) -> str:
    """Return a signed checkpoint."""
    signed = body(origin, leaves)
    return f"{signed}\n{line(by or origin, signed)}{more}"


def openings() -> list[Plain]:
    """Return the leaves of the log, in order."""
    intent = opening("intent", NUMBERS[0], "content")
    first = hashlib.sha256(b"\0" + leaf(intent, 1, MINUTE)).digest()
    issued = opening("issued", NUMBERS[0], "sealed", first)
    second = hashlib.sha256(b"\0" + leaf(issued, 2, MINUTE)).digest()
    return [
        intent,
        issued,
        opening("backfill", NUMBERS[1], "old content"),
        opening("withdraw", NUMBERS[0], "sealed", second),
        *(opening("intent", NUMBERS[1], f"content {place}") for place in range(4, 11)),
    ]


def proof(place: int, leaves: list[bytes], opened: Plain, **more: Any) -> Plain:
    """Return log-proof.json as an object."""
    return {
        "schema": "signer.log-proof/1",
        "leaf": text(leaves[place]),
        "opening": opened,
        "index": place,
        "path": [text(each) for each in path(place, leaves)],
        "checkpoint": note(ORIGIN, leaves),
        **more,
    }


def accepted(leaves: list[bytes], opened: list[Plain]) -> list[Plain]:
    """Return the proofs that hold."""
    signed = body(ORIGIN, leaves)
    seen = note(ORIGIN, leaves, more=witness_line(signed) + line(OTHER_ORIGIN, signed))
    cases = [(f"leaf {place} of {len(leaves)}", proof(place, leaves, opened[place])) for place in (0, 1, 2, 3, 10)]
    cases.append(("the only leaf", proof(0, leaves[:1], opened[0])))
    cases.append(("seen by a witness, and signed by a stranger", proof(1, leaves, opened[1], checkpoint=seen)))
    return [{"name": name, "proof": jcs(plain), "state": "proven"} for name, plain in cases]


def jcs(plain: Plain) -> str:
    """Return the one encoding."""
    return rfc8785.dumps(plain).decode()


def refused(leaves: list[bytes], opened: list[Plain]) -> list[Plain]:
    """Return the proofs that do not hold, and why."""
    good, steps = proof(1, leaves, opened[1]), [text(each) for each in path(1, leaves)]
    other = [*leaves[:1], leaf(opened[1], 3, MINUTE), *leaves[2:]]
    spaced = json.dumps(good, ensure_ascii=False)
    without = {**opened[1]}
    del without["previous"]
    by_kind: dict[str, dict[str, Plain | str]] = {
        "malformed": {
            "empty": "",
            "not in its one encoding": spaced,
            "another schema": {**good, "schema": "signer.log-proof/2"},
            "an unknown field": {**good, "more": 1},
            "null for what is absent": {**good, "opening": {**opened[0], "previous": None}},
            "a key twice": jcs(good)[:-1] + ',"index":1}',
            "an index that is no number": {**good, "index": "1"},
            "base64 with other last bits": {**good, "path": [steps[0][:-2] + "B=", *steps[1:]]},
            "more hashes than a tree can be high": {**good, "path": steps[:1] * 54},
            "a number whose check does not fit": {**good, "opening": {**opened[1], "number": "ESJP6-X3FE9-SJ23"}},
        },
        "checkpoint": {
            "signed by nobody": {**good, "checkpoint": body(ORIGIN, leaves)},
            "signed by another log in its own name": {**good, "checkpoint": note(OTHER_ORIGIN, leaves)},
            "signed by another log in this one's name": {**good, "checkpoint": note(ORIGIN, leaves, by=OTHER_ORIGIN)},
            "a witness alone": {**good, "checkpoint": f"{body(ORIGIN, leaves)}\n{witness_line(body(ORIGIN, leaves))}"},
            "an extension line": {**good, "checkpoint": extended(leaves)},
            "another size": {**good, "checkpoint": good["checkpoint"].replace("\n11\n", "\n12\n")},
            "a leading zero": {**good, "checkpoint": good["checkpoint"].replace("\n11\n", "\n011\n")},
            "a witness's line of another checkpoint": {
                **good,
                "checkpoint": note(ORIGIN, leaves, more=witness_line(body(ORIGIN, leaves[:5]))),
            },
        },
        "proof": {
            "another index": {**good, "index": 2},
            "an index beyond the tree": {**good, "index": 11},
            "a hash too few": {**good, "path": steps[:-1]},
            "a hash too many": {**good, "path": [*steps, steps[0]]},
            "hashes in another order": {**good, "path": steps[::-1]},
            "a checkpoint of another tree": {**good, "checkpoint": note(ORIGIN, other)},
            "a checkpoint of an older tree": {**good, "checkpoint": note(ORIGIN, leaves[:7])},
            "another leaf's opening": {**good, "opening": opened[0]},
            "another digest": {**good, "opening": {**opened[1], "digest": opened[0]["digest"]}},
            "another nonce": {**good, "opening": {**opened[1], "nonce": opened[0]["nonce"]}},
            "without the leaf before": {**good, "opening": without},
            "a leaf of a later minute": {**good, "leaf": text(leaf(opened[1], 2, MINUTE + 1))},
            "a leaf with another tag": {**good, "leaf": text(leaf(opened[1], 3, MINUTE))},
            "a leaf in longer CBOR": {**good, "leaf": text(b"\x98\x05" + leaves[1][1:])},
            "a leaf with something behind it": {**good, "leaf": text(leaves[1] + b"\0")},
        },
    }
    return [
        {"name": name, "proof": made if isinstance(made, str) else jcs(made), "state": "refused", "why": why}
        for why, cases in by_kind.items()
        for name, made in cases.items()
    ]


def extended(leaves: list[bytes]) -> str:
    """Return a checkpoint with an extension line, rightly signed."""
    signed = f"{body(ORIGIN, leaves)}more\n"
    return f"{signed}\n{line(ORIGIN, signed)}"


def vectors() -> Plain:
    """Return everything."""
    opened = openings()
    leaves = [leaf(each, place, MINUTE + max(0, place - 2)) for place, each in enumerate(opened, start=1)]
    return {
        "about": "TEST. Leaves, trees, proofs and log-proof.json: docs/reference/formats.md, log proofs",
        "trusted": [vkey(ORIGIN, 1), vkey(WITNESS, 4)],
        "tags": {
            "issuer_secret": SECRET.hex(),
            "uscc": USCC,
            "manufacturer_key": MAKER_KEY.hex(),
            "tags": [{"running": running, "tag": tag(running).hex()} for running in (1, 2, 255, 256, 2**40)],
        },
        "leaves": [
            {
                "opening": each,
                "tag": tag(place).hex(),
                "leaf": leaves[place - 1].hex(),
                "leaf_hash": hashlib.sha256(b"\0" + leaves[place - 1]).hexdigest(),
            }
            for place, each in enumerate(opened, start=1)
        ],
        "roots": [tree_hash(leaves[:size]).hex() for size in range(len(leaves) + 1)],
        "consistency": [
            {"old": old, "new": new, "path": [each.hex() for each in consistency(old, leaves[:new])]}
            for old, new in ((1, 2), (3, 7), (4, 8), (6, 11), (8, 11), (11, 11))
        ],
        "cases": [*accepted(leaves, opened), *refused(leaves, opened)],
    }


def main() -> None:
    """Write the file."""
    (HERE / FILE).write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

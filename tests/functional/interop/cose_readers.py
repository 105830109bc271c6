"""
Ask pycose and python-cwt about codes, and let them write some: run with `.venv/oracles` before everything else.

Reads one JSON object: `scalar` of the TEST key, `aad`, `kid`, `codes` (messages in hex) and `payloads` (in hex). Writes
one: what each says of each code with the external data and without, and the messages that each made of each payload.
"""

from __future__ import annotations

import json
import sys

import cwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pycose.algorithms import Es256
from pycose.headers import KID, Algorithm
from pycose.keys import EC2Key
from pycose.messages import CoseMessage, Sign1Message


def pycose_says(message: bytes, key: EC2Key, aad: bytes) -> str:
    """Return the payload in hex, or '' of what it does not believe."""
    found = CoseMessage.decode(message)
    found.key, found.external_aad = key, aad
    return found.payload.hex() if found.verify_signature() else ""


def cwt_says(message: bytes, key: cwt.COSEKey, aad: bytes) -> str:
    """Return the payload in hex, or '' of what it does not believe."""
    try:
        return cwt.COSE.new().decode(message, key, external_aad=aad).hex()
    except cwt.VerifyError:
        return ""


def main() -> None:
    """Answer one question."""
    asked = json.load(sys.stdin)
    private, kid, aad = (
        ec.derive_private_key(int(asked["scalar"]), ec.SECP256R1()),
        bytes.fromhex(asked["kid"]),
        asked["aad"].encode(),
    )
    numbers = private.public_key().public_numbers()
    point = {"x": numbers.x.to_bytes(32, "big"), "y": numbers.y.to_bytes(32, "big")}
    theirs = EC2Key(crv="P_256", **point, d=private.private_numbers().private_value.to_bytes(32, "big"))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = private.private_bytes(*form).decode()
    own = cwt.COSEKey.from_pem(pem, kid=kid)
    codes, payloads = ([bytes.fromhex(one) for one in asked[name]] for name in ("codes", "payloads"))
    made = [
        Sign1Message(phdr={Algorithm: Es256, KID: kid}, payload=one, external_aad=aad, key=theirs).encode().hex()
        for one in payloads
    ]
    also = [
        cwt.COSE.new().encode(one, own, protected={1: -7, 4: kid}, unprotected={}, external_aad=aad).hex()
        for one in payloads
    ]
    answer = {
        "pycose": {
            "with": [pycose_says(one, theirs, aad) for one in codes],
            "without": [pycose_says(one, theirs, b"") for one in codes],
            "made": made,
        },
        "cwt": {
            "with": [cwt_says(one, own, aad) for one in codes],
            "without": [cwt_says(one, own, b"") for one in codes],
            "made": also,
        },
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

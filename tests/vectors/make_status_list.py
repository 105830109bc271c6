"""
Write the vectors of status lists: `python tests/vectors/make_status_list.py`.

Frozen: a run must change nothing that is published. A verifier that has pinned `pinned`, and believes the `list` of a
case at `at`, takes its `token` as the status list `number`, which says `statuses` of its places; or refuses it, for a
reason in which `refused` stands. `told` is what the first list says of a place, `asked_at` an instant, for a code that
was made at `code_at`.

Everything is TEST. The keys are computed from their names, as those of the trust list's vectors are: anybody can sign
with them, and nothing else may ever be. The claims are written out here, not by the program that they test.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import zlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HERE = Path(__file__).parent
FILE = "status_list.json"
BASE = "https://confirm.example.org"
URI = f"{BASE}/.well-known/status/7"
TYP = {"typ": "statuslist+jwt"}
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
STATUSES = (0, 1, 2, 3, 3, 2, 1, 0, 0, 0, 1, 2)


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
    """Return the trust lists that the cases name."""
    revoked = {**changed("revoked", 0.5), "revoked_at": made.instant(AT - timedelta(hours=0.5)), "reason": "key-misuse"}
    entries = [
        made.CA,
        service("status lists", "status"),
        service("bundles", "bundle"),
        service("retired status lists", "status", **changed("verify-only", 2)),
        service("just retired status lists", "status", **changed("verify-only", 0.5)),
        service("revoked status lists", "status", **revoked),
        service("suspended status lists", "status", **changed("suspended", 0.5)),
    ]
    plain = made.listed(7, "the list before", entries, base_url=BASE)
    bare = {name: value for name, value in plain.items() if name != "base_url"}
    return {"list": made.jws(plain), "no address": made.jws(bare)}


def packed(statuses: tuple[int, ...] = STATUSES) -> bytes:
    """Pack statuses of two bits, the first in the lowest ones."""
    found = bytearray(len(statuses) // 4)
    for place, status in enumerate(statuses):
        found[place // 4] |= status << (2 * (place % 4))
    return bytes(found)


def text(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


LST = text(zlib.compress(packed(), 9))


def claims(*, lst: str = LST, **more: Any) -> Plain:
    """Return the claims of a list of an hour ago."""
    found = {"sub": URI, "iat": IAT, "exp": IAT + 604_800, "ttl": 3600, "status_list": {"bits": 2, "lst": lst}, **more}
    return {name: value for name, value in found.items() if value is not None}


def token(plain: Plain | bytes, *, by: str = "status lists", **header: Any) -> str:
    """Sign claims."""
    found: str = made.jws(plain, by=by, header={**TYP, **header})
    return found


def taken() -> Iterator[Plain]:
    """Yield the cases of lists that are taken."""
    by = (
        {"name": "a list", "token": token(claims())},
        {"name": "by a key retired since", "token": token(claims(), by="just retired status lists")},
    )
    for case in by:
        yield {**case, "list": "list", "number": 7, "statuses": list(STATUSES)}
    other = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    stream = text(other.compress(packed()) + other.flush())
    yield {
        "name": "by another compressor",
        "token": token(claims(lst=stream)),
        "list": "list",
        "number": 7,
        "statuses": list(STATUSES),
    }


def refused() -> Iterator[tuple[str, str, str]]:
    """Yield the cases of tokens that are refused: name, token, what the reason says."""
    plain = claims()
    yield "by a key for something else", token(plain, by="bundles"), "names no key"
    yield "by a key that nobody listed", token(plain, by="a stranger"), "names no key"
    yield "by a retired key", token(plain, by="retired status lists"), "retired before"
    yield "by a revoked key", token(plain, by="revoked status lists"), "is revoked"
    yield "by a suspended key", token(plain, by="suspended status lists"), "is suspended"
    yield "of another type", token(plain, typ="JWT"), "typ is"
    yield "with a key of its own", token(plain, jwk={}), "jwk is refused"
    head, body, signature = token(plain).split(".")
    other = body[:-6] + ("A" if body[-6] != "A" else "B") + body[-5:]
    yield "altered", f"{head}.{other}.{signature}", "signature"
    for name, sub in (
        ("of another host", "https://evil.example/.well-known/status/7"),
        ("of a host that only begins so", f"{BASE}.evil.example/.well-known/status/7"),
        ("of another scheme", URI.replace("https", "http")),
        ("of another path", f"{BASE}/status/7"),
        ("with a number that is not in its one form", f"{BASE}/.well-known/status/07"),
    ):
        yield name, token(claims(sub=sub)), "is not a list of"
    yield "of one bit", token(claims(status_list={"bits": 1, "lst": LST})), "bits"
    yield "without an end", token(claims(exp=None)), "exp"
    yield "that ends before it begins", token(claims(exp=IAT)), "ends before"
    yield "with another claim", token(claims(iss="anybody")), "iss"
    yield "with a key twice", token(rfc8785.dumps(plain).replace(b'{"exp"', b'{"exp":1,"exp"')), "twice"
    yield "not canonical", token(rfc8785.dumps(plain).replace(b'":', b'": ', 1)), "canonical"
    whole = zlib.compress(packed(), 9)
    for name, data, says in (
        ("cut off", whole[:-1], "cut off"),
        ("with something after its end", whole + b"\0", "after its end"),
        ("empty", zlib.compress(b""), "empty"),
        ("a bomb", zlib.compress(bytes(2_000_000), 9), "places"),
        ("not zlib", packed(), "no zlib"),
    ):
        yield name, token(claims(lst=text(data))), says
    yield "padded", token(claims(lst=LST + "=" * (-len(LST) % 4 or 4))), "lst"


def told() -> Iterator[Plain]:
    """Yield what the first list says of places, by the hours after it that somebody asks and that the code was made."""
    for name, index, hours, code_hours, status, doubt in (
        ("in force", 0, 1, -1, 0, None),
        ("ended", 1, 1, -1, 1, None),
        ("not now", 2, 1, -1, 2, None),
        ("superseded", 3, 1, -1, 3, None),
        ("made in that very second", 0, 1, 0, 0, None),
        ("a code that is younger than the list", 0, 1, 0.5, None, "STATUS_LIST_OLDER"),
        ("a younger code of a place that has ended", 1, 1, 0.5, None, "STATUS_LIST_OLDER"),
        ("no such place", 12, 1, -1, None, "STATUS_LIST_TOO_SHORT"),
        ("a day old", 0, 24, -1, 0, None),
        ("more than a day old", 0, 25, -1, 0, "STANDING_TOO_OLD"),
        ("ended, and more than a day old", 1, 25, -1, 1, None),
        ("over", 0, 168, -1, 0, "STATUS_LIST_EXPIRED"),
        ("ended, and over", 1, 1000, -1, 1, None),
        ("from the future", 0, -1, -2, 0, "STATUS_LIST_FROM_THE_FUTURE"),
    ):
        begun = AT - timedelta(hours=1)
        yield {
            "name": name,
            "index": index,
            "asked_at": made.instant(begun + timedelta(hours=hours)),
            "code_at": made.instant(begun + timedelta(hours=code_hours)),
            "status": status,
            "doubt": doubt,
        }


def pages() -> dict[str, str]:
    """Return the file of vectors."""
    cases = list(taken())
    cases += [{"name": name, "token": data, "list": "list", "refused": says} for name, data, says in refused()]
    cases.append(
        {"name": "no address on the trust list", "token": token(claims()), "list": "no address", "refused": "where"}
    )
    whole = {
        "about": " ".join((__doc__ or "").split("Frozen: ")[1].split()),
        "at": made.instant(AT),
        "pinned": made.spki("root"),
        "lists": lists(),
        "cases": cases,
        "told": list(told()),
    }
    return {FILE: json.dumps(whole, indent=1, ensure_ascii=False) + "\n"}


if __name__ == "__main__":
    for name_, text_ in pages().items():
        (HERE / name_).write_text(text_, encoding="utf-8")

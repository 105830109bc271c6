"""
A receipt signed, and judged by somebody else: by a listed receipt key, entitled at the time of which it speaks.

Source: docs/reference/formats.md, receipts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from signer.domain import receipt
from signer.domain.trust import Purpose, SealState
from signer.errors import InvalidInput
from signer.seal import jws, service_key
from signer.seal.certificates import Certificate

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.receipt import Claims
    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.jws import Token
    from signer.seal.service_key import ServiceKey

TYPE: Final = "signer-receipt+jwt"
MOST_BYTES: Final = 1_000 + receipt.MOST_BYTES * 4 // 3
CLOCK_SKEW: Final = timedelta(minutes=5)
_FIELD: Final = "receipt"

State = Literal["genuine", "not-genuine", "cannot-tell"]
Reason = Literal[
    "MALFORMED",
    "WRONG_SIGNATURE",
    "NOT_A_RECEIPT_KEY",
    "NOT_ENTITLED",
    "KEY_NOT_LISTED",
    "KEY_REVOKED",
    "KEY_SUSPENDED",
    "TRUST_LIST_EXPIRED",
    "TRUST_LIST_OLDER",
    "CLAIMS_UNKNOWN",
    "FROM_THE_FUTURE",
]
REASONS: Final[dict[Reason, tuple[State, str, str]]] = {
    "MALFORMED": ("not-genuine", "不是凭证，或已损坏", "it is no receipt, or it was damaged"),
    "WRONG_SIGNATURE": ("not-genuine", "签名与所称密钥不符", "its signature is not by the key that it names"),
    "NOT_A_RECEIPT_KEY": ("not-genuine", "签名密钥不用于凭证", "the key that it names is listed for something else"),
    "NOT_ENTITLED": ("not-genuine", "签名密钥当时无权签发", "its key was not entitled at the time that it names"),
    "KEY_NOT_LISTED": ("cannot-tell", "信任名单中没有其密钥", "the trust list does not name its key"),
    "KEY_REVOKED": ("cannot-tell", "其密钥已被吊销", "its key was revoked since"),
    "KEY_SUSPENDED": ("cannot-tell", "其密钥已被暂停", "its key is suspended"),
    "TRUST_LIST_EXPIRED": ("cannot-tell", "手头的信任名单已过期", "the trust list at hand has expired"),
    "TRUST_LIST_OLDER": (
        "cannot-tell",
        "手头的信任名单早于凭证所依据的",
        "the trust list at hand is older than its own",
    ),
    "CLAIMS_UNKNOWN": ("cannot-tell", "签名无误，但内容格式未知", "its key is right, but its form is not known here"),
    "FROM_THE_FUTURE": ("cannot-tell", "所载时间晚于现在", "it names a time to come"),
}
"""What every reason means for the receipt, and its words in Chinese and English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """
    What was found of a receipt. `claims` are there only where the signature is by the listed key `entry`.

    `detail` says in technical English what exactly is wrong.
    """

    state: State
    reason: Reason | None = None
    detail: str = ""
    entry: TrustEntry | None = None
    claims: Claims | None = None


def sign(claims: Claims, *, key: ServiceKey) -> bytes:
    """Return the receipt (compact JWS). Raises KeyUnavailable, KeyElsewhere."""
    return key.sign(receipt.encode(claims), typ=TYPE)


def examine(data: bytes, trust: TrustList, *, at: datetime) -> Examined:
    """Say of any bytes whether they are a genuine receipt, by a trust list that was believed."""
    try:
        token = jws.parse(data, typ=TYPE, field=_FIELD, most_bytes=MOST_BYTES)
    except InvalidInput as error:
        return _answer("MALFORMED", error.reason)
    entry = service_key.entry_of(trust, Purpose.RECEIPT, token.kid)
    if entry is None:
        return _unlisted(token, trust)
    if not token.is_by(service_key.public_key(entry)):
        return _answer("WRONG_SIGNATURE", f"not by the key {token.kid} that it names")
    try:
        claims = receipt.parse(token.payload)
    except InvalidInput as error:
        return _answer("CLAIMS_UNKNOWN", error.reason, entry)
    return _judged(claims, entry, trust, at=at)


def _unlisted(token: Token, trust: TrustList) -> Examined:
    other = next((entry for entry in trust.entries if Certificate(entry.der).key_digest.startswith(token.kid)), None)
    if other is not None:
        return _answer("NOT_A_RECEIPT_KEY", f"the key {token.kid} is listed for {other.purpose}")
    detail = f"the trust list {trust.sequence} names no receipt key {token.kid}"
    return _answer("KEY_NOT_LISTED", detail)


def _judged(claims: Claims, entry: TrustEntry, trust: TrustList, *, at: datetime) -> Examined:
    """Judge the key at the time the receipt speaks of: a failure first, then every doubt."""
    if fault := _entitlement_fault(claims.at, entry):
        return _answer("NOT_ENTITLED", fault)
    doubt = _doubt(claims, entry, trust, at)
    if doubt is None:
        return Examined(state="genuine", entry=entry, claims=claims)
    reason, detail = doubt
    return _answer(reason, detail, entry, claims)


def _entitlement_fault(iat: datetime, entry: TrustEntry) -> str:
    """A retired key vouches for what it said before, and for nothing after; a revoked one is a matter of doubt."""
    if not entry.is_entitled(iat):
        return "its key was not entitled at that time"
    since = entry.state_since
    if entry.state is SealState.VERIFY_ONLY and (since is None or iat >= since):
        return "its key had been retired by then"
    return ""


def _doubt(claims: Claims, entry: TrustEntry, trust: TrustList, at: datetime) -> tuple[Reason, str] | None:
    """A receipt names its own time, which nobody else proves: a revoked key makes all of its receipts doubtful."""
    if entry.state is SealState.REVOKED:
        return "KEY_REVOKED", f"its key was revoked: {entry.reason or 'no reason is given'}"
    if entry.state is SealState.SUSPENDED:
        return "KEY_SUSPENDED", "its key is suspended"
    if trust.is_expired(at):
        return "TRUST_LIST_EXPIRED", f"the trust list {trust.sequence} expired at {trust.expires:%Y-%m-%dT%H:%M:%SZ}"
    if claims.trust_list is not None and claims.trust_list > trust.sequence:
        return "TRUST_LIST_OLDER", f"it was made under the list {claims.trust_list}; {trust.sequence} is at hand"
    if claims.at > at + CLOCK_SKEW:
        return "FROM_THE_FUTURE", "it is of a time to come: is the clock right?"
    return None


def _answer(reason: Reason, detail: str, entry: TrustEntry | None = None, claims: Claims | None = None) -> Examined:
    return Examined(state=REASONS[reason][0], reason=reason, detail=detail, entry=entry, claims=claims)

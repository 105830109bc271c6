"""The value holds the listed signer twice, with somebody else beside, or nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asn1crypto import cms as asn1
from forged import P256, forged, listed, with_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    yield forged(genuine, listed(genuine, times=2))
    yield forged(genuine, listed(genuine, times=3))
    yield forged(genuine, listed(genuine, times=0))
    own = listed(genuine)
    key: Any = genuine.ours.seal("beichen")
    other = listed(genuine, certificate=key.certificate, sign=lambda data: key._key.sign(data, P256))
    start, end = genuine.gap
    covered = genuine.pdf[: start - 1] + genuine.pdf[end + 1 :]
    both = [asn1.ContentInfo.load(one.over(covered)) for one in (own, other)]
    first = both[0]["content"]
    first["signer_infos"] = asn1.SignerInfos([one["content"]["signer_infos"][0] for one in both])
    first["certificates"].append(asn1.CertificateChoices.load(key.certificate.der))
    yield with_value(genuine, asn1.ContentInfo({"content_type": "signed_data", "content": first}).dump(force=True))

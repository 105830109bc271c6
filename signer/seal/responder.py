"""
The built-in TEST responder: OCSP by the TEST authorities themselves, in this process, in test mode only.

What is revoked stands in the file `revoked` of the PKI's folder, one `digest instant` a line. Source: RFC 6960.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from asn1crypto import core, ocsp
from asn1crypto import x509 as asn1_x509

from signer.domain.values import format_instant, parse_instant
from signer.errors import Misconfigured, RevocationUnavailable
from signer.seal import der, revocation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from signer.seal.keys import SealKey
    from signer.seal.revocation import Kind, Link

REVOKED_FILE: Final = "revoked"
LASTS: Final = timedelta(days=1)
_LINE: Final = re.compile(r"(?P<digest>[0-9a-f]{64}) (?P<at>\S+)")
_BIT_STRING: Final = 0x03


def revoke(folder: Path, certificate_digest: str, *, at: datetime) -> None:
    """Note in a TEST PKI's folder that a certificate is revoked from an instant on."""
    with (folder / REVOKED_FILE).open("a", encoding="ascii") as file:
        file.write(f"{certificate_digest} {format_instant(at)}\n")


def revoked(folder: Path) -> dict[str, datetime]:
    """Read what is revoked in a TEST PKI: certificate digest -> instant. Raises Misconfigured."""
    path = folder / REVOKED_FILE
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="ascii").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise Misconfigured(f"{path}: not `digest instant`: {line[:80]!r}")
        found[match["digest"]] = parse_instant(match["at"])
    return found


class TestResponder:
    """Answers for every certificate below its authorities: good, unless `revocations()` says from when not."""

    __test__ = False
    name: Final = "the built-in TEST responder"
    kind: Final[Kind] = "ocsp"

    def __init__(
        self,
        authorities: Iterable[SealKey],
        *,
        revocations: Callable[[], dict[str, datetime]],
        clock: Callable[[], datetime],
        is_test_mode: bool,
    ) -> None:
        if not is_test_mode:
            raise Misconfigured("the built-in TEST responder is for test mode only; list `revocation_hosts`")
        self._authorities = {key.certificate.digest: key for key in authorities}
        if not all(key.certificate.is_test for key in self._authorities.values()):
            raise Misconfigured("the built-in TEST responder takes authorities with the TEST policy only")
        self._revocations = revocations
        self._clock = clock

    def ask(self, link: Link) -> bytes:
        """Return an OCSPResponse (DER) signed by the issuer itself, good for a day."""
        key = self._authorities.get(link.issuer.digest)
        if key is None:
            raise RevocationUnavailable(f"does not speak for {link.issuer.subject}")
        data = self._response_data(link).dump()
        signature = der.encode(_BIT_STRING, b"\0", key.sign_raw(data))
        basic = der.encode(der.SEQUENCE, data, key.capabilities.scheme.signature_identifier, signature)
        answer = {
            "response_status": "successful",
            "response_bytes": {"response_type": "basic_ocsp_response", "response": core.ParsableOctetString(basic)},
        }
        dumped: bytes = ocsp.OCSPResponse(answer).dump()
        return dumped

    def _response_data(self, link: Link) -> ocsp.ResponseData:
        now = self._clock().replace(microsecond=0)
        revoked_at = self._revocations().get(link.certificate.digest)
        is_good = revoked_at is None or revoked_at > now
        ended = None if is_good else ocsp.RevokedInfo({"revocation_time": revoked_at})
        single = {
            "cert_id": revocation.certificate_id(link, digest="sha256"),
            "cert_status": ocsp.CertStatus("good") if is_good else ocsp.CertStatus("revoked", ended),
            "this_update": now,
            "next_update": now + LASTS,
        }
        named = ocsp.ResponderId("by_name", asn1_x509.Name.load(link.issuer.name))
        return ocsp.ResponseData({"responder_id": named, "produced_at": now, "responses": [single]})

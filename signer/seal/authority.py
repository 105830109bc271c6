"""The built-in TEST timestamping authority: in this process, in test mode only. Source: RFC 3161."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC
from typing import TYPE_CHECKING

from asn1crypto import core, tsp

from signer.errors import Misconfigured
from signer.seal import certificates, cms, der

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.seal.keys import SealKey


_REJECTED = der.encode(
    der.SEQUENCE, tsp.PKIStatusInfo({"status": "rejection", "fail_info": {"bad_data_format"}}).dump()
)
_POLICY = core.ObjectIdentifier(certificates.TEST_POLICY_OID).dump()
_GENERALIZED_TIME = 0x18
_GRANTED = tsp.PKIStatusInfo({"status": "granted"}).dump()


class TestAuthority:
    """Answers timestamp queries with the time of `clock`. Its tokens prove nothing: it is its own witness."""

    __test__ = False
    name = "the built-in TEST authority"

    def __init__(self, key: SealKey, *, clock: Callable[[], datetime], is_test_mode: bool) -> None:
        if not is_test_mode:
            raise Misconfigured("the built-in TEST authority is for test mode only; set SIGNER_TSA_URLS")
        if not key.certificate.is_test:
            raise Misconfigured("the built-in TEST authority takes a certificate with the TEST policy only")
        if fault := certificates.tsa_usage_fault(key.certificate):
            raise Misconfigured(f"the TEST authority's certificate may not make timestamps: {fault}")
        self._key = key
        self._clock = clock

    def answer(self, query: bytes) -> bytes:
        """Return a TimeStampResp (DER); a query that is none is rejected in RFC 3161's way."""
        try:
            request = tsp.TimeStampReq.load(query, strict=True)
            imprint = request["message_imprint"]
            is_sha256 = imprint["hash_algorithm"]["algorithm"].native == "sha256"
            if not is_sha256 or len(imprint["hashed_message"].native) != hashlib.sha256().digest_size:
                return _REJECTED
            nonce = request["nonce"].native
        except (ValueError, TypeError, KeyError):
            return _REJECTED
        return der.encode(der.SEQUENCE, _GRANTED, self._token(imprint, nonce))

    def _token(self, imprint: tsp.MessageImprint, nonce: int | None) -> bytes:
        genuine = f"{self._clock().astimezone(UTC):%Y%m%d%H%M%SZ}".encode()
        fields = [
            der.integer(1),
            _POLICY,
            imprint.dump(),
            der.integer(secrets.randbits(127) | 1 << 126),
            der.encode(_GENERALIZED_TIME, genuine),
            der.encode(der.SEQUENCE, der.integer(1)),  # its accuracy: a second
        ]
        content = der.encode(der.SEQUENCE, *fields, *(() if nonce is None else (der.integer(nonce),)))
        digest = hashlib.new(self._key.capabilities.scheme.digest, content).digest()
        attributes, signature = cms.sign(self._key, content_type=cms.TST_INFO, digest=digest)
        return cms.assemble(self._key, attributes=attributes, signature=signature, content=content)

"""What fuzzing found: bytes that were read at first, and failed whoever asked more of them later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asn1crypto import keys, x509

from signer.errors import InvalidInput
from signer.seal import certificates

if TYPE_CHECKING:
    from tests.pki import World


def test_a_curve_that_somebody_made_up_is_no_certificate(world: World) -> None:
    made = x509.Certificate.load(world.maker("hengyuan").certificate.der)
    curve = keys.SpecifiedECDomain(
        {
            "version": 1,
            "field_id": {"field_type": "prime_field", "parameters": 2**256 - 189},
            "curve": {"a": b"1" * 32, "b": b"2" * 32},
            "base": b"\x04" + b"3" * 64,
            "order": 2**256 - 5,
            "cofactor": 1,
        }
    )
    info = made["tbs_certificate"]["subject_public_key_info"]
    info["algorithm"] = {"algorithm": "ec", "parameters": keys.ECDomainParameters(name="specified", value=curve)}
    with pytest.raises(InvalidInput, match="explicit"):
        certificates.load(made.dump(force=True))


def test_a_name_that_is_no_text_is_no_certificate(world: World) -> None:
    own = world.maker("hengyuan").certificate
    name = "恒远示例汽车制造有限公司".encode()
    broken = name[:6] + b"\xff" + name[7:]
    assert name in own.der
    with pytest.raises(InvalidInput, match="utf-8"):
        certificates.load(own.der.replace(name, broken))

"""What keys outside this process have in common: only a digest leaves, and what comes back is checked."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from cryptography import x509

from signer.errors import KeyUnavailable, Misconfigured
from signer.seal import algorithms, keys

if TYPE_CHECKING:
    from pathlib import Path

    from signer.seal.algorithms import Scheme
    from signer.seal.certificates import Certificate

TRIAL: Final = b"signer: a trial of this key over this sentence; it seals nothing\n"
"""
What a key signs to be tried. It can be taken for nothing else: what a seal signs begins with the tag of a SET, a
certificate with that of a SEQUENCE, a PDF with a per cent sign.
"""


class OutsideKey(keys.Held):
    """A key in a store: asked for a signature, and never believed before the signature fits the certificate."""

    __slots__ = ("name",)

    def __init__(
        self,
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        *,
        capabilities: keys.Capabilities,
        name: str,
    ) -> None:
        super().__init__(certificate, chain, capabilities=capabilities)
        self.name = name

    def _sign(self, data: bytes) -> bytes:
        signature = self._ask(data)
        if not fits(signature, data, certificate=self.certificate, scheme=self.capabilities.scheme):
            raise Misconfigured(
                f"{self.name}: the store's signature is not by the key of the certificate: "
                "do descriptor, key and certificate belong together?"
            )
        return signature

    @abstractmethod
    def _ask(self, data: bytes) -> bytes:
        """Return what the store says is the signature over `data`. Raises KeyUnavailable."""

    def _digest(self, data: bytes) -> bytes:
        return hashlib.new(self.capabilities.scheme.digest, data).digest()


def fits(signature: bytes, data: bytes, *, certificate: Certificate, scheme: Scheme) -> bool:
    """Tell whether a signature is one over `data` by a certificate's key, made by a scheme."""
    return algorithms.verifies(
        signature,
        data,
        certificate=certificate.parsed,
        identifier=scheme.signature_identifier,
        digest=scheme.digest,
    )


def read_certificates(path: Path) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Read PEM certificates, the key's own first; return it, and the authorities. Raises KeyUnavailable."""
    try:
        members = x509.load_pem_x509_certificates(keys.read_file(path))
    except ValueError as error:
        raise Misconfigured(f"{path}: no PEM certificates: the key's own must stand first") from error
    own, *chain = (keys.certificate_of(member, name=str(path)) for member in members)
    return own, in_order(own, tuple(chain))


def in_order(own: Certificate, others: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    """Return the authorities above a certificate, its issuer first, by name; no root, and nobody else."""
    chain: list[Certificate] = []
    link = own
    while not link.is_self_issued:
        above = next((one for one in others if one.name == link.issuer and one not in chain), None)
        if above is None:
            break
        chain.append(above)
        link = above
    return keys.without_roots(chain)


def unavailable(name: str, why: str, *, next_step: str) -> KeyUnavailable:
    """Return the error that names a fault of a store and what to do next."""
    return KeyUnavailable(f"{name}: {why}: {next_step}")

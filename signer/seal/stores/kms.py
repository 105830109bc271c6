"""
Keys of cloud services: a class of one's own, with one method to write, named in a descriptor.

How: docs/how-to/keep-a-key-in-a-cloud.md, whose example a test runs.
"""

from __future__ import annotations

import importlib
from abc import abstractmethod
from typing import TYPE_CHECKING

from signer.errors import Misconfigured
from signer.seal import keys
from signer.seal.stores import descriptor, outside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from signer.seal.algorithms import Scheme
    from signer.seal.certificates import Certificate
    from signer.seal.stores.descriptor import KmsStore


class KmsKey(outside.OutsideKey):
    """
    A key of a cloud service. Subclass it, and write `sign_digest`.

    `options` are the descriptor's, `secret` is what its `secret_file` holds (b"" if it names none). One thread at a
    time asks, in one process; what `sign_digest` returns is checked against the certificate before it is used.
    """

    def __init__(
        self,
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        *,
        scheme: Scheme,
        name: str,
        options: Mapping[str, str],
        secret: bytes,
    ) -> None:
        capabilities = keys.Capabilities(store="kms", scheme=scheme)
        super().__init__(certificate, chain, capabilities=capabilities, name=name)
        self.options = options
        self.secret = secret

    def _ask(self, data: bytes) -> bytes:
        return self.sign_digest(self._digest(data), scheme=self.capabilities.scheme)

    @abstractmethod
    def sign_digest(self, digest: bytes, *, scheme: Scheme) -> bytes:
        """
        Return the signature over a digest: DER (`ECDSA-Sig-Value`) for ECDSA, the key's length for RSA.

        `scheme.name` is `ecdsa-p256`, `ecdsa-p384`, `rsa` (PKCS #1 v1.5) or `rsa-pss` (salt as long as the digest),
        `scheme.digest` is `sha256` or `sha384`. Raise KeyUnavailable, naming the fault, if the service does not sign.
        """


def open_key(path: Path, described: KmsStore, *, at: datetime) -> KmsKey:
    """Make the key that a descriptor names. Raises Misconfigured, KeyUnavailable."""
    own, chain = outside.read_certificates(descriptor.beside(path, described.certificate))
    scheme = keys.admitted(own, at=at, name=str(path), is_pss=described.scheme == "rsa-pss")
    secret = descriptor.secret(descriptor.beside(path, described.secret_file)) if described.secret_file else b""
    made = _driver(path, described.driver)(
        own, chain, scheme=scheme, name=str(path), options=described.options, secret=secret
    )
    made.sign_raw(outside.TRIAL)
    return made


def _driver(path: Path, name: str) -> type[KmsKey]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise Misconfigured(f"{path}: driver {name!r} cannot be imported: is its package installed here?") from error
    if not (isinstance(found, type) and issubclass(found, KmsKey)):
        raise Misconfigured(f"{path}: driver {name!r} is no subclass of signer.seal.stores.kms.KmsKey")
    return found

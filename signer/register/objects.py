"""Sealed files in an object store that speaks S3 (or any other that obstore knows); the extra `s3`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from signer.errors import Misconfigured, NotFound, StorageUnavailable
from signer.register.blobs import checked, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class ObjectBlobs:
    """Blobs as objects `ab/abcdef…` under the address's prefix; the store's own credentials come from its own names."""

    def __init__(self, url: str) -> None:
        try:
            self._store = from_url(url)
        except (BaseError, ValueError) as error:
            raise Misconfigured(f"SIGNER_BLOB_URL: {error}") from error

    def put(self, data: bytes) -> bytes:
        """Store bytes and return their SHA-256 (32 bytes); an object appears whole or not at all."""
        digest = hashlib.sha256(data).digest()
        try:
            obstore.put(self._store, _name(digest), data)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"the file cannot be stored: {error}") from error
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the bytes of a digest; NotFound if absent, StorageUnavailable if what is there is not them."""
        try:
            data = bytes(obstore.get(self._store, _name(digest)).bytes())
        except FileNotFoundError as error:
            raise NotFound(f"no stored file {digest.hex()[:16]}") from error
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"the file cannot be read: {error}") from error
        return checked(data, digest)

    def digests(self) -> Iterator[bytes]:
        """Name everything that is stored, in no order."""
        try:
            for chunk in obstore.list(self._store):
                for found in chunk:
                    if (digest := digest_of(found["path"].rpartition("/")[2])) is not None:
                        yield digest
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"the store cannot be listed: {error}") from error


def _name(digest: bytes) -> str:
    name = digest.hex()
    return f"{name[:2]}/{name}"

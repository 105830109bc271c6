"""Open the key of a seal, wherever it is: one object a process, which holds the tokens that are logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.errors import Misconfigured
from signer.seal import keys
from signer.seal.stores import descriptor, kms
from signer.seal.stores.pins import Pins

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.seal.keys import SealKey
    from signer.seal.stores.descriptor import CscStore, FileStore, Pkcs11Store, Store
    from signer.seal.stores.pkcs11 import Token


class Stores:
    """
    The stores of a deployment.

    Args:
        folder: where key files and descriptors are.
        memory: where failed PINs are remembered, for all processes.
        password: gives the password of key files that have none of their own.

    """

    def __init__(self, folder: Path, *, memory: Path, password: Callable[[], bytes]) -> None:
        self._folder = folder
        self._pins = Pins(memory)
        self._password = password
        self._tokens: dict[tuple[str, str, str | None], Token] = {}

    def open(self, name: str, *, at: datetime) -> SealKey:
        """
        Open a key by its name: a key file or a descriptor, relative to the folder of keys.

        Raises:
            KeyUnavailable: the store cannot be reached, a secret is wrong, the certificate is not valid at `at`.
            Misconfigured: descriptor, key and certificate do not fit together, or may not be used to seal.

        """
        path = self._folder / name
        if not name.endswith(descriptor.SUFFIX):
            return keys.load(path, password=self._password(), at=at)
        return self._open(path, descriptor.read(path), at)

    def secret_files(self, name: str) -> tuple[Path, ...]:
        """Return the files of secrets by which a key is opened."""
        path = self._folder / name
        return descriptor.secret_files(path, descriptor.read(path)) if name.endswith(descriptor.SUFFIX) else ()

    def _open(self, path: Path, described: Store, at: datetime) -> SealKey:
        if described.store == "file":
            return self._open_file(path, described, at)
        if described.store == "pkcs11":
            return self._open_token(path, described, at)
        if described.store == "csc":
            return self._open_remote(path, described, at)
        return kms.open_key(path, described, at=at)

    def _open_file(self, path: Path, described: FileStore, at: datetime) -> SealKey:
        own = described.password_file
        secret = descriptor.secret(descriptor.beside(path, own)) if own else self._password()
        is_pss = described.scheme == "rsa-pss"
        return keys.load(descriptor.beside(path, described.file), password=secret, at=at, is_pss=is_pss)

    def _open_token(self, path: Path, described: Pkcs11Store, at: datetime) -> SealKey:
        try:
            from signer.seal.stores import pkcs11  # noqa: PLC0415 - an optional driver
        except ImportError as error:
            raise Misconfigured(f"{path}: keys in tokens need the extra: pip install 'signer[pkcs11]'") from error
        which = (described.module, described.token, described.serial)
        if which not in self._tokens:
            self._tokens[which] = pkcs11.Token(path, described, pins=self._pins)
        return pkcs11.open_key(path, described, self._tokens[which], at=at)

    def _open_remote(self, path: Path, described: CscStore, at: datetime) -> SealKey:
        try:
            from signer.seal.stores import csc  # noqa: PLC0415 - an optional driver
        except ImportError as error:
            raise Misconfigured(f"{path}: remote keys need the extra: pip install 'signer[csc]'") from error
        return csc.open_key(path, described, pins=self._pins, at=at)

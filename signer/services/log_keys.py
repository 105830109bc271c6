"""The log's key and its secret: opened when first needed, and again when their files change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from signer.errors import KeyUnavailable
from signer.seal import log_key, log_trust
from signer.services.witnesses import password
from signer.transparency import checkpoints, notes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.log_leaf import LogProof
    from signer.seal.log_key import LogKey
    from signer.services.trust import TrustSource
    from signer.settings import Settings


class LogKeys:
    """What a log needs to be written: the key that signs its checkpoints, and the secret that tags its leaves."""

    def __init__(self, settings: Settings, *, trust: TrustSource, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._trust = trust
        self._clock = clock
        self._kept: tuple[tuple[int, int, int], LogKey] | None = None

    @property
    def are_there(self) -> bool:
        """Tell whether there is a key at all."""
        return (self._settings.keys / log_key.FILE).exists()

    def open(self) -> LogKey:
        """
        Return the key that signs checkpoints now.

        Raises KeyUnavailable if there is none or it cannot be opened; Misconfigured, InvalidInput or TrustListStale if
        it, or the trust list, is not as it must be.
        """
        at, path = self._clock(), self._settings.keys / log_key.FILE
        try:
            stat = path.stat()
        except OSError as error:
            raise KeyUnavailable(f"{path}: {error.strerror}: nothing goes into the log") from error
        version = (os.getpid(), stat.st_mtime_ns, stat.st_ino)
        kept = self._kept
        if kept is None or kept[0] != version:
            kept = (version, log_key.load(path, password=password(self._settings)))
        self._kept = kept
        return log_key.admit(kept[1], self._trust.current(at), at=at)

    def origin(self) -> str:
        """Return the log's name: by the trust list, where verifiers look it up; else by our own address."""
        listed = self._trust.current(self._clock()).base_url
        return log_trust.origin(listed or self._settings.base_url)

    def are_listed(self, proof: LogProof) -> bool:
        """Tell whether verifiers would believe a proof of ours: the trust list calls the log as its head does."""
        listed = self._trust.current(self._clock()).base_url
        name = checkpoints.parse(notes.split(proof.checkpoint)[0]).origin
        return listed is not None and log_trust.origin(listed) == name

    def secret(self, *, is_new: bool) -> bytes:
        """Return the secret that tags leaves; made if the log `is_new`. KeyUnavailable, Misconfigured."""
        path = self._settings.keys / log_key.SECRET_FILE
        if is_new:
            log_key.make_secret(path)
        return log_key.read_secret(path)

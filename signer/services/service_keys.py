"""The service's own keys, one for each purpose: opened when first needed, by the stores of the seals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.trust import Purpose
from signer.errors import KeyUnavailable, SignerError
from signer.seal import service_key
from signer.seal.stores import examining

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry
    from signer.seal.keys import SealKey
    from signer.seal.service_key import ServiceKey
    from signer.services.engines import SealBox
    from signer.services.trust import TrustSource
    from signer.settings import Settings

WITHOUT = {
    Purpose.RECEIPT: "verdicts go out without a receipt",
    Purpose.BUNDLE: "no offline bundle can be made",
    Purpose.STATUS: "no status list is published: codes on paper cannot be judged offline",
}
"""What a deployment goes without if it has no key for a purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A key of the service as it was found; without `entry` the trust list does not name it, or it is not there."""

    purpose: Purpose
    name: str
    entry: TrustEntry | None
    found: tuple[examining.Found, ...]


class ServiceKeys:
    """Open and look at the keys of a deployment that are no seals: one for each purpose in `domain.trust.SERVICES`."""

    def __init__(self, settings: Settings, *, trust: TrustSource, box: SealBox, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._trust = trust
        self._box = box
        self._clock = clock
        self._found: dict[Purpose, tuple[int, str]] = {}

    def open(self, purpose: Purpose) -> ServiceKey:
        """
        Return the key that signs for a purpose now.

        Raises KeyUnavailable if there is none or it cannot be opened; Misconfigured, InvalidInput or TrustListStale
        if it, or the trust list, is not as it must be.
        """
        at = self._clock()
        return service_key.admit(self._key(purpose, at), self._trust.current(at), purpose, at=at)

    def examine(self, purpose: Purpose) -> Examined:
        """Look at a purpose's key, and try it; every fault by its name, with what to do next. None there: a warning."""
        try:
            return self._examined(purpose, self.name(purpose))
        except SignerError as error:
            is_missing = isinstance(error, KeyUnavailable)
            told = f"{error}: {WITHOUT[purpose]}" if is_missing else str(error)
            found = examining.Found("store", "warning" if is_missing else "error", told)
            return Examined(purpose=purpose, name=purpose.value, entry=None, found=(found,))

    def _examined(self, purpose: Purpose, name: str) -> Examined:
        at = self._clock()
        entries: list[TrustEntry | None] = [None]

        def list_fault(key: SealKey) -> str:
            trust = self._trust.current(at)
            entries.append(trust.by_digest(key.certificate.digest))
            return service_key.list_fault(key, trust, purpose, at=at)

        found = examining.examine_service(
            lambda: self._key(purpose, at),
            list_fault,
            usage_fault=service_key.usage_fault,
            at=at,
            secrets=lambda: self._box.secret_files(name),
        )
        return Examined(purpose=purpose, name=name, entry=entries[-1], found=found)

    def name(self, purpose: Purpose) -> str:
        """Return the file of a purpose's key, in the folder of keys. Raises KeyUnavailable, Misconfigured."""
        folder = self._settings.keys
        stamp = _stamp(folder)
        found = self._found.get(purpose)
        if found is None or found[0] != stamp:
            found = self._found[purpose] = (stamp, service_key.find(folder, purpose))
        return found[1]

    def _key(self, purpose: Purpose, at: datetime) -> SealKey:
        return self._box.open_other(self.name(purpose), at=at)


def _stamp(folder: Path) -> int:
    """Return when names in a folder last changed, in nanoseconds; 0 for one that is not there."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0

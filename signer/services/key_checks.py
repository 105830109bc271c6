"""`signer keys check`: can every configured seal be used, and if not, what exactly is wrong and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import NotFound
from signer.register import parties

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database
    from signer.seal.stores.examining import Found
    from signer.services.engines import SealBox


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedKey:
    """A seal in the register, and what was found of its key."""

    legal_name: str
    certificate_digest: str
    key_ref: str
    state: str
    found: tuple[Found, ...]

    @property
    def is_fit(self) -> bool:
        """Tell whether nothing is wrong; what is only to be seen to soon is not wrong."""
        return all(found.health != "error" for found in self.found)


class KeyChecking:
    """Look at the keys of the seals that the register holds."""

    def __init__(self, *, database: Database, seals: SealBox, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._seals = seals
        self._clock = clock

    def check(self, name: str = "") -> tuple[CheckedKey, ...]:
        """
        Look at every key, or at those of a name: a key's file, the beginning of a certificate's SHA-256, a maker.

        Each is tried by one signature that seals nothing. Raises NotFound if no seal has such a name.
        """
        at = self._clock()
        with self._database.read() as tx:
            owned = [
                (tenant.manufacturer, seal)
                for tenant in parties.tenants(tx)
                for seal in parties.seals_of(tx, scope=tenant.scope, at=at)
            ]
        wanted = [
            (maker, seal)
            for maker, seal in owned
            if not name
            or name in (seal.key_ref, maker.legal_name, maker.uscc)
            or (len(name) >= 8 and seal.certificate_digest.startswith(name.lower()))
        ]
        if name and not wanted:
            raise NotFound(f"no seal in the register has the key, digest or maker {name!r}")
        return tuple(
            CheckedKey(
                legal_name=maker.legal_name,
                certificate_digest=seal.certificate_digest,
                key_ref=seal.key_ref,
                state=seal.state,
                found=self._seals.examine_key(seal, at=at),
            )
            for maker, seal in wanted
        )

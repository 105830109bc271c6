"""`signer keys check`: can every key be used, and if not, what exactly is wrong and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.trust import SERVICES
from signer.errors import NotFound
from signer.register import parties
from signer.seal import pki

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.parties import Manufacturer
    from signer.register.database import Database
    from signer.seal.stores.examining import Found
    from signer.services.engines import SealBox
    from signer.services.paper_seal import ExaminedPaperKey, PaperSeal
    from signer.services.service_keys import Examined, ServiceKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedKey:
    """A seal in the register, or a key of the service, and what was found of it; what is not known is empty."""

    legal_name: str
    certificate_digest: str
    key_ref: str
    state: str
    found: tuple[Found, ...]
    is_seal: bool = True
    uscc: str = ""

    @property
    def is_fit(self) -> bool:
        """Tell whether nothing is wrong; what is only to be seen to soon is not wrong."""
        return all(found.health != "error" for found in self.found)


class KeyChecking:
    """Look at the keys of the seals that the register holds, and at those of the service."""

    def __init__(
        self,
        *,
        database: Database,
        seals: SealBox,
        service_keys: ServiceKeys,
        paper: PaperSeal,
        clock: Callable[[], datetime],
    ) -> None:
        self._paper = paper
        self._database = database
        self._seals = seals
        self._service_keys = service_keys
        self._clock = clock

    def check(self, name: str = "") -> tuple[CheckedKey, ...]:
        """
        Look at every key, or at those of a name.

        That is a key's file, the beginning of a certificate's SHA-256, a maker, or a purpose of the service; of a maker
        that seals, its key for codes on paper as well. Each is
        tried by one signature that seals nothing. Raises NotFound if no key has such a name.
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
        others = (*self.of_paper(), *self.of_the_service())
        own = tuple(one for one in others if not name or _is_named(one, name))
        if name and not wanted and not own:
            raise NotFound(f"no seal in the register has the key, digest or maker {name!r}")
        found = tuple(
            CheckedKey(
                legal_name=maker.legal_name,
                certificate_digest=seal.certificate_digest,
                key_ref=seal.key_ref,
                state=seal.state,
                found=self._seals.examine_key(seal, at=at),
            )
            for maker, seal in wanted
        )
        return found + own

    def of_paper(self) -> tuple[CheckedKey, ...]:
        """Look at the keys for codes on paper of the manufacturers that seal."""
        at = self._clock()
        with self._database.read() as tx:
            makers = [one.manufacturer for one in parties.tenants(tx) if parties.seals_of(tx, scope=one.scope, at=at)]
        return tuple(_of_paper(maker, self._paper.examine(maker)) for maker in makers)

    def of_the_service(self) -> tuple[CheckedKey, ...]:
        """Look at the keys of the service, one for each purpose."""
        return tuple(_checked(self._service_keys.examine(purpose)) for purpose in sorted(SERVICES))


def _checked(one: Examined) -> CheckedKey:
    return CheckedKey(
        legal_name=one.entry.legal_name if one.entry else f"the service's {one.purpose} key",
        certificate_digest=one.entry.certificate_digest if one.entry else "",
        key_ref=one.name,
        state=one.entry.state if one.entry else "",
        found=one.found,
        is_seal=False,
    )


def _of_paper(maker: Manufacturer, one: ExaminedPaperKey) -> CheckedKey:
    return CheckedKey(
        legal_name=maker.legal_name,
        certificate_digest=one.entry.certificate_digest if one.entry else "",
        key_ref=one.name or f"{pki.PAPER_FOLDER}/{maker.uscc}",
        state=one.entry.state if one.entry else "",
        found=one.found,
        is_seal=False,
        uscc=maker.uscc,
    )


def _is_named(one: CheckedKey, name: str) -> bool:
    """Tell whether a key that is no seal's is called so: by its file, purpose, certificate, or whose it is."""
    is_digest = len(name) >= 8 and one.certificate_digest.startswith(name.lower())
    is_whose = bool(one.uscc) and name in (one.uscc, one.legal_name)
    return is_digest or is_whose or name in (one.key_ref, one.key_ref.split(".")[0])

"""Bring parties into the register: manufacturers with outlets and seals, exporters, people and their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from signer.domain import json_text
from signer.domain.parties import Exporter, Manufacturer, Membership, Outlet, Person
from signer.domain.trust import Purpose
from signer.domain.values import Frozen
from signer.errors import InvalidInput, NotFound
from signer.register import audit, parties
from signer.register.parties import TsaPolicy
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from signer.domain.parties import Uscc
    from signer.domain.trust import TrustList
    from signer.register.database import Database, Transaction


class Maker(Frozen):
    """A manufacturer with its outlets, as a parties file holds it."""

    record: Manufacturer
    tsa_policy: TsaPolicy | None = None
    outlets: tuple[Outlet, ...] = ()


class Parties(Frozen):
    """A parties file: everything is inserted, or changed where it is known already."""

    manufacturers: tuple[Maker, ...] = ()
    exporters: tuple[Exporter, ...] = ()
    people: tuple[Person, ...] = ()
    memberships: tuple[Membership, ...] = ()


class People:
    """Keep the parties."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def load(self, data: bytes, *, actor: str) -> Parties:
        """Bring a parties file in, wholly or not at all; InvalidInput names the first wrong field."""
        found = _parse(data)
        at = self._clock()
        with self._database.write() as tx:
            for maker in found.manufacturers:
                tenant_id = parties.save_manufacturer(tx, maker.record, tsa_policy=maker.tsa_policy, at=at)
                for outlet in maker.outlets:
                    parties.save_outlet(tx, outlet, scope=Scope.of(tenant_id), at=at)
                audit.note(
                    tx, "parties.loaded", actor=actor, subject=maker.record.uscc, at=at, manufacturer_id=tenant_id
                )
            for exporter in found.exporters:
                parties.save_exporter(tx, exporter, at=at)
            for person in found.people:
                parties.save_person(tx, person, at=at)
            for membership in found.memberships:
                tenant = parties.tenant(tx, membership.manufacturer)
                parties.save_membership(tx, membership, scope=tenant.scope, at=at)
        return found

    def name_of(self, uscc: Uscc) -> str:
        """Return the legal name of a manufacturer. NotFound."""
        with self._database.read() as tx:
            return parties.tenant(tx, uscc).manufacturer.legal_name

    def names(self, people: Iterable[str]) -> dict[str, str]:
        """Return the names of people by their ids; what is nobody's id is left out."""
        with self._database.read() as tx:
            return parties.names_of(tx, people)

    def uscc_of(self, name: str) -> Uscc:
        """Return the USCC of a manufacturer, of which either name is given. NotFound."""
        with self._database.read() as tx:
            return parties.tenant(tx, name).manufacturer.uscc

    def enrol_seals(self, trust: TrustList, key_refs: Mapping[str, str], *, actor: str) -> int:
        """
        Give each manufacturer in the register the seals that the trust list names for it; return how many.

        `key_refs` tells where each seal's key is, by the certificate's digest; seals without one are left out.
        """
        at, count = self._clock(), 0
        with self._database.write() as tx:
            for entry in trust.of(Purpose.PDF_SEAL):
                tenant = _tenant(tx, entry.uscc)
                if tenant is None or entry.seal_class is None or entry.certificate_digest not in key_refs:
                    continue
                seal = parties.Seal(
                    certificate_digest=entry.certificate_digest,
                    seal_class=entry.seal_class,
                    state=entry.state,
                    state_since=entry.state_since or entry.from_at,
                    key_ref=key_refs[entry.certificate_digest],
                )
                if parties.enrol_seal(tx, seal, scope=tenant.scope, at=at):
                    subject = entry.certificate_digest[:16]
                    audit.note(tx, "seal.enrolled", actor=actor, subject=subject, at=at, manufacturer_id=tenant.id)
                count += 1
        return count


def _tenant(tx: Transaction, uscc: str | None) -> parties.Tenant | None:
    try:
        return parties.tenant(tx, uscc or "")
    except NotFound:
        return None


def _parse(data: bytes) -> Parties:
    json_text.load(data)
    try:
        return Parties.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput("/" + "/".join(map(str, first["loc"])), first["msg"]) from error

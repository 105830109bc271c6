"""The next trust list, unsigned: the present one and what an operator asks to add and to change."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from pydantic import Field, ValidationError

from signer.domain import json_text
from signer.domain.confirmation import SealClass
from signer.domain.parties import Uscc
from signer.domain.succession import refuse_successor
from signer.domain.trust import MOST_DAYS, BaseUrl, NamingProfile, Purpose, SealState, TrustEntry, TrustList
from signer.domain.values import Frozen, Instant, LongText, Text
from signer.errors import InvalidInput, NotFound
from signer.seal import certificates
from signer.seal import trust as signed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from signer.seal.certificates import Certificate

_LOOKED_UP = ("certificate", "from_at")
_SHORT_PATH = Annotated[str, Field(min_length=1, max_length=400)]


class Addition(Frozen):
    """A new entry; `certificate` names a PEM file beside the changes. Without `from_at` it begins with the draft."""

    purpose: Purpose
    certificate: _SHORT_PATH
    legal_name: Text
    uscc: Uscc | None = None
    naming_profile: NamingProfile | None = None
    naming_evidence: LongText | None = None
    seal_class: SealClass | None = None
    class_evidence: LongText | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None


class Change(Frozen):
    """A change of one entry, named by the beginning of its certificate's SHA-256; absent fields stay as they are."""

    certificate: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
    state: SealState | None = None
    state_since: Instant | None = None
    revoked_at: Instant | None = None
    reason: Text | None = None
    compromised_from: Instant | None = None
    until_at: Instant | None = None


class Changes(Frozen):
    """
    A file of changes (`signer.trust-changes/1`).

    `origin` is needed in the first list. `next_root` names a PEM file with the public key of the root to come; `none`
    takes an announcement back. `base_url` is where the service answers. Absent, announcement, hosts and address stay
    as they are.
    """

    schema_id: Literal["signer.trust-changes/1"] = Field(alias="schema")
    origin: Text | None = None
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = MOST_DAYS
    add: tuple[Addition, ...] = ()
    change: tuple[Change, ...] = ()
    base_url: BaseUrl | None = None
    next_root: _SHORT_PATH | None = None
    revocation_hosts: tuple[Text, ...] | None = None


def read_changes(data: bytes) -> Changes:
    """Parse a file of changes. Raises InvalidInput, naming the place."""
    json_text.load(data)
    try:
        return Changes.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput("/" + "/".join(map(str, first["loc"])), first["msg"][:300]) from error


def draft(
    changes: Changes, *, present: TrustList | None, present_digest: str | None, folder: Path, test: bool, at: datetime
) -> TrustList:
    """
    Return the list that follows the present one (None: the first). Files of changes lie in `folder`.

    Raises InvalidInput for what no list may say, NotFound for a file that is not there.
    """
    issued = at.replace(microsecond=0)
    origin = present.origin if present else changes.origin
    if origin is None:
        raise InvalidInput("/origin", "say whose list it is: the first list has to")
    entries = list(present.entries if present else ())
    for place, change in enumerate(changes.change):
        _apply(change, entries, f"/change/{place}", issued)
    entries += _added(changes.add, entries, folder, issued)
    made = TrustList(
        origin=origin,
        sequence=present.sequence + 1 if present else 1,
        previous_digest=present_digest,
        issued=issued,
        expires=issued + timedelta(days=changes.days),
        base_url=changes.base_url or (present.base_url if present else None),
        next_root=_next_root(changes, present, folder),
        test=test,
        entries=tuple(entries),
        revocation_hosts=_hosts(changes, present),
    )
    refuse_successor(present, made, older_digest=present_digest)
    return made


def _hosts(changes: Changes, present: TrustList | None) -> tuple[str, ...]:
    if changes.revocation_hosts is not None:
        return changes.revocation_hosts
    return present.revocation_hosts if present else ()


def _next_root(changes: Changes, present: TrustList | None, folder: Path) -> str | None:
    if changes.next_root is None:
        return present.next_root if present else None
    return None if changes.next_root == "none" else signed.read_root(_read(folder, changes.next_root)).text


def _apply(change: Change, entries: list[TrustEntry], field: str, issued: datetime) -> None:
    """Change an entry; the instants of a new state are that of the draft unless said otherwise."""
    found = [place for place, entry in enumerate(entries) if entry.certificate_digest.startswith(change.certificate)]
    if len(found) != 1:
        raise InvalidInput(f"{field}/certificate", f"{len(found)} entries have a certificate that begins so")
    before = entries[found[0]]
    asked = {name: getattr(change, name) for name in type(change).model_fields if name != "certificate"}
    given = {name: value for name, value in asked.items() if value is not None}
    if change.state is not None and change.state is not before.state:
        given.setdefault("state_since", issued)
        if change.state is SealState.REVOKED:
            given.setdefault("revoked_at", issued)
    entries[found[0]] = before.model_copy(update=given)


def _added(
    additions: tuple[Addition, ...], entries: list[TrustEntry], folder: Path, issued: datetime
) -> list[TrustEntry]:
    loaded = [(each, _certificate(folder, each.certificate, f"/add/{n}")) for n, each in enumerate(additions)]
    authorities = {entry.certificate_digest: certificates.load(entry.der) for entry in entries if _is_authority(entry)}
    authorities |= {own.digest: own for each, own in loaded if each.purpose is Purpose.CA}
    made = []
    for each, own in loaded:
        given = {name: getattr(each, name) for name in type(each).model_fields if name not in _LOOKED_UP}
        chain = () if each.purpose is Purpose.CA else _chain(own, tuple(authorities.values()))
        made.append(
            TrustEntry(
                certificate=base64.b64encode(own.der).decode("ascii"),
                certificate_digest=own.digest,
                chain=chain,
                from_at=each.from_at or _beginning(each, own, issued),
                **given,
            )
        )
    return made


def _beginning(each: Addition, own: Certificate, issued: datetime) -> datetime:
    """An authority counts for what it certified before it was listed; whoever makes something, only from then on."""
    return own.not_before if each.purpose is Purpose.CA else max(issued, own.not_before)


def _is_authority(entry: TrustEntry) -> bool:
    return entry.purpose is Purpose.CA


def _chain(own: Certificate, authorities: tuple[Certificate, ...]) -> tuple[str, ...]:
    """Return the digests of the authorities above a certificate, its issuer first; fewer if one is not listed."""
    found: list[Certificate] = []
    below = own
    while True:
        rest = (one for one in authorities if one not in found and one.digest != own.digest)
        above = next((one for one in rest if one.name == below.issuer and _issued(one, below)), None)
        if above is None:
            break
        found.append(above)
        below = above
    return tuple(one.digest for one in found)


def _issued(above: Certificate, below: Certificate) -> bool:
    try:
        below.parsed.verify_directly_issued_by(above.parsed)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificate(folder: Path, name: str, field: str) -> Certificate:
    data = _read(folder, name)
    try:
        parsed = x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise InvalidInput(f"{field}/certificate", f"{name} is not a PEM certificate") from error
    return certificates.load(parsed.public_bytes(serialization.Encoding.DER))


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise NotFound(f"{folder / name} cannot be read: {error.strerror}") from error

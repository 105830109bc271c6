"""The canonical encodings and digests of terms and content. The bytes are frozen: see tests/vectors/content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import ValidationError

from signer.domain import json_text
from signer.domain.confirmation import SCHEMA, Confirmation, Terms
from signer.errors import InvalidInput, SignerError

if TYPE_CHECKING:
    from datetime import date, datetime

    from signer.domain.number import Number

MOST_CONTENT_BYTES = 400_000


class ContentRefused(SignerError):
    """Bytes are no confirmation's content; `reason` is `schema-unknown`, `malformed` or `not-canonical`."""

    code = "content-refused"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def encode_terms(terms: Terms) -> bytes:
    """Return the JCS encoding (RFC 8785) of the terms: absent instead of null, outlets by id, vehicles as typed."""
    return json_text.canonical(terms.model_dump(mode="json", by_alias=True, exclude_none=True))


def terms_digest(terms: Terms) -> bytes:
    """Return SHA-256 of the encoded terms (32 bytes): what an approval binds."""
    return hashlib.sha256(encode_terms(terms)).digest()


def until_of(terms: Terms) -> date | None:
    """Return the last day of licence applications that the manufacturer names, or None."""
    if terms.until == "required-through":
        return max(vehicle.window.through for vehicle in terms.vehicles)
    return terms.until


def build(*, terms: Terms, approved_digest: bytes, number: Number, issued_at: datetime) -> Confirmation:
    """Return the numbered whole; refuses (InvalidInput) if the terms are not, byte for byte, the approved ones."""
    digest = terms_digest(terms)
    if digest != approved_digest:
        raise InvalidInput("terms_digest", "the terms are not the approved ones")
    return Confirmation(
        number=number,
        issued_at=issued_at.replace(microsecond=0),
        until=until_of(terms),
        terms=terms,
        terms_digest=digest.hex(),
    )


def encode(confirmation: Confirmation) -> bytes:
    """Return the JCS encoding of the content: the bytes of `confirmation.json`."""
    return json_text.canonical(confirmation.model_dump(mode="json", by_alias=True, exclude_none=True))


def outlet_mark(outlet_id: str) -> bytes:
    """Return bytes that stand in the encoding of every content that names an outlet, to find such among many."""
    return json_text.canonical({"id": outlet_id})[1:-1]


def content_digest(encoded: bytes) -> bytes:
    """Return SHA-256 of the encoded content (32 bytes): what page, code and log carry."""
    return hashlib.sha256(encoded).digest()


def parse(encoded: bytes) -> Confirmation:
    """
    Parse the bytes of `confirmation.json` and demand that they re-encode to themselves.

    Raises ContentRefused: `schema-unknown` for another schema, `malformed` for anything that breaks it
    (an unknown or missing field, a wrong terms digest, `until` or order of outlets), `not-canonical` for
    bytes that are not the encoding of what they say.
    """
    try:
        value = json_text.load(encoded, most_bytes=MOST_CONTENT_BYTES)
    except SignerError as error:
        raise ContentRefused("malformed", str(error)) from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise ContentRefused("schema-unknown", "not signer.confirmation/1")
    try:
        confirmation = Confirmation.model_validate_json(encoded)
    except ValidationError as error:
        first = error.errors()[0]
        raise ContentRefused("malformed", f"/{'/'.join(map(str, first['loc']))}: {first['msg']}"[:300]) from error
    _refuse_inconsistent(confirmation)
    if encode(confirmation) != encoded:
        raise ContentRefused("not-canonical", "the bytes are not the canonical encoding of what they say")
    return confirmation


parse_kept = lru_cache(maxsize=8)(parse)
"""Parse the same bytes only once where they come back at once: content is frozen, and `parse` looks at nothing else."""


def _refuse_inconsistent(confirmation: Confirmation) -> None:
    terms = confirmation.terms
    if terms_digest(terms).hex() != confirmation.terms_digest:
        raise ContentRefused("malformed", "terms_digest is not the digest of the terms")
    if until_of(terms) != confirmation.until:
        raise ContentRefused("malformed", "until is not what the terms say")
    ids = [outlet.id for outlet in terms.outlets]
    if ids != sorted(set(ids)):
        raise ContentRefused("malformed", "outlets are not in the order of their ids")
    if terms.outlet_order is not None and (sorted(terms.outlet_order) != ids or list(terms.outlet_order) == ids):
        raise ContentRefused("malformed", "outlet_order is not another order of the same outlets")
    if len(set(terms.vins)) != len(terms.vehicles):
        raise ContentRefused("malformed", "a VIN stands twice")
    if any(outlet_id not in ids for vehicle in terms.vehicles for outlet_id in vehicle.outlets):
        raise ContentRefused("malformed", "a vehicle names an outlet that is not listed")

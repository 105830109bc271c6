"""
One record, as the register's own signed word of a moment: what an offline bundle says of all, said of one confirmation.

It travels in an evidence bundle; `seal.record_word` signs and believes it.
Source: docs/reference/formats.md, the evidence bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import rfc8785
from pydantic import Field, ValidationError, model_validator

from signer.domain import json_text
from signer.domain.bundle import MOST_DAYS, Record
from signer.domain.confirmation import Standing
from signer.domain.evidence import Gap, RecordFacts, Told
from signer.domain.status_list import MOST_LISTS, MOST_PLACES, Status, of_standings
from signer.domain.values import Frozen, Instant, Text
from signer.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from signer.domain.evidence import ContentFacts
    from signer.domain.status_list import Said, StatusList

SCHEMA: Final = "signer.record/1"
MOST_BYTES: Final = 400_000
_FIELD: Final = "record"


class Place(Frozen):
    """Where its two bits are: the number of a status list, and the place in it."""

    list: Annotated[int, Field(ge=1, le=MOST_LISTS)]
    index: Annotated[int, Field(ge=0, lt=MOST_PLACES)]


class RecordWord(Frozen):
    """
    What a register says of one confirmation, as of an instant, by the trust list of this origin and sequence.

    `gaps` are the register's open ones.
    """

    schema_id: Literal["signer.record/1"] = Field(default=SCHEMA, alias="schema")
    origin: Text
    test: bool
    trust_list: Annotated[int, Field(ge=1)]
    as_of: Instant
    expires: Instant
    gaps: Annotated[tuple[Gap, ...], Field(max_length=1000)] = ()
    record: Record
    status: Place | None = None

    @model_validator(mode="after")
    def _times_follow_each_other(self) -> RecordWord:
        if not 0 < (self.expires - self.as_of).total_seconds() <= MOST_DAYS * 86_400:
            raise ValueError(f"expires at most {MOST_DAYS} days after as_of, and after it")
        return self

    def facts(self, content: ContentFacts, later: StatusList | None, said: Said) -> RecordFacts | None:
        """
        Return the record as facts, with what a later status list says of it; None if the content contradicts it.

        A list says only that something was replaced, or has ended, for some vehicles: then all of them are called so.
        """
        found = self.record.facts_as_of(content, told=Told(at=self.as_of, expires=self.expires), gaps=self.gaps)
        is_news = later is not None and (later.at > self.as_of or said.status is Status.ENDED)
        if found is None or later is None or said.status is None or not is_news:
            return found
        told = Told(at=later.at, expires=later.expires) if later.at > self.as_of else found.told
        if said.status is of_standings(line.standing for line in found.lines):
            return found.model_copy(update={"told": told})
        standing = _STANDINGS[said.status]
        lines = tuple(
            line if line.standing.is_final else line.model_copy(update={"standing": standing}) for line in found.lines
        )
        return found.model_copy(update={"told": told, "standing": standing, "lines": lines, "suspended_until": None})


_STANDINGS: Final = {
    Status.IN_FORCE: Standing.ISSUED,
    Status.ENDED: Standing.WITHDRAWN,
    Status.NOT_NOW: Standing.SUSPENDED,
    Status.REPLACED: Standing.SUPERSEDED,
}


def encode(word: RecordWord) -> bytes:
    """Return the payload of a record's token: canonical JSON (RFC 8785)."""
    plain = word.model_dump(mode="json", by_alias=True, exclude_none=True)
    return rfc8785.dumps(_without_empty(plain))


def _without_empty(plain: dict[str, Any]) -> dict[str, Any]:
    """Return an object without its empty lists, and the one inside likewise: what is absent is absent."""
    return {
        key: _without_empty(value) if isinstance(value, dict) else value for key, value in plain.items() if value != []
    }


def decode(payload: bytes) -> RecordWord:
    """Read a payload back. Raises InvalidInput unless it is the one encoding of what it says."""
    try:
        json_text.load(payload, most_bytes=MOST_BYTES)
        word = RecordWord.model_validate_json(payload)
    except TooLarge as error:
        raise InvalidInput(_FIELD, str(error)) from error
    except ValidationError as error:
        found = error.errors(include_input=False)[0]
        raise InvalidInput(_FIELD, f"/{'/'.join(map(str, found['loc']))}: {found['msg']}"[:300]) from error
    if encode(word) != payload:
        raise InvalidInput(_FIELD, "is not in its one canonical form")
    return word

"""A TEST PKI as pki.yaml describes it: what the file may say, and nothing else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from signer.domain.parties import Uscc
from signer.domain.values import Frozen, Text

Days = Annotated[int, Field(ge=1, le=12_000)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class AuthorityDescription(Frozen):
    """An authority or a service's key: its common name, in which TEST must stand, and how many days it lasts."""

    common_name: Annotated[Text, Field(pattern=r"TEST")]
    days: Days


KeyKind = Literal["p256", "p384", "rsa3072"]


class MakerDescription(Frozen):
    """
    A manufacturer's seal, and its key of the year for codes on paper.

    `id` names the seal's file; for `profile` see docs/explanation/seals.md.
    """

    id: Name
    legal_name: Text
    uscc: Uscc
    profile: Literal["organization", "chinese"] = "organization"
    key: KeyKind = "p256"
    container: Literal["p12", "pem"] = "p12"
    days: Days = 1095
    paper_days: Days = 400


class Description(Frozen):
    """A TEST PKI, as written in pki.yaml. `receipt`, `bundle`, `status`: the service's own keys, by purpose."""

    schema_id: Literal["signer.pki/1"] = Field(alias="schema")
    organization: Text
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CN"
    root: AuthorityDescription
    issuing: AuthorityDescription
    tsa: AuthorityDescription
    receipt: AuthorityDescription = AuthorityDescription(common_name="TEST Receipts", days=3650)
    bundle: AuthorityDescription = AuthorityDescription(common_name="TEST Offline Bundles", days=3650)
    status: AuthorityDescription = AuthorityDescription(common_name="TEST Status Lists", days=3650)
    log: AuthorityDescription = AuthorityDescription(common_name="TEST Transparency Log", days=3650)
    makers: Annotated[tuple[MakerDescription, ...], Field(min_length=1, max_length=200)]

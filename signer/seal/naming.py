"""Does a certificate name this manufacturer? Three profiles, on the trust list. Source: docs/explanation/seals.md."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.x509.oid import NameOID

from signer.domain.parties import is_same_name
from signer.seal.certificates import printable

if TYPE_CHECKING:
    from signer.domain.trust import NamingProfile
    from signer.seal.certificates import Certificate

_PREFIXES = ("NTRCN-", "VATCN-")
_CHINESE = re.compile(r"[^@]*@(?P<name>[^@]+)@N(?P<uscc>[0-9A-Z]{18})@[0-9]+")


@lru_cache(maxsize=64)
def fault(certificate: Certificate, *, profile: NamingProfile, legal_name: str, uscc: str) -> str:
    """
    Return why a certificate does not name a manufacturer under a profile, or ''.

    `pinned` asks nothing of the names: two persons gave evidence for this very certificate.
    """
    if profile == "pinned":
        return ""
    found = _organization(certificate) if profile == "organization" else _chinese(certificate)
    if isinstance(found, str):
        return found
    name, code = found
    if not is_same_name(name, legal_name):
        return f"it names {printable(name, most=80)!r}, not {legal_name!r}"
    return "" if code == uscc else f"it names the USCC {printable(code, most=30)!r}, not {uscc}"


def _organization(certificate: Certificate) -> tuple[str, str] | str:
    """`organization`: O is the legal name, organizationIdentifier the USCC. Source: ETSI EN 319 412-1, 5.1.4."""
    names = certificate.subject_values(NameOID.ORGANIZATION_NAME)
    codes = certificate.subject_values(NameOID.ORGANIZATION_IDENTIFIER)
    if len(names) != 1:
        return f"its subject has {len(names)} organisation names, not one"
    if len(codes) != 1:
        return f"its subject has {len(codes)} organisation identifiers, not one"
    prefix = next((prefix for prefix in _PREFIXES if codes[0].startswith(prefix)), "")
    return names[0], codes[0].removeprefix(prefix)


def _chinese(certificate: Certificate) -> tuple[str, str] | str:
    """`chinese`: `CN = x@legal name@N<USCC>@n`; O is the authority's own name."""
    names = certificate.subject_values(NameOID.COMMON_NAME)
    match = _CHINESE.fullmatch(names[0]) if len(names) == 1 else None
    if match is None:
        return "its common name has not the form x@legal name@N<USCC>@n"
    return match["name"], match["uscc"]

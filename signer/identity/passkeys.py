"""
Passkeys: what is asked of a browser, and what is checked of its answer. Source: W3C Web Authentication, level 3.

The library is imported when somebody comes with a passkey: a twentieth of what every command imports, for none of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from signer.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential

__all__ = [
    "Passkey",
    "Site",
    "asked_to_register",
    "asked_to_show",
    "challenge_of",
    "credential_of",
    "registered",
    "shown",
]

T = TypeVar("T")
CHALLENGE = 32
_MOST_JSON = 20_000
_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Site:
    """For whom a passkey is good: the host's name, and the one origin from which it may be shown."""

    host: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> Site:
        """Return the site of a deployment's address."""
        parts = urlsplit(base_url)
        return cls(parts.hostname or "localhost", f"{parts.scheme}://{parts.netloc}")


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential: its id, its COSE public key, and its own count of uses (0 where it keeps none)."""

    credential: bytes
    key: bytes
    counter: int


def asked_to_register(
    site: Site, challenge: bytes, *, person: str, login: str, name: str, known: tuple[bytes, ...]
) -> str:
    """Return the options (JSON) with which a browser makes a new passkey, and not a second one of `known`."""
    import webauthn  # noqa: PLC0415 -- see above
    from webauthn.helpers import structs  # noqa: PLC0415 -- see above

    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=site.host,
        user_name=login,
        user_display_name=name,
        user_id=hashlib.sha256(person.encode()).digest(),
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return webauthn.options_to_json(options)


def asked_to_show(site: Site, challenge: bytes, *, known: tuple[bytes, ...]) -> str:
    """Return the options (JSON) with which a browser shows a passkey: one of `known`, or any where none is named."""
    import webauthn  # noqa: PLC0415 -- see above
    from webauthn.helpers import structs  # noqa: PLC0415 -- see above

    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def challenge_of(answer: str) -> bytes:
    """Return the challenge that an answer says it is to: nothing of it is checked yet. NotPermitted if it says none."""
    from webauthn import helpers  # noqa: PLC0415 -- see above

    try:
        data = json.loads(answer[:_MOST_JSON])["response"]["clientDataJSON"]
        return bytes(helpers.parse_client_data_json(helpers.base64url_to_bytes(data)).challenge)
    except _faults(AttributeError) as error:
        raise NotPermitted("no answer of a passkey") from error


def credential_of(answer: str) -> bytes:
    """Return the id of the credential that an answer is of. NotPermitted."""
    from webauthn import helpers  # noqa: PLC0415 -- see above

    return bytes(_parsed(answer, helpers.parse_authentication_credential_json).raw_id)


def registered(answer: str, *, site: Site, challenge: bytes) -> Passkey:
    """Return the passkey that a browser made: of this site, for this challenge, its person verified. NotPermitted."""
    import webauthn  # noqa: PLC0415 -- see above

    credential: RegistrationCredential = _parsed(answer, webauthn.helpers.parse_registration_credential_json)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _faults() as error:
        raise NotPermitted("the passkey was not made here, or not for this") from error
    return Passkey(bytes(made.credential_id), bytes(made.credential_public_key), made.sign_count)


def shown(answer: str, passkey: Passkey, *, site: Site, challenge: bytes) -> int:
    """
    Return the passkey's count after it was shown: on this site, for this challenge, by its verified holder.

    NotPermitted otherwise, also where a count went back: two devices have the same key.
    """
    import webauthn  # noqa: PLC0415 -- see above

    credential: AuthenticationCredential = _parsed(answer, webauthn.helpers.parse_authentication_credential_json)
    try:
        found = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.key,
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
    except _faults() as error:
        raise NotPermitted("the passkey was not shown here, or not for this") from error
    return found.new_sign_count


def _faults(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what the library raises of an answer that is none."""
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 -- see above

    return (WebAuthnException, ValueError, KeyError, TypeError, *more)


def _parsed(answer: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(answer[:_MOST_JSON])
    except _faults(AttributeError) as error:
        raise NotPermitted("no answer of a passkey") from error

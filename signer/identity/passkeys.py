"""Passkeys: what is asked of a browser, and what is checked of its answer. Source: W3C Web Authentication, level 3."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

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
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.host,
        user_name=login,
        user_display_name=name,
        user_id=hashlib.sha256(person.encode()).digest(),
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return options_to_json(options)


def asked_to_show(site: Site, challenge: bytes, *, known: tuple[bytes, ...]) -> str:
    """Return the options (JSON) with which a browser shows a passkey: one of `known`, or any where none is named."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def challenge_of(answer: str) -> bytes:
    """Return the challenge that an answer says it is to: nothing of it is checked yet. NotPermitted if it says none."""
    try:
        data = json.loads(answer[:_MOST_JSON])["response"]["clientDataJSON"]
        return bytes(parse_client_data_json(base64url_to_bytes(data)).challenge)
    except (ValueError, KeyError, TypeError, AttributeError, WebAuthnException) as error:
        raise NotPermitted("no answer of a passkey") from error


def credential_of(answer: str) -> bytes:
    """Return the id of the credential that an answer is of. NotPermitted."""
    return bytes(_parsed(answer, parse_authentication_credential_json).raw_id)


def registered(answer: str, *, site: Site, challenge: bytes) -> Passkey:
    """Return the passkey that a browser made: of this site, for this challenge, its person verified. NotPermitted."""
    credential: RegistrationCredential = _parsed(answer, parse_registration_credential_json)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotPermitted("the passkey was not made here, or not for this") from error
    return Passkey(bytes(made.credential_id), bytes(made.credential_public_key), made.sign_count)


def shown(answer: str, passkey: Passkey, *, site: Site, challenge: bytes) -> int:
    """
    Return the passkey's count after it was shown: on this site, for this challenge, by its verified holder.

    NotPermitted otherwise, also where a count went back: two devices have the same key.
    """
    credential: AuthenticationCredential = _parsed(answer, parse_authentication_credential_json)
    try:
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.key,
            credential_current_sign_count=passkey.counter,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotPermitted("the passkey was not shown here, or not for this") from error
    return found.new_sign_count


def _parsed(answer: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(answer[:_MOST_JSON])
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotPermitted("no answer of a passkey") from error

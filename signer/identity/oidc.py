"""
OpenID Connect: the authorization code with PKCE, a state and a nonce, and every check of the ID token.

Source: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from signer.errors import NotPermitted, Unavailable
from signer.outbound import OPERATORS, Client, NotReached

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["Asked", "Provider", "Subject"]

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
_MOST_BYTES = 200_000
_LEEWAY_S = 60
_REFUSED = (400, 401)
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a browser takes along, and what its answer is held against: one attempt's own words."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who the provider says it is; `email` only if the provider verified it."""

    issuer: str
    subject: str
    email: str


class Provider:
    """The issuer that the operator chose, reached by its discovery document. `secret` is empty for a public client."""

    def __init__(
        self, *, issuer: str, client_id: str, secret: str, redirect_uri: str, clock: Callable[[], datetime]
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._client = Client(OPERATORS)

    def address(self, asked: Asked) -> str:
        """Return where a browser is sent. Unavailable if the issuer does not answer."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid email",
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": create_s256_code_challenge(asked.verifier),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def subject(self, code: str, asked: Asked) -> Subject:
        """Exchange a code, and return who the ID token is about. NotPermitted for one that is not ours; Unavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._client_id,
            "code_verifier": asked.verifier,
        }
        if self._secret:
            form["client_secret"] = self._secret
        answer = _asked(self._client, self._endpoint("token_endpoint"), form)
        keys = _asked(self._client, self._endpoint("jwks_uri"))
        claims = self._claims(str(answer.get("id_token", "")), keys, asked)
        verified = claims.get("email_verified") is True
        email = claims.get("email") if verified else ""
        return Subject(issuer=self.issuer, subject=str(claims["sub"]), email=email if isinstance(email, str) else "")

    def _claims(self, token: str, keys: dict[str, Any], asked: Asked) -> dict[str, Any]:
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
            "nonce": {"essential": True, "value": asked.nonce},
        }
        try:
            found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
            claims = CodeIDToken(
                found.claims, found.header, options, {"nonce": asked.nonce, "client_id": self._client_id}
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotPermitted("the provider's token is not for us, or not for this sign-in") from error
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 200:
            raise NotPermitted("the provider's token names nobody")
        return dict(claims)

    def _endpoint(self, name: str) -> str:
        found = _asked(self._client, self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        address = found.get(name)
        if found.get("issuer") != self.issuer or not isinstance(address, str):
            raise Unavailable("the provider's discovery document is another issuer's, or not whole")
        scheme = urlsplit(address).scheme
        if scheme != "https" and scheme != urlsplit(self.issuer).scheme:
            raise Unavailable("the provider's addresses are not https")
        return address


def _asked(client: Client, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON at an address. Unavailable; NotPermitted for a refused code."""
    try:
        if form is None:
            answer = client.get(url, accept="application/json", most=_MOST_BYTES)
        else:
            answer = client.post(url, urlencode(form).encode(), headers=_FORM, most=_MOST_BYTES)
    except NotReached as error:
        raise Unavailable("the provider does not answer") from error
    if form is not None and answer.status in _REFUSED:
        raise NotPermitted("the provider refuses this code")
    if answer.status != 200:
        raise Unavailable(f"the provider answers {answer.status}")
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise Unavailable("the provider's answer is no JSON") from error
    if not isinstance(found, dict):
        raise Unavailable("the provider's answer is no object")
    return found

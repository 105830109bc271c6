"""
Keys of a remote service, by the CSC API: pyHanko's CSCSigner speaks it, we add OAuth, authorisation and version 2.

Every signature has its own connections and event loop, so that nothing is shared between calls; only the access token
is kept while it is valid. Source: CSC API 1.0.4.0, 11.5, 11.6, 11.9; CSC API 2.0.0.2, 11.5, 11.6, 11.10.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar
from urllib.parse import quote_plus

import aiohttp
from asn1crypto import algos
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import csc_signer as stock

from signer.errors import InvalidInput, KeyUnavailable, Misconfigured
from signer.seal import certificates, keys
from signer.seal.stores import descriptor, outside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from signer.seal.algorithms import Scheme
    from signer.seal.certificates import Certificate
    from signer.seal.stores.descriptor import CscStore
    from signer.seal.stores.pins import Pins, Trial

_Answer = TypeVar("_Answer")
_MOST_ANSWER_BYTES: Final = 200_000
_SPARE_S: Final = 30
"""An access token is used no longer than until so many seconds before its end."""
_WRONG_PIN: Final = ("invalid_pin", "invalid_authdata")
_GENERIC: Final = frozenset({"rsassa_pkcs1v15", "1.2.840.10045.2.1"})
"""What services name for a key of which any scheme may be asked: rsaEncryption, id-ecPublicKey."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A service as one descriptor describes it: secrets are read when they are sent."""

    path: Path
    described: CscStore
    trusted: ssl.SSLContext

    @property
    def name(self) -> str:
        return f"{self.path}: {self.described.url}"

    def session(self) -> aiohttp.ClientSession:
        """Open connections that follow no redirect, read no proxy from the environment, and take short answers."""
        tracing = aiohttp.TraceConfig()
        tracing.on_request_redirect.append(_refuse_redirect)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.trusted),
            timeout=aiohttp.ClientTimeout(total=self.described.timeout_s),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
            response_class=_Short,
            trace_configs=[tracing],
        )

    def secret(self, name: str) -> bytes:
        return descriptor.secret(descriptor.beside(self.path, name))

    def info(self, token: str) -> stock.CSCServiceSessionInfo:
        return stock.CSCServiceSessionInfo(
            service_url=self.described.url,
            credential_id=self.described.credential,
            oauth_token=token,
            api_ver=self.described.api,
        )

    def refuse(self, why: str, *, step: str) -> NoReturn:
        raise outside.unavailable(self.name, why, next_step=step)


class _Unfit(aiohttp.ClientError):
    """An answer is not of the kind that is taken."""


async def _refuse_redirect(*_: object) -> None:
    raise _Unfit("the service redirects, which is not followed")


class _Short(aiohttp.ClientResponse):
    """An answer that is read no further than it may be long; nothing is unpacked."""

    async def read(self) -> bytes:
        """Return the body; it is kept, as `json` expects."""
        if self._body is None:
            found = b""
            async for chunk in self.content.iter_any():
                found += chunk
                if len(found) > _MOST_ANSWER_BYTES:
                    self.close()
                    raise _Unfit(f"an answer of more than {_MOST_ANSWER_BYTES} bytes")
            self._body = found
        return self._body


class _Access:
    """The access token of a service, asked for by client credentials and kept while it is valid. RFC 6749, 4.4."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._token = ""
        self._until = 0.0
        self.proven_pin: str | None = None
        """The PIN that the service has taken: only another one is a trial, which holds every process off."""

    def forget(self) -> None:
        """Ask for another one next time."""
        self._until = 0.0

    @property
    def is_kept(self) -> bool:
        """Tell whether the next request uses a token that was used before."""
        return time.monotonic() < self._until

    async def token(self, session: aiohttp.ClientSession) -> str:
        """Return a valid token."""
        if self.is_kept:
            return self._token
        described = self._place.described
        secret = self._place.secret(described.secret_file).decode()
        pair = f"{quote_plus(described.client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
        own = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form = {"grant_type": "client_credentials", "scope": "service"}
        async with session.post(described.token_url, data=form, headers=own) as response:
            answer = await _json(response)
        token, lasts = answer.get("access_token"), answer.get("expires_in", 0)
        if not isinstance(token, str) or not isinstance(lasts, int):
            why = f"no access token ({_told(answer, response.status)})"
            self._place.refuse(why, step=f"are `client_id` and {described.secret_file} right?")
        self._token, self._until = token, time.monotonic() + lasts - _SPARE_S
        return token


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        answer = await response.json(content_type=None)
    except ValueError as error:
        raise _Unfit(f"HTTP {response.status}, and no JSON") from error
    return answer if isinstance(answer, dict) else {}


def _told(answer: dict[str, Any], status: int) -> str:
    words = (str(answer.get(key, "")) for key in ("error", "error_description"))
    told = ": ".join(word for word in words if word)
    return certificates.printable(f"HTTP {status} {told}".strip(), most=200)


class _Authorising(stock.CSCAuthorizationManager):
    """Authorise each signature for its own hash, with the PIN where the descriptor names one."""

    def __init__(
        self,
        place: _Place,
        session: aiohttp.ClientSession,
        info: stock.CSCServiceSessionInfo,
        credential: stock.CSCCredentialInfo,
        *,
        access: _Access,
        pins: Pins,
        scheme: Scheme,
    ) -> None:
        super().__init__(info, credential)
        self._access = access
        self._place = place
        self._session = session
        self._pins = pins
        self._scheme = scheme

    async def authorize_signature(self, hash_b64s: list[str]) -> stock.CSCAuthorizationInfo:
        """Return the activation data for these hashes and no others."""
        pin_file = self._place.described.pin_file
        if pin_file is None:
            return await self._authorise(hash_b64s, None)
        pin = self._place.secret(pin_file).decode()
        place = f"{self._place.described.url} {self._place.described.credential}"
        try:
            if pin == self._access.proven_pin and not self._pins.has_failures(place):
                return await self._authorise(hash_b64s, pin)
            with self._pins.trying(place, pin.encode()) as trial:
                given = await self._tried(trial, hash_b64s, pin)
        except _WrongPin as error:
            if pin == self._access.proven_pin:
                self._access.proven_pin = None
                with self._pins.trying(place, pin.encode()) as trial:
                    trial.fail()
            self._place.refuse(f"the PIN is wrong ({error})", step=f"put the right one into {pin_file}")
        self._access.proven_pin = pin
        return given

    async def _tried(self, trial: Trial, hash_b64s: list[str], pin: str) -> stock.CSCAuthorizationInfo:
        """Send a PIN that is not proven; what comes of it is remembered while everyone else is held off."""
        try:
            given = await self._authorise(hash_b64s, pin)
        except _WrongPin:
            trial.fail()
            raise
        trial.work()
        return given

    async def _authorise(self, hash_b64s: list[str], pin: str | None) -> stock.CSCAuthorizationInfo:
        url = self.csc_session_info.endpoint_url("credentials/authorize")  # type: ignore[no-untyped-call] # pyHanko's
        async with self._session.post(url, headers=self.auth_headers, json=self._request(hash_b64s, pin)) as response:
            answer, status = await _json(response), response.status
        if answer.get("error") in _WRONG_PIN:
            raise _WrongPin(status, _told(answer, status))
        if status != 200:
            step = "is the credential active, and its PIN named?"
            raise _Refused(status, f"it does not authorise ({_told(answer, status)}): {step}")
        return self.parse_csc_auth_response(answer)

    def _request(self, hash_b64s: list[str], pin: str | None) -> dict[str, Any]:
        request: dict[str, Any] = self.format_csc_auth_request(
            pin=pin if self._place.described.api == "v1" else None, hash_b64s=hash_b64s
        )
        if self._place.described.api == "v1":
            return request
        request["hashes"] = request.pop("hash")
        request["hashAlgorithmOID"] = algos.DigestAlgorithmId(self._scheme.digest).dotted
        if pin is not None:
            request["authData"] = [{"id": "PIN", "value": pin}]
        return request


class _Refused(Exception):
    """The service answers with an HTTP error."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _WrongPin(_Refused):
    """The service does not take the PIN."""


class _Signer(stock.CSCSigner):
    """pyHanko's client, by our scheme, and in the words of version 2 where the service speaks that."""

    def __init__(self, place: _Place, session: aiohttp.ClientSession, manager: _Authorising, scheme: Scheme) -> None:
        timeout = place.described.timeout_s
        super().__init__(session, manager, sign_timeout=timeout, batch_autocommit=False)
        self._place = place
        self._mechanism = algos.SignedDigestAlgorithm.load(scheme.signature_identifier)

    def get_signature_mechanism_for_digest(
        self,
        digest_algorithm: str | None,  # noqa: ARG002 - the scheme has it
    ) -> algos.SignedDigestAlgorithm:
        """Return the identifier that stands in the seal."""
        return self._mechanism

    async def format_csc_signing_req(self, tbs_hashes: list[str], digest_algorithm: str) -> dict[str, Any]:
        """Return the request in the words of the service's version."""
        request: dict[str, Any] = await super().format_csc_signing_req(tbs_hashes, digest_algorithm)
        if self._place.described.api == "v2":
            request["hashes"] = request.pop("hash")
            request["hashAlgorithmOID"] = request.pop("hashAlgo")
        return request


class CscKey(outside.OutsideKey):
    """A key of a remote service."""

    __slots__ = ("_access", "_credential", "_pins", "_place")

    def __init__(
        self, place: _Place, access: _Access, credential: stock.CSCCredentialInfo, *, pins: Pins, at: datetime
    ) -> None:
        own = _certificate(place, credential.signing_cert.dump())
        others = tuple(_certificate(place, member.dump()) for member in credential.chain)
        scheme = keys.admitted(own, at=at, name=place.name, is_pss=place.described.scheme == "rsa-pss")
        _refuse_unsupported(place, credential, scheme)
        size = max(1, credential.max_batch_size)
        capabilities = keys.Capabilities(store="csc", scheme=scheme, batch_size=size)
        super().__init__(own, outside.in_order(own, others), capabilities=capabilities, name=place.name)
        self._place = place
        self._access = access
        self._credential = credential
        self._pins = pins

    def _ask(self, data: bytes) -> bytes:
        return _asked(self._place, self._access, lambda session: self._request(session, data))

    async def _request(self, session: aiohttp.ClientSession, data: bytes) -> bytes:
        info = self._place.info(await self._access.token(session))
        scheme = self.capabilities.scheme
        manager = _Authorising(
            self._place, session, info, self._credential, access=self._access, pins=self._pins, scheme=scheme
        )
        signer = _Signer(self._place, session, manager, scheme)
        signing = asyncio.ensure_future(signer.async_sign_raw(data, scheme.digest))
        await asyncio.sleep(0)  # so that the hash is in the batch that is committed
        try:
            await signer.commit()  # type: ignore[no-untyped-call] # pyHanko's
        finally:
            outcome = await asyncio.gather(signing, return_exceptions=True)
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return bytes(outcome[0])


def _asked(place: _Place, access: _Access, request: Callable[[aiohttp.ClientSession], Awaitable[_Answer]]) -> _Answer:
    """Ask a service; once more, with a new access token, if it takes the one that was kept no longer."""

    async def ask() -> _Answer:
        async with place.session() as session:
            return await request(session)

    was_kept = access.is_kept
    try:
        return asyncio.run(ask())
    except (SigningError, _Refused, aiohttp.ClientError, TimeoutError) as error:
        if was_kept and _status(error) == 401:
            access.forget()
            return _asked(place, access, request)
        raise outside.unavailable(place.name, _why(error), next_step="is the service up, and are we let in?") from error


def _status(error: BaseException) -> int | None:
    """Return the HTTP status behind an error, which pyHanko wraps."""
    if isinstance(error, _Refused):
        return error.status
    cause = error if isinstance(error, aiohttp.ClientResponseError) else error.__cause__
    return cause.status if isinstance(cause, aiohttp.ClientResponseError) else None


def _why(error: BaseException) -> str:
    """Return what went wrong in words: pyHanko's own say little, their cause says more."""
    parts = [error, error.__cause__] if error.__cause__ is not None else [error]
    told = "; ".join(str(part) or type(part).__name__ for part in parts)
    return certificates.printable(told, most=300)


def _certificate(place: _Place, der: bytes) -> Certificate:
    try:
        return certificates.load(der)
    except InvalidInput as error:
        raise Misconfigured(f"{place.name}: {error}") from error


def _refuse_unsupported(place: _Place, credential: stock.CSCCredentialInfo, scheme: Scheme) -> None:
    wanted = algos.SignedDigestAlgorithm.load(scheme.signature_identifier)["algorithm"].native
    offered = credential.supported_mechanisms
    if not offered & {wanted, *_GENERIC}:
        told = certificates.printable(", ".join(sorted(offered)), most=200)
        raise Misconfigured(f"{place.name}: the credential signs by {told}; {wanted} is needed: change `scheme` or key")


def open_key(path: Path, described: CscStore, *, pins: Pins, at: datetime) -> CscKey:
    """
    Ask a service for the credential that a descriptor names; nothing is signed yet: it may cost, or alarm somebody.

    Raises KeyUnavailable, Misconfigured.
    """
    place = _Place(path, described, _trusted(path, described))
    access = _Access(place)

    async def credential(session: aiohttp.ClientSession) -> stock.CSCCredentialInfo:
        info = place.info(await access.token(session))
        return await stock.fetch_certs_in_csc_credential(session, info, timeout=described.timeout_s)

    found = _asked(place, access, credential)
    status = found.response_data.get("key", {}).get("status", "enabled")
    if status != "enabled":
        place.refuse(f"the credential is {certificates.printable(str(status), most=40)}", step="ask the service why")
    return CscKey(place, access, found, pins=pins, at=at)


def _trusted(path: Path, described: CscStore) -> ssl.SSLContext:
    """Return whom we believe to be the service: the system's authorities, or those of `ca_file`."""
    if described.ca_file is None:
        return ssl.create_default_context()
    ca_file = descriptor.beside(path, described.ca_file)
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:
        raise KeyUnavailable(f"{ca_file}: no certificates to trust: {error}") from error

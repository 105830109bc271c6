"""Services that sign over HTTP on this computer: one by the CSC API with OAuth, and a made-up cloud's keys."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.seal.certificates import Certificate

CLIENT, SECRET, PIN, CREDENTIAL = "signer", "a secret of the tests", "8642", "seal-1"
OIDS = {"2.16.840.1.101.3.4.2.1": hashes.SHA256(), "2.16.840.1.101.3.4.2.2": hashes.SHA384()}
ECDSA = {"1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3"}
RSA, PSS = "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.10"


def sign_digest(key: Any, digest: bytes, algorithm: Any, *, is_pss: bool = False) -> bytes:
    known = utils.Prehashed(algorithm)
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return key.sign(digest, pss if is_pss else padding.PKCS1v15(), known)
    return bytes(key.sign(digest, ec.ECDSA(known)))


@dataclass
class Service:
    """A CSC service with one credential; a test changes how it behaves by assignment."""

    key: Any
    certificates: tuple[Certificate, ...]
    algorithms: tuple[str, ...]
    api: str = "v2"
    url: str = ""
    asks_pin: bool = True
    pin: str = PIN
    status: str = "enabled"
    behaviour: str = ""
    asked: list[str] = field(default_factory=list)
    wrong_pins: int = 0
    _tokens: set[str] = field(default_factory=set)
    _sads: dict[str, list[str]] = field(default_factory=dict)

    def revoke_tokens(self) -> None:
        self._tokens.clear()

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        self.asked.append(path)
        if path == "/oauth2/token":
            return self._token(headers, body)
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            return 401, {"error": "invalid_token"}
        known = {
            "credentials/info": self._info,
            "credentials/authorize": self._authorise,
            "signatures/signHash": self._sign,
        }
        handle = known.get(path.removeprefix(f"/csc/{self.api}/"))
        return handle(json.loads(body)) if handle else (404, {"error": "not_found"})

    def _token(self, headers: Any, body: bytes) -> tuple[int, Any]:
        own = base64.b64encode(f"{CLIENT}:{quote_plus(SECRET)}".encode()).decode()
        if headers.get("Authorization") != f"Basic {own}":
            return 401, {"error": "invalid_client", "error_description": "unknown client"}
        assert parse_qs(body.decode()) == {"grant_type": ["client_credentials"], "scope": ["service"]}
        token = secrets.token_urlsafe()
        self._tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _info(self, request: Any) -> tuple[int, Any]:
        if request["credentialID"] != CREDENTIAL:
            return 400, {"error": "invalid_request", "error_description": "no such credential"}
        members = [base64.b64encode(one.der).decode() for one in self.certificates]
        key = {"status": self.status, "algo": list(self.algorithms)}
        return 200, {"key": key, "cert": {"certificates": members}, "SCAL": "2", "multisign": 5}

    def _authorise(self, request: Any) -> tuple[int, Any]:
        wanted = {"credentialID", "numSignatures", "hashes", "hashAlgorithmOID"}
        pin: Any = next((one["value"] for one in request.get("authData", []) if one["id"] == "PIN"), None)
        if self.api == "v1":
            wanted, pin = {"credentialID", "numSignatures", "hash"}, request.get("PIN")
        assert wanted <= set(request), request
        if self.asks_pin and pin != self.pin:
            self.wrong_pins += 1
            return 400, {"error": "invalid_pin", "error_description": "the PIN is wrong"}
        sad = secrets.token_urlsafe()
        self._sads[sad] = request["hash" if self.api == "v1" else "hashes"]
        return 200, {"SAD": sad, "expiresIn": 60}

    def _sign(self, request: Any) -> tuple[int, Any]:
        if self.behaviour == "fails":
            return 500, {"error": "server_error"}
        hashes_, digest = ("hash", "hashAlgo") if self.api == "v1" else ("hashes", "hashAlgorithmOID")
        wanted = {"credentialID", "SAD", "signAlgo", hashes_, digest}
        assert set(request) - {"signAlgoParams"} == wanted, request
        if self._sads.pop(request["SAD"], None) != request[hashes_]:
            return 400, {"error": "invalid_request", "error_description": "not what was authorised"}
        is_pss = request["signAlgo"] == PSS
        assert is_pss == ("signAlgoParams" in request)
        algorithm = OIDS[request[digest]]
        made = [sign_digest(self.key, base64.b64decode(one), algorithm, is_pss=is_pss) for one in request[hashes_]]
        if self.behaviour == "lies":
            made = [bytes(len(one)) for one in made]
        return 200, {"signatures": [base64.b64encode(one).decode() for one in made]}


@dataclass
class Cloud:
    """A made-up cloud's keys: `POST /sign` with a token, a key's name, a digest and an algorithm."""

    keys: dict[str, Any]
    token: str
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        self.asked.append(path)
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 403, {"message": "no"}
        request = json.loads(body)
        digest = base64.b64decode(request["digest"])
        algorithm = {32: hashes.SHA256(), 48: hashes.SHA384()}[len(digest)]
        signature = sign_digest(self.keys[request["key"]], digest, algorithm, is_pss=request["algorithm"] == "rsa-pss")
        return 200, {"signature": base64.b64encode(signature).decode()}


@contextmanager
def serving(service: Service | Cloud) -> Iterator[None]:
    """Answer over HTTP while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behaviour = getattr(service, "behaviour", "")
            if behaviour == "redirects":
                self.send_response(302)
                self.send_header("Location", service.url + "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, answer = service.answer(self.path, self.headers, body)
            data = json.dumps(answer).encode() if behaviour != "says too much" else b" " * 300_000
            self.send_response(status)
            if behaviour == "packs":
                data = gzip.compress(b" " * 10_000_000 + data)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

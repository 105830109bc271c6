"""A small OpenID provider on 127.0.0.1: discovery, keys, authorize, token; what it says wrongly can be chosen."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CLIENT, SECRET = "signer-test", "a secret of a test"


@dataclass
class Provider:
    """A provider whose one person is `claims`; `wrong` replaces claims of the token, `key` signs it."""

    clock: Callable[[], datetime]
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "s-1"})
    wrong: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    algorithm: str = "RS256"

    def __post_init__(self) -> None:
        self.published = self.key
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _app(self) -> Flask:
        app = Flask("provider")

        @app.get("/.well-known/openid-configuration")
        def discovery() -> Any:
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            found = {name: f"{self.issuer}/{path}" for name, path in places.items()}
            return jsonify({"issuer": self.issuer, **found})

        @app.get("/keys")
        def keys() -> Any:
            return jsonify({"keys": [self.published.as_dict(private=False)]})

        @app.get("/authorize")
        def authorize() -> Any:
            code = secrets.token_hex(8)
            self.codes[code] = dict(request.args)
            return redirect(f"{request.args['redirect_uri']}?code={code}&state={request.args['state']}")

        @app.post("/token")
        def token() -> Any:
            asked = self.codes.pop(request.form["code"], None)
            is_right = asked and create_s256_code_challenge(request.form["code_verifier"]) == asked["code_challenge"]
            if not is_right or (request.form["client_id"], request.form["client_secret"]) != (CLIENT, SECRET):
                return jsonify({"error": "invalid_grant"}), 400
            now = int(self.clock().timestamp())
            claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
            told = {name: value for name, value in {**claims, **self.claims, **self.wrong}.items() if value != "ABSENT"}
            signed = jwt.encode({"alg": self.algorithm, "kid": "k1"}, told, self.key)
            return jsonify({"access_token": "x", "token_type": "Bearer", "id_token": signed})

        return app

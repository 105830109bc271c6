"""A bare Flask handler on the server that we ship: `bare.py PORT FILE TYPE STATUS` answers every question with FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from flask import Flask, Response, request

from signer import logs, serve, settings


def application(data: bytes, kind: str, status: int) -> Flask:
    app = Flask("bare")

    @app.route("/<path:_any>", methods=["GET", "POST"])
    def answer(_any: str) -> Response:
        request.get_data()
        return Response(data, status=status, mimetype=kind)

    return app


def main() -> None:
    port, file, kind, status = sys.argv[1:]
    data = Path(file).read_bytes()
    logs.configure("error")
    options = serve._options(settings.load({}), host="127.0.0.1", port=int(port), workers=serve.WORKERS)
    serve._Server(lambda: application(data, kind, int(status)), {**options, "loglevel": "error"}, None).run()


if __name__ == "__main__":
    main()

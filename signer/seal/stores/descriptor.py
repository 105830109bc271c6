"""
What a `*.key.toml` says: in which store a seal's key is, and how to reach it. It holds no secret, only where one is.

Source: docs/reference/formats.md, key descriptors.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from signer.domain.values import Frozen
from signer.errors import KeyUnavailable, Misconfigured
from signer.seal import keys

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".key.toml"
_MOST_SECRET_BYTES = 4096
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _address(url: str) -> str:
    parts = urlsplit(url)
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (parts.hostname and is_plain and is_safe):
        raise ValueError("must be a plain https address (http only on this computer)")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Word = Annotated[str, Field(min_length=1, max_length=300)]


class FileStore(Frozen):
    """A key file beside the descriptor, for what a file alone cannot say: its own password file, or RSA-PSS."""

    store: Literal["file"]
    file: Word
    password_file: Word | None = None
    scheme: Literal["rsa-pss"] | None = None


class Pkcs11Store(Frozen):
    """
    A key in a token, found by label or id (hex). The certificates are in a PEM file, or in the token by the same id.

    `serial` tells tokens of one label apart.
    """

    store: Literal["pkcs11"]
    module: Word
    token: Word
    serial: Word | None = None
    key_label: Word | None = None
    key_id: Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$")] | None = None
    pin_file: Word
    certificate: Word | None = None
    scheme: Literal["rsa-pss"] | None = None


class CscStore(Frozen):
    """A credential of a remote service by the CSC API; the certificates are what the service tells."""

    store: Literal["csc"]
    url: Address
    token_url: Address
    credential: Word
    client_id: Word
    secret_file: Word
    pin_file: Word | None = None
    api: Literal["v1", "v2"] = "v2"
    ca_file: Word | None = None
    timeout_s: Annotated[int, Field(ge=1, le=120)] = 20
    scheme: Literal["rsa-pss"] | None = None


class KmsStore(Frozen):
    """A key of a cloud service, asked by a class of one's own (`package.module:Class`); `options` are for it."""

    store: Literal["kms"]
    driver: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    certificate: Word
    secret_file: Word | None = None
    scheme: Literal["rsa-pss"] | None = None
    options: dict[str, str] = Field(default_factory=dict)


Store = FileStore | Pkcs11Store | CscStore | KmsStore
_STORE: TypeAdapter[Store] = TypeAdapter(Annotated[Store, Field(discriminator="store")])


def read(path: Path) -> Store:
    """Read a descriptor. Raises KeyUnavailable if it is not there, Misconfigured naming the field that is wrong."""
    try:
        return _STORE.validate_python(tomllib.loads(keys.read_file(path).decode()), strict=True)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{path}: not TOML: {str(error)[:200]}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {place}: {first['msg']}"[:300]) from error


def beside(path: Path, name: str) -> Path:
    """Return a file that a descriptor names: relative to the descriptor's folder, or absolute."""
    return path.parent / name


def secret(path: Path) -> bytes:
    """Read a file that holds one secret and nothing else. Raises KeyUnavailable, Misconfigured."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_SECRET_BYTES + 1).strip()
    except OSError as error:
        raise KeyUnavailable(f"{path}: {error.strerror or 'unreadable'}") from error
    if not 1 <= len(data) <= _MOST_SECRET_BYTES:
        raise Misconfigured(f"{path}: a secret of 1 to {_MOST_SECRET_BYTES} bytes must be in it, and nothing else")
    return data


def secret_files(path: Path, described: Store) -> tuple[Path, ...]:
    """Return the files of secrets that a descriptor names."""
    names = (getattr(described, field, None) for field in ("password_file", "pin_file", "secret_file"))
    return tuple(beside(path, name) for name in names if name)

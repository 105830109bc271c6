"""The only reader of the environment: one frozen object, made once, in which nothing can be misspelt."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from signer.errors import InvalidInput, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "SIGNER_"
MOST_ADDRESS = 120
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class Settings(BaseSettings):
    """
    What a deployment is told; names as in the environment without `SIGNER_`, secrets as `..._FILE`.

    Documented in docs/reference/settings.md, which a test holds against this class.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` hands over, so that a test's environment is the whole environment."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    mode: Literal["test", "production"] = "test"
    """`test` counts TEST seals only; `production` lists none."""
    base_url: str = "http://127.0.0.1:8000"
    """Printed on every confirmation for ever; in production https and public, or nothing is sealed."""
    data_dir: Path = Path("var")
    """Where the register, the sealed files and the keys are kept."""
    database_url: str = ""
    """SQLAlchemy's address of the register, SQLite's or PostgreSQL's; empty: SQLite in the data folder."""
    blob_url: str = ""
    """Where sealed files are: `disk:`, `database:`, `s3://bucket/prefix`; empty: the disk beside SQLite, else there."""
    keys_dir: Path | None = None
    """Where key files and their password files are; empty: `keys` in the data folder."""
    trust_list: Path | None = None
    """The signed trust list; empty: `trust-list.jws` in the folder of keys."""
    trust_root: Path | None = None
    """The pinned root key of the trust list (PEM, public); empty: `trust-root.pub.pem` in the folder of keys."""
    tsa_urls: str = ""
    """RFC 3161 authorities, tried in order, separated by blanks; empty in test mode: the built-in TEST authority."""
    tsa_policy: Literal["require", "best-effort"] = "best-effort"
    """Whether to seal without timestamp or revocation data when nobody answers; a manufacturer may have its own."""
    paper_codes: Literal["require", "best-effort"] = "best-effort"
    """Whether to issue without the signed code for paper while a manufacturer has no key for it."""
    log_proofs: Literal["require", "best-effort"] = "best-effort"
    """Whether to issue without the log's proof in the file while the log does not answer within 2 s."""
    secret_file: Path | None = None
    """The secret of the web pages (forms, links), made when it is not there; empty: `web.secret` beside the keys."""
    queue_url: str = ""
    """Where workers are woken: `sqlite:///FILE` or PostgreSQL's; empty: a file beside SQLite, else the register's."""
    smtp_url: str = ""
    """The mail server: `smtp://USER@HOST:PORT` (STARTTLS, unless local) or `smtps://`; empty: files in `mail`."""
    smtp_password_file: Path | None = None
    """The file of the mail server's password, for the user that its address names."""
    mail_from: str = ""
    """The sender of mail, an address; empty: `signer` at the base URL's host."""
    webhook_hosts: str = ""
    """Hosts that webhooks may name though private or without TLS: `erp.example.internal 10.0.0.5:8443`."""
    security_contact: str = ""
    """Whom to tell of a weakness (`/.well-known/security.txt`): an address, or a page (https); empty: no such file."""
    log_head: Path | None = None
    """A file on another disk that remembers the head of the log too; empty: `log-head` in the data folder alone."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """How much is logged."""
    disk_warn_mb: int = Field(default=1000, ge=0)
    """Megabytes (10^6 bytes): with less room where data or sealed files are kept, doctor and `/readyz` warn."""
    disk_stop_mb: int = Field(default=200, ge=0)
    """Megabytes: with less room there nothing new is begun (issuing, batches, uploads); verifying goes on. 0: never."""

    oidc_issuer: str = ""
    """An OpenID provider's issuer (https), by which people may sign in; empty: none."""
    oidc_client_id: str = ""
    """The client's id at the OpenID provider; its redirect address is `BASE_URL/sign-in/oidc/callback`."""
    oidc_client_secret_file: Path | None = None
    """A file with the client's secret at the OpenID provider; empty: a public client."""
    proxy_user_header: str = ""
    """A header in which a trusted proxy names who is signed in (the login); empty: none is believed."""
    trusted_proxies: str = ""
    """Networks of our own proxies: believed in that header and in `X-Forwarded-For`: `127.0.0.1/32 10.0.0.5/32`."""

    metrics_networks: str = ""
    """Networks whose machines may read `/metrics`: `127.0.0.1/32 10.0.0.0/24`; empty: nobody."""

    @field_validator("trusted_proxies", "metrics_networks")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for word in value.split():
            if not ipaddress.ip_network(word).prefixlen:
                raise ValueError(f"{word} is everybody's network: whoever asks would be let in")
        return value

    @field_validator("queue_url")
    @classmethod
    def _queue_is_one_of_ours(cls, value: str) -> str:
        parts = urlsplit(value)
        is_file = parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1
        is_server = parts.scheme == "postgresql" and len(parts.path) > 1
        if value and not (is_file or is_server):
            raise ValueError("is neither sqlite:///FILE nor postgresql://USER@HOST/NAME")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server_is_one(cls, value: str) -> str:
        parts = urlsplit(value)
        is_plain = parts.path in ("", "/") and not parts.query and parts.password is None
        if value and not (parts.scheme in ("smtp", "smtps") and parts.hostname and is_plain):
            raise ValueError("is neither smtp://USER@HOST:PORT nor smtps://USER@HOST:PORT (the password is in a file)")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender_is_an_address(cls, value: str) -> str:
        if value and not is_address(value):
            raise ValueError("is not an address such as signer@example.com")
        return value

    @field_validator("security_contact")
    @classmethod
    def _contact_is_one(cls, value: str) -> str:
        is_page = value.isascii() and value.isprintable() and " " not in value and value.startswith("https://")
        if value and not is_page and not is_address(value):
            raise ValueError("is neither an address such as security@example.com nor a page (https)")
        return value

    @field_validator("disk_stop_mb")
    @classmethod
    def _stop_lies_below_warning(cls, value: int, given: ValidationInfo) -> int:
        if value > given.data.get("disk_warn_mb", value):
            raise ValueError("is above SIGNER_DISK_WARN_MB: the warning comes first")
        return value

    @property
    def security_address(self) -> str:
        """Whom to tell of a weakness, as a URI; '' for nobody."""
        return f"mailto:{self.security_contact}" if is_address(self.security_contact) else self.security_contact

    @property
    def sender(self) -> str:
        """The sender of mail, resolved."""
        return self.mail_from or f"signer@{urlsplit(self.base_url).hostname or 'localhost'}"

    @property
    def database(self) -> str:
        """The register's address, resolved."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'register.sqlite3'}"

    @property
    def run_dir(self) -> Path:
        """Where each process of this host keeps what it counts."""
        return self.data_dir / "run"

    @property
    def keys(self) -> Path:
        """The folder of keys, resolved."""
        return self.keys_dir or self.data_dir / "keys"

    @property
    def maintenance_path(self) -> Path:
        """The file by which an operator drains this machine, whatever is in it."""
        return self.data_dir / "maintenance"

    @property
    def trust_list_path(self) -> Path:
        """The signed trust list, resolved."""
        return self.trust_list or self.keys / "trust-list.jws"

    @property
    def trust_root_path(self) -> Path:
        """The pinned root key, resolved."""
        return self.trust_root or self.keys / "trust-root.pub.pem"

    @property
    def secret_path(self) -> Path:
        """The web pages' secret, resolved."""
        return self.secret_file or self.keys / "web.secret"

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of trusted proxies."""
        return tuple(ipaddress.ip_network(word) for word in self.trusted_proxies.split())

    @property
    def authorities(self) -> tuple[str, ...]:
        """The addresses of the timestamping authorities, in order."""
        return tuple(self.tsa_urls.split())


def is_address(text: str) -> bool:
    """Tell whether a text is one plain e-mail address, with nothing in it that a mail's head would read otherwise."""
    return len(text) <= MOST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; Misconfigured names an unknown `SIGNER_*` name, or a bad value."""
    names = os.environ if environment is None else environment
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    if unknown := sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known):
        raise Misconfigured(f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    values = {name.upper().removeprefix(PREFIX).lower(): names[name] for name in names if name.upper() in known}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise Misconfigured(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from error


_ADDRESSES = frozenset({"base_url", "database_url", "blob_url", "tsa_urls", "queue_url", "smtp_url", "oidc_issuer"})
HIDDEN = "***"


def shown(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return every setting's name and value as people may see them: no address with a password or a query."""
    found = ((name, getattr(settings, name)) for name in Settings.model_fields)
    return tuple(
        (
            PREFIX + name.upper(),
            _without_secrets(str(value)) if name in _ADDRESSES else "" if value is None else str(value),
        )
        for name, value in found
    )


def _without_secrets(addresses: str) -> str:
    return " ".join(_plain_address(word) for word in addresses.split())


def _plain_address(address: str) -> str:
    head, mark, _ = address.partition("?")
    scheme, slashes, rest = head.partition("//")
    place, slash, path = rest.partition("/")
    who, at, host = place.rpartition("@")
    user, colon, _ = who.partition(":")
    told = f"{user}{colon}{HIDDEN if colon else ''}{at}{host}"
    return f"{scheme}{slashes}{told}{slash}{path}{mark}{HIDDEN if mark else ''}"


def refuse_base_url(settings: Settings) -> None:
    """
    Refuse to seal in production with a base URL that is missing, not https, or local.

    A wrong address is burned into a sealed file for ever (docs/reference/formats.md, the short code).
    """
    if settings.mode == "test":
        return
    if fault := base_url_fault(settings.base_url):
        raise InvalidInput("SIGNER_BASE_URL", fault)


def base_url_fault(base_url: str) -> str:
    """Return what is wrong with a base URL for production, or ''."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if not host:
        return "is missing; every confirmation prints it"
    if parts.scheme != "https":
        return "must begin with https://"
    if parts.query or parts.fragment or parts.username:
        return "must be a plain address without query, fragment or user"
    return f"is local ({host}); officers abroad must reach it" if _is_local(host) else ""


def _is_local(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(
            (".local", ".localhost", ".internal", ".lan", ".home", ".test", ".invalid")
        )

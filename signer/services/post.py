"""Hand one mail to a mail server, or write it to a file: the only place that speaks SMTP."""

from __future__ import annotations

import contextlib
import ipaddress
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from signer.errors import InvalidInput, Misconfigured, Unavailable
from signer.register.blobs import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from signer.register.mails import Mail
    from signer.settings import Settings

TIMEOUT_S = 15.0
_PORTS = {"smtp": 587, "smtps": 465}


class MailRefused(InvalidInput):
    """The server will never take this mail: trying again would change nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__("mail", reason)


class PostLost(Unavailable):
    """The connection is gone: nothing more can be handed over on it."""


class Post(Protocol):
    """Takes mail."""

    @property
    def place(self) -> str:
        """Where mail goes, for people, without a password."""

    def open(self) -> AbstractContextManager[Callable[[EmailMessage, str], None]]:
        """
        Open a connection; what it gives takes one message after the other, each with its recipient.

        Opening raises Unavailable or Misconfigured; handing over raises Unavailable, or MailRefused for good.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A mail server's address; `must_encrypt`: not a word before TLS."""

    host: str
    port: int
    user: str
    is_tls: bool
    must_encrypt: bool

    @classmethod
    def parse(cls, url: str) -> Gate:
        """Read SIGNER_SMTP_URL, whose form the settings have checked. Misconfigured for a port that is none."""
        parts = urlsplit(url)
        try:
            port = parts.port or _PORTS[parts.scheme]
        except ValueError as error:
            raise Misconfigured(f"SIGNER_SMTP_URL: {error}") from error
        host = parts.hostname or ""
        is_tls = parts.scheme == "smtps"
        must = not is_tls and not _is_loopback(host)
        return cls(host=host, port=port, user=unquote(parts.username or ""), is_tls=is_tls, must_encrypt=must)


class SmtpPost:
    """Sends by a mail server. `tls` checks its certificate, by the system's authorities unless another is given."""

    def __init__(self, gate: Gate, *, password_file: Path | None, tls: ssl.SSLContext | None = None) -> None:
        self._gate = gate
        self._password_file = password_file
        self._tls = tls

    @property
    def place(self) -> str:
        """The server's host and port."""
        return f"{self._gate.host}:{self._gate.port}"

    @contextlib.contextmanager
    def open(self) -> Iterator[Callable[[EmailMessage, str], None]]:
        """Connect, encrypt, sign in."""
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server {self.place} cannot be used: {_words(error)}") from error
        try:
            yield lambda message, recipient: _hand_over(server, message, recipient)
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()

    def refuse_unready(self) -> None:
        """Refuse a server whose password cannot be read. Misconfigured."""
        if self._gate.user:
            self._password()

    def _password(self) -> str:
        if self._password_file is None:
            raise Misconfigured("SIGNER_SMTP_URL names a user, so SIGNER_SMTP_PASSWORD_FILE is needed")
        try:
            return self._password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"SIGNER_SMTP_PASSWORD_FILE {self._password_file} cannot be read") from error

    def _connected(self) -> smtplib.SMTP:
        gate, tls = self._gate, self._tls or ssl.create_default_context()
        password = self._password() if gate.user else ""
        if gate.is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(gate.host, gate.port, timeout=TIMEOUT_S, context=tls)
        else:
            server = smtplib.SMTP(gate.host, gate.port, timeout=TIMEOUT_S)
        try:
            server.ehlo()
            if gate.must_encrypt:
                server.starttls(context=tls)
                server.ehlo()
            if gate.user:
                server.login(gate.user, password)
        except BaseException:
            server.close()
            raise
        return server


class FilePost:
    """Writes each mail into a folder, for development: nothing leaves the machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    @contextlib.contextmanager
    def open(self) -> Iterator[Callable[[EmailMessage, str], None]]:
        """Make the folder, for its owner only: a mail may hold a link that admits somebody."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{self._folder} cannot be made: {error.strerror}") from error
        yield self._write

    def _write(self, message: EmailMessage, _recipient: str) -> None:
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        try:
            write_whole(self._folder / f"{name}.eml", message.as_bytes())
        except OSError as error:
            raise Unavailable(f"a mail cannot be written to {self._folder}: {error.strerror}") from error


def post_of(settings: Settings) -> Post:
    """Return where a deployment's mail goes."""
    if not settings.smtp_url:
        return FilePost(settings.data_dir / "mail")
    return SmtpPost(Gate.parse(settings.smtp_url), password_file=settings.smtp_password_file)


def message_of(mail: Mail, *, sender: str, at: datetime) -> EmailMessage:
    """
    Return a mail as it is sent: plain text, no attachment.

    Its Message-ID is always the same, so that a reader who gets it twice can be shown it once.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<signer-{mail.id}-{mail.queued_at:%Y%m%d%H%M%S%f}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, charset="utf-8", cte="base64")
    message["Content-Language"] = mail.language
    return message


def _hand_over(server: smtplib.SMTP, message: EmailMessage, recipient: str) -> None:
    try:
        server.send_message(message, to_addrs=[recipient])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (0, b""))
        _refuse(code, said, error)
    except smtplib.SMTPResponseException as error:
        _refuse(error.smtp_code if isinstance(error, smtplib.SMTPDataError) else 0, error.smtp_error, error)
    except (OSError, smtplib.SMTPException) as error:
        raise PostLost(f"the mail server broke off: {_words(error)}") from error


def _refuse(code: int, said: bytes | str, error: Exception) -> None:
    """Tell a refusal for good (5xx: this recipient, this mail) from one for now (RFC 5321, section 4.2.1)."""
    words = f"the mail server says {code or ''} {_text(said)}".replace("  ", " ")
    if 500 <= code <= 599:
        raise MailRefused(words) from error
    raise Unavailable(words) from error


def _words(error: Exception) -> str:
    """Return what went wrong, without what we sent: an answer to a sign-in might echo it."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"it refuses the user or password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error)[:200] or type(error).__name__


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return "".join(char if char.isprintable() else " " for char in text)[:200]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

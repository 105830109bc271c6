"""Write to people: queue a mail in the transaction that makes it true, send it afterwards, and know when to stop."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from string import Template
from typing import TYPE_CHECKING, Final

import structlog

from signer.domain.parties import Role
from signer.errors import InvalidInput, Misconfigured, Unavailable
from signer.register import mails, parties, requests
from signer.register.jobs import unheard
from signer.register.scope import Scope
from signer.services.post import MailRefused, PostLost, message_of
from signer.settings import is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

    from signer.register.database import Database, Transaction
    from signer.register.mails import Mail, Notice, Waiting
    from signer.services.post import Post

log = structlog.get_logger()

KINDS: Final = frozenset(
    {
        "alarm",
        "appointment",
        "approval-asked",
        "approver-asked",
        "colleague-asked",
        "exporter-accepted",
        "exporter-refused",
        "exporter-waits",
        "factor-reset",
        "invitation",
        "issued",
        "maker-proposed",
        "maker-suspended",
        "outlet-link",
        "renaming-asked",
        "request-asked",
        "request-changed",
        "request-issued",
        "request-promised",
        "request-refused",
        "request-said",
        "request-withdrawn",
        "reset-asked",
        "resumed",
        "returned",
        "seal-expiring",
        "sign-up",
        "suspended",
        "webhook-gone",
        "withdrawn",
    }
)
"""What is written about; each has `templates/web/mail/<kind>.<language>.txt`: a subject, an empty line, the text."""
LANGUAGES: Final = ("zh", "en")
OPERATOR: Final = {"zh": "系统运营方", "en": "the operator of the system"}
"""Who acts on the command line, where a mail names somebody."""
PATIENCE = timedelta(days=3)
KEPT = timedelta(days=30)
_FIRST_PAUSE = timedelta(minutes=1)
_MOST_WORD, _MOST_SUBJECT, _MOST_AT_ONCE, _MOST_NOTICES = 200, 200, 200, 500
_MOST_REPEATS = 1
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_EVERYBODYS = Scope.everything("the post carries everybody's notices")
_KEEPERS = frozenset({Role.APPROVER, Role.ADMIN})
NOTICES: Mapping[str, tuple[str, frozenset[Role]]] = {
    "confirmation.issued": ("issued", frozenset()),
    "confirmation.withdrawn": ("withdrawn", _KEEPERS),
    "confirmation.suspended": ("suspended", _KEEPERS),
    "confirmation.resumed": ("resumed", _KEEPERS),
}
"""Which notice becomes which mail, and to whom besides the one who prepared the confirmation."""


class Mailing:
    """Queue and send mail. `below` draws a number below n; `base_url` is what links begin with."""

    def __init__(
        self,
        *,
        database: Database,
        post: Callable[[], Post],
        templates: Path,
        sender: str,
        base_url: str,
        clock: Callable[[], datetime],
        below: Callable[[int], int],
    ) -> None:
        self._database = database
        self._post = post
        self._templates = templates
        self._sender = sender
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._below = below

    def queue(self, tx: Transaction, recipient: str, kind: str, language: str, *, path: str, **words: str) -> None:
        """
        Queue one mail, in the transaction that makes it true: rolled back, it was never written.

        `path` is what its link leads to, below the base URL; `words` are what its template names, each made one short
        line. A login that is no address (a directory's name) gets none: that is logged, and stops nothing.
        """
        if kind not in KINDS:
            raise InvalidInput("kind", f"is one of {', '.join(sorted(KINDS))}")
        if not is_address(recipient):
            log.warning("mail.no-address", kind=kind)
            return
        spoken = language if language in LANGUAGES else "en"
        link = {"link": self._base_url + path, "service": self._base_url}
        told = {name: _one_line(word) for name, word in words.items()} | link
        subject, _, body = _template(self._templates, kind, spoken).partition("\n\n")
        foot = Template(_template(self._templates, "foot", spoken))
        mails.add(
            tx,
            recipient,
            language=spoken,
            kind=kind,
            subject=_one_line(Template(subject).substitute(told))[:_MOST_SUBJECT],
            body=Template(body).substitute(told).rstrip() + "\n\n" + foot.substitute(told),
            at=self._clock(),
        )

    def queue_for(
        self,
        tx: Transaction,
        roles: frozenset[Role],
        kind: str,
        *,
        scope: Scope,
        path: str,
        but: str = "",
        **words: str,
    ) -> None:
        """Queue a mail for everybody with one of these roles for a manufacturer, each in their language, but one."""
        for reader in mails.readers(tx, roles, scope=scope):
            if reader.person != but:
                self.queue(tx, reader.address, kind, reader.language, path=path, **words)

    def queue_for_operators(self, tx: Transaction, kind: str, *, path: str, but: frozenset[str], **words: str) -> None:
        """Queue a mail for everybody who is appointed as an operator, each in their language, but some."""
        for reader in mails.appointed(tx, Role.OPERATOR):
            if reader.person not in but:
                self.queue(tx, reader.address, kind, reader.language, path=path, **words)

    def deliver(self, tell: Callable[[str], None] = unheard) -> str:
        """
        Turn notices into mails, then send what is due; return what came of it.

        One connection for all. If the server cannot be reached, one mail waits longer for it and the others stay due.
        """
        self._pass_on()
        self._prune()
        first = self._take()
        if first is None:
            return "0 sent"
        try:
            with self._post().open() as hand_over:
                return self._send(first, hand_over, tell)
        except Unavailable as error:
            self._postpone(first, str(error))
            return f"0 sent, waiting: {error}"
        except Misconfigured as error:
            self._postpone(first, str(error))
            raise

    def waiting(self) -> Waiting:
        """Tell how the mail stands."""
        with self._database.read() as tx:
            return mails.waiting(tx)

    def _send(self, first: Mail, hand_over: Callable[[EmailMessage, str], None], tell: Callable[[str], None]) -> str:
        counts = {"sent": 0, "put off": 0, "given up": 0}
        mail: Mail | None = first
        while mail is not None:
            try:
                counts[self._send_one(mail, hand_over)] += 1
            except PostLost as error:
                counts[self._postpone(mail, str(error))] += 1
                break
            tell(f"{sum(counts.values())} done")
            mail = self._take() if sum(counts.values()) < _MOST_AT_ONCE else None
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count or what == "sent")

    def _send_one(self, mail: Mail, hand_over: Callable[[EmailMessage, str], None]) -> str:
        if mail.repeats > _MOST_REPEATS:
            return self._give_up(mail, "it may have gone twice: each time the sending process ended without a word")
        if mail.is_orphan:
            log.warning("mail.sent-again", id=mail.id, kind=mail.kind)
        said = self._says_so(mail) if mail.repeats else mail
        try:
            hand_over(message_of(said, sender=self._sender, at=self._clock()), mail.recipient)
        except MailRefused as error:
            return self._give_up(mail, error.reason)
        except PostLost:
            raise
        except Unavailable as error:
            return self._postpone(mail, str(error))
        with self._database.write() as tx:
            mails.sent(tx, mail, at=self._clock())
        log.info("mail.sent", id=mail.id, kind=mail.kind)
        return "sent"

    def _says_so(self, mail: Mail) -> Mail:
        """Return a mail that says it may come twice: whoever took it first was not heard of again."""
        said = _template(self._templates, "repeated", mail.language).strip()
        return replace(mail, body=f"{said}\n\n{mail.body}")

    def _take(self) -> Mail | None:
        with self._database.write() as tx:
            return mails.take(tx, at=self._clock())

    def _postpone(self, mail: Mail, error: str) -> str:
        """Put a mail off, for longer each time and never all at one instant; give it up after three days."""
        at = self._clock()
        if at - mail.queued_at >= PATIENCE:
            return self._give_up(mail, error)
        pause = min(_FIRST_PAUSE * 2 ** min(mail.attempts - 1, 12), mails.LONGEST_PAUSE)
        jitter = pause * (self._below(401) - 200) / 1000
        with self._database.write() as tx:
            mails.postpone(tx, mail, error=error, next_at=at + pause + jitter)
        return "put off"

    def _give_up(self, mail: Mail, error: str) -> str:
        log.error("mail.given-up", id=mail.id, kind=mail.kind, attempts=mail.attempts, error=error[:200])
        with self._database.write() as tx:
            mails.give_up(tx, mail, error=error, at=self._clock())
        return "given up"

    def _pass_on(self) -> None:
        """Turn notices into mails, and note it in the same transaction: none is passed on twice, none is lost."""
        while True:
            at = self._clock()
            with self._database.write() as tx:
                found = mails.unsent_notices(tx, scope=_EVERYBODYS, most=_MOST_NOTICES)
                for notice in found:
                    if at - notice.queued_at < PATIENCE and notice.event in NOTICES:
                        self._write_of(tx, notice)
                mails.mark_told(tx, found, scope=_EVERYBODYS, at=at)
            if len(found) < _MOST_NOTICES:
                return

    def _write_of(self, tx: Transaction, notice: Notice) -> None:
        kind, roles = NOTICES[notice.event]
        maker, scope = parties.tenant_of(tx, notice.manufacturer_id).manufacturer, Scope.of(notice.manufacturer_id)
        path = f"/portal/{maker.uscc}/confirmations/{notice.number}"
        preparer = mails.preparer_of(tx, notice.number, scope=scope)
        readers = {reader.person: reader for reader in mails.readers(tx, roles, scope=scope)} if roles else {}
        if preparer is not None:
            readers[preparer.person] = preparer
        words = {"maker": maker.legal_name, "number": str(notice.number)}
        for reader in readers.values():
            self.queue(tx, reader.address, kind, reader.language, path=path, **words)
        asked = requests.of_number(tx, notice.number, scope=scope)
        asker = None if asked is None else mails.asker_of(tx, asked.asked_by, exporter=asked.exporter_uscc)
        if asked is not None and asker is not None and kind != "issued":  # that one goes with the draft's last step
            path = f"/exporter/{asked.exporter_uscc}/requests/{asked.ref}"
            self.queue(tx, asker.address, kind, asker.language, path=path, **words)

    def _prune(self) -> None:
        with self._database.write() as tx:
            mails.prune(tx, before=self._clock() - KEPT)


def _one_line(word: str) -> str:
    """Return what somebody typed as one short line: no break begins another header, and nothing turns the reading."""
    plain = "".join(" " if unicodedata.category(char) in _UNFIT else char for char in word)
    return " ".join(plain.split())[:_MOST_WORD]


@lru_cache(maxsize=64)
def _template(folder: Path, name: str, language: str) -> str:
    return (folder / f"{name}.{language}.txt").read_text(encoding="utf-8")

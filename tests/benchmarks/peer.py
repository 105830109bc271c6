"""What one would write in an afternoon: Jinja2, WeasyPrint, pyHanko as its documentation shows it, one INSERT."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cases
import jinja2
import pki as pkis
import zxingcpp
from markupsafe import Markup
from world import sample

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).parent
ELSEWHERE = Path(sys.prefix) / "bench"
"""Where `make bench` installs WeasyPrint: beside our packages, not among them."""
_MAKER = "hengyuan"


class Peer:
    """
    Issues confirmations as well as a straightforward program does: no rules, no linting, no check of what was made.

    Template, fonts (the system's), key, authority and evidence are opened once and kept, as a careful author would.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._stock = cases._Stock(pkis.make_world(folder / "pki"), _MAKER)
        environment = jinja2.Environment(autoescape=True, loader=jinja2.FileSystemLoader(HERE))
        self._page = environment.get_template("peer.html")
        register = sample("register")
        self._makers = {each["record"]["legal_name"]: each for each in register["manufacturers"]}
        self._exporters = {each["uscc"]: each for each in register["exporters"]}
        self._link = sqlite3.connect(folder / "peer.sqlite3")
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._link.execute(f"PRAGMA {pragma}")
        self._link.execute("CREATE TABLE confirmations (number TEXT PRIMARY KEY, content BLOB, pdf BLOB)")

    @cached_property
    def _weasyprint(self) -> ModuleType:
        sys.path.append(str(ELSEWHERE))
        import weasyprint  # noqa: PLC0415 -- only `make bench` installs it
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

        self._fonts = FontConfiguration()
        made: ModuleType = weasyprint
        return made

    def issue(self, plain: Any) -> bytes:
        """Return the sealed file of a draft, kept under its number."""
        number = "-".join(secrets.token_hex(3)[:5].upper() for _ in range(3))
        maker = self._makers[plain["manufacturer"]]
        outlets = [each for each in maker["outlets"] if each["country"] == plain["destination"]["country"]]
        content = json.dumps({"number": number, "draft": plain, "outlets": outlets}, ensure_ascii=False).encode()
        address = f"https://confirm.example.org/verify#{number}"
        html = self._page.render(
            number=number,
            digest=hashlib.sha256(content).hexdigest()[:16],
            issued_at="2026-11-25 11:00:00",
            maker=maker["record"],
            exporter=self._exporters[plain["exporter"]],
            draft=plain,
            outlets=outlets,
            address=address,
            code=Markup(zxingcpp.create_barcode(address, zxingcpp.BarcodeFormat.QRCode, ec_level="Q").to_svg()),
        )
        weasyprint = self._weasyprint
        attached = weasyprint.Attachment(string=content, name="confirmation.json", relationship="Data")
        page = weasyprint.HTML(string=html).write_pdf(
            font_config=self._fonts, attachments=[attached], pdf_variant="pdf/a-3b"
        )
        sealed = self._stock.seal(page, existing_fields_only=False)
        with self._link:
            self._link.execute("INSERT INTO confirmations VALUES (?, ?, ?)", (number, content, sealed))
        return sealed

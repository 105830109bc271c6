"""Write the pages of docs/reference from the code: `python docs/make_reference.py [--break]`.

Rules and JSON Schemas are made here, the API's description in `api_description.py` (which takes `--break`), the other
pages in `reference_pages.py`.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from signer.domain import receipt
from signer.domain.bundle import Header, ListWord, Record, Revocation, SealWord
from signer.domain.confirmation import Confirmation, Draft
from signer.domain.log_leaf import LogProof
from signer.domain.rule_catalogue import RULES, Rule
from signer.domain.trust import TrustList
from signer.seal import receipt as receipt_token
from signer.seal.drafting import Changes

if TYPE_CHECKING:
    from types import ModuleType

    from pydantic import BaseModel

Schema = dict[str, Any]

REFERENCE = Path(__file__).parent / "reference"
SEVERITIES = {
    "violation": ("Violations", "A draft with one of these cannot be approved or sealed."),
    "warning": ("Warnings", "Shown to preparer and approver; issuing stays possible."),
    "notice": ("Notices", "What was understood, and what follows from it."),
}
INTRODUCTION = """# Rules

Written by `docs/make_reference.py` from the catalogue in `signer/domain/rule_catalogue.py`: do not edit.

Every rule that a draft meets comes back at once: `rule` (the id below, stable), `severity`,
`pointer` (the field, RFC 6901), the sentence in Chinese and English, and `source`. Words in {braces} are
filled in. Dates are calendar days in Beijing.

Sources: 商贸函〔2025〕648号 is the notice of 2025-11-11; 商务部工作指引 2025-12-11 are the working guidelines;
国办发〔2025〕33号 the measures on electronic seals. "signer B1" to "signer B11" are this software's own rules
([all of them, and what the texts say](../explanation/the-rule.md)):

* B1 A confirmation is required if and only if the licence application falls 0 to 180 days after first registration;
  outside that window issuing is allowed and called voluntary. B2 The application date is the exporter's plan.
* B3 The issuer is the manufacturer of each vehicle; a former name counts, with dates and evidence.
* B4 Every vehicle has at least one live outlet in its destination.
* B5 One confirmation in force per VIN and manufacturer. B6 Sealed content never changes; superseding is explicit.
* B7 Preparer and approver are two natural persons.
* B8 A seal is used only while its certificate is valid, its state active, and it is bound to the manufacturer.
* B11 Every seal has a class; TEST says TEST.
"""


def rules_page() -> str:
    """Return docs/reference/rules.md."""
    parts = [INTRODUCTION]
    for severity, (title, what) in SEVERITIES.items():
        rows = [_row(rule) for rule in sorted(RULES, key=lambda rule: rule.id) if rule.severity == severity]
        parts.append(f"## {title}\n\n{what}\n\n| id | 中文 | English | source |\n|---|---|---|---|\n" + "\n".join(rows))
    return "\n".join([parts[0], "\n\n".join(parts[1:]), ""])


def _row(rule: Rule) -> str:
    return f"| `{rule.id}` | {rule.zh} | {rule.en} | {rule.source} |"


def content_schema() -> str:
    """Return the JSON Schema of `confirmation.json`: what is absent is absent, never null."""
    schema = Confirmation.model_json_schema(by_alias=True, mode="serialization")
    return _page(_absent_not_null(schema), "signer.confirmation/1", Confirmation)


def draft_schema() -> str:
    """Return the JSON Schema of a draft."""
    return _page(Draft.model_json_schema(by_alias=True), "signer.draft/1", Draft)


def trust_list_schema() -> str:
    """Return the JSON Schema of a trust list's payload: what is absent is absent, never null."""
    return _page(_absent_not_null(TrustList.model_json_schema(mode="serialization")), "signer-trust+jwt", TrustList)


def trust_changes_schema() -> str:
    """Return the JSON Schema of a file of changes."""
    return _page(Changes.model_json_schema(by_alias=True), "signer.trust-changes/1", Changes)


def receipt_schema() -> str:
    """Return the JSON Schema of a receipt's claims: what is absent is absent, never null."""
    schema = _absent_not_null(receipt.CLAIMS.json_schema(mode="serialization"))
    return _page(schema, receipt_token.TYPE, receipt)


def log_proof_schema() -> str:
    """Return the JSON Schema of `log-proof.json`: what is absent is absent, never null."""
    return _page(_absent_not_null(LogProof.model_json_schema(by_alias=True)), "signer.log-proof/1", LogProof)


def bundle_schema() -> str:
    """Return the JSON Schema of the lines of an offline bundle: what is absent is absent, never null or empty."""
    lines = (Header, Revocation, SealWord, Record, ListWord)
    _, found = models_json_schema([(line, "serialization") for line in lines], by_alias=True)
    kinds = [{"$ref": f"#/$defs/{line.__name__}"} for line in lines]
    shapes = {name: _absent_not_empty(shape) for name, shape in found["$defs"].items()}
    return _page({"oneOf": kinds, "$defs": shapes}, "signer.bundle/2", Header)


def _absent_not_empty(shape: Schema) -> Schema:
    """Return a line's schema without null, and with every list optional: an empty one is absent."""
    plain = _absent_not_null(shape)
    if "properties" in plain:
        lists = {name for name, field in plain["properties"].items() if field.get("type") == "array"}
        for name in lists:
            plain["properties"][name]["minItems"] = 1
        plain["required"] = [name for name in plain["required"] if name not in lists]
    return plain


def _page(schema: Schema, title: str, described: type[BaseModel] | ModuleType) -> str:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": " ".join((described.__doc__ or "").split()),
    }
    return (
        json.dumps(
            head | {key: value for key, value in schema.items() if key not in head}, indent=2, ensure_ascii=False
        )
        + "\n"
    )


def _absent_not_null(schema: Schema) -> Schema:
    """Return the schema without null and defaults: what may be null is optional, everything else required."""
    plain: Schema = {key: _descend(value) for key, value in schema.items() if key != "default"}
    if "properties" in plain:
        plain["required"] = [name for name, field in schema["properties"].items() if not _may_be_null(field)]
    if "anyOf" in plain:
        choices = [choice for choice in plain.pop("anyOf") if choice != {"type": "null"}]
        plain |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    return plain


def _may_be_null(field: Schema) -> bool:
    return {"type": "null"} in field.get("anyOf", [])


def _descend(value: object) -> object:
    if isinstance(value, dict):
        return _absent_not_null(value)
    if isinstance(value, list):
        return [_descend(each) for each in value]
    return value


def pages() -> dict[str, str]:
    """Return every page that this script writes, by file name."""
    return {
        "rules.md": rules_page(),
        "content.schema.json": content_schema(),
        "draft.schema.json": draft_schema(),
        "receipt.schema.json": receipt_schema(),
        "trust-list.schema.json": trust_list_schema(),
        "trust-changes.schema.json": trust_changes_schema(),
        "bundle.schema.json": bundle_schema(),
        "log-proof.schema.json": log_proof_schema(),
    }


def main() -> None:
    """Write the pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    for script in ("reference_pages.py", "api_description.py"):
        runpy.run_path(str(Path(__file__).with_name(script)), run_name="__main__")


if __name__ == "__main__":
    main()

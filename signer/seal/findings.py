"""The questions that the judge of seals asks, each with a stable id that docs/reference is held against."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from signer.domain.evidence import Part, SealFinding, State
from signer.seal.certificates import printable

if TYPE_CHECKING:
    from signer.domain.evidence import SubIndication


class Question(NamedTuple):
    """What a check asks, in Chinese and English, and which part of the answer it belongs to."""

    part: Part
    zh: str
    en: str


class Id(StrEnum):
    """The ids, in the order in which findings are reported. Never translated, never used again for another question."""

    FILE_FORM = "file-form"
    REVISIONS = "revisions"
    SEAL_FORM = "seal-form"
    BYTE_RANGE = "byte-range"
    CMS_FORM = "cms-form"
    ALGORITHMS = "algorithms"
    DIGEST = "digest"
    SIGNATURE = "signature"
    EMBEDDED_CERTIFICATES = "embedded-certificates"
    TIMESTAMP_TOKEN = "timestamp-token"  # noqa: S105 - a check's id
    REVOCATION_FORM = "revocation-form"
    ATTACHMENTS = "attachments"
    SIGNER_LISTED = "signer-listed"
    NAMING = "naming"
    CHAIN = "chain"
    REVOCATION = "revocation"
    TIMESTAMP = "timestamp"
    ARCHIVE = "archive"


QUESTIONS: dict[Id, Question] = {
    Id.FILE_FORM: Question(
        Part.INTEGRITY,
        "文件是否为完整的 PDF，大小与结构均在限度之内，且可按严格方式读取？",
        "Is the file one whole PDF, within the limits, that the strict reader can read?",
    ),
    Id.REVISIONS: Question(
        Part.INTEGRITY,
        "加盖电子印章之后是否没有追加任何内容（存档时间戳除外）？",
        "Does nothing follow what was sealed but archive timestamps?",
    ),
    Id.SEAL_FORM: Question(
        Part.INTEGRITY,
        "是否仅有一个印章，位于 Seal 域，并已声明不允许修改？",
        "Is there exactly one seal, in the field Seal, certified to allow no changes?",
    ),
    Id.BYTE_RANGE: Question(
        Part.INTEGRITY,
        "签名范围是否覆盖除签名值本身以外的全部字节？",
        "Does the seal cover every byte but its own value?",
    ),
    Id.CMS_FORM: Question(
        Part.INTEGRITY, "签名数据的每个字节是否符合规定的格式？", "Has the seal's value, byte for byte, its one form?"
    ),
    Id.ALGORITHMS: Question(
        Part.INTEGRITY,
        "算法与密钥强度是否符合要求（SHA-256、P-256、RSA-2048 及以上）？",
        "Are the algorithms strong enough (SHA-256, P-256, RSA of 2048 bits, or better)?",
    ),
    Id.DIGEST: Question(
        Part.INTEGRITY, "文件内容的摘要是否与签名中的一致？", "Is the digest of the file the one that was signed?"
    ),
    Id.SIGNATURE: Question(
        Part.INTEGRITY, "签名值能否用印章证书验证？", "Does the signature verify under the seal's certificate?"
    ),
    Id.EMBEDDED_CERTIFICATES: Question(
        Part.INTEGRITY,
        "签名中携带的证书是否逐字节等于信任名单所载证书？",
        "Is every certificate inside, byte for byte, one of the trust list?",
    ),
    Id.TIMESTAMP_TOKEN: Question(
        Part.INTEGRITY,
        "所附时间戳的格式、摘要和签名是否正确？",
        "Has the attached timestamp, if any, a good form, imprint and signature?",
    ),
    Id.REVOCATION_FORM: Question(
        Part.INTEGRITY,
        "所附吊销信息（DSS）是否符合规定的格式？",
        "Has the attached revocation data (DSS), if any, its one form?",
    ),
    Id.ATTACHMENTS: Question(
        Part.INTEGRITY,
        "附件是否仅为 confirmation.json（及可选的 log-proof.json）？",
        "Are the attachments exactly confirmation.json, and log-proof.json at most?",
    ),
    Id.SIGNER_LISTED: Question(
        Part.SEAL, "印章证书是否在信任名单中？", "Is the seal's certificate on the trust list, as a seal?"
    ),
    Id.NAMING: Question(
        Part.SEAL, "证书是否指明该生产企业？", "Does the certificate name the manufacturer of its entry?"
    ),
    Id.CHAIN: Question(
        Part.SEAL,
        "证书链在可证明的时间是否有效？",
        "Is the chain of the certificate good at the time that is proven?",
    ),
    Id.REVOCATION: Question(
        Part.SEAL,
        "所附吊销信息是否证明各级证书在可证明的时间均未被吊销？",
        "Does the attached revocation data show that no certificate of the chains was revoked at the proven time?",
    ),
    Id.TIMESTAMP: Question(
        Part.SEAL,
        "是否有受信任的时间戳？",
        "Is there a timestamp by a listed authority that is valid now, by itself or through an archive timestamp?",
    ),
    Id.ARCHIVE: Question(
        Part.SEAL,
        "所附存档时间戳（如有）是否均由信任名单所载机构签发且仍然有效？",
        "Is every archive timestamp, if there is any, by a listed authority, and does it still count?",
    ),
}


class Findings:
    """Collects answers; the first answer to a question stands unless a failure comes later."""

    def __init__(self) -> None:
        self._found: dict[Id, SealFinding] = {}

    def passed(self, which: Id, detail: str = "") -> None:
        """Answer yes."""
        self._add(which, State.PASSED, None, detail)

    def failed(self, which: Id, sub_indication: SubIndication | None, detail: str) -> None:
        """Answer no."""
        self._add(which, State.FAILED, sub_indication, detail)

    def open(self, which: Id, sub_indication: SubIndication | None, detail: str) -> None:
        """Answer that it could not be told."""
        self._add(which, State.UNDETERMINED, sub_indication, detail)

    def add(self, which: Id, state: State, sub_indication: SubIndication | None, detail: str) -> None:
        """Answer as somebody else judged."""
        self._add(which, state, sub_indication, detail)

    def settle(self, which: Id, fault: str, *, sub_indication: SubIndication = "FORMAT_FAILURE") -> bool:
        """Answer yes if there is no fault, else no with the fault; return the answer."""
        if fault:
            self.failed(which, sub_indication, fault)
        else:
            self.passed(which)
        return not fault

    def all(self) -> tuple[SealFinding, ...]:
        """Return an answer to every question, in order; what was not reached is undetermined."""
        missing = {
            which: _finding(which, State.UNDETERMINED, None, "not reached") for which in Id if which not in self._found
        }
        return tuple({**missing, **self._found}[which] for which in Id)

    def _add(self, which: Id, state: State, sub_indication: SubIndication | None, detail: str) -> None:
        before = self._found.get(which)
        if before is None or (state is State.FAILED and before.state is not State.FAILED):
            self._found[which] = _finding(which, state, sub_indication, detail)


@lru_cache(maxsize=512)
def _finding(which: Id, state: State, sub_indication: SubIndication | None, detail: str) -> SealFinding:
    return SealFinding(
        id=which.value,
        part=QUESTIONS[which].part,
        state=state,
        sub_indication=sub_indication,
        detail=printable(detail, most=300),
    )

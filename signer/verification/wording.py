"""
The sentences of a verdict: what is known, and whom to ask. Codes are never translated.

Chinese and English stand here; whoever speaks another language hands its words in (`Words`), by the keys used here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from signer.domain.values import BEIJING
from signer.domain.verdict import Code
from signer.verification.reasons import REASONS
from signer.verification.words import Words

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.evidence import State
    from signer.domain.verdict import Check, Verdict

Language = Literal["zh", "en"]
Speech = Language | Words
"""What a text is told in."""

_BANNERS: dict[Code, tuple[str, str]] = {
    Code.UNREADABLE: ("此文件无法读取", "This file cannot be read"),
    Code.NOT_A_CONFIRMATION: ("不是本服务的确认书", "Not a confirmation of this service"),
    Code.TEST_ONLY: ("测试印章，没有效力", "TEST seal: it has no effect"),
    Code.UNSEALED: ("没有电子印章", "It carries no seal"),
    Code.ALTERED: ("文件已被改动", "Not as it was sealed"),
    Code.CODE_INVALID: ("印刷码无效", "The printed code is not valid"),
    Code.UNKNOWN_SEAL: ("印章不属于名单中的生产企业", "Not a listed manufacturer's seal"),
    Code.SEAL_REVOKED: ("印章密钥已被吊销", "The seal's key was revoked"),
    Code.NOT_REGISTERED: ("登记簿中没有此确认书", "Not in the register"),
    Code.NOT_ISSUED: ("从未签发", "Never issued"),
    Code.NOT_ON_RECORD: ("没有相符的记录", "No such record"),
    Code.WITHDRAWN: ("已撤回", "Withdrawn"),
    Code.NOT_COVERED: ("不适用于所查内容", "Not for what you asked"),
    Code.INDETERMINATE: ("未能完成核验", "The check could not be finished"),
    Code.SUPERSEDED: ("已被新的确认书替代", "Replaced by a newer confirmation"),
    Code.PARTLY_SUPERSEDED: ("部分车辆已由新的确认书替代", "Replaced for some vehicles"),
    Code.PAST_END: ("已过其载明的申请截止日", "Past its own last day"),
    Code.VALID_WITH_NOTICE: ("有效，另有提示", "Valid, with a notice"),
    Code.VALID: ("有效", "Valid"),
    Code.COVERED: ("登记簿确认这些车辆", "Covered by the register"),
    Code.OFFICIAL_COPY: ("与备案的正式用印件一致", "The filed official copy"),
    Code.ON_RECORD: ("有此记录，请逐项比对", "On record: compare line by line"),
    Code.PAPER_GENUINE: ("印刷码数据真实", "The printed code is genuine"),
}

SENTENCES: dict[Code, tuple[str, str]] = {
    Code.UNREADABLE: (
        "此文件无法读取（{reason}）。什么都没有得到证明。请索取原始 PDF。",
        "This file cannot be read ({reason}). Nothing is proven. Ask for the original PDF.",
    ),
    Code.NOT_A_CONFIRMATION: (
        "此文件没有本服务的印章，也没有自称是本服务的确认书。",
        "This file carries no seal of this service and does not claim to.",
    ),
    Code.TEST_ONLY: (
        "此文件由测试（TEST）印章签署，没有任何效力。",
        "Sealed by a TEST seal; it has no effect.",
    ),
    Code.UNSEALED: (
        "文件写有编号 {number}，但没有电子印章。打印件或扫描件请用编号和车辆识别代号查询登记记录，或核验其印刷码。",
        "It names {number} but carries no seal. If it is a print or scan, check the record by number and VINs.",
    ),
    Code.ALTERED: (
        "此文件与用印时不一致。另存、压缩、盖图章或再次签名也会如此：请索取原始 PDF，或查询登记记录。其内容不予显示。",
        (
            "The file is not as it was sealed. Saving, compressing, stamping or signing it again also causes this: "
            "ask for the original, or check the record. Nothing of its content is shown."
        ),
    ),
    Code.CODE_INVALID: (
        "印刷码已损坏，或不是由名单中的密钥签署。",
        "The printed code is damaged or not signed by a listed key.",
    ),
    Code.UNKNOWN_SEAL: (
        "印章本身完整，但其证书不属于名单中的生产企业，或当时无权使用，或与文中所写的生产企业不同。请向该生产企业核实。",
        (
            "The seal is intact, but its certificate is not a listed manufacturer's, or was not entitled at that time, "
            "or is another manufacturer's than the paper names. Ask that manufacturer."
        ),
    ),
    Code.SEAL_REVOKED: (
        "该印章的密钥已被吊销，且不能证明此文件早于吊销时间。请向该生产企业核实。",
        "The seal's key was revoked and this file is not proven older. Ask the manufacturer.",
    ),
    Code.NOT_REGISTERED: (
        "印章属于名单中的生产企业，但登记簿中没有这份确认书，或登记的内容不同。请勿依据此文件，并向该生产企业核实。",
        (
            "A listed seal, but the register has no such confirmation or a different one. "
            "Do not rely on it; ask the manufacturer."
        ),
    ),
    Code.NOT_ISSUED: (
        "编号 {number} 的用印没有完成，从未签发。",
        "Sealing was never completed; number {number} was never issued.",
    ),
    Code.NOT_ON_RECORD: (
        "没有与该编号和车辆识别代号后六位同时相符的记录。请检查两者；如均无误，请勿依据此文件。",
        "No record has this number and these last six characters. Check both; if right, do not rely on the paper.",
    ),
    Code.WITHDRAWN: (
        "确认书 {number} 是真实的，但已于 {ended} 撤回（{reason}）。请向该生产企业核实。",
        "Number {number} is genuine, but was withdrawn on {ended} ({reason}). Ask the manufacturer.",
    ),
    Code.NOT_COVERED: (
        "确认书不适用于所查的内容：车辆识别代号从未列入，或目的国、出口企业不同。",
        "Not for what you asked: a VIN it never listed, another country, or another exporter.",
    ),
    Code.INDETERMINATE: (
        "核验未能完成（{reason}）。目前什么都没有得到证明。请稍后再试，或向该生产企业核实。",
        "The check could not be finished ({reason}). Nothing is proven yet. Try again later, or ask the manufacturer.",
    ),
    Code.SUPERSEDED: (
        "确认书 {number} 是真实的，但已于 {ended} 由新的确认书替代。请向出口企业索取新的确认书。",
        "Number {number} is genuine, but was replaced on {ended}. Ask the exporter for the newer confirmation.",
    ),
    Code.PARTLY_SUPERSEDED: (
        "确认书 {number} 是真实的；其中部分车辆已于 {ended} 由新的确认书替代，其余车辆仍然有效。",
        "Number {number} is genuine; some of its vehicles were replaced on {ended}, the others are still in force.",
    ),
    Code.PAST_END: (
        "确认书是真实的，但其载明的“用于出口许可申请的截止日”已过。",
        'Genuine; its own date "for licence applications until" has passed.',
    ),
    Code.VALID_WITH_NOTICE: (
        "由 {issuer} 于 {sealed} 用印，此后未改动，截至 {checked} 有效。提示：{notices}。",
        "Sealed by {issuer} on {sealed}; unchanged since; in force as of {checked}. Note: {notices}.",
    ),
    Code.VALID: (
        "由 {issuer} 于 {sealed} 用印，此后未改动，截至 {checked} 有效。",
        "Sealed by {issuer} on {sealed}; unchanged since; in force as of {checked}.",
    ),
    Code.COVERED: (
        "登记簿显示：截至 {checked}，{issuer} 为所查车辆、目的国和出口企业出具的确认书有效。纸面本身未经检查。",
        "As of {checked}, {issuer} confirms these vehicles for this country to this exporter. No sheet was examined.",
    ),
    Code.OFFICIAL_COPY: (
        "此文件与生产企业以编号 {number} 备案的正式用印件逐字节相同；登记记录如下。",
        (
            "This is, byte for byte, the officially sealed copy that the manufacturer filed under {number}; "
            "the record follows."
        ),
    ),
    Code.ON_RECORD: (
        "有此记录：请与手中的纸面逐项比对。",
        "This record exists: compare it with your paper line by line.",
    ),
    Code.PAPER_GENUINE: (
        "印刷码中的数据由 {issuer} 签署。这不能证明纸面本身。",
        "The data in the printed code was signed by {issuer}. It does not prove the sheet.",
    ),
}

_WITHOUT_CONTENT: dict[Code, tuple[str, str]] = {
    Code.OFFICIAL_COPY: (
        "此文件与生产企业以编号 {number} 备案的正式用印件逐字节相同；离线数据包中没有该记录的内容。",
        (
            "This is, byte for byte, the officially sealed copy that the manufacturer filed under {number}; "
            "what its record lists is not in an offline bundle."
        ),
    ),
    Code.ON_RECORD: (
        "有此记录；离线数据包中没有其内容：请提交文件本身进行核验。",
        "This record exists; what it lists is not in an offline bundle: verify the file itself.",
    ),
}
_ON_PAPER: dict[Code, tuple[str, str]] = {
    Code.UNKNOWN_SEAL: (
        "印刷码的签名有效，但其密钥属于另一家生产企业，或当时无权签署。请向该生产企业核实。",
        (
            "The printed code's signature holds, but its key is another manufacturer's, or was not entitled at that "
            "time. Ask that manufacturer."
        ),
    ),
    Code.SEAL_REVOKED: (
        "印刷码的密钥已被吊销，且不能证明此码早于吊销时间。请向该生产企业核实。",
        "The key of the printed code was revoked and the code is not proven older. Ask the manufacturer.",
    ),
    Code.NOT_REGISTERED: (
        "印刷码由名单中的密钥签署，但登记簿中没有这份确认书，或登记的内容不同。请勿依据此纸面，并向该生产企业核实。",
        (
            "A listed key signed the printed code, but the register has no such confirmation or a different one. "
            "Do not rely on the paper; ask the manufacturer."
        ),
    ),
    Code.TEST_ONLY: (
        "印刷码由测试（TEST）密钥签署，没有任何效力。",
        "The printed code was signed by a TEST key; it has no effect.",
    ),
}
_OF_AGE = ("STANDING_INCOMPLETE", "STANDING_AS_OF")
"""Notices that say why a standing is told as of an earlier time."""


def say(key: str, texts: tuple[str, str], speech: Speech, **values: object) -> str:
    """Return a text with its values put in: of `texts` the Chinese or English one, or that of the key."""
    if isinstance(speech, str):
        text = texts[0] if speech == "zh" else texts[1]
        return text.format(**values) if values else text
    return speech(key, **values)


def banner(code: Code, speech: Speech) -> str:
    """Return the few words of a code's banner."""
    return say(f"code.{code.value}", _BANNERS[code], speech)


def reason(word: str | None, speech: Speech) -> str:
    """Return a reason in words; an unlisted one is shown as its stable ASCII word."""
    if word is None:
        return "-"
    return say(f"reason.{word}", REASONS[word], speech) if word in REASONS else word


def sentence(verdict: Verdict, speech: Speech) -> str:
    """Return what a verdict says, whole; TEST answers say TEST."""
    key, texts = _sentence(verdict)
    told = say(
        key,
        texts,
        speech,
        reason=reason(verdict.reason, speech),
        number=verdict.number or "-",
        ended=instant(verdict.ended_at, speech),
        issuer=verdict.issuer.name if verdict.issuer else "-",
        sealed=instant(verdict.sealed_at, speech),
        checked=instant(verdict.standing_as_of or verdict.checked_at, speech),
        notices=say("told.separator", ("；", "; "), speech).join(reason(word, speech) for word in verdict.notices),
    )
    told += _pages(verdict, speech)
    if verdict.standing_as_of and verdict.code in (Code.COVERED, Code.OFFICIAL_COPY, Code.ON_RECORD):
        told += _as_of(verdict, speech)
    if verdict.test and verdict.code is not Code.TEST_ONLY:
        told += say(
            "told.test", (" 这是测试（TEST）答复，没有效力。", " This is a TEST answer; it has no effect."), speech
        )
    return told


def _sentence(verdict: Verdict) -> tuple[str, tuple[str, str]]:
    """Return a code's sentence and its key: of paper, or without a record's content, some codes say it otherwise."""
    code = verdict.code
    if verdict.subject == "paper" and code in _ON_PAPER:
        return f"sentence.{code.value}.paper", _ON_PAPER[code]
    if verdict.confirmation is None and code in _WITHOUT_CONTENT:
        return f"sentence.{code.value}.without-content", _WITHOUT_CONTENT[code]
    return f"sentence.{code.value}", SENTENCES[code]


def _pages(verdict: Verdict, speech: Speech) -> str:
    """Return which pages were seen, where a confirmation has several."""
    paper = verdict.paper
    if paper is None or not paper.seen or (paper.pages or 1) < 2:
        return ""
    texts = (" 已见第 {seen} 页，共 {pages} 页。", " Page {seen} of {pages}.")
    seen = say("told.list", ("、", ", "), speech).join(map(str, paper.seen))
    return say("told.pages", texts, speech, seen=seen, pages=paper.pages)


def _as_of(verdict: Verdict, speech: Speech) -> str:
    as_of = instant(verdict.standing_as_of, speech)
    word = next((notice for notice in verdict.notices if notice in _OF_AGE), None)
    if word is None:
        return say("told.as-of", (" 登记状态截至 {as_of}。", " Standing as of {as_of}."), speech, as_of=as_of)
    texts = (" 登记状态截至 {as_of}；{reason}。", " Standing as of {as_of}: {reason}.")
    return say("told.as-of-because", texts, speech, as_of=as_of, reason=reason(word, speech))


def instant(at: datetime | None, speech: Speech) -> str:
    """Return an instant as read in Beijing, in the form of a language, or a dash."""
    return beijing(at) if isinstance(speech, str) else speech.instant(at)


def beijing(at: datetime | None) -> str:
    """Return an instant as read in Beijing, to the minute, or a dash."""
    return "-" if at is None else at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M (UTC+8)")


def state(found: State, speech: Speech) -> str:
    """Return the state of a check in words."""
    words = {
        "passed": ("通过", "passed"),
        "failed": ("未通过", "failed"),
        "undetermined": ("未能确定", "not determined"),
    }
    return say(f"state.{found.value}", words[found.value], speech)


QUESTIONS: dict[str, tuple[str, str]] = {
    "form": ("是否为带有印章的确认书？", "Is it a sealed confirmation?"),
    "trust-list": ("信任名单是否是最新的？", "Is the trust list current?"),
    "times": ("文件中的时间是否与时钟相符？", "Do the times in the file agree with our clock?"),
    "official-copy": ("是否与备案的正式用印件逐字节相同？", "Is it, byte for byte, the official copy that was filed?"),
    "content-form": ("所附内容是否完整规范？", "Is the attached content whole and canonical?"),
    "content-issuer": ("印章是否属于文中所写的生产企业？", "Is the seal that of the manufacturer named?"),
    "entitled": ("印章当时是否有权使用？", "Was the seal entitled at that time?"),
    "revocation-since": (
        "签发机构此后是否未声明该印章证书在用印之前已被吊销？",
        "Have the authorities said nothing since of a revocation before the seal?",
    ),
    "record": ("登记簿中是否有同一文件？", "Does the register hold these very bytes?"),
    "log-proof": ("文件所附的透明日志证明是否成立？", "Does the log proof inside the file hold?"),
    "log-issued-proof": (
        "所附签发日志证明是否成立？",
        "Does the log proof hold that these bytes were issued?",
    ),
    "log-issued": ("透明日志是否载明此文件已签发？", "Does the transparency log hold that these bytes were issued?"),
    "standing": ("登记状态是否有效？", "Is the record in force?"),
    "standing-current": ("登记状态是否足够新？", "Is its standing on record recent enough?"),
    "vin-conflict": (
        "是否没有其他生产企业确认同一车辆识别代号？",
        "Is the VIN free of another manufacturer's confirmation?",
    ),
    "until": ("是否未过其载明的截止日？", "Is its own last day still ahead?"),
    "outlets": ("是否已查明所列服务网点此后有无关闭？", "Was it looked up whether its outlets have closed since?"),
    "coverage-vins": ("所查车辆识别代号是否均已列入？", "Is every VIN asked for listed?"),
    "coverage-destination": ("目的国是否相同？", "Is the destination the same?"),
    "coverage-exporter": ("出口企业是否相同？", "Is the exporter the same?"),
    "code-form": ("印刷码是否为本服务规定的形式？", "Is every printed code in its one form?"),
    "code-signature": ("印刷码的签名能否验证？", "Does the signature of the printed code verify?"),
    "code-signer": ("签署印刷码的密钥是否在信任名单中？", "Is the key that signed the printed code on the trust list?"),
    "code-issuer": (
        "该密钥是否属于码中所写的生产企业？",
        "Is that key the one of the manufacturer whom the code names?",
    ),
    "code-entitled": ("该密钥当时是否有权签署？", "Was that key entitled when the code was made?"),
    "code-agreement": ("各页的印刷码是否相互一致？", "Do the codes of all pages agree with each other?"),
    "code-pages": ("是否看到了所有页的印刷码？", "Were the codes of all pages seen?"),
    "status-list": ("状态列表上是否有效？", "Is it in force by the status list?"),
}
"""What each check of this floor asks; those of the seal are in `seal.findings`."""


def check(done: Check, speech: Speech, more: dict[str, tuple[str, str]]) -> str:
    """Return a check as its question and answer; `more` holds the questions of other floors."""
    texts = QUESTIONS.get(done.id) or more.get(done.id)
    asked = say(f"check.{done.id}", texts, speech) if texts else done.id
    told = f"{asked} {state(done.state, speech)}"
    return f"{told} ({done.detail})" if done.detail else told


def told(done: Check, verdict: Verdict, speech: Speech, more: dict[str, tuple[str, str]]) -> str:
    """Return a check of a verdict, with the reason that it gives, and the verdict's sentence if it led to it."""
    parts = [check(done, speech, more)]
    if done.argues_for is verdict.code:
        parts.append(sentence(verdict, speech))
        if verdict.successor:
            texts = ("新的确认书：{number}", "The newer confirmation: {number}")
            parts.append(say("told.successor", texts, speech, number=verdict.successor))
    elif done.reason and done.argues_for is not None:
        parts.append(reason(done.reason, speech))
    return " ".join(parts)

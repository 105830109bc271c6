"""The kinds of problems, each with a stable code, a status, and words in two languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A status, a title and a detail in Chinese and English."""

    status: int
    zh: str
    en: str
    zh_detail: str
    en_detail: str


_LATER_ZH = "请稍后再试。什么都没有得到证明。"
_LATER_EN = "Try again later. Nothing was proven."

KINDS: dict[str, Kind] = {
    "malformed-request": Kind(
        400, "请求格式有误", "Malformed request", "无法读懂此请求。", "This request cannot be understood."
    ),
    "malformed-json": Kind(
        400,
        "JSON 有误",
        "Malformed JSON",
        "请求正文不是严格的 JSON：须为 UTF-8，键不得重复，数字须为整数，嵌套不得过深。",
        "The body is not strict JSON: UTF-8, no key twice, whole numbers only, not nested too deeply.",
    ),
    "no-file": Kind(
        400,
        "没有收到文件",
        "No file arrived",
        "请在名为 file 的部分中发送一个 PDF，或以 application/pdf 直接发送。",
        "Send one PDF in the part `file`, or as the body with the type application/pdf.",
    ),
    "form-expired": Kind(
        400,
        "此表单已失效",
        "This form has expired",
        "表单不是由当前登录会话生成的，或登录状态已改变。请返回上一页，刷新后重试；已自动保存的内容不会丢失。",
        "It was not made for your present session, or you signed in anew since. Go back, load the page again and "
        "repeat; what was saved is not lost.",
    ),
    "idempotency-key-missing": Kind(
        400,
        "缺少 Idempotency-Key",
        "An Idempotency-Key is missing",
        "凡是新建的请求都须带有 Idempotency-Key 请求头：1 至 200 个可见 ASCII 字符，每件事一个，重试时不变。",
        "Whatever makes something needs the header Idempotency-Key: 1 to 200 visible ASCII characters, one for each "
        "thing, the same when it is asked again.",
    ),
    "not-authenticated": Kind(401, "请先登录", "Please sign in", "此处需要登录。", "This needs a sign-in."),
    "not-permitted": Kind(403, "无此权限", "Not permitted", "您无权进行此操作。", "You may not do this."),
    "right-missing": Kind(
        403,
        "该令牌无此权限",
        "This token has not the right",
        "令牌没有所需的权限，或其持有人现在已没有相应的角色。",
        "The token was not given the right that this needs, or its person does not have the role for it now.",
    ),
    "manufacturer-suspended": Kind(
        403,
        "该生产企业已被暂停",
        "This manufacturer is suspended",
        "系统运营方已暂停该生产企业：暂不能签发，其人员也不能进入。已签发的确认书不受影响，照常核验。请联系系统运营方。",
        "The operators of this service suspended the manufacturer: it issues nothing, and its people are not let in. "
        "What it issued is not touched and is verified as before. Ask the operators.",
    ),
    "not-found": Kind(
        404,
        "没有此页面",
        "Not found",
        "没有此页面，或您无权知晓。",
        "There is no such page, or none that you may know of.",
    ),
    "method-not-allowed": Kind(
        405,
        "方法不适用",
        "Method not allowed",
        "此地址不接受该方法（见 Allow）。",
        "This address does not take that method (see Allow).",
    ),
    "not-acceptable": Kind(
        406,
        "无法以所求格式应答",
        "Not acceptable",
        "此地址不能以 Accept 所列的任何格式应答。",
        "This address gives none of the types in Accept.",
    ),
    "request-timeout": Kind(
        408, "上传过慢", "Upload too slow", "上传用时过长，已中断。", "The upload took too long and was stopped."
    ),
    "conflict": Kind(
        409,
        "与登记簿冲突",
        "Conflict",
        "登记簿中已有与之相斥的记录。",
        "The register holds something that excludes this.",
    ),
    "idempotency-key-running": Kind(
        409,
        "该请求正在处理",
        "This is being worked on",
        "带有同一 Idempotency-Key 的请求正在处理。请稍后以同一键值再试（见 Retry-After）。",
        "A request with the same Idempotency-Key is being worked on. Ask again with the same key (see Retry-After).",
    ),
    "terms-changed": Kind(
        409,
        "条款已变",
        "The terms have changed",
        "所示条款摘要与现在会用印的条款不一致。请重新读取后再决定。",
        "The digest names other terms than would be sealed now. Read them again before deciding.",
    ),
    "precondition-failed": Kind(
        412,
        "资料已被他人更改",
        "It was changed meanwhile",
        "If-Match 中的版本已不是最新。请重新读取，再行更改。",
        "If-Match names a version that is not the present one. Read it again, then change it.",
    ),
    "too-large": Kind(
        413,
        "文件过大",
        "Too large",
        "单个文件最多 20 MB，一次最多 20 个文件、60 MB。确认书一般远小于 1 MB：请索取原始 PDF。",
        "A file may have 20 MB, a request 20 files and 60 MB. A confirmation has far less: ask for the original PDF.",
    ),
    "unsupported-media-type": Kind(
        415,
        "请求类型不受支持",
        "Unsupported request type",
        "请以所列类型发送，且不得使用 Content-Encoding 压缩。",
        "Send one of the documented types, without a Content-Encoding.",
    ),
    "invalid-input": Kind(
        422, "有一项填写有误", "A value is not right", "请改正下列各项。", "Please mend what is named below."
    ),
    "rule-violation": Kind(
        422, "不符合规则", "Rules are broken", "请改正下列各项。", "Please mend what is named below."
    ),
    "idempotency-key-reused": Kind(
        422,
        "Idempotency-Key 已用于其他内容",
        "The Idempotency-Key was used for something else",
        "同一键值先前带有不同的内容。新的请求须用新的键值。",
        "The same key came before with another payload. Something new needs a new key.",
    ),
    "precondition-required": Kind(
        428,
        "缺少 If-Match",
        "If-Match is missing",
        "更改须带有 If-Match 请求头，其值为所读版本的 ETag。",
        "A change needs the header If-Match with the ETag of the version that was read.",
    ),
    "too-many-requests": Kind(
        429,
        "查询过于频繁",
        "Too many attempts",
        "该编号、该网络或该令牌的查询或失败次数过多。请稍后再试；核验可改为上传原始 PDF。",
        "Too many questions or failed attempts for this number, from this network or with this token. Try again later; "
        "to verify, hand in the original PDF.",
    ),
    "busy": Kind(
        429,
        "当前请求过多",
        "Too much is asked at this moment",
        "服务正在处理的请求已达上限，或来自您所在网络的请求已占满其份额。"
        "此请求未作任何处理，请按 Retry-After 所示时间后再试。",
        "As much is being worked on as is at once, or your network has its share of it. Nothing was done with this "
        "request. Try again after the time in Retry-After.",
    ),
    "queue-full": Kind(
        429,
        "排队已满",
        "The queue is full",
        "该生产企业等待处理的同类事项已达上限。此次未受理，也未保存；请待前面的完成后再试（见 Retry-After）。",
        "As much of this kind is waiting for this manufacturer as may. This was not taken in, and nothing of it is "
        "kept: try again once some of it is done (see Retry-After).",
    ),
    "internal": Kind(
        500,
        "内部错误",
        "Internal error",
        "我们这里出了差错，已按所示编号记录。什么都没有得到证明。",
        "Something went wrong on our side; it is logged under the id shown. Nothing was proven.",
    ),
    "unavailable": Kind(503, "暂时无法使用", "Not available now", _LATER_ZH, _LATER_EN),
    "trust-list-stale": Kind(503, "信任名单不可用", "The trust list is not usable", _LATER_ZH, _LATER_EN),
    "register-unavailable": Kind(503, "登记簿暂时无法读取", "The register cannot be read now", _LATER_ZH, _LATER_EN),
    "storage-low": Kind(
        507,
        "存储空间不足",
        "Too little room on the disk",
        "存放记录的磁盘剩余空间过少，在运营方腾出空间之前，暂停签发，也不接收批次和文件。未占用编号，也未保存任何内容。核验照常。",
        "Too little room is left where records are kept: nothing is issued or taken in until the operators have made "
        "more. No number was used up, and nothing of this is kept. Verifying goes on.",
    ),
}

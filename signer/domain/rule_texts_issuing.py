"""The rules about who takes part and by what means: issuer, exporter, outlets, seal, people, predecessor."""

from __future__ import annotations

from signer.domain.rule_text import ESEAL, GUIDE, NOTICE, USCC_STANDARD, Rule

RULES = (
    Rule(
        "issuer.role",
        "violation",
        "“{name}”登记为{role}，不能出具确认书。"
        "只有工信部《道路机动车辆生产企业及产品公告》中列名的汽车生产企业可以出具，"
        "请由该企业出具并加盖其公章。",
        "“{name}” is entered as {role} and cannot issue. Only the vehicle manufacturer named in the MIIT "
        "announcement can; "
        "have that company issue it, under its own seal.",
        f"{NOTICE}; {GUIDE}",
    ),
    Rule(
        "issuer.other",
        "violation",
        "草稿写明的生产企业“{typed}”不是出具企业“{issuer}”。请改正，或以该企业身份出具。",
        "The draft names the manufacturer “{typed}”, but “{issuer}” is issuing. Correct it, or issue as that company.",
        "signer B3",
    ),
    Rule(
        "issuer.announcement",
        "warning",
        "公告条目上次核对于 {checked}，已超过 {days} 天。请重新核对企业名称与公告一致，并更新核对日期。",
        "The entry in the MIIT announcement was last checked on {checked}, more than {days} days ago. "
        "Compare the company's name with it again and update the date.",
        f"{NOTICE}; {GUIDE}",
    ),
    Rule(
        "exporter.missing",
        "violation",
        "请填写出口企业的统一社会信用代码。确认书只对该企业有效。",
        "Give the exporter's unified social credit code. The confirmation is good for that company alone.",
        "signer content schema",
    ),
    Rule(
        "exporter.unknown",
        "violation",
        "没有登记代码为 {uscc} 的出口企业。请核对代码，或先登记该企业。",
        "No exporter with the code {uscc} is on record. Check the code, or enter the company first.",
        "signer content schema",
    ),
    Rule(
        "uscc.length",
        "violation",
        "统一社会信用代码应为 18 位，现为 {length} 位。请对照营业执照改正。",
        "A unified social credit code has 18 characters; this one has {length}. Compare it with the business licence.",
        USCC_STANDARD,
    ),
    Rule(
        "uscc.alphabet",
        "violation",
        "统一社会信用代码第 {place} 位“{character}”不可用（不含 I、O、S、V、Z）。请对照营业执照改正。",
        "Position {place} of the unified social credit code is “{character}”; no such code has it. "
        "Compare it with the business licence.",
        USCC_STANDARD,
    ),
    Rule(
        "uscc.check",
        "violation",
        "统一社会信用代码校验不符：末位是“{found}”，应为“{expected}”。至少有一位输错，请对照营业执照。",
        "The unified social credit code does not add up: it ends in “{found}”, the rest calls for “{expected}”. "
        "At least one character is wrong; compare it with the business licence.",
        f"{USCC_STANDARD}, 4.5",
    ),
    Rule(
        "uscc.normalised",
        "notice",
        "输入的“{typed}”保存为 {stored}。请核对。",
        "“{typed}” is stored as {stored}. Please check it.",
        USCC_STANDARD,
    ),
    Rule(
        "outlet.none",
        "violation",
        "{country}没有可用的服务网点（{instead}）。每辆车在目的地至少要有一个授权有效、写明服务商的网点，"
        "否则不能签发。",
        "There is no outlet to use in {country} ({instead}). Every vehicle needs at least one in its destination, "
        "authorised now and with its provider named; nothing can be issued without.",
        f"{NOTICE}; signer B4",
    ),
    Rule(
        "outlet.unknown",
        "violation",
        "没有编号为“{id}”的网点。请从网点清单中选择。",
        "There is no outlet with the id “{id}”. Choose one from the list of outlets.",
        "signer B4",
    ),
    Rule(
        "outlet.country",
        "violation",
        "网点“{name}”在{actual}，而目的地是{country}。请选择目的地的网点。",
        "The outlet “{name}” is in {actual}, but the destination is {country}. Choose outlets in the destination.",
        f"{NOTICE}; signer B4",
    ),
    Rule(
        "outlet.provider",
        "violation",
        "网点“{name}”没有写明服务商。请补充服务商名称后再签发。",
        "The outlet “{name}” names no provider. Add who runs it before issuing.",
        f"{NOTICE}; signer B4",
    ),
    Rule(
        "outlet.ended",
        "violation",
        "网点“{name}”的授权已于 {until} 终止。请延续授权，或选择其他网点。",
        "The authorisation of the outlet “{name}” ended on {until}. Renew it, or choose another outlet.",
        "signer B4",
    ),
    Rule(
        "outlet.not-yet",
        "violation",
        "网点“{name}”的授权自 {start} 起才生效。请待生效后签发，或选择其他网点。",
        "The authorisation of the outlet “{name}” starts only on {start}. Issue after that day, or choose another "
        "outlet.",
        "signer B4",
    ),
    Rule(
        "outlet.left-out",
        "warning",
        "网点“{name}”未列入：{reason}。",
        "The outlet “{name}” is left out: {reason}.",
        "signer B4",
    ),
    Rule(
        "outlet.not-chosen",
        "violation",
        "该车指定的网点“{id}”不在本确认书所选网点之内。请一并选择该网点，或改为已选的网点。",
        "The vehicle names the outlet “{id}”, which is not among the outlets of this confirmation. Choose it there "
        "too, or name another.",
        "signer B4",
    ),
    Rule(
        "outlet.too-many",
        "violation",
        "共 {count} 个网点，一份确认书最多 {most} 个。请只选择与这些车辆有关的网点。",
        "There are {count} outlets; one confirmation takes at most {most}. Choose those that matter for these "
        "vehicles.",
        "signer content schema",
    ),
    Rule(
        "outlet.stale",
        "warning",
        "网点“{name}”上次核实于 {verified}，已超过 {days} 天。请重新核实地址、电话和服务商。",
        "The outlet “{name}” was last verified on {verified}, more than {days} days ago. Verify its address, phone "
        "and provider again.",
        "signer B4",
    ),
    Rule(
        "outlet.unverified",
        "warning",
        "网点“{name}”从未核实。请核实地址、电话和服务商，并记录日期。",
        "The outlet “{name}” was never verified. Verify its address, phone and provider, and record the day.",
        "signer B4",
    ),
    Rule(
        "outlet.unserved",
        "violation",
        "按网点选用规则，{country}没有网点服务该车的品牌和能源类型。请在草稿中指定网点，或更正网点资料。",
        "By the rules of choice, no outlet in {country} serves this vehicle's brand and energy. Name outlets in the "
        "draft, or correct what is recorded of them.",
        "signer B4",
    ),
    Rule(
        "outlet.scope",
        "warning",
        "该车为电动车辆，但其网点均未注明可维修动力电池。请核对网点的服务范围。",
        "This is an electric vehicle, but none of its outlets is said to service high-voltage batteries. Check "
        "their scope.",
        "signer: what buyers complain about most",
    ),
    Rule(
        "seal.missing",
        "violation",
        "没有可用的电子印章。请先登记印章及其证书。",
        "There is no seal to use. Enrol the seal and its certificate first.",
        f"{NOTICE}; signer B8",
    ),
    Rule(
        "seal.state",
        "violation",
        "印章当前状态为{state}，不能使用。请选择启用中的印章，或联系印章管理员。",
        "The seal is {state} and cannot be used. Choose an active seal, or ask whoever keeps it.",
        "signer B8",
    ),
    Rule(
        "seal.expired",
        "violation",
        "印章证书已于 {until}（UTC）到期，不能再用印。请更换证书。",
        "The seal's certificate expired on {until} (UTC) and cannot seal any more. Have it renewed.",
        "signer B8; RFC 5280, 4.1.2.5",
    ),
    Rule(
        "seal.not-yet-valid",
        "violation",
        "印章证书自 {start}（UTC）起才有效。请待生效后用印，并核对服务器时间。",
        "The seal's certificate is valid only from {start} (UTC). Seal after that time, and check the server's clock.",
        "signer B8; RFC 5280, 4.1.2.5",
    ),
    Rule(
        "seal.not-bound",
        "violation",
        "印章证书与出具企业不对应：{fault}。请使用本企业名称和统一社会信用代码的证书。",
        "The seal's certificate is not bound to the issuer: {fault}. Use a certificate in the company's own name "
        "and code.",
        f"{ESEAL}; signer B8",
    ),
    Rule(
        "seal.monthly-limit",
        "violation",
        "该印章 {month} 的用印上限为 {limit} 次，现已用完。请联系印章管理员调整上限，或待下月用印。",
        "The seal may be used {limit} times in {month}, and has been. Have whoever keeps it raise the limit, or wait "
        "for the next month.",
        "signer B8",
    ),
    Rule(
        "seal.test",
        "notice",
        "这是测试印章：确认书各页都会标明 TEST，没有任何效力。",
        "This is a TEST seal: every page will say TEST, and the paper has no effect.",
        f"{ESEAL}; signer B11",
    ),
    Rule(
        "people.same",
        "violation",
        "制单人与批准人都是“{person}”。必须由另一个自然人批准。",
        "“{person}” is both preparer and approver. Another natural person must approve.",
        "signer B7",
    ),
    Rule(
        "people.role",
        "violation",
        "“{person}”在本企业没有{role}权限。请由有权限的人办理，或先授权。",
        "“{person}” may not act as {role} for this manufacturer. Ask someone who may, or grant the role first.",
        "signer B7",
    ),
    Rule(
        "people.approval-needed",
        "notice",
        "尚需另一人批准：批准人不能是制单人“{person}”。",
        "Another person must still approve: not “{person}”, who prepared it.",
        "signer B7",
    ),
    Rule(
        "supersedes.invalid",
        "violation",
        "“{typed}”不是确认书编号：{reason}。请照原确认书重新输入。",
        "“{typed}” is no confirmation number: {reason}. Copy it again from the earlier paper.",
        "signer B6",
    ),
    Rule(
        "supersedes.unknown",
        "violation",
        "本企业没有编号为 {number} 的确认书。请核对编号。",
        "This manufacturer has no confirmation {number}. Check the number.",
        "signer B6",
    ),
    Rule(
        "supersedes.not-live",
        "violation",
        "确认书 {number} 已没有生效的车辆，无需替代。请删除该编号，直接签发。",
        "Confirmation {number} has no vehicle in force any more, so there is nothing to supersede. Remove the "
        "number and issue as new.",
        "signer B6",
    ),
    Rule(
        "supersedes.other-exporter",
        "violation",
        "确认书 {number} 出具给另一家出口企业，不能由本草稿替代。如需更换出口企业，请先撤回原确认书。",
        "Confirmation {number} was issued to another exporter, so this draft cannot supersede it. To change the "
        "exporter, withdraw it first.",
        "signer B6",
    ),
    Rule(
        "supersedes.nothing",
        "violation",
        "本草稿的车辆都不在确认书 {number} 的生效车辆之中，无法替代。请核对编号或车辆。",
        "None of these vehicles is in force under confirmation {number}, so nothing would be superseded. Check the "
        "number or the vehicles.",
        "signer B6",
    ),
    Rule(
        "supersedes.takes-over",
        "notice",
        "签发后，确认书 {number} 中的 {taken} 辆车改由本确认书覆盖，其余 {kept} 辆仍按原确认书有效。",
        "On issue, this paper takes over {taken} of the vehicles in force under {number}; "
        "{kept} stay in force under the old number.",
        "signer B6",
    ),
)

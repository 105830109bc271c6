"""The rules about vehicles: VIN, dates, the 180-day window, and who made them."""

from __future__ import annotations

from signer.domain.rule_text import GUIDE, GUIDE_WINDOW, NOTICE, VIN_STANDARD, Rule

RULES = (
    Rule(
        "vehicles.none",
        "violation",
        "没有车辆。请至少填写一辆。",
        "There is no vehicle. Enter at least one.",
        NOTICE,
    ),
    Rule(
        "vehicles.too-many",
        "violation",
        "共 {count} 辆，一份确认书最多 {most} 辆。请拆分；此处只检查了前 {most} 辆。",
        "There are {count} vehicles; one confirmation takes at most {most}. Split them; only the first {most} were "
        "checked.",
        "signer: one confirmation, at most 200 vehicles",
    ),
    Rule(
        "vehicles.many",
        "warning",
        "共 {count} 辆。出口许可证通常一批一证、不超过 {usual} 辆，建议按许可证拆分。",
        "There are {count} vehicles. A licence usually covers one batch of at most {usual}; consider one "
        "confirmation for each licence.",
        "Licensing practice",
    ),
    Rule(
        "vin.missing",
        "violation",
        "请填写车辆识别代号（VIN）。",
        "Fill in the VIN.",
        NOTICE,
    ),
    Rule(
        "vin.length",
        "violation",
        "VIN 应为 17 位，现为 {length} 位。请对照登记证书补全或改正。",
        "A VIN has 17 characters; this one has {length}. Compare it with the registration certificate.",
        VIN_STANDARD,
    ),
    Rule(
        "vin.alphabet",
        "violation",
        "VIN 第 {place} 位“{character}”不可用。VIN 只含数字和除 I、O、Q 以外的字母，请改正。",
        "Position {place} of the VIN is “{character}”. A VIN has only digits and letters other than I, O and Q; "
        "correct it.",
        VIN_STANDARD,
    ),
    Rule(
        "vin.look-alike",
        "violation",
        "VIN 第 {place} 位是字母“{character}”，VIN 中没有这个字母。是否应为数字“{digit}”？请核对实车。",
        "Position {place} of the VIN is the letter “{character}”, which no VIN has. Did you mean {digit}? Check it "
        "on the car.",
        VIN_STANDARD,
    ),
    Rule(
        "vin.check-digit",
        "violation",
        "VIN 校验不符：第 9 位是“{found}”，按其余各位计算应为“{expected}”。至少有一位输错，请逐位核对。",
        "The VIN does not add up: position 9 is “{found}”, but the other characters call for “{expected}”. "
        "At least one character is wrong; compare all 17.",
        f"{VIN_STANDARD}, annex A",
    ),
    Rule(
        "vin.normalised",
        "notice",
        "输入的“{typed}”保存为 {stored}。请核对。",
        "“{typed}” is stored as {stored}. Please check it.",
        VIN_STANDARD,
    ),
    Rule(
        "vin.duplicate",
        "violation",
        "同一 VIN 出现在第 {lines} 行。每辆车只填一次，请删除重复行或改正。",
        "The same VIN stands in lines {lines}. Enter each vehicle once: remove or correct the others.",
        "signer B5",
    ),
    Rule(
        "vin.model-year",
        "warning",
        "VIN 第 10 位“{character}”表示的车型年份与首次登记日期 {registered} 不相称。请核对两者。",
        "Position 10 of the VIN, “{character}”, stands for a model year that does not fit the first registration on "
        "{registered}. Check both.",
        VIN_STANDARD,
    ),
    Rule(
        "vin.wmi",
        "warning",
        "VIN 前三位 {wmi} 不在本企业登记的 WMI（{own}）之内。请核对该车是否由本企业生产。",
        "The VIN begins with {wmi}, which is not among the WMIs that this manufacturer entered ({own}). Check that "
        "it made this car.",
        VIN_STANDARD,
    ),
    Rule(
        "vin.live",
        "violation",
        "该 VIN 已有生效中的确认书 {number}。如需更换，请在草稿中注明替代 {number}，或先撤回原确认书中的这一行。",
        "This VIN is already covered by confirmation {number}, which is in force. To replace it, say in the draft "
        "that it supersedes {number}, "
        "or withdraw that line first.",
        "signer B5, B6",
    ),
    Rule(
        "vehicle.modified",
        "warning",
        "该车标为改装车。改装企业不能出具确认书；请确认本企业对改装后的车辆仍承担售后服务。",
        "This vehicle is marked as modified. A modified-vehicle maker cannot issue; "
        "make sure that you will service the vehicle as modified.",
        GUIDE,
    ),
    Rule(
        "vehicle.energy",
        "violation",
        "“{typed}”不是已知的能源类型。可填：{known}。",
        "“{typed}” is no known energy type. Use one of: {known}.",
        "signer draft schema",
    ),
    Rule(
        "model.form",
        "warning",
        "车辆型号“{model}”的写法不常见。请照登记证书抄写，例如 AB7000BEV1。",
        "The model “{model}” is written in an unusual way. Copy it from the registration certificate, for example "
        "AB7000BEV1.",
        GUIDE,
    ),
    Rule(
        "registration.future",
        "violation",
        "首次登记日期 {registered} 晚于今天（{today}，北京时间）。请照登记证书改正。",
        "The first registration, {registered}, is later than today, {today} in Beijing. Correct it from the "
        "registration certificate.",
        GUIDE,
    ),
    Rule(
        "transfer.before-registration",
        "violation",
        "转让待出口日期 {transferred} 早于首次登记日期 {registered}。请照登记证书改正。",
        "The transfer pending export, {transferred}, is before the first registration, {registered}. Correct them "
        "from the registration certificate.",
        GUIDE,
    ),
    Rule(
        "transfer.future",
        "warning",
        "转让待出口日期 {transferred} 晚于今天（{today}，北京时间）。请核对。",
        "The transfer pending export, {transferred}, is later than today, {today} in Beijing. Please check it.",
        GUIDE,
    ),
    Rule(
        "window.before-registration",
        "violation",
        "计划申请日期 {applied} 早于首次登记日期 {registered}。请改正其中之一。",
        "The planned application, {applied}, is before the first registration, {registered}. Correct one of them.",
        GUIDE_WINDOW,
    ),
    Rule(
        "window.required",
        "notice",
        "{applied} 申请时距首次登记 {days} 天，需要确认书：{through} 及以前需要，{free} 起不需要。",
        "An application on {applied} is {days} days after first registration and needs a confirmation: required "
        "through {through}, free from {free}.",
        GUIDE_WINDOW,
    ),
    Rule(
        "window.voluntary",
        "notice",
        "{applied} 申请时距首次登记 {days} 天，已超过 180 天，不要求确认书（{through} 及以前需要，{free} 起不需要）。"
        "仍可签发，属自愿出具。",
        "An application on {applied} is {days} days after first registration, more than 180: required through "
        "{through}, free from {free}. "
        "It may still be issued, as a voluntary one.",
        f"{GUIDE_WINDOW}; signer B1",
    ),
    Rule(
        "window.edge",
        "notice",
        "{applied} 距 180 天期限不超过三天：{through} 及以前需要确认书，{free} 起不需要。"
        "重新提交的申请按哪一天计算并无定论，"
        "请向发证机构确认。",
        "{applied} is within three days of the 180-day edge: required through {through}, free from {free}. "
        "Whether a re-filed application keeps its first day is not known; ask the issuing body.",
        f"{GUIDE_WINDOW}; signer B1",
    ),
    Rule(
        "issuer.name",
        "violation",
        "登记证书上的制造厂名称“{name}”不是出具企业“{issuer}”。确认书须由该车的生产企业出具：请照登记证书核对名称，"
        "或由该企业出具。",
        "The registration certificate names “{name}” as manufacturer, not “{issuer}”. Only the vehicle's own "
        "manufacturer can issue: "
        "compare the name with the certificate, or ask that manufacturer.",
        f"{NOTICE}; {GUIDE}; signer B3",
    ),
    Rule(
        "issuer.stock",
        "violation",
        "“{name}”与出具企业“{issuer}”只差“股份”二字，但这是两个不同的企业名称。请照登记证书逐字核对。",
        "“{name}” and the issuer “{issuer}” differ only in 股份, but these are two companies' names. "
        "Compare them with the registration certificate, letter by letter.",
        f"{NOTICE}; signer B3",
    ),
    Rule(
        "issuer.several",
        "violation",
        "车辆属于多家生产企业（{lines}）。请拆分：每家企业各出具一份确认书。",
        "The vehicles have several manufacturers ({lines}). Split them: each manufacturer issues a confirmation of "
        "its own.",
        f"{GUIDE}; signer B3",
    ),
    Rule(
        "issuer.former-name",
        "notice",
        "“{name}”是出具企业的曾用名，使用至 {until}（依据：{evidence}）；该车首次登记于 {registered}，按同一企业处理。",
        "“{name}” is a former name of the issuer, borne until {until} (evidence: {evidence}); "
        "the vehicle was first registered on {registered}, so it counts as the same manufacturer.",
        "signer B3",
    ),
    Rule(
        "issuer.former-name-late",
        "violation",
        "“{name}”是出具企业的曾用名，只使用至 {until}，而该车首次登记于 {registered}。请照登记证书核对名称和日期。",
        "“{name}” is a former name of the issuer, borne only until {until}, but the vehicle was first registered on "
        "{registered}. "
        "Compare name and date with the registration certificate.",
        "signer B3",
    ),
    Rule(
        "production.known",
        "notice",
        "该车在本企业的生产记录中。",
        "The vehicle is in the manufacturer's production list.",
        "signer B3",
    ),
    Rule(
        "production.unknown",
        "warning",
        "该车不在本企业的生产记录中。签发前请核实是否由本企业生产。",
        "The vehicle is not in the manufacturer's production list. Make sure before issuing that you made it.",
        "signer B3",
    ),
)

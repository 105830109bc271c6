"""The rules about the draft itself: its form, its text, its dates and choices."""

from __future__ import annotations

from signer.domain.rule_text import GUIDE, NOTICE, Rule

RULES = (
    Rule(
        "draft.json",
        "violation",
        "草稿无法读取：{reason}。请提交 UTF-8 编码的标准 JSON。",
        "The draft cannot be read: {reason}. Send plain JSON in UTF-8.",
        "RFC 8259; RFC 7493",
    ),
    Rule(
        "draft.unknown-field",
        "violation",
        "没有名为“{field}”的字段。请改正拼写或删除该字段；含义不明的内容不会被忽略。",
        "There is no field “{field}”. Correct its spelling or remove it; nothing that we do not understand is ignored.",
        "signer draft schema",
    ),
    Rule(
        "draft.type",
        "violation",
        "此处须为{expected}。请改正该值。",
        "This must be {expected}. Change the value.",
        "signer draft schema",
    ),
    Rule(
        "draft.schema",
        "violation",
        "schema 应为 {expected}。本版本不读取其他格式的草稿。",
        "The schema must be {expected}. This version reads no other kind of draft.",
        "signer draft schema",
    ),
    Rule(
        "draft.too-many",
        "violation",
        "此列表最多 {most} 项。请拆分为几份草稿。",
        "This list may have at most {most} entries. Split it into several drafts.",
        "signer draft schema",
    ),
    Rule(
        "text.missing",
        "violation",
        "请填写“{field}”。",
        "Fill in “{field}”.",
        f"{NOTICE}; {GUIDE}",
    ),
    Rule(
        "text.too-long",
        "violation",
        "“{field}”最多 {most} 个字符，现有 {length} 个。请缩短。",
        "“{field}” may have at most {most} characters and has {length}. Shorten it.",
        "signer: every field fits its place on the page",
    ),
    Rule(
        "text.control",
        "violation",
        "“{field}”中第 {place} 个字符 {character} 不可见或会改变文字方向，不能印在确认书上。请删除后重新输入。",
        "“{field}” has at place {place} the character {character}, which is invisible or changes the direction of text "
        "and cannot be printed. Delete it and type the text again.",
        "signer: what is sealed is what is seen",
    ),
    Rule(
        "text.uncovered",
        "violation",
        "“{field}”中的字符“{character}”没有可用字体，无法印出。请换用其他写法。",
        "“{field}” has the character “{character}”, which no font of ours can print. Write it another way.",
        "signer: what is sealed is what is seen",
    ),
    Rule(
        "text.normalised",
        "notice",
        "“{field}”将按统一写法保存为“{stored}”。请核对。",
        "“{field}” is stored in its standard form, “{stored}”. Please check it.",
        "Unicode NFC; signer content schema",
    ),
    Rule(
        "text.markup",
        "warning",
        "“{field}”含有类似网页代码的内容，将按原样逐字印出。若非本意，请删除。",
        "“{field}” contains what looks like web page code; it will be printed letter by letter. Remove it if it is "
        "not meant.",
        "signer: text is never code",
    ),
    Rule(
        "date.missing",
        "violation",
        "请填写“{field}”，格式为 2026-09-01。",
        "Fill in “{field}”, written like 2026-09-01.",
        GUIDE,
    ),
    Rule(
        "date.invalid",
        "violation",
        "“{field}”的“{typed}”不是有效日期。请按 2026-09-01 的格式填写日历上存在的日期。",
        "“{field}”: “{typed}” is not a date. Write a day that exists, like 2026-09-01.",
        "signer draft schema",
    ),
    Rule(
        "country.missing",
        "violation",
        "请填写目的国家或地区，例如 KZ。",
        "Name the destination, for example KZ.",
        f"{NOTICE}; {GUIDE}",
    ),
    Rule(
        "country.domestic",
        "violation",
        "目的地不能是中国：确认书只用于出口。请填写进口国家或地区；香港、澳门、台湾请分别用 HK、MO、TW。",
        "The destination cannot be China: a confirmation is for exports. Name the importing country; "
        "Hong Kong, Macao and Taiwan are HK, MO and TW.",
        NOTICE,
    ),
    Rule(
        "country.unknown",
        "violation",
        "“{typed}”不是已知的国家或地区。请使用两位字母代码，例如哈萨克斯坦为 KZ。",
        "“{typed}” is no known country. Use its two-letter code, for example KZ for Kazakhstan.",
        "ISO 3166-1",
    ),
    Rule(
        "country.normalised",
        "notice",
        "“{typed}”按{country}（{code}）保存。请核对。",
        "“{typed}” is stored as {country} ({code}). Please check it.",
        "ISO 3166-1",
    ),
    Rule(
        "application.missing",
        "notice",
        "未填计划申请出口许可证的日期，以下期限按今天（{today}，北京时间）判断。",
        "No planned day of the licence application is given; the window is judged as of today, {today} in Beijing.",
        "signer B2",
    ),
    Rule(
        "application.past",
        "warning",
        "计划申请日期 {planned} 已过（今天为 {today}，北京时间）。请核对。",
        "The planned application day {planned} has passed (today is {today} in Beijing). Please check it.",
        "signer B2",
    ),
    Rule(
        "until.invalid",
        "violation",
        "“{typed}”不是有效的申请截止日。请填写日期（如 2027-02-28）、required-through 或 none。",
        "“{typed}” is no valid end for licence applications. Give a date (like 2027-02-28), required-through or none.",
        "signer draft schema",
    ),
    Rule(
        "until.past",
        "violation",
        "用于许可证申请的截止日 {until} 早于签发日 {today}，确认书一经签发即过期。请改为较晚的日期，或选择 "
        "none（不限）。",
        "The last day for licence applications, {until}, is before the day of issue, {today}: the paper would be "
        "past its end at once. "
        "Choose a later day, or none.",
        "signer content schema",
    ),
    Rule(
        "until.before-planned",
        "warning",
        "截止日 {until} 早于计划申请日期 {planned}，届时确认书已过期。请改为较晚的日期，或选择 none（不限）。",
        "The paper ends on {until}, before the planned application on {planned}. Choose a later day, or none.",
        "signer B2",
    ),
    Rule(
        "commitment.sample",
        "warning",
        "服务承诺仍是示例文字。请由生产企业改用自己的措辞后再签发。",
        "The commitment is still our sample text. The manufacturer should put it in its own words before issuing.",
        NOTICE,
    ),
    Rule(
        "commitment.period",
        "violation",
        "服务承诺的终止日 {until} 早于起始日 {start}。请改正。",
        "The service commitment ends on {until}, before it starts on {start}. Correct one of the dates.",
        "signer content schema",
    ),
    Rule(
        "commitment.ended",
        "violation",
        "服务承诺已于 {until} 终止，早于签发日 {today}。请填写仍然有效的服务期。",
        "The service commitment ended on {until}, before the day of issue, {today}. Give a period that still runs.",
        NOTICE,
    ),
    Rule(
        "commitment.number",
        "violation",
        "“{field}”应为 0 至 {most} 的整数。请改正，或留空。",
        "“{field}” must be a whole number from 0 to {most}. Correct it, or leave it out.",
        "signer content schema",
    ),
    Rule(
        "commitment.localised",
        "violation",
        "“{typed}”无效：软件与充电的本地化请填 yes（是）、no（否）或 partly（部分）。",
        "“{typed}” is no answer: whether software and charging fit the destination is yes, no or partly.",
        "signer draft schema",
    ),
    Rule(
        "commitment.localised-note",
        "warning",
        "软件或充电未完全本地化，但没有说明。请写明哪些功能在目的地不可用。",
        "Software or charging does not wholly fit the destination, and no note says how. State what does not work "
        "there.",
        "signer: what buyers complain about most",
    ),
    Rule(
        "commitment.bare",
        "notice",
        "未写明质保、配件供应和本地化情况。买方最关心这些内容，建议补充。",
        "Nothing is said about warranty, spare parts and localisation. Buyers ask for these first; consider adding "
        "them.",
        "signer: what buyers complain about most",
    ),
    Rule(
        "commitment.battery",
        "warning",
        "第 {lines} 行为电动车辆，但没有承诺动力电池服务。请核对。",
        "There are electric vehicles (line {lines}), but battery service is not promised. Please check this.",
        "signer: what buyers complain about most",
    ),
)

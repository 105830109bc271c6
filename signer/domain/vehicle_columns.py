"""The columns of the sheets that preparers hand in: vehicles for drafts, and the production list."""

from __future__ import annotations

from typing import Final

from signer.domain.columns import Column

REASON: Final = Column(
    name="reason", zh="需要改正", en="to correct", aliases=("原因", "错误原因", "reason"), reads="ignored"
)
"""The column that we add to a sheet that goes back: known when it comes again, and not read."""
_IGNORED: Final = (
    Column(name="line", zh="序号", en="No.", aliases=("row", "line", "number"), reads="ignored"),
    Column(name="remark", zh="备注", en="remarks", aliases=("说明", "remark", "note", "notes"), reads="ignored"),
    REASON,
)
_ENERGIES: Final = (
    ("petrol", ("汽油", "petrol", "gasoline", "A")),
    ("diesel", ("柴油", "diesel", "B")),
    ("hybrid", ("混合动力", "hybrid", "油电混合", "混动", "HEV", "O")),
    ("plug-in-hybrid", ("插电式混合动力", "plug-in hybrid", "插电混动", "插混", "PHEV")),
    ("range-extended", ("增程式", "range-extended", "增程", "增程式混合动力", "EREV", "REEV")),
    ("battery-electric", ("纯电动", "battery electric", "电", "纯电", "electric", "EV", "BEV", "C")),
    ("fuel-cell", ("燃料电池", "fuel cell", "FCEV", "氢燃料电池")),
    ("gas", ("燃气", "gas", "天然气", "CNG", "LNG", "LPG", "液化石油气")),
    ("other", ("其他", "other", "其它")),
)
_YES_NO: Final = (("yes", ("是", "yes", "Y", "true", "1")), ("no", ("否", "no", "N", "false", "0")))
_DAY_ZH, _DAY_EN = "日期，如 2026-09-01。", "A date, like 2026-09-01."

_VIN: Final = Column(
    name="vin",
    zh="车辆识别代号",
    en="VIN",
    aliases=(
        "车架号",
        "车架号码",
        "底盘号",
        "车辆识别代码",
        "车辆识别号",
        "VIN码",
        "VIN号",
        "大架号",
        "chassis number",
        "frame number",
        "chassis no",
        "vehicle identification number",
    ),
    reads="code",
    is_required=True,
    hint_zh="17 位，照登记证书填写。",
    hint_en="17 characters, as on the registration certificate.",
    example="L0YSA3B29T0000101",
)
_MODEL: Final = Column(
    name="model",
    zh="车辆型号",
    en="model",
    aliases=("型号", "车型", "公告型号", "vehicle model", "model code", "type"),
    reads="code",
    is_required=True,
    hint_zh="公告型号，如 YZS6480T1。",
    hint_en="The model code of the announcement, like YZS6480T1.",
    example="YZS6480T1",
)

VEHICLE_COLUMNS: Final = (
    *_IGNORED,
    _VIN,
    Column(
        name="brand",
        zh="品牌",
        en="brand",
        aliases=("车辆品牌", "中文品牌", "make", "商标"),
        is_required=True,
        hint_zh="照登记证书填写。",
        hint_en="As on the registration certificate.",
        example="云舟",
    ),
    _MODEL,
    Column(
        name="registered_on",
        zh="首次登记日期",
        en="first registration date",
        aliases=(
            "初次登记日期",
            "注册日期",
            "登记日期",
            "注册登记日期",
            "初始登记日期",
            "registered on",
            "registration date",
            "date of first registration",
            "first registered",
        ),
        reads="day",
        is_required=True,
        hint_zh=_DAY_ZH,
        hint_en=_DAY_EN,
        example="2026-09-01",
    ),
    Column(
        name="transfer_pending_on",
        zh="转让待出口日期",
        en="transfer-pending-export date",
        aliases=(
            "转让待出口登记日期",
            "转移待出口日期",
            "待出口日期",
            "transfer pending export",
            "transfer pending on",
        ),
        reads="day",
        hint_zh=_DAY_ZH,
        hint_en=_DAY_EN,
        example="2026-11-12",
    ),
    Column(
        name="certificate_manufacturer",
        zh="制造厂名称",
        en="manufacturer on the registration certificate",
        aliases=(
            "登记证书上的制造厂名称",
            "生产企业名称",
            "制造商",
            "制造厂",
            "生产企业",
            "车辆制造企业名称",
            "制造企业",
            "manufacturer",
            "manufacturer name",
            "certificate manufacturer",
            "maker",
        ),
        is_required=True,
        hint_zh="照登记证书“制造厂名称”一栏填写，一字不差。多家企业的车可写在同一张表内。",
        hint_en="Letter for letter as on the registration certificate. One sheet may hold several companies'.",
        example="云舟样例汽车股份有限公司",
    ),
    Column(
        name="certificate_no",
        zh="登记证书编号",
        en="registration certificate number",
        aliases=("机动车登记证书编号", "证书编号", "登记证编号", "certificate no", "certificate number"),
        reads="code",
        example="SAMPLE-KZ-0101",
    ),
    Column(
        name="engine_no",
        zh="发动机号",
        en="engine or motor number",
        aliases=(
            "电机号",
            "发动机或电机号",
            "发动机号码",
            "驱动电机号",
            "engine no",
            "engine number",
            "motor no",
            "motor number",
        ),
        reads="code",
        example="YS20T00101",
    ),
    Column(name="colour", zh="颜色", en="colour", aliases=("车身颜色", "车辆颜色", "color"), example="白"),
    Column(
        name="energy",
        zh="燃料种类",
        en="energy",
        aliases=("能源类型", "燃料类型", "能源种类", "动力类型", "fuel", "fuel type", "energy type"),
        reads="choice",
        choices=_ENERGIES,
        example="汽油",
    ),
    Column(
        name="battery_code",
        zh="动力电池编码",
        en="battery code",
        aliases=("电池编码", "电池编号", "动力电池号", "battery", "battery number", "battery no"),
        reads="code",
    ),
    Column(
        name="modified",
        zh="是否改装",
        en="modified",
        aliases=("改装", "是否改装车", "is modified"),
        reads="choice",
        choices=_YES_NO,
    ),
    Column(
        name="country",
        zh="目的国",
        en="destination",
        aliases=("目的国家", "目的国或地区", "目的地", "出口国", "出口国家", "国家", "country", "destination country"),
        hint_zh="国名或两位代码，如 哈萨克斯坦 或 KZ。",
        hint_en="A country's name or two-letter code, like Kazakhstan or KZ.",
        example="KZ",
    ),
    Column(
        name="exporter",
        zh="出口企业统一社会信用代码",
        en="exporter USCC",
        aliases=(
            "出口企业信用代码",
            "统一社会信用代码",
            "信用代码",
            "出口企业代码",
            "exporter",
            "USCC",
            "exporter code",
        ),
        reads="code",
        hint_zh="18 位。单元格须为文本，否则 Excel 会改写。",
        hint_en="18 characters. The cell must be text, or Excel changes it.",
        example="91650000MA0TH03XX3",
    ),
    Column(
        name="contract",
        zh="合同号",
        en="contract",
        aliases=("合同或批次号", "合同编号", "批次号", "批次", "contract no", "contract number", "batch", "reference"),
        reads="code",
        example="TS-2026-1107",
    ),
    Column(
        name="port", zh="到港", en="port", aliases=("目的港", "到货港", "口岸", "port of arrival"), example="Khorgos"
    ),
    Column(name="buyer", zh="买方", en="buyer", aliases=("境外买方", "收货人", "consignee", "customer")),
    Column(
        name="application_planned_on",
        zh="计划申请日期",
        en="planned application date",
        aliases=("计划申请许可证日期", "拟申请日期", "application planned on", "planned on"),
        reads="day",
        hint_zh=_DAY_ZH,
        hint_en=_DAY_EN,
    ),
)

PRODUCTION_COLUMNS: Final = (
    *_IGNORED,
    _VIN,
    _MODEL,
    Column(
        name="built_on",
        zh="制造日期",
        en="built on",
        aliases=("生产日期", "出厂日期", "下线日期", "date of manufacture", "production date", "build date"),
        reads="day",
        hint_zh=_DAY_ZH,
        hint_en=_DAY_EN,
        example="2026-08-15",
    ),
)

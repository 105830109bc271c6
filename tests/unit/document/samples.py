"""Confirmations to render: invented makers, USCCs and VINs whose first three characters stand in no table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from signer.domain import content
from signer.domain.confirmation import (
    Commitment,
    Confirmation,
    Destination,
    SealChoice,
    SealClass,
    TemplateChoice,
    Terms,
)
from signer.domain.number import Number, check_character
from signer.domain.parties import Announcement, Country, Exporter, Manufacturer, Outlet, Uscc, uscc_check_character
from signer.domain.vehicle import Vehicle, Vin, vin_check_character

BASE_URL = "https://confirm.example.org"


def uscc(first: str) -> Uscc:
    return Uscc(first + uscc_check_character(first))


def vin(serial: int) -> Vin:
    draft = f"L0X7E2A4{0}TH{serial:06d}"
    return Vin(draft[:8] + vin_check_character(draft) + draft[9:])


def number(first: str = "7K3QF9ZC2M8RX") -> Number:
    whole = first + check_character(first)
    return Number(f"{whole[:5]}-{whole[5:10]}-{whole[10:]}")


MANUFACTURER = Manufacturer(
    legal_name="青峦汽车制造有限公司",
    legal_name_en="Qingluan Motor Manufacturing Co., Ltd.",
    uscc=uscc("91350100M000100Y4"),
    role="automobile-manufacturer",
    announcement=Announcement(entry="第三百九十八批 序号 1207", checked_on=date(2026, 11, 20)),
    address="福建省福州市闽侯县青峦大道 18 号",
    contact="海外服务部 +86 591 5550 0188 service@qingluan.example",
    verification_domain="confirm.example.org",
    wmis=("L0X",),
)
EXPORTER = Exporter(
    legal_name="远帆二手车出口（厦门）有限公司",
    legal_name_en="Yuanfan Used Car Export (Xiamen) Co., Ltd.",
    uscc=uscc("91350200M000200Y7"),
)

_OUTLETS = {
    "KZ": (
        "Автоцентр «Көктем»",
        "Koktem Auto Centre",
        "TOO Koktem Service",
        "14 Dostyk Avenue, Medeu District, Almaty 050010, Kazakhstan",
        "050010, Республика Казахстан, г. Алматы, Медеуский район, проспект Достык, дом 14, офис 3",
        "+7 727 555 01 88",
    ),
    "AE": (
        "مركز النخيل لخدمة السيارات",
        "Al Nakheel Car Service Centre",
        "Al Nakheel Motors LLC",
        "Unit 12, Street 8, Al Quoz Industrial Area 3, Dubai, United Arab Emirates",
        "الوحدة 12، شارع 8، منطقة القوز الصناعية 3، دبي، الإمارات العربية المتحدة",
        "+971 4 555 0188",
    ),
    "MX": (
        "Taller Automotriz Jacarandá",
        "Jacaranda Auto Workshop",
        "Servicios Jacarandá S.A. de C.V.",
        "Av. Niños Héroes 245, Col. Americana, 44160 Guadalajara, Jalisco, Mexico",
        "Av. Niños Héroes 245, Col. Americana, 44160 Guadalajara, Jalisco, México",
        "+52 33 5550 0188",
    ),
    "CI": (
        "Garage des Lagunes",
        "Lagoon Garage",
        "Lagunes Auto Services SARL",
        "Rue 12, Zone 4C, Marcory, Abidjan, Côte d’Ivoire",
        "Rue 12, Zone 4C, Marcory, Abidjan, Côte d’Ivoire",
        "+225 27 55 50 01 88",
    ),
    "TH": (
        "ศูนย์บริการรถยนต์ช้างทอง",
        "Chang Thong Service Centre",
        "Chang Thong Auto Co., Ltd.",
        "88 Rama IX Road, Huai Khwang, Bangkok 10310, Thailand",
        "88 ถนนพระราม 9 ห้วยขวาง กรุงเทพมหานคร 10310",
        "+66 2 555 0188",
    ),
}


def outlet(country: str, place: int) -> Outlet:
    local, name, provider, address, address_local, phone = _OUTLETS[country]
    return Outlet(
        id=f"outlet-{place:02d}",
        name=f"{name} {place}",
        name_local=local,
        provider=provider,
        address=address,
        address_local=address_local,
        country=country,
        phone=phone,
        email=f"service{place}@workshop.example",
        hours="Mon–Fri 09:00–18:00, Sat 10:00–14:00",
        scope=("mechanical", "high-voltage-battery", "software-and-diagnosis")[: 1 + place % 3],
        languages=("en", "zh"),
        authorised_from=date(2026, 1, 1),
        authorised_until=date(2028, 12, 31) if place % 2 else None,
        verified_on=date(2026, 11, 2),
    )


def vehicle(place: int, outlets: tuple[str, ...] = ()) -> Vehicle:
    return Vehicle(
        vin=vin(place),
        brand="青峦牌",
        model="QL7000BEV3",
        registered_on=date(2026, 9, 1) + timedelta(days=place % 40),
        transfer_pending_on=date(2026, 11, 10),
        certificate_manufacturer=MANUFACTURER.legal_name,
        certificate_no=f"3500{place:08d}",
        engine_no=f"TZ220XS{place:05d}",
        colour="珍珠白",
        energy="battery-electric",
        battery_code=f"0QLPE{place:08d}X7",
        outlets=outlets,
    )


COMMITMENT = Commitment(
    text_zh="本公司承诺：本确认书所列车辆在目的国由所列服务网点提供维修保养服务，并持续供应原厂备件。",
    text_en="We commit that the vehicles listed in this confirmation will be serviced in the destination by the "
    "outlets listed, with a continuing supply of genuine spare parts.",
    from_on=date(2026, 11, 25),
    until_on=date(2031, 11, 24),
    warranty_months=36,
    warranty_km=100_000,
    parts_years=8,
    parts_lead_days=21,
    localised="partly",
    localised_note="Menus in English and Russian; GB/T charging with adapter to CCS2",
    battery_service=True,
)


def terms(
    *,
    vehicles: int | tuple[Vehicle, ...] = 1,
    outlets: int | tuple[Outlet, ...] = 1,
    country: str = "KZ",
    seal: SealClass = SealClass.TEST,
    manufacturer: Manufacturer = MANUFACTURER,
    **changes: object,
) -> Terms:
    printed = Country.of(country)
    fields: dict[str, object] = {
        "manufacturer": manufacturer,
        "exporter": EXPORTER,
        "contract": "YF-2026-1125-KZ",
        "destination": Destination(country=printed, port="Khorgos", buyer="Demo Buyer LLP"),
        "vehicles": tuple(vehicle(place) for place in range(1, vehicles + 1))
        if isinstance(vehicles, int)
        else vehicles,
        "outlets": tuple(outlet(country, place) for place in range(1, outlets + 1))
        if isinstance(outlets, int)
        else outlets,
        "commitment": COMMITMENT,
        "until": "required-through",
        "template": TemplateChoice(
            version="1", languages=("zh", "en", *([printed.language] if printed.language else []))
        ),
        "seal": SealChoice(certificate_digest="ab" * 32, seal_class=seal),
    }
    return Terms(**(fields | changes))


def confirmation(given: Terms | None = None, **changes: object) -> tuple[Confirmation, bytes]:
    given = given or terms(**changes)
    built = content.build(
        terms=given,
        approved_digest=content.terms_digest(given),
        number=number(),
        issued_at=datetime(2026, 11, 25, 6, 30, 12, tzinfo=UTC),
    )
    return built, content.encode(built)

"""Who takes part: manufacturers, exporters, outlets, countries, persons and their roles."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Literal, Self

import babel
from pydantic import Field, model_validator
from pydantic_core import core_schema

from signer.domain.values import Day, Frozen, LongText, Text, fold_code

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def normalise_uscc(text: str) -> str:
    """Return a typed USCC in its stored form: full-width folded, blanks and hyphens dropped, upper case."""
    return fold_code(text)


@lru_cache(maxsize=4_096)
def uscc_check_character(first: str) -> str:
    """Return the 18th character for the first 17. Source: GB 32100-2015, 4.5."""
    total = sum(USCC_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(first))
    return USCC_ALPHABET[-total % 31]


def uscc_fault(uscc: str) -> str:
    """Return the id of the rule that a normalised USCC breaks, or '' for a good one."""
    if not uscc:
        return "uscc.missing"
    if len(uscc) != 18:
        return "uscc.length"
    if any(char not in USCC_ALPHABET for char in uscc):
        return "uscc.alphabet"
    return "" if uscc_check_character(uscc[:17]) == uscc[17] else "uscc.check"


class Uscc(str):
    """A unified social credit code (统一社会信用代码), 18 characters with a check. Source: GB 32100-2015."""

    __slots__ = ()

    def __new__(cls, text: str) -> Uscc:
        """Take a USCC in its stored form; ValueError(rule id) for anything else."""
        if fault := uscc_fault(text):
            raise ValueError(fault)
        return super().__new__(cls, text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^[{USCC_ALPHABET}]{{18}}$"}


_BRACKETS = str.maketrans({"（": "(", "）": ")", "［": "[", "］": "]"})


@lru_cache(maxsize=4096)
def comparable_name(name: str) -> str:
    """Return a legal name for comparison: brackets mapped, blanks dropped; 股份 and every other word count."""
    folded = unicodedata.normalize("NFC", name).translate(_BRACKETS)
    return "".join(char for char in folded if not char.isspace()).casefold()


def is_same_name(one: str, other: str) -> bool:
    """Tell whether two legal names are one, whatever the width of their brackets."""
    return comparable_name(one) == comparable_name(other)


_ALPHA3 = (  # noqa: SIM905 (a table, read as one)
    "AF AFG AL ALB DZ DZA AD AND AO AGO AG ATG AR ARG AM ARM AU AUS AT AUT AZ AZE BS BHS BH BHR BD BGD BB BRB BY BLR "
    "BE BEL BZ BLZ BJ BEN BT BTN BO BOL BA BIH BW BWA BR BRA BN BRN BG BGR BF BFA BI BDI CV CPV KH KHM CM CMR CA CAN "
    "CF CAF TD TCD CL CHL CO COL KM COM CG COG CD COD CR CRI CI CIV HR HRV CU CUB CY CYP CZ CZE DK DNK DJ DJI DM DMA "
    "DO DOM EC ECU EG EGY SV SLV GQ GNQ ER ERI EE EST SZ SWZ ET ETH FJ FJI FI FIN FR FRA GA GAB GM GMB GE GEO DE DEU "
    "GH GHA GR GRC GD GRD GT GTM GN GIN GW GNB GY GUY HT HTI VA VAT HN HND HU HUN IS ISL IN IND ID IDN IR IRN IQ IRQ "
    "IE IRL IL ISR IT ITA JM JAM JP JPN JO JOR KZ KAZ KE KEN KI KIR KP PRK KR KOR KW KWT KG KGZ LA LAO LV LVA LB LBN "
    "LS LSO LR LBR LY LBY LI LIE LT LTU LU LUX MG MDG MW MWI MY MYS MV MDV ML MLI MT MLT MH MHL MR MRT MU MUS MX MEX "
    "FM FSM MD MDA MC MCO MN MNG ME MNE MA MAR MZ MOZ MM MMR NA NAM NR NRU NP NPL NL NLD NZ NZL NI NIC NE NER NG NGA "
    "MK MKD NO NOR OM OMN PK PAK PW PLW PS PSE PA PAN PG PNG PY PRY PE PER PH PHL PL POL PT PRT QA QAT RO ROU RU RUS "
    "RW RWA KN KNA LC LCA VC VCT WS WSM SM SMR ST STP SA SAU SN SEN RS SRB SC SYC SL SLE SG SGP SK SVK SI SVN SB SLB "
    "SO SOM ZA ZAF SS SSD ES ESP LK LKA SD SDN SR SUR SE SWE CH CHE SY SYR TJ TJK TZ TZA TH THA TL TLS TG TGO TO TON "
    "TT TTO TN TUN TR TUR TM TKM TV TUV UG UGA UA UKR AE ARE GB GBR US USA UY URY UZ UZB VU VUT VE VEN VN VNM YE YEM "
    "ZM ZMB ZW ZWE HK HKG MO MAC TW TWN GL GRL PR PRI GU GUM GI GIB NC NCL PF PYF RE REU BM BMU KY CYM AW ABW CW CUW "
    "FO FRO GP GLP MQ MTQ GF GUF AI AIA AS ASM AX ALA BL BLM BQ BES CC CCK CK COK CX CXR EH ESH FK FLK GG GGY IM IMN "
    "JE JEY MF MAF MP MNP MS MSR NF NFK NU NIU PM SPM PN PCN SH SHN SJ SJM SX SXM TC TCA TK TKL VG VGB VI VIR WF WLF "
    "YT MYT "
).split()
ALPHA3 = dict(zip(_ALPHA3[::2], _ALPHA3[1::2], strict=True))
_PRINTED: dict[str, dict[str, str]] = {  # separate customs territories have their own printed names
    "zh": {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"},
    "en": {"HK": "Hong Kong, China", "MO": "Macao, China", "TW": "Taiwan, China"},
    "ru": {"HK": "Гонконг (Китай)", "MO": "Макао (Китай)", "TW": "Тайвань (Китай)"},
    "es": {"HK": "Hong Kong (China)", "MO": "Macao (China)", "TW": "Taiwán (China)"},
    "ar": {"HK": "هونغ كونغ (الصين)", "MO": "ماكاو (الصين)", "TW": "تايوان (الصين)"},
    "fr": {"HK": "Hong Kong (Chine)", "MO": "Macao (Chine)", "TW": "Taïwan (Chine)"},
}
ThirdLanguage = Literal["ru", "es", "ar", "fr"]
THIRD_LANGUAGES: dict[ThirdLanguage, str] = {
    "ru": "RU KZ KG BY UZ TJ TM AM",
    "es": "MX ES AR BO CL CO CR CU DO EC SV GT HN NI PA PY PE UY VE GQ PR",
    "ar": "AE SA OM QA KW BH JO IQ LB SY YE EG LY TN DZ MA SD MR PS",
    "fr": "FR BE CI SN CM GA CG CD BJ BF TG NE ML TD GN CF DJ MG MC RE GP MQ GF NC PF",
}
_LANGUAGE_OF = {country: language for language, countries in THIRD_LANGUAGES.items() for country in countries.split()}


class Country(Frozen):
    """A destination: ISO 3166-1 codes and the names as printed; never CN. HK, MO and TW are customs territories."""

    alpha2: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    alpha3: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    name_zh: Text
    name_en: Text

    @model_validator(mode="after")
    def _is_foreign(self) -> Self:
        if ALPHA3.get(self.alpha2) != self.alpha3:
            raise ValueError("country.unknown")
        return self

    @classmethod
    def of(cls, alpha2: str) -> Country:
        """Return the country of a two-letter code; ValueError for CN and for codes that are none."""
        if alpha2 not in ALPHA3:
            raise ValueError("country.domestic" if alpha2 == "CN" else "country.unknown")
        zh, en = country_name(alpha2, "zh"), country_name(alpha2, "en")
        return cls(alpha2=alpha2, alpha3=ALPHA3[alpha2], name_zh=zh, name_en=en)

    @property
    def language(self) -> ThirdLanguage | None:
        """The third language of a confirmation for this country (ru, es, ar, fr), or None."""
        return _LANGUAGE_OF.get(self.alpha2)


@cache
def country_name(alpha2: str, language: str) -> str:
    """Return the printed name of a destination in one of the six languages."""
    return _PRINTED[language].get(alpha2) or str(babel.Locale(language).territories[alpha2])


@cache
def _codes() -> dict[str, str]:
    found = {"CN": "CN", "CHN": "CN", "中国": "CN", "CHINA": "CN"}
    for alpha2, alpha3 in ALPHA3.items():
        country = Country.of(alpha2)
        found |= {comparable_name(name).upper(): alpha2 for name in (country.name_zh, country.name_en, alpha3, alpha2)}
    others = ((country_name(alpha2, language), alpha2) for language in THIRD_LANGUAGES for alpha2 in ALPHA3)
    return {comparable_name(name).upper(): alpha2 for name, alpha2 in others} | found


def country_code(typed: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a code or name in any of the six languages, CN among them, or ''."""
    return _codes().get(comparable_name(unicodedata.normalize("NFKC", typed)).upper(), "")


class FormerName(Frozen):
    """A legal name that a manufacturer bore until a day, with the evidence for it."""

    legal_name: Text
    until: Day
    evidence: Text


class Announcement(Frozen):
    """The MIIT announcement of road motor vehicle manufacturers that names the manufacturer."""

    entry: Text
    checked_on: Day


MANUFACTURER_ROLES = ("automobile-manufacturer", "modified-vehicle-maker", "sales-company", "parent", "overseas")
ManufacturerRole = Literal["automobile-manufacturer", "modified-vehicle-maker", "sales-company", "parent", "overseas"]


class Manufacturer(Frozen):
    """Who issues: the legal person named, letter for letter, in the MIIT announcement."""

    legal_name: Text
    legal_name_en: Text | None = None
    uscc: Uscc
    role: ManufacturerRole
    announcement: Announcement
    address: LongText
    contact: Text
    verification_domain: Text | None = None
    wmis: tuple[Annotated[str, Field(pattern=r"^[0-9A-HJ-NPR-Z]{3}$")], ...] = ()
    former_names: tuple[FormerName, ...] = ()


class Exporter(Frozen):
    """Who exports, and for whom alone a confirmation is good."""

    legal_name: Text
    legal_name_en: Text | None = None
    uscc: Uscc


OutletId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Scope = Literal["mechanical", "high-voltage-battery", "software-and-diagnosis"]


class Outlet(Frozen):
    """
    A service point abroad, as the manufacturer states it: we check its form, not its existence.

    `provider` may be empty while an outlet is being collected; no such outlet can be sealed.
    """

    id: OutletId
    name: Text
    name_local: Text | None = None
    provider: Text | None = None
    address: LongText
    address_local: LongText | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    phone: Text | None = None
    email: Text | None = None
    hours: Text | None = None
    scope: tuple[Scope, ...] = ()
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    authorised_from: Day
    authorised_until: Day | None = None
    verified_on: Day | None = None

    def is_authorised(self, on: date) -> bool:
        """Tell whether the authorisation covers a day; both its ends belong to it."""
        return self.authorised_from <= on and (self.authorised_until is None or on <= self.authorised_until)


class Role(StrEnum):
    """What a person may do."""

    PREPARER = "preparer"
    APPROVER = "approver"
    EXPORTER = "exporter"
    OFFICER = "officer"
    ADMIN = "admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Person(Frozen):
    """A natural person, under one id whatever accounts and tokens it has."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    name: Text


class Membership(Frozen):
    """What a person may do for one manufacturer; a person may have several."""

    person: str
    manufacturer: Uscc
    roles: frozenset[Role]


def outlets_in(outlets: Iterable[Outlet], country: str) -> tuple[Outlet, ...]:
    """Return the outlets of one country, by id."""
    return tuple(sorted((outlet for outlet in outlets if outlet.country == country), key=lambda outlet: outlet.id))

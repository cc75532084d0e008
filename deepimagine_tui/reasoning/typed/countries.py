"""Country names: the registry's spellings over the years as one, short forms that people type, and a few regions."""

from __future__ import annotations

from deepimagine_tui.reasoning.words import plain

_NAMES = """
Afghanistan; Albania; Algeria; Andorra; Angola; Antigua and Barbuda; Argentina; Armenia; Aruba; Australia; Austria;
Azerbaijan; Bahamas; Bahrain; Bangladesh; Barbados; Belarus; Belgium; Belize; Benin; Bermuda; Bhutan; Bolivia; Bosnia
and Herzegovina; Botswana; Brazil; Brunei; Bulgaria; Burkina Faso; Burundi; Cambodia; Cameroon; Canada; Cape Verde;
Central African Republic; Chad; Chile; China; Colombia; Comoros; Congo; Costa Rica; Croatia; Cuba; Curaçao; Cyprus;
Czechia; Côte D'Ivoire; Democratic Republic of the Congo; Denmark; Djibouti; Dominica; Dominican Republic; Ecuador;
Egypt; El Salvador; Equatorial Guinea; Eritrea; Estonia; Eswatini; Ethiopia; Fiji; Finland; France; French Guiana;
French Polynesia; Gabon; Gambia; Georgia; Germany; Ghana; Gibraltar; Greece; Greenland; Grenada; Guadeloupe; Guam;
Guatemala; Guinea; Guinea-Bissau; Guyana; Haiti; Honduras; Hong Kong; Hungary; Iceland; India; Indonesia; Iran; Iraq;
Ireland; Israel; Italy; Jamaica; Japan; Jersey; Jordan; Kazakhstan; Kenya; Kosovo; Kuwait; Kyrgyzstan; Laos; Latvia;
Lebanon; Lesotho; Liberia; Libya; Liechtenstein; Lithuania; Luxembourg; Macau; Madagascar; Malawi; Malaysia; Maldives;
Mali; Malta; Martinique; Mauritania; Mauritius; Mexico; Moldova; Monaco; Mongolia; Montenegro; Morocco; Mozambique;
Myanmar; Namibia; Nepal; Netherlands; New Caledonia; New Zealand; Nicaragua; Niger; Nigeria; North Macedonia; Norway;
Oman; Pakistan; Palestine; Panama; Papua New Guinea; Paraguay; Peru; Philippines; Poland; Portugal; Puerto Rico; Qatar;
Romania; Russia; Rwanda; Réunion; Samoa; San Marino; Saudi Arabia; Senegal; Serbia; Seychelles; Sierra Leone; Singapore;
Slovakia; Slovenia; Solomon Islands; Somalia; South Africa; South Korea; South Sudan; Spain; Sri Lanka; Sudan; Suriname;
Sweden; Switzerland; Syria; Taiwan; Tajikistan; Tanzania; Thailand; Timor-Leste; Togo; Tonga; Trinidad and Tobago;
Tunisia; Turkey; Turkmenistan; Uganda; Ukraine; United Arab Emirates; United Kingdom; United States; Uruguay;
Uzbekistan; Vanuatu; Venezuela; Vietnam; Virgin Islands (U.S.); Yemen; Zambia; Zimbabwe
"""
_OTHER_NAMES = {
    "us": "United States",
    "usa": "United States",
    "u.s.": "United States",
    "u.s.a.": "United States",
    "united states of america": "United States",
    "america": "United States",
    "uk": "United Kingdom",
    "u.k.": "United Kingdom",
    "great britain": "United Kingdom",
    "britain": "United Kingdom",
    "england": "United Kingdom",
    "korea": "South Korea",
    "korea, republic of": "South Korea",
    "republic of korea": "South Korea",
    "russian federation": "Russia",
    "czech republic": "Czechia",
    "turkey (türkiye)": "Turkey",
    "türkiye": "Turkey",
    "moldova, republic of": "Moldova",
    "iran, islamic republic of": "Iran",
    "macedonia, the former yugoslav republic of": "North Macedonia",
    "viet nam": "Vietnam",
    "tanzania, united republic of": "Tanzania",
    "lao people's democratic republic": "Laos",
    "syrian arab republic": "Syria",
    "libyan arab jamahiriya": "Libya",
    "palestinian territories, occupied": "Palestine",
    "holland": "Netherlands",
    "uae": "United Arab Emirates",
    "congo, the democratic republic of the": "Democratic Republic of the Congo",
    "former serbia and montenegro": "Serbia",
    "swaziland": "Eswatini",
    "burma": "Myanmar",
    "ivory coast": "Côte D'Ivoire",
}
_REGIONS = {
    "EU": "Austria; Belgium; Bulgaria; Croatia; Cyprus; Czechia; Denmark; Estonia; Finland; France; Germany; Greece; Hungary;"
    " Ireland; Italy; Latvia; Lithuania; Luxembourg; Malta; Netherlands; Poland; Portugal; Romania; Slovakia; Slovenia;"
    " Spain; Sweden",
    "Nordic countries": "Denmark; Finland; Iceland; Norway; Sweden",
    "North America": "Canada; Mexico; United States",
    "East Asia": "China; Hong Kong; Japan; South Korea; Taiwan",
}
_REGION_NAMES = {"european union": "EU", "nordics": "Nordic countries", "scandinavia": "Nordic countries"}


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split()) for name in text.split(";"))


_KNOWN = {plain(name): name for name in _listed(_NAMES)}


def country_of(name: str) -> str | None:
    """The country that a name means, in today's short spelling; `None` when it is not known."""
    return _OTHER_NAMES.get(plain(name)) or _KNOWN.get(plain(name))


def country_key(name: str) -> str:
    """The same text for every spelling of one country; an unknown name is its own key."""
    return plain(country_of(name) or name)


def region_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """A region's name and its countries; `None` when the name is no region known here."""
    wanted = _REGION_NAMES.get(plain(name), name)
    for region, countries in _REGIONS.items():
        if plain(region) == plain(wanted):
            return region, _listed(countries)
    return None

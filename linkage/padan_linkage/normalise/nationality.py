"""Nationalities, to the three letters of ISO 3166-1."""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import has_lost, is_missing, plain, words
from padan_linkage.normalise.normalised import Fault

#: Alpha-3, alpha-2, numeric code, names in Indonesian and English.
_COUNTRIES = """
ABW AW 533 aruba
AFG AF 004 afganistan|afghanistan|afghan
AGO AO 024 angola
AIA AI 660 anguilla
ALA AX 248 aland islands
ALB AL 008 albania
AND AD 020 andorra
ARE AE 784 uni emirat arab|united arab emirates|uae|uea
ARG AR 032 argentina
ARM AM 051 armenia
ASM AS 016 american samoa
ATG AG 028 antigua dan barbuda|antigua and barbuda
AUS AU 036 australia|australian
AUT AT 040 austria
AZE AZ 031 azerbaijan|azerbaijani
BDI BI 108 burundi
BEL BE 056 belgia|belgium
BEN BJ 204 benin
BES BQ 535 bonaire
BFA BF 854 burkina faso
BGD BD 050 bangladesh|bangladeshi
BGR BG 100 bulgaria
BHR BH 048 bahrain
BHS BS 044 bahama|bahamas
BIH BA 070 bosnia dan herzegovina|bosnia herzegovina|bosnia and herzegovina|bosnia
BLM BL 652 saint barthelemy
BLR BY 112 belarus
BLZ BZ 084 belize
BMU BM 060 bermuda
BOL BO 068 bolivia
BRA BR 076 brasil|brazil|brazilian
BRB BB 052 barbados
BRN BN 096 brunei darussalam|brunei
BTN BT 064 bhutan
BWA BW 072 botswana
CAF CF 140 republik afrika tengah|central african republic
CAN CA 124 kanada|canada|canadian
CCK CC 166 cocos islands
CHE CH 756 swiss|switzerland
CHL CL 152 chili|chile
CHN CN 156 tiongkok|china|cina|rrt|rrc|prc|republik rakyat tiongkok|peoples republic of china
CIV CI 384 pantai gading|cote divoire|ivory coast
CMR CM 120 kamerun|cameroon
COD CD 180 republik demokratik kongo|democratic republic of the congo|dr congo|drc
COG CG 178 kongo|congo|republic of the congo
COK CK 184 cook islands
COL CO 170 kolombia|colombia
COM KM 174 komoro|comoros
CPV CV 132 tanjung verde|cabo verde|cape verde
CRI CR 188 kosta rika|costa rica
CUB CU 192 kuba|cuba
CUW CW 531 curacao
CXR CX 162 christmas island
CYM KY 136 cayman islands
CYP CY 196 siprus|cyprus
CZE CZ 203 ceko|republik ceko|czechia|czech republic
DEU DE 276 jerman|germany|german
DJI DJ 262 jibuti|djibouti
DMA DM 212 dominika|dominica
DNK DK 208 denmark|danish
DOM DO 214 republik dominika|dominican republic
DZA DZ 012 aljazair|algeria
ECU EC 218 ekuador|ecuador
EGY EG 818 mesir|egypt|egyptian
ERI ER 232 eritrea
ESH EH 732 western sahara
ESP ES 724 spanyol|spain|spanish
EST EE 233 estonia
ETH ET 231 etiopia|ethiopia
FIN FI 246 finlandia|finland
FJI FJ 242 fiji
FLK FK 238 falkland islands
FRA FR 250 prancis|perancis|france|french
FRO FO 234 faroe islands
FSM FM 583 mikronesia|micronesia
GAB GA 266 gabon
GBR GB 826 inggris|britania raya|inggris raya|united kingdom|uk|great britain|british|england
GEO GE 268 georgia
GGY GG 831 guernsey
GHA GH 288 ghana
GIB GI 292 gibraltar
GIN GN 324 guinea
GLP GP 312 guadeloupe
GMB GM 270 gambia
GNB GW 624 guinea bissau
GNQ GQ 226 guinea khatulistiwa|equatorial guinea
GRC GR 300 yunani|greece
GRD GD 308 grenada
GRL GL 304 greenland
GTM GT 320 guatemala
GUF GF 254 french guiana
GUM GU 316 guam
GUY GY 328 guyana
HKG HK 344 hong kong|hongkong
HND HN 340 honduras
HRV HR 191 kroasia|croatia
HTI HT 332 haiti
HUN HU 348 hungaria|hongaria|hungary
IDN ID 360 indonesia|wni|indonesian|republik indonesia|ri
IMN IM 833 isle of man
IND IN 356 india|indian
IRL IE 372 irlandia|ireland|irish
IRN IR 364 iran|iranian|islamic republic of iran
IRQ IQ 368 irak|iraq|iraqi
ISL IS 352 islandia|iceland
ISR IL 376 israel
ITA IT 380 italia|italy|italian
JAM JM 388 jamaika|jamaica
JEY JE 832 jersey
JOR JO 400 yordania|jordania|jordan
JPN JP 392 jepang|japan|japanese
KAZ KZ 398 kazakhstan|kazakstan
KEN KE 404 kenya
KGZ KG 417 kirgistan|kirgizstan|kyrgyzstan
KHM KH 116 kamboja|cambodia
KIR KI 296 kiribati
KNA KN 659 saint kitts dan nevis|saint kitts and nevis
KOR KR 410 korea selatan|korea|south korea|republik korea|republic of korea|korean
KWT KW 414 kuwait
LAO LA 418 laos
LBN LB 422 lebanon|libanon
LBR LR 430 liberia
LBY LY 434 libya
LCA LC 662 saint lucia
LIE LI 438 liechtenstein
LKA LK 144 sri lanka|srilanka
LSO LS 426 lesotho
LTU LT 440 lituania|lithuania
LUX LU 442 luksemburg|luxembourg
LVA LV 428 latvia
MAC MO 446 makau|macau|macao
MAF MF 663 saint martin
MAR MA 504 maroko|morocco
MCO MC 492 monako|monaco
MDA MD 498 moldova
MDG MG 450 madagaskar|madagascar
MDV MV 462 maladewa|maldives
MEX MX 484 meksiko|mexico|mexican
MHL MH 584 kepulauan marshall|marshall islands
MKD MK 807 makedonia utara|makedonia|north macedonia
MLI ML 466 mali
MLT MT 470 malta
MMR MM 104 myanmar|burma
MNE ME 499 montenegro
MNG MN 496 mongolia
MNP MP 580 northern mariana islands
MOZ MZ 508 mozambik|mozambique
MRT MR 478 mauritania
MSR MS 500 montserrat
MTQ MQ 474 martinique
MUS MU 480 mauritius
MWI MW 454 malawi
MYS MY 458 malaysia|malaysian
MYT YT 175 mayotte
NAM NA 516 namibia
NCL NC 540 kaledonia baru|new caledonia
NER NE 562 niger
NFK NF 574 norfolk island
NGA NG 566 nigeria|nigerian
NIC NI 558 nicaragua
NIU NU 570 niue
NLD NL 528 belanda|netherlands|the netherlands|holland|dutch
NOR NO 578 norwegia|norway
NPL NP 524 nepal|nepalese
NRU NR 520 nauru
NZL NZ 554 selandia baru|new zealand
OMN OM 512 oman
PAK PK 586 pakistan|pakistani
PAN PA 591 panama
PCN PN 612 pitcairn
PER PE 604 peru
PHL PH 608 filipina|philippines|the philippines|filipino|pilipina
PLW PW 585 palau
PNG PG 598 papua nugini|papua new guinea
POL PL 616 polandia|poland
PRI PR 630 puerto rico
PRK KP 408 korea utara|north korea
PRT PT 620 portugal|portuguese
PRY PY 600 paraguay
PSE PS 275 palestina|palestine|state of palestine
PYF PF 258 polinesia prancis|french polynesia
QAT QA 634 qatar
REU RE 638 reunion
ROU RO 642 rumania|romania
RUS RU 643 rusia|russia|russian federation|federasi rusia|russian
RWA RW 646 rwanda
SAU SA 682 arab saudi|saudi arabia|saudi
SDN SD 729 sudan
SEN SN 686 senegal
SGP SG 702 singapura|singapore|singaporean
SHN SH 654 saint helena
SJM SJ 744 svalbard and jan mayen
SLB SB 090 kepulauan solomon|solomon islands
SLE SL 694 sierra leone
SLV SV 222 el salvador
SMR SM 674 san marino
SOM SO 706 somalia
SPM PM 666 saint pierre and miquelon
SRB RS 688 serbia
SSD SS 728 sudan selatan|south sudan
STP ST 678 sao tome dan principe|sao tome and principe
SUR SR 740 suriname
SVK SK 703 slowakia|slovakia
SVN SI 705 slovenia
SWE SE 752 swedia|sweden
SWZ SZ 748 eswatini|swaziland
SXM SX 534 sint maarten
SYC SC 690 seychelles
SYR SY 760 suriah|syria
TCA TC 796 turks and caicos islands
TCD TD 148 chad
TGO TG 768 togo
THA TH 764 thailand|muangthai|thai
TJK TJ 762 tajikistan
TKL TK 772 tokelau
TKM TM 795 turkmenistan
TLS TL 626 timor leste|east timor|timor timur
TON TO 776 tonga
TTO TT 780 trinidad dan tobago|trinidad and tobago
TUN TN 788 tunisia
TUR TR 792 turki|turkiye|turkey
TUV TV 798 tuvalu
TWN TW 158 taiwan|taiwanese
TZA TZ 834 tanzania
UGA UG 800 uganda
UKR UA 804 ukraina|ukraine
URY UY 858 uruguay
USA US 840 amerika serikat|united states|united states of america|usa|amerika|as|american
UZB UZ 860 uzbekistan
VAT VA 336 vatikan|vatican|holy see
VCT VC 670 saint vincent dan grenadines|saint vincent and the grenadines
VEN VE 862 venezuela
VGB VG 092 kepulauan virgin britania|british virgin islands
VIR VI 850 kepulauan virgin amerika|us virgin islands
VNM VN 704 vietnam|viet nam|vietnamese
VUT VU 548 vanuatu
WLF WF 876 wallis and futuna
WSM WS 882 samoa
YEM YE 887 yaman|yemen
ZAF ZA 710 afrika selatan|south africa
ZMB ZM 894 zambia
ZWE ZW 716 zimbabwe
"""
_WORDS = re.compile(r"[a-z]+")
#: Words around a country's name: warga negara, asing, citizen of.
_AROUND = words("warga negara kewarganegaraan wn wna asing citizen national of")
#: Of these, what says that it is another country than Indonesia.
_FOREIGN = words("wna asing")


def _lookup() -> dict[str, str]:
    """Countries by all that they are called; TWO_READINGS for what two are called (AS)."""
    table: dict[str, str] = {}
    for line in _COUNTRIES.strip().splitlines():
        alpha3, alpha2, numeric, names = line.split(" ", 3)
        for key in (alpha3.lower(), alpha2.lower(), numeric, *names.split("|")):
            table[key] = alpha3 if table.get(key, alpha3) == alpha3 else Fault.TWO_READINGS
    return table


_ALPHA3 = _lookup()


def parse_nationality(value: str) -> str:
    """Alpha-3 code of a country given by code or by name, Indonesian or English."""
    if is_missing(value):
        return ""
    text = plain(value)
    if text.isdigit():
        return _ALPHA3.get(text.zfill(3), Fault.UNKNOWN_VALUE)
    words = _WORDS.findall(text)
    if has_lost(text) or any(c.isdigit() for c in text):
        return Fault.UNKNOWN_VALUE
    country = _ALPHA3.get(" ".join(w for w in words if w not in _AROUND), Fault.UNKNOWN_VALUE)
    return Fault.TWO_READINGS if country == "IDN" and not _FOREIGN.isdisjoint(words) else country

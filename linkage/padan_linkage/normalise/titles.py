"""Titles, degrees and honorifics around Indonesian names.

Letters only, lower case, without dots: ``S.Pd.`` stands here as ``spd``.
"""

from __future__ import annotations

from padan_linkage.normalise.latin import words

#: In front of a name, with or without a dot.
FRONT = words(
    "prof profesor dr drg drh drs dra ir insinyur dokter kh kiai kyai hj hjh haji hajah hajjah "
    "ust ustad ustadz ustadzah tn tuan ny nyonya nn sdr sdri bpk bapak ibu almarhum almarhumah alm "
    "almh pdt pendeta apt apoteker ns bdn mr mrs ms miss sir purn letjen mayjen brigjen letkol "
    "kombes akbp kompol akp ipda iptu aiptu bripka brigadir bripda briptu serka serma sertu serda "
    "praka pratu prada kopda koptu laksda laksma marsda marsma"
)
#: In front of a name too, but only where more than this and one initial is left.
FRONT_SHORT = frozenset({"h", "rr", "rm", "rd"})
#: The same in several pieces: ``K.H.``.
FRONT_DOTTED = frozenset({"kh", "rm", "rr", "hj"})

_FIELDS = (
    "h hi e ei t tr p pd pdi kom ikom si sos sosi ip ag hut kep ked farm psi ptk stp "
    "tp hum kn kes km gz sn sy ak ab ap ars as ds ec eng fil hub in kedh keb kel kh kpm li "
    "ling mat min mar ms pi par pet pk pn pol pt q st stat th thi ud us ipem iptek mm "
    "mpd sc stpem"
)
_DEGREES = {level + field for level in "sm" for field in _FIELDS.split()}
_OTHERS = (
    "sh mh se me st mt ss ma ms mm mhum mba mpa mph mps mkm mkp map mak msi msc bsc ba be "
    "bba bbus bed beng bcom bacc llb llm mphil phd dphil edd dba lc lcs amd ama amk amkeb "
    "amkg amp amds amf apt ners ns sst sstp sstpi skm skh skg spt spi sip siptek shi sei sap "
    "ak ca cpa cfa cma csrs qia qrma crmp cla mcp akp psikolog sportmed spa spog spogk spb "
    "spbs spot spjp spm spkk spkj spp spr sprad span spanak sppd sppk sptht sprm spn spu "
    "spfk spgk spak kic finasim amdkeb amdkep amdkom amdak amdfarm amdrad amdgz mhkes ssit "
    "trkeb strkeb strkes strt stras strip mtrap mtrip mtrhanla bahons mpdi mthi mud mag sag "
    "sthi spdi spdsd spdaud mmpd mmsi mikom mik mip mhan mee"
)
#: Behind a name, where a dot or a comma shows that it is a title.
BEHIND = words(_OTHERS) | _DEGREES
#: Behind a name even without a dot or a comma: none of these is anybody's name.
BEHIND_BARE = words(
    "sh mh se st mt mm msi mpd spd skom mkom ssos skm amd shi spdi mpdi ssi ssn shut spt stp skep "
    "sked spsi mpsi mkes mhum mkn mba phd msc bsc lc sst sstp amk amkeb strkeb ners spog sppd spog "
    "sei sthi mpd mmpd mmsi mikom sikom skg mkm sfarm sgz"
)
#: Most pieces that one title is written in: ``S. Tr. Keb.``, ``Sp. O. G. (K)``.
MOST_PIECES = 4

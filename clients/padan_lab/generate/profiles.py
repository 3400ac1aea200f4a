"""What each agency's files look like: whose data, which columns, how well kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from padan_lab.generate import facts
from padan_lab.generate.columns.common import Writer
from padan_lab.generate.columns.company import COMPANY
from padan_lab.generate.columns.foreign import FOREIGN
from padan_lab.generate.columns.person import PERSON
from padan_lab.generate.plans import FilePlan
from padan_lab.generate.population.companies import Companies
from padan_lab.generate.population.foreigners import Foreigners
from padan_lab.generate.population.people import CANDIDATES, People
from padan_lab.generate.rates import (
    LIST,
    LIST_STYLE,
    REGISTRY,
    REGISTRY_STYLE,
    TITLED_LIST_STYLE,
    TITLED_REGISTRY_STYLE,
)
from padan_lab.generate.sides import AgencyFile


class PopulationProfile(StrEnum):
    """The profiles of ``padan generate``."""

    ASN = "asn"
    JKN = "jkn"
    BPJSTK = "bpjstk"
    IMIGRASI = "imigrasi"
    P3KE = "p3ke"
    WLKP = "wlkp"
    REGISTER = "register"


def profile(name: PopulationProfile) -> FilePlan:
    """The plan of that profile."""
    return _PROFILES[name]


def _some(writers: Mapping[str, Writer], names: str) -> dict[str, Writer]:
    return {name: writers[name] for name in names.split()}


def _values(column: str, *values: str) -> dict[str, Writer]:
    return facts.status_columns({column: dict.fromkeys(values, "")}, several=False)


def _register() -> FilePlan:
    """Two public registers, such as all candidates and those in office; nobody stands twice."""
    columns = _some(PERSON, "nama tempat_lahir tanggal_lahir jenis_kelamin agama")
    registry, listed = replace(REGISTRY, duplicate=0), replace(LIST, duplicate=0)
    return FilePlan(
        lambda size, seed: People(size, seed, families=False, retired=0.12, naming=CANDIDATES),
        AgencyFile("registry", "R", columns, registry, TITLED_REGISTRY_STYLE),
        AgencyFile("list", "K", columns, listed, TITLED_LIST_STYLE),
        inside=0.95,
        list_share=0.06,
    )


def _asn() -> FilePlan:
    """Civil servants, pensioners among them; a ministry's candidates for training."""
    own = _some(PERSON, "nip nik nama tempat_lahir tanggal_lahir jenis_kelamin")
    own |= _values("status", "AKTIF", "TIDAK AKTIF", "PENSIUN") | _values("status_jf", "AKTIF")
    own["tanggal_meninggal"] = facts.death_dates
    list_columns = _some(PERSON, "nik nip nama tempat_lahir tanggal_lahir jenis_kelamin")
    # Civil servants write their degrees.
    style = replace(REGISTRY_STYLE, titled=0.8)
    return FilePlan(
        lambda size, seed: People(size, seed, families=False, retired=0.35),
        AgencyFile("registry", "R", own, REGISTRY, style),
        AgencyFile("list", "K", list_columns, LIST, LIST_STYLE),
    )


def _jkn() -> FilePlan:
    """Members of the health insurance, whole families; workers that companies reported."""
    own = _some(
        PERSON,
        "kartu_jkn nik kk nama tempat_lahir tanggal_lahir jenis_kelamin hubungan alamat telepon",
    )
    own |= _values("status_peserta", "AKTIF", "NONAKTIF")
    own["tanggal_meninggal"] = facts.death_dates
    list_columns = _some(
        PERSON, "nik kartu_jkn nama tempat_lahir tanggal_lahir jenis_kelamin alamat telepon"
    )
    return FilePlan(
        lambda size, seed: People(size, seed, families=True, retired=0.12),
        AgencyFile("registry", "R", own, REGISTRY, REGISTRY_STYLE),
        AgencyFile("list", "K", list_columns, LIST, LIST_STYLE),
    )


def _bpjstk() -> FilePlan:
    """Workers in the employment insurance; travellers with Indonesian passports."""
    own = _some(
        PERSON,
        "nomor_bpjstk nik paspor nama tempat_lahir tanggal_lahir jenis_kelamin alamat telepon",
    )
    own |= _values("kepesertaan", "AKTIF", "TIDAK AKTIF")
    list_columns = _some(PERSON, "paspor nik nama tempat_lahir tanggal_lahir jenis_kelamin")
    return FilePlan(
        lambda size, seed: People(size, seed, families=False, retired=0.05),
        AgencyFile("registry", "R", own, REGISTRY, REGISTRY_STYLE),
        AgencyFile("list", "K", list_columns, LIST, LIST_STYLE),
    )


def _imigrasi() -> FilePlan:
    """Foreigners with permits, passports and crossings; those whom employers enrolled."""
    shared = "paspor nama kewarganegaraan tempat_lahir tanggal_lahir jenis_kelamin"
    own = _some(FOREIGN, shared)
    own["tanggal_habis_berlaku"] = facts.expiries("passport")
    own["status_paspor"] = facts.validities("passport", "BERLAKU", "HABIS BERLAKU")
    own |= _values("izin", "ITAS", "ITAP")
    own["izin_sampai"] = facts.expiries("permit")
    own |= _values("jenis_perlintasan", "KELUAR", "MASUK")
    own["tanggal_perlintasan"] = facts.crossing_dates
    return FilePlan(
        Foreigners,
        AgencyFile("registry", "R", own, REGISTRY, REGISTRY_STYLE),
        AgencyFile("list", "K", _some(FOREIGN, shared), LIST, LIST_STYLE),
    )


def _p3ke() -> FilePlan:
    """Poor families by decile; people whom programmes reached."""
    own = _some(PERSON, "kk nik nama hubungan tanggal_lahir jenis_kelamin nama_ibu alamat")
    own |= _values("desil", "1", "2", "3", "4")
    own["tanggal_meninggal"] = facts.death_dates
    measures = ("pelatihan", "padat_karya", "tenaga_kerja_mandiri", "bantuan_iuran")
    list_columns = _some(PERSON, "nik nama tanggal_lahir jenis_kelamin alamat")
    list_columns |= facts.status_columns({m: {"YA": ""} for m in measures}, several=True)
    return FilePlan(
        lambda size, seed: People(size, seed, families=True, retired=0.2),
        AgencyFile("registry", "R", own, REGISTRY, REGISTRY_STYLE),
        AgencyFile("list", "K", list_columns, LIST, LIST_STYLE),
    )


def _wlkp() -> FilePlan:
    """Companies as two agencies know them, many identifiers missing."""
    shared = "npwp nib nama_usaha kbli alamat telepon email"
    own = _some(COMPANY, shared)
    own["jumlah_pekerja"] = facts.workers
    own["kelompok_pekerja"] = facts.bands
    own |= _values("status_wlkp", "TERDAFTAR")
    return FilePlan(
        Companies,
        AgencyFile("registry", "R", own, REGISTRY, REGISTRY_STYLE),
        AgencyFile("list", "K", _some(COMPANY, shared), LIST, LIST_STYLE),
    )


_PROFILES: Mapping[PopulationProfile, FilePlan] = {
    PopulationProfile.ASN: _asn(),
    PopulationProfile.JKN: _jkn(),
    PopulationProfile.BPJSTK: _bpjstk(),
    PopulationProfile.IMIGRASI: _imigrasi(),
    PopulationProfile.P3KE: _p3ke(),
    PopulationProfile.WLKP: _wlkp(),
    PopulationProfile.REGISTER: _register(),
}

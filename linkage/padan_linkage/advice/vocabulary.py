"""What columns are called, in Indonesian and English, and what each name promises.

A name promises a role; the contents must keep the promise (:mod:`.recognise`). A phrase counts
where its words stand side by side in the column's name; the longest phrase wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from padan_linkage.schema import Kind


class Meaning(StrEnum):
    """What a column is for a linkage."""

    TRUTH = "truth"
    ROW_ID = "row_id"
    NIK = "nik"
    KK = "kk"
    NIP = "nip"
    NPWP = "npwp"
    PASSPORT = "passport"
    JKN_CARD = "jkn_card"
    BPJSTK_NUMBER = "bpjstk_number"
    NIB = "nib"
    IDENTITY = "identity"
    PHONE = "phone"
    EMAIL = "email"
    FULL_NAME = "full_name"
    GIVEN_NAME = "given_name"
    MIDDLE_NAME = "middle_name"
    SURNAME = "surname"
    RELATIVE = "relative"
    COMPANY = "company"
    BIRTH_DATE = "birth_date"
    BIRTH_YEAR = "birth_year"
    BIRTH_MONTH = "birth_month"
    BIRTH_DAY = "birth_day"
    AGE = "age"
    PLACE_AND_DATE = "place_and_date"
    OTHER_DATE = "other_date"
    BIRTHPLACE = "birthplace"
    PLACE = "place"
    POSTCODE = "postcode"
    ADDRESS = "address"
    SEX = "sex"
    NATIONALITY = "nationality"
    CATEGORY = "category"
    UNKNOWN = "unknown"


#: The kind of field that a role makes. Roles that are not here make none of their own.
KINDS: dict[Meaning, Kind] = {
    **{Meaning(k.value): k for k in (
        Kind.NIK, Kind.KK, Kind.NIP, Kind.NPWP, Kind.PASSPORT, Kind.JKN_CARD, Kind.BPJSTK_NUMBER,
        Kind.NIB, Kind.PHONE, Kind.EMAIL, Kind.SEX, Kind.NATIONALITY, Kind.PLACE, Kind.ADDRESS,
    )},
    Meaning.IDENTITY: Kind.CODE,
    Meaning.FULL_NAME: Kind.PERSON_NAME,
    Meaning.GIVEN_NAME: Kind.PERSON_NAME,
    Meaning.MIDDLE_NAME: Kind.PERSON_NAME,
    Meaning.SURNAME: Kind.PERSON_NAME,
    Meaning.RELATIVE: Kind.PERSON_NAME,
    Meaning.COMPANY: Kind.COMPANY_NAME,
    Meaning.BIRTH_DATE: Kind.DATE,
    Meaning.OTHER_DATE: Kind.DATE,
    Meaning.BIRTHPLACE: Kind.PLACE,
    Meaning.AGE: Kind.CODE,
    Meaning.POSTCODE: Kind.CODE,
    Meaning.CATEGORY: Kind.TEXT,
}  # fmt: skip

#: Numbers that name one person or company: a pass of their own.
STRONG = frozenset(
    {
        Meaning.NIK, Meaning.NIP, Meaning.NPWP, Meaning.PASSPORT,
        Meaning.JKN_CARD, Meaning.BPJSTK_NUMBER,
        Meaning.NIB, Meaning.IDENTITY, Meaning.PHONE, Meaning.EMAIL,
    }
)  # fmt: skip

_PHRASES: dict[Meaning, str] = {
    Meaning.TRUTH: "entity_id entity true_id truth gold ground_truth cluster cluster_id match_id "
    "label master_id unique_id simulant simulant_id true_match",
    Meaning.ROW_ID: "id rec_id record_id row_id row uuid uid guid index idx no nomor no_urut urut "
    "nomor_urut seq sequence serial unnamed key kunci household_id id_rumah_tangga",
    Meaning.NIK: "nik no_nik ktp no_ktp nomor_ktp nomor_induk_kependudukan",
    Meaning.KK: "kk no_kk nomor_kk kartu_keluarga nomor_kartu_keluarga",
    Meaning.NIP: "nip nip_baru nomor_induk_pegawai",
    Meaning.NPWP: "npwp no_npwp",
    Meaning.PASSPORT: "paspor passport no_paspor passport_no passport_number nomor_paspor",
    Meaning.JKN_CARD: "jkn no_jkn kartu_jkn no_kartu_jkn kis no_bpjs no_bpjs_kesehatan noka",
    Meaning.BPJSTK_NUMBER: "kpj no_kpj bpjstk no_bpjstk kartu_peserta_jamsostek jamsostek",
    Meaning.NIB: "nib nomor_induk_berusaha tdp",
    Meaning.IDENTITY: "ssn social_security soc_sec soc_sec_id social_security_number "
    "identity_number identity_no identity national_id national_insurance nino ni_number "
    "nhs_number nhs tax_id "
    "no_identitas nomor_identitas identitas nisn nim nidn nuptk nrp no_peserta nomor_peserta "
    "no_kartu nomor_kartu card_number licence_number license_number sim member_number "
    "nomor_anggota nomor_pensiun no_rekening kitas kitap nomor_visa",
    Meaning.PHONE: "phone telephone tel telp telepon no_telp no_hp hp nohp handphone mobile ponsel "
    "wa no_wa phone_number no_telepon nomor_telepon whatsapp",
    Meaning.EMAIL: "email e_mail mail surel pos_el alamat_email email_address alamat_surel",
    Meaning.FULL_NAME: "nama name nama_lengkap full_name fullname nama_pegawai nama_peserta "
    "nama_penduduk nama_orang nama_calon nama_anggota nama_pekerja nama_karyawan nama_ktp",
    Meaning.GIVEN_NAME: "given_name given first_name firstname fname forename forenames nama_depan "
    "first christian_name nama_pertama vorname prenom nombre voornaam",
    Meaning.MIDDLE_NAME: "middle_name middle middlename mname middle_initial nama_tengah "
    "second_name",
    Meaning.SURNAME: "surname last_name lastname lname family_name family nama_belakang "
    "nama_keluarga marga nama_akhir last nachname familienname nom apellido achternaam",
    Meaning.RELATIVE: "nama_ibu nama_ayah ibu_kandung nama_ibu_kandung nama_ayah_kandung "
    "mother_name mothers_name father_name fathers_name nama_bapak nama_gadis_ibu maiden_name "
    "nama_suami "
    "nama_istri nama_pasangan nama_orang_tua",
    Meaning.COMPANY: "company company_name perusahaan nama_perusahaan nama_usaha badan_usaha "
    "nama_badan_usaha nama_badan business_name employer organisation organization firm firma",
    Meaning.BIRTH_DATE: "dob birth_date date_of_birth birthdate birthday birth_dt tgl_lahir "
    "tanggal_lahir tgllahir tanggallahir tgl_lhr lahir geburtsdatum tanggal_kelahiran bday "
    "date_naissance fecha_nacimiento geboortedatum",
    Meaning.BIRTH_YEAR: "yob birth_year year_of_birth byear tahun_lahir thn_lahir by yearob "
    "year tahun thn geburtsjahr annee_naissance ano_nacimiento",
    Meaning.BIRTH_MONTH: "mob birth_month month_of_birth bmonth bulan_lahir bln_lahir bm monthob "
    "month bulan bln geburtsmonat",
    Meaning.BIRTH_DAY: "dayob birth_day day_of_birth bday_day hari_lahir tanggal_hari_lahir bd "
    "day hari geburtstag",
    Meaning.AGE: "umur usia age age_in_years usia_tahun",
    Meaning.PLACE_AND_DATE: "ttl tempat_tanggal_lahir tempat_tgl_lahir tempat_dan_tanggal_lahir "
    "tmp_tgl_lahir tempat_lahir_tanggal_lahir place_and_date_of_birth",
    Meaning.OTHER_DATE: "tgl tanggal date tmt tmt_cpns tmt_pns date_of_death tanggal_wafat",
    Meaning.BIRTHPLACE: "tempat_lahir birthplace birth_place place_of_birth tmp_lahir tmpt_lahir "
    "kota_lahir kab_lahir tempat_kelahiran pob town_of_birth city_of_birth",
    Meaning.PLACE: "kota kab kabupaten kab_kota kabkota kabupaten_kota kecamatan kec kelurahan kel "
    "desa desa_kelurahan kel_desa provinsi prov propinsi domisili wilayah daerah city town suburb "
    "village district county municipality place tempat locality tempat_tinggal "
    "ort wohnort ville ciudad",
    Meaning.POSTCODE: "postcode post_code zip zipcode zip_code postal_code postal kode_pos kodepos "
    "plz",
    Meaning.ADDRESS: "address address_1 address_2 address1 address2 street street_name "
    "street_address alamat alamat_lengkap alamat_rumah alamat_tinggal alamat_ktp jalan addr "
    "strasse adresse",
    Meaning.SEX: "sex gender jk jenis_kelamin kelamin jns_kelamin jenkel l_p geschlecht sexe",
    Meaning.NATIONALITY: "nationality citizenship kewarganegaraan warga_negara wn negara country "
    "country_of_birth negara_asal kebangsaan",
    Meaning.CATEGORY: "agama religion status_kawin status_perkawinan marital marital_status "
    "pendidikan education pekerjaan occupation job state region ethnicity race suku dapil partai "
    "golongan golongan_darah gol_darah blood_type pangkat jabatan department instansi unit_kerja "
    "title gelar street_number house_number nomor_rumah rt rw unit "
    "sekolah nama_sekolah universitas kampus",
}

_LONGEST = 4
#: Phrase (words joined by underscores) to role; earlier roles keep a phrase that two claim.
_ROLE_OF = {
    phrase: role for role, phrases in reversed(_PHRASES.items()) for phrase in phrases.split()
}
#: Words that change nothing about what a column holds.
_IDLE = frozenset({"a", "b", "kolom", "col", "the", "orig", "raw", "clean", "asli"})


def phrases() -> Mapping[str, Meaning]:
    """All phrases, words joined by underscores, and what each promises."""
    return _ROLE_OF


def promised(folded_name: str) -> Meaning:
    """The role that a folded column name promises, UNKNOWN if none.

    The whole name first, then the longest phrase in it, and of equally long ones the first.
    """
    words = [w for w in folded_name.split("_") if w and w not in _IDLE]
    for length in range(min(_LONGEST, len(words)), 0, -1):
        found = [
            _ROLE_OF[phrase]
            for start in range(len(words) - length + 1)
            if (phrase := "_".join(words[start : start + length])) in _ROLE_OF
        ]
        if found:
            return found[0] if length > 1 else _of_single_words(found)
    return Meaning.UNKNOWN


def _of_single_words(found: list[Meaning]) -> Meaning:
    """``no``, ``id`` and ``nama`` are in many names: they give way to what they are of."""
    for weak in (Meaning.ROW_ID, Meaning.FULL_NAME):
        if any(role is not weak for role in found):
            found = [role for role in found if role is not weak]
    return Meaning.TRUTH if Meaning.TRUTH in found else found[0]

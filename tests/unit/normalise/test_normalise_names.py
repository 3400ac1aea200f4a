import csv
from pathlib import Path

import pyarrow as pa
import pytest

from padan_linkage.normalise import derive, normalise
from padan_linkage.schema import Kind

SHARED = Path(__file__).resolve().parents[4] / "shared"

SAME = [
    # titles and honorifics
    ("Budi Santoso", "BUDI SANTOSO, S.H., M.H."),
    ("Budi Santoso", "Prof. Dr. Ir. H. Budi Santoso, M.Eng., Ph.D."),
    ("Budi Santoso", "Drs.H.Budi Santoso,SE,MM"),
    ("Budi Santoso", "DRS H BUDI SANTOSO SH MH"),
    ("Budi Santoso", "Budi Santoso, S. Pd., M. Kom"),
    ("Budi Santoso", "dr. Budi Santoso, Sp.OG(K)"),
    ("Budi Santoso", "Budi Santoso SE MSi Ak"),
    ("Budi Santoso", "Letkol (Purn) Budi Santoso"),
    ("Budi Santoso", "Budi Santoso (Alm)"),
    ("Sri Wahyuni", "Dra. Hj. Sri Wahyuni, S.Pd.AUD"),
    ("Sri Wahyuni", "Hj. Sri Wahjoeni S.E.Ak"),
    ("Ahmad Dahlan", "K.H. Ahmad Dahlan"),
    # the Muhammad family
    ("Muhammad Yusuf", "M. Yusuf"),
    ("Muhammad Yusuf", "M Yusuf"),
    ("Muhammad Yusuf", "Moh. Yusuf"),
    ("Muhammad Yusuf", "MUH YUSUF"),
    ("Muhammad Yusuf", "Mochammad Yusuf"),
    ("Muhammad Yusuf", "Moehammad Joesoef"),
    ("Muhammad Yusuf", "H.M. Yusuf"),
    ("Ali Muhammad", "Ali Mohamad"),
    # old spelling
    ("Suryadi", "Soerjadi"),
    ("Sukarno", "Soekarno"),
    ("Sujono", "Soedjono"),
    ("Cahyono", "Tjahjono"),
    ("Syamsudin", "Sjamsoedin"),
    ("Nyoman Wahyu", "Njoman Wahjoe"),
    ("Joko", "Djoko"),
    # marks and abbreviations
    ("Maruf", "Ma'ruf"),
    ("Nuraini", "Nur’aini"),
    ("Abdul Rahman", "Abd. Rahman"),
    ("Abdul Rahman", "Abdul-Rahman"),
    ("Siti Aminah", "St. Aminah"),
    ("I Wayan Sudiarta", "I Wy. Sudiarta"),
    ("I Made Adnyana", "I Md Adnyana"),
    ("Siti Aminah Yusuf", "Siti Aminah binti Yusuf"),
    ("Budi Santoso", "Budi Santoso alias Bejo"),
    ("Budi Santoso", "Ｂｕｄｉ　Ｓａｎｔｏｓｏ"),
    ("Nguyen Van Duc", "Nguyễn Văn Đức"),
    ("OBrien", "O'Brien"),
]

DIFFERENT = [
    ("Sujono", "Suyono"),  # two names, however alike
    ("Joel", "Jul"),
    ("Noel", "Nul"),
    ("Chloe", "Chlu"),
    ("Hasan", "Hasanah"),
    ("Budi Santoso", "Santoso Budi"),  # order stays; sorted keys are for that
    ("Muhammad Ali", "Mahmud Ali"),
    ("Muhammad", "Muhammadin"),
    ("Mamad", "Muhammad"),
    ("Ahmad", "Muhammad"),
    ("Ma Yun", "Yun"),  # a surname, not a degree
    ("Budi Ma", "Budi"),
    ("Ahmad bin Yusuf", "Ahmad bin Ali"),
    ("Dewi", "Devi"),
    ("M.T. Haryono", "Muhammad Haryono"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name_however_it_is_written(form, one, other):
    assert form(Kind.PERSON_NAME, one) == form(Kind.PERSON_NAME, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_names_stay_two(form, one, other):
    assert form(Kind.PERSON_NAME, one) != form(Kind.PERSON_NAME, other)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("M", "m"),
        ("H.", "h"),
        ("Ir", "ir"),
        ("S.Parman", "s parman"),
        ("A. Ma", "a ma"),
        ("JAN VAN DER BERG", "jan van der berg"),
        ("mary-ann o'neill", "mary ann oneill"),
        ("Santoso, Budi", "santoso budi"),
        ("Müller", "muller"),
    ],
)
def test_names_that_look_like_titles_or_come_from_elsewhere_stay(form, written, expected):
    assert form(Kind.PERSON_NAME, written) == expected


@pytest.mark.parametrize("nothing", ["王伟", "12345", "...", "()"])
def test_what_holds_no_latin_letter_is_unreadable(form, nothing):
    assert form(Kind.PERSON_NAME, nothing) == "unreadable"


SOUNDS_ALIKE = [
    ("Mahfudz Siddiq", "Mahfuz Sidik"),
    ("Achmad", "Akhmad"),
    ("Achmad", "Ahmad"),
    ("Khoirul", "Chairul"),
    ("Saiful", "Syaeful"),
    ("Zainal", "Jaenal"),
    ("Fauzi", "Pauji"),
    ("Fitriyani", "Fitriani"),
    ("Novita", "Nopita"),
    ("Yudha", "Yuda"),
    ("Aisyah", "Aisya"),
    ("Chandra", "Candra"),
    ("Suwarno", "Soearno"),
    ("Nurdin Ahmad", "Ahmad Nurdin"),
    ("Muhamad Taufiq", "Moh. Taufik"),
    ("Raihan", "Rayhan"),
    ("Cecilia", "Sisilia"),
    ("Hannah", "Hana"),
    ("Stephen", "Steven"),
    ("Eric", "Erik"),
]

SOUNDS_OTHERWISE = [
    ("Budi", "Budiman"),
    ("Hasan", "Husin"),
    ("Siti", "Sati"),
    ("Joko", "Jaka"),
    ("Rina", "Rani"),
    ("Andi", "Anto"),
    ("Wati", "Yati"),
    ("Rudi", "Rado"),
    ("Smith", "Schultz"),
    ("Green", "Grant"),
    ("James", "John"),
]


@pytest.mark.parametrize(("one", "other"), SOUNDS_ALIKE)
def test_variants_share_the_phonetic_key(key, one, other):
    assert key(Kind.PERSON_NAME, "phonetic", one) == key(Kind.PERSON_NAME, "phonetic", other)


@pytest.mark.parametrize(("one", "other"), SOUNDS_OTHERWISE)
def test_other_names_do_not_share_the_phonetic_key(key, one, other):
    assert key(Kind.PERSON_NAME, "phonetic", one) != key(Kind.PERSON_NAME, "phonetic", other)


@pytest.mark.parametrize("column", ["given_name", "surname"])
def test_foreign_names_keep_their_diversity(column):
    path = SHARED / "data/febrl4_p33/a.csv"
    if not path.exists():
        pytest.skip("the development data are not beside the repository")
    with path.open(newline="") as file:
        names = {row[column] for row in csv.DictReader(file)} - {""}
    result = normalise(Kind.PERSON_NAME, pa.array(sorted(names)))
    assert result.problems == []
    assert len(set(result.values.to_pylist())) >= 0.99 * len(names)
    sounds = derive(Kind.PERSON_NAME, "phonetic", result.values)
    assert len(set(sounds.to_pylist())) >= 0.75 * len(names)

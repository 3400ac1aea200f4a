"""Names of persons: what is one name however it is written, beside what must stay two.

The names are made up. Rules and their sources: spec 12.
"""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.normalise import normalise
from padan_linkage.normalise.names import titles
from padan_linkage.normalise.names.persons import read_name, stand_in
from padan_linkage.normalise.names.spelling import WRITTEN_OUT
from padan_linkage.schema import Kind

SAME = {
    "academic titles": [
        ("Budi Santoso", "BUDI SANTOSO, S.H., M.H."),
        ("Budi Santoso", "Prof. Dr. Ir. H. Budi Santoso, M.Eng., Ph.D."),
        ("Budi Santoso", "Prof. Dr. (H.C.) Budi Santoso"),
        ("Budi Santoso", "Dr. H.C. Budi Santoso"),
        ("Budi Santoso", "Dr. (Cand.) Budi Santoso"),
        ("Budi Santoso", "Drs.H.Budi Santoso,SE,MM"),
        ("Budi Santoso", "DRS H BUDI SANTOSO SH MH"),
        ("Budi Santoso", "Drs, Budi Santoso"),
        ("Budi Santoso", "Ir, H Budi Santoso"),
        ("Budi Santoso", "Budi Santoso, Drs."),
        ("Budi Santoso", "BUDI SANTOSO DRS"),
        ("Budi Santoso", "Budi Santoso, H."),
        ("Budi Santoso", "Budi Santoso, S. Pd., M. Kom"),
        ("Budi Santoso", "BUDI SANTOSO S PD"),
        ("Budi Santoso", "BUDI SANTOSO S PD I"),
        ("Budi Santoso", "Budi Santoso SPdI"),
        ("Budi Santoso", "BUDI SANTOSO S H M H"),
        ("Budi Santoso", "BUDI SANTOSO A MD"),
        ("Budi Santoso", "dr. Budi Santoso, Sp.OG(K)"),
        ("Budi Santoso", "dr. Budi Santoso, Sp.PD-KGEH, FINASIM"),
        ("Budi Santoso", "Budi Santoso, dr., Sp.A"),
        ("Budi Santoso", "Budi Santoso SE MSi Ak"),
        ("Budi Santoso", "Budi Santoso, S.E., M.Si., Ak., CA., CPA"),
        ("Budi Santoso", "Budi Santoso, S.Tr.Keb., M.Keb"),
        ("Budi Santoso", "Budi Santoso S.Tr.Kes"),
        ("Budi Santoso", "Budi Santoso A.Md.Kep."),
        ("Budi Santoso", "Ns. Budi Santoso, S.Kep"),
        ("Budi Santoso", "apt. Budi Santoso, S.Farm."),
        ("Budi Santoso", "Budi Santoso, B.A. (Hons)"),
        ("Budi Santoso", "Budi Santoso; S.Sos."),
        ("Budi Santoso", "Budi Santoso, S.Xyz."),  # a degree that no table has
        ("Budi Santoso", "Budi Santoso, S.Pd., Gr."),
        ("Budi Santoso", "BUDI SANTOSO MA"),
        ("Budi Santoso", "BUDI SANTOSO SHI"),
        ("Sri Wahyuni", "Dra. Hj. Sri Wahyuni, S.Pd.AUD"),
        ("Sri Wahyuni", "Hj. Sri Wahjoeni S.E.Ak"),
    ],
    "titles of religion, rank and address": [
        ("Ahmad Dahlan", "K.H. Ahmad Dahlan"),
        ("Ahmad Dahlan", "KH. Ahmad Dahlan"),
        ("Ahmad Dahlan", "Ust. Ahmad Dahlan, Lc."),
        ("Ahmad Dahlan", "TGH. Ahmad Dahlan"),
        ("Ahmad Dahlan", "Hi. Ahmad Dahlan"),
        ("Ahmad Dahlan", "Haji Ahmad Dahlan"),
        ("Maria Goreti", "Sr. Maria Goreti"),
        ("Yohanes Surya", "Pdt. Yohanes Surya, M.Th."),
        ("Budi Santoso", "Letkol (Purn) Budi Santoso"),
        ("Budi Santoso", "Letkol Inf. Budi Santoso"),
        ("Budi Santoso", "Brigjen. Pol. Drs. Budi Santoso, M.H."),
        ("Budi Santoso", "BRIGJEN TNI (PURN) BUDI SANTOSO"),
        ("Budi Santoso", "Kolonel Laut (P) Budi Santoso"),
        ("Budi Santoso", "AKBP Budi Santoso, S.I.K."),
        ("Budi Santoso", "Letjen TNI Purn Budi Santoso"),
        ("Budi Santoso", "Budi Santoso (Alm)"),
        ("Budi Santoso", "Alm. Budi Santoso"),
        ("Budi Santoso", "Tn. Budi Santoso"),
        ("Budi Santoso", "Bpk Budi Santoso"),
        ("Budi Santoso", "An. Budi Santoso"),
        ("Siti Aminah", "NY SITI AMINAH"),
    ],
    "nobility": [
        ("R. Saleh", "Raden Saleh"),
        ("R. Budi Santoso", "Raden Mas Budi Santoso"),
        ("R. Budi Santoso", "R.M. Budi Santoso"),
        ("R. Budi Santoso", "Drs. R.H. Budi Santoso"),
        ("R. Budi Santoso", "R. H. Budi Santoso"),
        ("R. Dewi Lestari", "Rr. Dewi Lestari"),
        ("R. Dewi Lestari", "R.A. Dewi Lestari"),
        ("R. Dewi Lestari", "Raden Roro Dewi Lestari"),
        ("Budi Santoso", "KRT. Budi Santoso"),
        ("Tubagus Hasan", "Tb. Hasan"),
        ("Ida Bagus Oka", "IB. Oka"),
        ("Ida Bagus Oka", "I.B. Oka"),
        ("Anak Agung Gede Rai", "A.A. Gede Rai"),
        ("Anak Agung Gede Rai", "AA Gde Rai".replace("Gde", "Gede")),
        ("I Gusti Ayu Putri", "I Gst. Ayu Putri"),
        ("I Gusti Ngurah Rai", "I Gst. Ngr. Rai"),
    ],
    "the Muhammad family and Ahmad": [
        ("Muhammad Yusuf", "M. Yusuf"),
        ("Muhammad Yusuf", "M Yusuf"),
        ("Muhammad Yusuf", "Moh. Yusuf"),
        ("Muhammad Yusuf", "MUH YUSUF"),
        ("Muhammad Yusuf", "Md. Yusuf"),
        ("Muhammad Yusuf", "Mhd. Yusuf"),
        ("Muhammad Yusuf", "Muhamad Yusuf"),
        ("Muhammad Yusuf", "Mohammed Yusuf"),
        ("Muhammad Yusuf", "Mochammad Yusuf"),
        ("Muhammad Yusuf", "Moch Yusuf"),
        ("Muhammad Yusuf", "Moehammad Joesoef"),
        ("Muhammad Yusuf", "H.M. Yusuf"),
        ("Muhammad Yusuf", "HM. Yusuf"),
        ("Muhammad Yusuf", "KH. M. Yusuf"),
        ("Muhammad Yusuf", "H. Muh. Jusuf, SH"),
        ("Ali Muhammad", "Ali Mohamad"),
        ("Ahmad Fauzi", "Achmad Fauzi"),
        ("Ahmad Fauzi", "Akhmad Fauzi"),
        ("Ahmad Fauzi", "Ach. Fauzi"),
        ("Ahmad Fauzi", "ACH FAUZI"),
    ],
    "Abdul": [
        ("Abdul Rahman", "Abd. Rahman"),
        ("Abdul Rahman", "Abd Rahman"),
        ("Abdul Rahman", "Ab. Rahman"),
        ("Abdul Rahman", "Abdul-Rahman"),
        ("Abdul Rahman", "Abdur Rahman"),
        ("Abdul Rahman", "Abdurrahman"),
        ("Abdul Rahman", "Abdurahman"),
        ("Abdul Rahman", "Abdulrahman"),
        ("Abdul Salam", "Abdussalam"),
        ("Abdul Kadir", "Abdulkadir"),
    ],
    "old spelling": [
        ("Suryadi", "Soerjadi"),
        ("Sukarno", "Soekarno"),
        ("Sujono", "Soedjono"),
        ("Cahyono", "Tjahjono"),
        ("Syamsudin", "Sjamsoedin"),
        ("Wijaya", "Widjaja"),
        ("Yahya Junaidi", "Jahja Djoenaidi"),
        ("Nyoman Wahyu", "Njoman Wahjoe"),
        ("Joko", "Djoko"),
        ("Nur Hidayat", "Noer Hidajat"),
    ],
    "marks, links and aliases": [
        ("Maruf", "Ma'ruf"),
        ("Nuraini", "Nur’aini"),
        ("Siti Aminah", "St. Aminah"),
        ("I Wayan Sudiarta", "I Wy. Sudiarta"),
        ("I Wayan Sudiarta", "Iwayan Sudiarta"),
        ("I Made Adnyana", "I Md Adnyana"),
        ("Ni Nyoman Sari", "Ni Nym. Sari"),
        ("Ni Luh Putu Ayu", "Ni Lh Pt Ayu"),
        ("Siti Aminah Yusuf", "Siti Aminah binti Yusuf"),
        ("Ahmad Yusuf", "Ahmad bin Yusuf"),
        ("Ahmad Yusuf", "Ahmad b. Yusuf"),
        ("Ramli Kassim", "Ramli a/l Kassim"),
        ("Budi Santoso", "Ｂｕｄｉ　Ｓａｎｔｏｓｏ"),
        ("Nguyen Van Duc", "Nguyễn Văn Đức"),
        ("Jose Pires", "JosÃ© Pires"),  # UTF-8 read as Windows-1252
        ("OBrien", "O&#39;Brien"),
        ("OBrien", "O'Brien"),
        ("FX Hadi", "F.X. Hadi"),
    ],
}

DIFFERENT = [
    ("Sujono", "Suyono"),  # two names, however alike
    ("Joel", "Jul"),
    ("Yoel", "Yul"),
    ("Noel", "Nul"),
    ("Chloe", "Chlu"),
    ("Hasan", "Hasanah"),
    ("Budi Santoso", "Santoso Budi"),  # order stays; keys without order are for that
    ("Muhammad Ali", "Mahmud Ali"),
    ("Muhammad", "Muhammadin"),
    ("Mamad", "Muhammad"),
    ("Ahmad", "Muhammad"),
    ("Ahmad Ali", "Muhammad Ali"),
    ("Ma Yun", "Yun"),  # a surname, not a degree
    ("Budi Ma", "Budi"),
    ("Tan, Mei", "Tan"),  # Mei is a name, and S.E.I. is not in it
    ("Shi Ling", "Ling"),
    ("Lina Tan Ma", "Lina Tan"),
    ("Ahmad bin Yusuf", "Ahmad bin Ali"),
    ("Dewi", "Devi"),
    ("M.T. Haryono", "Muhammad Haryono"),
    ("Abdullah", "Abdul Lah"),
    ("Abdul Rahman", "Abdul Rahim"),
    ("Abdul Kadir", "Kadir"),
    ("By. Ny. Siti Aminah", "Siti Aminah"),  # a baby not named yet is not its mother
    ("Haji", "Hajar"),
    ("Amir Haji", "Amir"),  # Haji behind is a name
    ("Rusdi", "Usdi"),  # R without a dot, inside a word
    ("Irwan", "Wan"),
    ("Sarjana Putra", "Putra"),
    ("Dokter Hasan Basri", "Doktrin Hasan Basri"),
    ("I Wayan Sudiarta", "Wayan Sudiarta"),  # a man's I stays
    ("Ni Wayan Sari", "I Wayan Sari"),
    ("I Gusti Ayu Putri", "I Gusti Agung Putri"),
    ("Andi Baso", "Baso"),  # adat titles that are parts of names
    ("Teuku Umar", "Umar"),
    ("Tengku Amir", "Teuku Amir"),
    ("Cut Nyak Dien", "Nyak Dien"),
    ("Lalu Putria", "Putria"),
    ("Nona Maria", "Maria"),
    ("Agus S", "Agus"),  # an initial
    ("Agus S", "Agus T"),
    ("Ahmad B. Yusuf", "Ahmad Yusuf"),  # an initial B, not «bin»
    ("Suparman S.", "Suparman"),
    ("Harjanto", "Haryanto"),
]

WRITTEN = [
    ("M", "m"),
    ("H.", "h"),
    ("Ir", "ir"),
    ("Dr", "dr"),
    ("Haji", "haji"),
    ("Alias", "alias"),
    ("S.Parman", "s parman"),
    ("A. Ma", "a ma"),
    ("A.M. Fatwa", "a m fatwa"),
    ("Drs. H. A. Malik", "a malik"),
    ("JAN VAN DER BERG", "jan van der berg"),
    ("mary-ann o'neill", "mary ann oneill"),
    ("Santoso, Budi", "santoso budi"),
    ("Park, Ji Sung", "park ji sung"),
    ("Müller", "muller"),
    ("Mayor Haryanto", "haryanto"),
    ("Yulius Mayor", "yulius mayor"),  # a family name of Papua
    ("R", "r"),
    ("Raden", "raden"),
    ("Liem Sioe Liong", "liem siu liong"),
    ("Hj", "hj"),
]


@pytest.mark.parametrize(("one", "other"), [pair for pairs in SAME.values() for pair in pairs])
def test_one_name_however_it_is_written(form, one, other):
    assert form(Kind.PERSON_NAME, one) == form(Kind.PERSON_NAME, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_names_stay_two(form, one, other):
    assert form(Kind.PERSON_NAME, one) != form(Kind.PERSON_NAME, other)


@pytest.mark.parametrize(("written", "expected"), WRITTEN)
def test_names_that_look_like_titles_or_come_from_elsewhere_stay(form, written, expected):
    assert form(Kind.PERSON_NAME, written) == expected


@pytest.mark.parametrize("nothing", ["王伟", "12345", "...", "()"])
def test_what_holds_no_latin_letter_is_unreadable(form, nothing):
    assert form(Kind.PERSON_NAME, nothing) == "unreadable"


@pytest.mark.parametrize("filler", ["XXX", "aaaa", "Test", "TANPA NAMA", "no name", "Fulan"])
def test_what_stands_for_nobody_is_a_filler(form, filler):
    assert form(Kind.PERSON_NAME, filler) == "filler"


@pytest.mark.parametrize("nothing", ["", " - ", "NULL", "Tidak Ada", "n/a", "\t"])
def test_what_says_that_there_is_no_name_is_missing(form, nothing):
    assert form(Kind.PERSON_NAME, nothing) == ""


def test_a_column_is_read_as_each_name_alone():
    names = [name for pairs in SAME.values() for pair in pairs for name in pair]
    names += [name for pair in DIFFERENT for name in pair] + [written for written, _ in WRITTEN]
    together = normalise(Kind.PERSON_NAME, pa.array(names * 2)).values.to_pylist()
    alone = [normalise(Kind.PERSON_NAME, pa.array([n])).values[0].as_py() for n in names]
    assert together == alone * 2


RULED = sorted(frozenset().union(
    titles.BEHIND, titles.FRONT, titles.RANKS, titles.BRANCHES, titles.RADEN, titles.LINKS,
    titles.ALIASES, titles.FRONT_WITH_DOT, titles.NO_NAME_WORDS, titles.FRAGMENTS, WRITTEN_OUT,
))  # fmt: skip
PIECES = st.lists(
    st.tuples(
        st.sampled_from(RULED) | st.sampled_from(["budi", "santoso", "adi", "ng", "xxx", "s", "r"]),
        st.integers(0, 31),
    ),
    min_size=1,
    max_size=6,
)


@given(PIECES)
def test_words_that_stand_for_each_other_are_read_alike(pieces):
    tokens, marks = zip(*pieces, strict=True)
    assert read_name(tuple(map(stand_in, tokens)), marks) == read_name(tokens, marks)

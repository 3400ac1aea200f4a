"""Phonetic keys: variants that share one, beside other names that must not."""

import csv
from pathlib import Path

import pyarrow as pa
import pytest

from padan_linkage.normalise import derive, normalise
from padan_linkage.schema import Kind

SHARED = Path(__file__).resolve().parents[5] / "shared"

ALIKE = """
Mahfudz Siddiq|Mahfuz Sidik
Achmad|Akhmad|Ahmad
Khoirul|Chairul|Khairul|Hoirul
Saiful|Syaeful|Saeful
Zainal|Jaenal|Zaenal|Jainal
Zubaidah|Jubaedah
Fauzi|Pauji|Fausi
Aziz|Azis|Ajis
Rizki|Rizqi|Riski|Rizky
Fitriyani|Fitriani
Novita|Nopita
Yudha|Yuda
Aisyah|Aisya|Aisah
Chandra|Candra
Suwarno|Soearno
Nurdin Ahmad|Ahmad Nurdin
Muhamad Taufiq|Moh. Taufik|M. Tofik
Raihan|Rayhan
Cecilia|Sisilia
Hannah|Hana
Stephen|Steven
Eric|Erik
Rahman|Rohman|Rachman|Rochman
Abdulloh|Abdullah
Soleh|Sholeh|Saleh|Shaleh|Sholih
Tohir|Thohir|Tahir|Thahir
Qodir|Kodir|Kadir|Qadir
Komarudin|Qomaruddin|Kamarudin
Gozali|Ghozali|Ghazali|Gazali
Holid|Kholid|Khalid|Cholid
Khotimah|Hotimah|Khatimah
Romadhon|Ramadhan|Ramadan|Ramadlan
Rozak|Razak|Rozaq|Rajak
Rosyid|Rasyid|Rosid
Ridho|Ridlo|Rido
Ma'ruf|Makruf|Maruf
Ma'mun|Makmun|Mamun
Ni'mah|Nikmah
Ja'far|Jakfar|Jafar|Djafar
Nu'man|Nukman
Mukhtar|Muchtar|Muhtar|Muktar
Utsman|Usman|Uthman|Oesman
Tsabit|Sabit
Sulaiman|Sulaeman|Suleman|Soleman
Ismail|Ismael|Isma'il
Daud|Dawud|Dawood
Ridwan|Ridhwan|Riduan
Zulkifli|Dzulkifli|Julkipli
Yohanes|Johannes|Yohannes
Yosef|Joseph|Yosep
Yuliana|Juliana
Agustinus|Augustinus
Kristina|Christina
Putri|Puteri
Setiawan|Setyawan|Styawan
Yusuf|Yusup|Jusuf|Yoesoep
Huseyn|Husein|Hussain|Husain
Aliyev|Aliev
Alexey|Aleksei
Sergey|Sergei
"""

OTHERWISE = """
Budi|Budiman
Hasan|Husin
Siti|Sati
Joko|Jaka|Yoko
Rina|Rani
Andi|Anto
Wati|Yati
Rudi|Rado
Smith|Schultz
Green|Grant
James|John
Jumiati|Sumiati
Jono|Yono|Sono
Juminah|Suminah
Rohani|Rahani
Romlah|Ramlah
Roni|Rani
Sodikin|Sidikin
Fadli|Fadil
Sari|Suri
Dewi|Dwi
Adi|Edi|Udi
Hadi|Adi
Nani|Nina
Agus|Agung
Wahyudi|Wahyuni
Suharto|Suharno
Mamat|Mahmud
Kusuma|Kusmana
Kholid|Kholil
Makruf|Mahfud
"""


def rows(table):
    return [
        (first, other)
        for line in table.strip().splitlines()
        for first, *others in [line.split("|")]
        for other in others
    ]


@pytest.mark.parametrize(("one", "other"), rows(ALIKE))
def test_variants_share_the_phonetic_key(key, one, other):
    assert key(Kind.PERSON_NAME, "phonetic", one) == key(Kind.PERSON_NAME, "phonetic", other)


@pytest.mark.parametrize(("one", "other"), rows(OTHERWISE))
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

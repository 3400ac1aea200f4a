import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from padan_client.base.errors import BadInputError
from padan_client.base.language import set_language
from padan_client.records import read_table

SECRET = "3171011708450001"


@pytest.mark.parametrize(
    "content",
    [
        b"nik,nama\n1,Budi\n",
        b"nik;nama\n1;Budi\n",
        b"nik\tnama\n1\tBudi\n",
        b"nik|nama\n1|Budi\n",
        b"\xef\xbb\xbfnik,nama\n1,Budi\n",
        b"nik,nama\r\n1,Budi\r\n",
        b'"nik","nama"\n"1","Budi"\n',
        b"\n\nnik,nama\n1,Budi\n\n",
        b"nik,nama\n1,Budi\n,\n,,,,\n  \n",
        b"sep=,\nnik,nama\n1,Budi\n",
        b'"sep=;"\nnik;nama\n1;Budi\n',
        b"sep=#\r\nnik#nama\r\n1#Budi\r\n",
        b"DAFTAR PENERIMA\n\nnik;nama\n1;Budi\n",
        b"DAFTAR PENERIMA;\n;\nnik;nama\n1;Budi\n",
        b"nik;nama;;\n1;Budi;;\n",
        "nik,nama\n1,Budi\n".encode("utf-16"),
        b" nik , nama \n1,Budi",
    ],
)
def test_one_table_however_it_is_written(file, content):
    assert read_table(file(content)).to_pydict() == {"nik": ["1"], "nama": ["Budi"]}


def test_values_stay_as_they_stand(file):
    table = read_table(file(b'nik,nama\n007,"Ma\'ruf, S.H."\nNA,\n'))
    assert table.to_pydict() == {"nik": ["007", "NA"], "nama": ["Ma'ruf, S.H.", ""]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "kosong"),
        (b"\xef\xbb\xbf\r\n", "kosong"),
        (b"nik,nama\n", "hanya berisi judul"),
        (b"nik,nama\n\n,\n", "hanya berisi judul"),
        (b"nik,nama,nik\n1,2,3\n", "lebih dari sekali: nik"),
        (b"nik,\n1,2\n", "kolom ke-2 tidak bernama"),
        ("nik,nama\n1,Añi\n2,b\n".encode("latin-1"), "baris teks 2: bukan UTF-8"),
        ("nik,nama\n1,Budi\n".encode("utf-16-le"), "UTF-16"),
        (
            b"nik,nama\n1,2\n3\n4,5\n6,7,8\n",
            "2 baris tidak memiliki 2 kolom.* Baris data 2, 4 .baris teks 3, 5",
        ),
        (b'nik,nama\n1,"Budi\n3,4\n', "kutip"),
        (b"PK\x03\x04....", "Excel"),
        (b"\x1f\x8b....", "gzip"),
        (SECRET.encode() + b",1980-11-23\n2,3\n", "berisi data"),
        (b"PAR1 but nothing behind", "bukan Parquet yang utuh"),
    ],
)
def test_refused_with_what_is_wrong_and_where(file, content, says):
    with pytest.raises(BadInputError, match=says) as refusal:
        read_table(file(content))
    assert SECRET not in str(refusal.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadInputError, match=r"tidak_ada\.csv tidak dapat dibuka"):
        read_table(tmp_path / "tidak_ada.csv")


def test_messages_in_english(file):
    set_language("en")
    try:
        with pytest.raises(BadInputError, match="is empty"):
            read_table(file(b""))
    finally:
        set_language("id")


def test_a_cell_of_a_million_characters_is_read(file):
    table = read_table(file(b"nik,nama\n1," + b"z" * 1_000_000 + b"\n2,Budi\n"))
    assert table.num_rows == 2


def test_parquet_columns_become_text(tmp_path):
    path = tmp_path / "daftar.parquet"
    table = pa.table(
        {
            "nik": pa.array([float(SECRET), None]),
            "kartu": pa.array([1234567890, None]),
            "lahir": pa.array([0, 1], pa.date32()),
            "waktu": pa.array([0, None], pa.timestamp("ms")),
            "nama": pa.array(["Budi", None]).dictionary_encode(),
            "berat": pa.array([1.5, 2.0]),
        }
    )
    pa.parquet.write_table(table, path)
    assert read_table(path).to_pydict() == {
        "nik": [SECRET, None],
        "kartu": ["1234567890", None],
        "lahir": ["1970-01-01", "1970-01-02"],
        "waktu": ["1970-01-01", None],
        "nama": ["Budi", None],
        "berat": ["1.5", "2"],
    }


def test_numbers_that_a_spreadsheet_has_rounded_are_not_whole(tmp_path):
    path = tmp_path / "daftar.parquet"
    niks = [3171011708450010.0, 3171011708450020.0, None, 7.0]
    pa.parquet.write_table(pa.table({"nik": niks}), path)
    assert read_table(path)["nik"].to_pylist() == ["3.17101E+15", "3.17101E+15", None, "7"]
    pa.parquet.write_table(pa.table({"nik": [*niks, float(SECRET)]}), path)
    assert read_table(path)["nik"].to_pylist()[0] == "3171011708450010"


def test_parquet_keeps_a_time_of_day_and_a_zone(tmp_path):
    path = tmp_path / "daftar.parquet"
    moments = pa.array([0, 3_600_000], pa.timestamp("ms"))
    pa.parquet.write_table(
        pa.table({"a": moments, "b": moments.cast(pa.timestamp("ms", "UTC"))}), path
    )
    assert read_table(path).to_pydict() == {
        "a": ["1970-01-01", "1970-01-01 01:00:00.000"],
        "b": ["1970-01-01 00:00:00.000Z", "1970-01-01 01:00:00.000Z"],
    }


def test_parquet_columns_that_are_no_text_are_refused_by_name(tmp_path):
    path = tmp_path / "daftar.parquet"
    pa.parquet.write_table(pa.table({"nik": ["1"], "daftar": [[1, 2]]}), path)
    with pytest.raises(BadInputError, match="kolom daftar"):
        read_table(path)


def test_parquet_values_that_are_no_text_are_refused_by_their_column(tmp_path):
    path = tmp_path / "daftar.parquet"
    broken = pa.array([b"\xff\xfe1", b"2"]).view(pa.string())
    nowhere = pa.array([0, 1], pa.timestamp("us", tz="Nowhere/Bad"))
    for column in (broken, nowhere):
        pa.parquet.write_table(pa.table({"nik": ["1", "2"], "lahir": column}), path)
        with pytest.raises(BadInputError, match="kolom lahir"):
            read_table(path)


CELLS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters='"\r\n\x00'), min_size=1, max_size=12
)


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=10))
@example(rows=[("ADDRESS", "ADDRESS")])  # values that might be names, below names that are
@example(rows=[("ADDRESS", "ADDRESs"), ("nik", "nama")])
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "daftar.csv"
    lines = ['"nik","nama"', *(f'"{a}","{b}"' for a, b in rows)]
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    table = read_table(path)
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows


@settings(max_examples=100)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "daftar.csv"
    path.write_bytes(content)
    try:
        table = read_table(path)
    except BadInputError:
        return
    assert table.num_rows > 0
    assert all(name for name in table.column_names)

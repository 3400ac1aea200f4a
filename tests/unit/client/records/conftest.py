import pytest

from padan_linkage.schema import Kind, Pass, Schema, SchemaField


@pytest.fixture
def schema():
    """NIK alone, or name and birth date."""
    return Schema(
        fields=(
            SchemaField(name="nik", kind=Kind.NIK),
            SchemaField(name="nama", kind=Kind.PERSON_NAME),
            SchemaField(name="tanggal_lahir", kind=Kind.DATE),
        ),
        passes=(
            Pass(id="nik", exact=("nik",)),
            Pass(id="nama", exact=("nama:phonetic", "tanggal_lahir")),
        ),
    )


@pytest.fixture
def file(tmp_path):
    """Writes bytes to a file and gives its path."""

    def write(content, name="daftar.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write

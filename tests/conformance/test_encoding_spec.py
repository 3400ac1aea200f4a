"""The pages' examples are the vectors'."""

from pathlib import Path

SPEC = Path(__file__).resolve().parents[2] / "proto" / "spec"


def example_lines(vectors):
    """The example of page 10, from the first record's row in the pass «contoh»."""
    case = next(r for r in vectors["rows"] if r["pass"] == "contoh" and r["record"] == 0)
    row, person = case["row"], vectors["records"][0]
    (segment,) = row["segments"]
    lines = [
        f'tanggal_lahir  "{case["exact"][0]}"        nama_depan "{person["nama_depan"]}"',
        f"T              {row['hash'][:32]}",
        f"               {row['hash'][32:]}",
        f"token          {row['token']}",
        f"salt key S     {row['salt_key']}",
        f"bucket         {row['bucket']} = 0x{row['bucket']:03x}",
        f"q-grams        {' '.join(segment['qgrams'])}",
        f"plain          {segment['plain']}",
        f"diffused       {segment['diffused']}",
        f"masked         {segment['masked']}",
    ]
    return [f"    {line}" for line in lines]


def test_page_10_shows_the_vectors_example(vectors):
    page = (SPEC / "10-encoding.md").read_text("utf-8").splitlines()
    expected = example_lines(vectors("encoding"))
    first = page.index(expected[0])
    assert page[first : first + len(expected)] == expected


def test_page_25_shows_a_payload_of_the_vectors(vectors):
    page = (SPEC / "25-sealed-codes.md").read_text("utf-8")
    shown = next(line for line in page.splitlines() if line.startswith("    payload"))
    digits = "".join(shown.split()[1:6])
    assert digits == vectors("sealed-codes")["payloads"][0]["payload"]

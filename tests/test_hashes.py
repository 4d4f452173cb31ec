"""Perceptual hashes: made, stored, exchanged as text, and matched; a row says that it was found by them."""

import json
import shutil
import sqlite3
from pathlib import Path

import imagehash
import numpy as np
import pdqhash
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import Call, MakeFilm
from tests.made_images import make_image
from tests.made_scenes import picture
from vcd.config import Config, MediaConfig, SampleConfig
from vcd.errors import DataError, MissingExtra
from vcd.extract import extract_hashes
from vcd.hashes import compute
from vcd.hashes.exchange import read_list, write_pdq, write_vpdq, write_vpdq_json
from vcd.hashes.match import HashStore, as_descriptors, match_hashes
from vcd.hashes.records import KINDS, Hashes, HashList
from vcd.hashes.store import load_lists, load_references
from vcd.library import Library
from vcd.types import Frame, MediaInfo

PICTURE = picture(302, 3.0, (320, 180))
OTHER = "e271017837246aaccddea259648fb7d62f435c89d9e99b2497763e216c8d055c"
"""The first hash of Meta's sample chair-19-sd-bar."""


def hash_of(kind: str) -> Hashes:
    tap = compute.HashTap([kind])
    list(tap.watch([Frame(0.0, PICTURE)]))
    return tap.hashes()[0]


# --- Making them.


@pytest.mark.parametrize("kind", ["phash", "dhash", "whash"])
def test_a_hash_reads_as_its_own_package_writes_it(kind: str) -> None:
    assert hash_of(kind).bits[0].tobytes().hex() == str(getattr(imagehash, kind)(Image.fromarray(PICTURE)))


def test_pdq_reads_as_threatexchange_writes_it() -> None:
    """As python-threatexchange makes the text: the bits as one binary number."""
    bits, quality = pdqhash.compute(PICTURE)
    made = hash_of("pdq")

    assert made.bits[0].tobytes().hex() == f"{int(''.join(map(str, bits)), 2):064x}"
    assert made.quality[0] == quality


def test_a_crop_resistant_hash_is_several_of_one_moment() -> None:
    made = hash_of("crop-resistant")

    assert len(made) == len(imagehash.crop_resistant_hash(Image.fromarray(PICTURE)).segment_hashes)
    assert set(made.times_s) == {0.0}


def test_there_is_a_hasher_for_every_kind() -> None:
    assert list(compute.HASHERS) == list(KINDS)


def test_a_package_that_is_not_there_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pdqhash", None)

    with pytest.raises(MissingExtra, match=r"vcd\[hashes\]"):
        compute.require_packages(["pdq"])


# --- Lists as text.

BITS = st.binary(min_size=32, max_size=32)
LABELS = st.text("abcxyzÄ漢 .-_/", min_size=1, max_size=12).map(str.strip).filter(bool)


@st.composite
def lists(draw: st.DrawFn) -> HashList:
    entries = []
    for label in draw(st.lists(LABELS, min_size=1, max_size=4, unique=True)):
        count = draw(st.integers(1, 4))
        timed = draw(st.booleans())
        times_s = np.cumsum(draw(st.lists(st.integers(1, 5000), min_size=count, max_size=count))) / 1000
        bits = np.frombuffer(b"".join(draw(BITS) for _ in range(count)), dtype=np.uint8).reshape(count, 32)
        quality = np.full(count, 100, dtype=np.uint8)
        entries.append((label, Hashes("pdq", times_s if timed else np.full(count, np.nan), quality, bits)))
    return HashList.of("made", "pdq", entries)


@given(lists())
def test_a_pdq_list_gives_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, listed: HashList) -> None:
    file = tmp_path_factory.mktemp("list") / "made"
    file.write_bytes(write_pdq(listed))

    read = read_list(file, "pdq")

    assert read.labels == listed.labels
    np.testing.assert_array_equal(read.counts, listed.counts)
    np.testing.assert_array_equal(read.hashes.bits, listed.hashes.bits)
    np.testing.assert_allclose(read.hashes.times_s, listed.hashes.times_s, atol=1e-6)


def test_a_pdq_list_of_elsewhere_is_read(tmp_path: Path) -> None:
    """As hashio of Meta's PDQ reads it: with and without a prefix, a label with commas, no label."""
    file = tmp_path / "stop.txt"
    file.write_text(f"hash={OTHER},first, of two\n{OTHER.upper()}\n\n# a comment\n")

    read = read_list(file, "pdq")

    assert read.labels == ("first, of two", "line 2")
    assert [row.tobytes().hex() for row in read.hashes.bits] == [OTHER, OTHER]
    assert not read.hashes.timed


def test_a_vpdq_file_of_elsewhere_is_one_film(tmp_path: Path) -> None:
    file = tmp_path / "chair-19.txt"
    file.write_text(f"0,100,{OTHER},0\n1,98,{OTHER},0.0319\n2,40,{OTHER},1.05\n")

    read = read_list(file, "pdq")

    assert (read.labels, read.counts.tolist()) == (("chair-19",), [3])
    assert read.hashes.times_s.tolist() == [0, 0.0319, 1.05]
    assert read.hashes.quality.tolist() == [100, 98, 40]


def test_a_vpdq_file_without_times_is_pictures(tmp_path: Path) -> None:
    file = tmp_path / "old.txt"
    file.write_text(f"0,100,{OTHER}\n1,98,{OTHER}\n")

    read = read_list(file, "pdq")

    assert (read.labels, read.counts.tolist()) == (("old", "old"), [1, 1])
    assert not read.hashes.timed


def test_vpdq_as_json_and_in_files_gives_back_the_hashes(tmp_path: Path) -> None:
    rows = np.arange(96, dtype=np.uint8).reshape(3, 32)
    film = Hashes("pdq", np.array([0, 1.5, 2.125]), np.array([100, 60, 7], dtype=np.uint8), rows)
    listed = HashList.of("mine", "pdq", [("films/a.mp4", film)])
    (tmp_path / "mine.jsonl").write_bytes(write_vpdq_json(listed))
    (tmp_path / "mine" / "films").mkdir(parents=True)
    (tmp_path / "mine" / "films" / "a.mp4.txt").write_bytes(write_vpdq(listed)["films/a.mp4"])

    assert json.loads((tmp_path / "mine.jsonl").read_text())[1] == f"{rows[1].tobytes().hex()},60,1.500"
    for name, label in (("mine.jsonl", "mine line 1"), ("mine", "films/a.mp4")):
        read = read_list(tmp_path / name, "pdq")
        assert read.labels == (label,)
        np.testing.assert_array_equal(read.hashes.bits, film.bits)
        np.testing.assert_array_equal(read.hashes.times_s, film.times_s)
        np.testing.assert_array_equal(read.hashes.quality, film.quality)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "hello", f"{OTHER}0,x", OTHER[:-1], f"0,100,{OTHER},soon", f"0,101,{OTHER},1", f"0,100,{OTHER},-1",
     "[", '{"a": 1}', "[3]", f'["{OTHER},x,1"]', f"0,100,{OTHER},inf", "\x00\x01", "[" * 5000],
)  # fmt: skip
def test_what_is_no_list_is_refused_by_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(text)

    with pytest.raises(DataError, match=r"bad\.txt"):
        read_list(file, "pdq")


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there"):
        read_list(tmp_path / "there", "pdq")


# --- Matching.


@given(st.lists(BITS, min_size=1, max_size=12), st.lists(BITS, min_size=1, max_size=5), st.integers(0, 255))
def test_nearest_is_what_counting_bits_says(stored: list[bytes], asked: list[bytes], flips: int) -> None:
    """The twin counts differing bits in pure Python; one query is a stored hash with so many bits flipped."""
    flipped = int.from_bytes(stored[0], "big") ^ ((1 << (flips % 40)) - 1)
    asked = [*asked, flipped.to_bytes(32, "big")]
    rows = np.frombuffer(b"".join(stored), dtype=np.uint8).reshape(-1, 32)
    hashes = Hashes("pdq", np.full(len(rows), np.nan), np.full(len(rows), 100, dtype=np.uint8), rows)
    store = HashStore(HashList.of("made", "pdq", [("all", hashes)]))
    queries = np.frombuffer(b"".join(asked), dtype=np.uint8).reshape(-1, 32)
    mine = Hashes("pdq", np.arange(len(asked)) + 0.0, np.full(len(asked), 100, dtype=np.uint8), queries)

    found = store.nearest(as_descriptors(mine, "q", MediaInfo("video", 9, 0, 0, "")).vectors, len(rows))

    for row, query in enumerate(asked):
        apart = [(int.from_bytes(query, "big") ^ int.from_bytes(one, "big")).bit_count() for one in stored]
        near = sorted(bits for bits in apart if bits <= 31)
        there = found.media_ids[row] >= 0
        assert np.round((1 - found.similarities[row][there]) * 128).astype(int).tolist() == near


def test_flat_pictures_are_not_matched() -> None:
    rows = np.zeros((1, 32), dtype=np.uint8)
    flat = Hashes("pdq", np.zeros(1), np.array([49], dtype=np.uint8), rows)
    store = HashStore(HashList.of("made", "pdq", [("black", flat)]))

    assert match_hashes([flat], "q", MediaInfo("image", 0, 0, 0, ""), store, Config()) == []


# --- The whole way.


@pytest.fixture(scope="module")
def hashed(tmp_path_factory: pytest.TempPathFactory, films: Path, vcd: Call) -> Path:
    """The library of `films` with phash hashes made at once and pdq hashes later; copy it before you change it."""
    folder = tmp_path_factory.mktemp("hashed")
    assert vcd("index", films, "--library", folder, "--hashes", "phash").code == 0
    again = vcd("index", films, "--library", folder, "--hashes", "pdq, phash")
    assert again.text.startswith("0 added, 0 replaced, 3 unchanged, 0 unusable")
    return folder


def test_index_stores_hashes_also_of_what_it_held_before(hashed: Path, films: Path, vcd: Call) -> None:
    media = Library(hashed, Config().library).media
    for kind in ("pdq", "phash"):
        found = load_references(hashed, media, kind)
        assert [*found.labels] == [row.path for row in media]
        number = found.labels.index("sub/b.mkv")
        made = extract_hashes(films / "sub/b.mkv", MediaConfig(), SampleConfig(gap_s=2.0), [kind])[1][0]
        stored = found.entry(number, np.cumsum(found.counts))[0]
        np.testing.assert_array_equal(stored.bits, made.bits)
        np.testing.assert_array_equal(stored.times_s, made.times_s)
    assert vcd("library", "verify", "--library", hashed).code == 0
    assert '"pdq": 3' in vcd("library", "info", "--library", hashed).text


def test_a_list_made_of_one_library_finds_copies_for_another(
    hashed: Path, library: Path, clip: Path, tmp_path: Path, vcd: Call
) -> None:
    """With times the moment; as pictures without times the film, and no moment."""
    mine = Path(shutil.copytree(library, tmp_path / "mine"))
    assert vcd("library", "export", tmp_path / "films.jsonl", "--hashes", "--library", hashed).code == 0
    assert vcd("library", "export", tmp_path / "stop.txt", "--hashes", "--library", hashed).code == 0
    timeless = (line.split("#t=")[0] for line in (tmp_path / "stop.txt").read_text().splitlines())
    (tmp_path / "pictures.txt").write_text("\n".join(timeless))
    lists = ("stop.txt", "pictures.txt")
    assert vcd("library", "import", "--hashes", *(tmp_path / name for name in lists), "--library", mine).code == 0

    rows = vcd("query", clip, "--library", mine, "--format", "json").json["segments"]
    timed = next(row for row in rows if row["reference"] == "stop.txt:a.mp4")
    untimed = next(row for row in rows if row["reference"] == "pictures.txt:a.mp4")

    assert {row["found_by"] for row in rows} == {"descriptors", "pdq"}
    assert (timed["r_start"], timed["r_end"]) == pytest.approx((4, 10), abs=1.0)
    assert (untimed["r_start"], untimed["r_end"]) == (None, None)
    assert untimed["q_end"] > untimed["q_start"]
    as_csv = vcd("query", clip, "--library", mine, "--format", "csv").rows
    assert next(row for row in as_csv if row["reference"] == "pictures.txt:a.mp4")["r_start"] == ""
    assert "by pdq" in vcd("query", clip, "--library", mine).text
    vcd("library", "remove", "--hashes", "stop.txt", "pictures.txt", "--library", mine)
    assert load_lists(mine) == []


def test_a_picture_of_a_list_is_found_in_a_film_and_a_page_can_be_made(
    hashed: Path, library: Path, tmp_path: Path, vcd: Call
) -> None:
    mine = Path(shutil.copytree(library, tmp_path / "mine"))
    vcd("library", "export", tmp_path / "stop.txt", "--hashes", "--library", hashed)
    vcd("library", "import", "--hashes", tmp_path / "stop.txt", "--library", mine)
    make_image(tmp_path / "copy.jpg", 40)

    answer = vcd("query", tmp_path / "copy.jpg", "--library", mine, "--format", "json", "--report", tmp_path / "p.html")

    assert {row["reference"] for row in answer.json["segments"]} >= {"still.png", "stop.txt:still.png"}
    assert "stop.txt:still.png" in (tmp_path / "p.html").read_text()


@pytest.mark.parametrize(("filter", "found_by"), [("off", "descriptors"), ("same", "content"), ("near", "content")])
def test_the_same_bytes_are_answered_at_once_where_that_is_wanted(
    hashed: Path, films: Path, tmp_path: Path, vcd: Call, filter: str, found_by: str
) -> None:
    (tmp_path / "my.toml").write_text(f'[hashes]\nfilter = "{filter}"\n')

    (row,) = vcd(
        "query", films / "sub" / "b.mkv", "--library", hashed, "--format", "json", "--config", tmp_path / "my.toml"
    ).json["segments"]

    assert (row["found_by"], row["reference"]) == (found_by, "sub/b.mkv")
    assert (row["r_start"], row["r_end"]) == pytest.approx((0, 12), abs=0.2)


def test_a_file_that_hardly_changed_needs_no_network(
    hashed: Path, made_film: MakeFilm, tmp_path: Path, vcd: Call
) -> None:
    """The same film in another container and with other bytes; and a stranger that goes on to the search."""
    (tmp_path / "my.toml").write_text('[hashes]\nfilter = "near"\n')
    wanted = (made_film(12, suffix=".mkv"), made_film(6, first=60))
    arguments = ("--library", hashed, "--format", "json", "--config", tmp_path / "my.toml")

    rows = vcd("query", *wanted, *arguments).json["segments"]

    assert [(row["reference"], row["found_by"]) for row in rows] == [("a.mp4", "pdq")]
    assert (rows[0]["r_start"], rows[0]["r_end"]) == pytest.approx((0, 12), abs=1.0)


# --- What the library promises.


def test_what_is_removed_takes_its_hashes_with_it(hashed: Path, tmp_path: Path, vcd: Call) -> None:
    mine = Path(shutil.copytree(hashed, tmp_path / "mine"))
    vcd("library", "remove", "sub/b.mkv", "--library", mine)
    vcd("library", "compact", "--library", mine)

    with sqlite3.connect(mine / "catalog.sqlite") as db:
        left = {row[0] for row in db.execute("SELECT media_id FROM hashes")}
        media = {row[0] for row in db.execute("SELECT id FROM media")}
    assert left == media
    assert vcd("library", "verify", "--library", mine).code == 0


def test_hashes_are_merged_with_their_references(hashed: Path, tmp_path: Path, vcd: Call) -> None:
    assert vcd("library", "merge", hashed, "--library", tmp_path / "new").code == 0
    media = Library(tmp_path / "new", Config().library).media

    for kind in ("pdq", "phash"):
        before, after = load_references(hashed, Library(hashed, Config().library).media, kind), None
        after = load_references(tmp_path / "new", media, kind)
        assert sorted(after.counts) == sorted(before.counts)


def test_a_flipped_bit_in_a_hash_is_told(hashed: Path, tmp_path: Path, vcd: Call) -> None:
    mine = Path(shutil.copytree(hashed, tmp_path / "mine"))
    with sqlite3.connect(mine / "catalog.sqlite") as db:
        (bits,) = db.execute("SELECT bits FROM hashes WHERE kind = 'pdq' LIMIT 1").fetchone()
        db.execute(
            "UPDATE hashes SET bits = ? WHERE kind = 'pdq' AND bits = ?", (bytes([bits[0] ^ 1]) + bits[1:], bits)
        )

    told = vcd("library", "verify", "--library", mine)

    assert told.code == 1
    assert "the pdq hashes of" in told.text


def test_an_export_without_hashes_says_how_to_make_them(library: Path, tmp_path: Path, vcd: Call) -> None:
    told = vcd("library", "export", tmp_path / "stop.txt", "--hashes", "--library", library)

    assert told.code == 1
    assert "vcd index PATH --hashes pdq" in told.err


def test_an_unknown_kind_is_refused(films: Path, tmp_path: Path, vcd: Call) -> None:
    told = vcd("index", films, "--library", tmp_path / "new", "--hashes", "md5")

    assert told.code == 1
    assert "--hashes: hashes.kinds must be one of 'pdq'" in told.err

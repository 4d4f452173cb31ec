"""The peers of the benchmarks: what they compute, against the definitions they come from."""

from pathlib import Path

import imagehash
import numpy as np
import pdqhash
import pytest
from PIL import Image

from benchmarks.peers.extract import read_file
from benchmarks.peers.hashes import Pdq
from benchmarks.peers.lecture import choose_references
from benchmarks.peers.models import PEER_MODELS, make_any
from benchmarks.peers.store import ExactStore, load_descriptors, save_descriptors, unrelated_similarity
from benchmarks.peers.vpdq import MIN_QUALITY, HashedVideo, hash_video, shares_matched
from tests.conftest import MakeFilm
from tests.made import film
from tests.made_descriptors import MadeFilm, pirate
from vcd.config import MediaConfig, SampleConfig
from vcd.describe.histogram import ColourHistogram
from vcd.describe.phash import PHash, as_unit_rows
from vcd.describe.words import Vocabulary
from vcd.extract import extract
from vcd.local.features import find_sift
from vcd.types import Picture

SIZE = (240, 160)


def shown(scene: int) -> Picture:
    return film(lambda at_s: scene, size=SIZE)(0.0)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return [shown(scene) for scene in range(12)]


@pytest.mark.parametrize("name", PEER_MODELS)
def test_a_peer_keeps_the_contract_of_describers(name: str, pictures: list[Picture]) -> None:
    describer = make_any(name)
    rows = describer.describe(pictures)

    assert rows.dtype == np.float32
    assert rows.shape == (len(pictures), describer.card.dimension)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert (describer.describe([]).shape) == (0, describer.card.dimension)
    np.testing.assert_array_equal(describer.describe(pictures[3:4])[0], rows[3])
    flat = describer.describe([np.full((90, 160, 3), 128, np.uint8)])
    assert np.isfinite(flat).all()


@pytest.mark.parametrize("name", PEER_MODELS)
def test_a_peer_knows_a_picture_that_was_made_a_little_darker(name: str, pictures: list[Picture]) -> None:
    describer = make_any(name)
    darker = describer.describe([(picture * 0.95).astype(np.uint8) for picture in pictures])
    nearest = np.argmax(darker @ describer.describe(pictures).T, axis=1)

    assert (nearest == np.arange(len(pictures))).mean() > 0.6


def test_the_dot_product_of_hashes_says_how_many_bits_differ(pictures: list[Picture]) -> None:
    phashes = [imagehash.phash(Image.fromarray(picture)) for picture in pictures[:4]]
    distances = np.array([[one - other for other in phashes] for one in phashes])
    rows = PHash().describe(pictures[:4])
    np.testing.assert_allclose(rows @ rows.T, 1 - 2 * distances / 64, atol=1e-5)

    bits = np.array([pdqhash.compute(picture)[0] for picture in pictures[:4]])
    distances = (bits[:, None] != bits[None]).sum(axis=2)
    rows = Pdq().describe(pictures[:4])
    np.testing.assert_allclose(rows @ rows.T, 1 - 2 * distances / 256, atol=1e-5)


def test_the_histogram_is_blind_to_where_colours_are(pictures: list[Picture]) -> None:
    describer = ColourHistogram()
    rows = describer.describe([pictures[0], np.ascontiguousarray(pictures[0][::-1, ::-1])])

    np.testing.assert_allclose(rows[0], rows[1])


def test_words_that_are_in_every_picture_say_little(pictures: list[Picture]) -> None:
    vocabulary = Vocabulary.learn([find_sift(shown, None) for shown in pictures], 32)

    assert (vocabulary.rarity >= 0).all()
    assert vocabulary.rarity.max() > vocabulary.rarity.min()


class TestVpdq:
    def hashed(self, bits: np.ndarray) -> HashedVideo:
        return HashedVideo("x", 1.0, as_unit_rows(bits))

    def test_31_bits_of_256_are_near_and_32_are_not(self) -> None:
        bits = np.random.default_rng(0).random((1, 256)) < 0.5
        near, far = bits.copy(), bits.copy()
        near[0, :31] ^= True
        far[0, :32] ^= True

        assert shares_matched(self.hashed(bits), self.hashed(near)) == (1.0, 1.0)
        assert shares_matched(self.hashed(bits), self.hashed(far)) == (0.0, 0.0)

    def test_the_shares_are_those_of_each_side(self) -> None:
        bits = np.random.default_rng(1).random((4, 256)) < 0.5

        assert shares_matched(self.hashed(bits[:2]), self.hashed(bits)) == (1.0, 0.5)
        assert shares_matched(self.hashed(bits[:0]), self.hashed(bits)) == (0.0, 0.0)

    def test_a_film_is_hashed_once_a_second_and_flat_pictures_not_at_all(self, made_film: MakeFilm) -> None:
        found = hash_video(made_film(12))

        assert MIN_QUALITY == 50
        assert 0 < len(found.vectors) <= 12
        assert found.duration_s == pytest.approx(11.8, abs=0.3)


def test_one_decoding_gives_what_vcd_itself_extracts(made_film: MakeFilm) -> None:
    from vcd.config import Config, DescribeConfig

    config, path = Config(describe=DescribeConfig(layout=False, turned="never")), made_film(12)
    model = config.describe.model
    reading = read_file(path, MediaConfig(), SampleConfig(), (model, "pdq"), mirrored=True)
    ours = extract(path, path.name, MediaConfig(), SampleConfig(), config.describe, as_query=True, hashed=False)

    for mine, view in zip(reading.views[model], ours.views, strict=True):
        np.testing.assert_array_equal(mine.vectors, view.vectors)
        np.testing.assert_array_equal(mine.times_s, view.times_s)
        np.testing.assert_array_equal(mine.quality, view.quality)
        assert (mine.name, mine.info, mine.mirrored) == (view.name, view.info, view.mirrored)
    assert reading.decode_s > 0
    assert set(reading.describe_s) == {model, "pdq"}


def test_descriptors_survive_being_stored(tmp_path: Path) -> None:
    stored = [MadeFilm(1).sample("one", 2.0), pirate(MadeFilm(1))]
    save_descriptors(tmp_path / "both.npz", stored)

    for before, after in zip(stored, load_descriptors(tmp_path / "both.npz"), strict=True):
        assert (before.name, before.info, before.mirrored) == (after.name, after.info, after.mirrored)
        for part in ("times_s", "vectors", "quality"):
            np.testing.assert_array_equal(getattr(before, part), getattr(after, part))


def test_the_store_finds_the_nearest_frames_of_all_references() -> None:
    references = [MadeFilm(seed).sample(str(seed), 2.0) for seed in range(3)]
    found = ExactStore(references).nearest(references[1].vectors[5:7], 4)

    assert found.media_ids[:, 0].tolist() == [1, 1]
    assert found.times_s[:, 0].tolist() == [10.0, 12.0]
    assert (np.diff(found.similarities, axis=1) <= 1e-6).all()


def test_unrelated_pictures_are_as_alike_as_the_quantile_says() -> None:
    films = [MadeFilm(seed, 300).sample(str(seed), 2.0) for seed in range(4)]
    floor = unrelated_similarity(films)
    pairs = np.concatenate([(a.vectors @ b.vectors.T).ravel() for a in films for b in films if a is not b])

    assert (pairs > floor).mean() == pytest.approx(0.01, abs=0.003)
    with pytest.raises(ValueError, match="two films"):
        unrelated_similarity(films[:1])


def test_the_lectures_rules_name_the_most_frequent_and_the_most_similar_reference() -> None:
    films = [MadeFilm(seed).sample(str(seed), 1.0) for seed in range(4)]
    query = pirate(MadeFilm(2), noise=0.05, times_s=np.arange(0.0, 70))
    chosen = choose_references(query, ExactStore(films))

    assert [matches.media_id for matches in chosen] == [2]
    assert (chosen[0].similarities > 0.9).all()
    assert choose_references(MadeFilm(77).sample("other", 1.0), ExactStore(films)) == []

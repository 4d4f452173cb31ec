"""Bags of visual words and learned local features: vocabularies, the elbow, the network's map, text."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import words as command
from benchmarks.images.stored import Item, encode, write_items
from tests.made_scenes import picture
from vcd.describe import load_card, make_describer
from vcd.describe.card import read_card
from vcd.describe.maps import FeatureMaps
from vcd.describe.network import make_batch
from vcd.describe.words import VisualWords, Vocabulary, elbow, nearest
from vcd.errors import ModelError, SetupError
from vcd.local.features import Features, find_sift
from vcd.local.learned import LearnedFinder


@pytest.fixture(scope="module")
def features() -> list[Features]:
    return [find_sift(picture(scene, 0.0), None) for scene in range(12)]


def test_a_word_that_every_picture_has_says_nothing_and_a_rare_one_most() -> None:
    """Two words, far apart: all pictures have the first, one has the second."""
    one, other = np.eye(128, dtype=np.float32)[:2]
    made = [Features(np.zeros((4, 2), np.float32), np.stack([one] * 4)) for _ in range(9)]
    made.append(Features(np.zeros((4, 2), np.float32), np.stack([one, one, other, other])))

    vocabulary = Vocabulary.learn(made, 2)

    first, second = nearest(vocabulary.words, np.stack([one, other]))
    assert first != second
    assert vocabulary.rarity[first] == pytest.approx(0, abs=1e-6)
    assert vocabulary.rarity[second] == pytest.approx(np.log(11 / 2), abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_a_bag_is_the_counts_by_rarity_whatever_the_order_of_the_features(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vocabulary = Vocabulary(rng.random((7, 128), dtype=np.float32), rng.random(7, dtype=np.float32) + 0.1)
    vectors, weights = rng.random((count, 128), dtype=np.float32), rng.choice([0.1, 1.0], count).astype(np.float32)
    order, points = rng.permutation(count), np.zeros((count, 2), np.float32)

    given_, mixed = vocabulary.vectors(
        [Features(points, vectors, weights), Features(points, vectors[order], weights[order])]
    )

    slow = np.zeros(7)
    for vector, weight in zip(vectors, weights, strict=True):
        slow[int(np.argmin(((vocabulary.words - vector) ** 2).sum(axis=1)))] += weight
    slow = np.sqrt(slow) * vocabulary.rarity
    np.testing.assert_allclose(given_, slow / np.linalg.norm(slow), atol=1e-4)
    np.testing.assert_allclose(given_, mixed, atol=1e-4)


def test_the_elbow_is_where_more_words_stop_helping() -> None:
    """Four tight heaps: beyond four words, or eight where two began in one heap, little is gained."""
    rng = np.random.default_rng(0)
    heaps = np.repeat(rng.random((4, 128)), 240, axis=0) + 0.01 * rng.standard_normal((960, 128))

    distances, best = elbow(heaps.astype(np.float32), (2, 4, 8, 16, 32, 64))

    assert list(distances) == [2, 4, 8, 16, 32, 64]
    assert best in (4, 8)
    assert distances[2] > 10 * distances[64]


def test_too_few_features_for_a_vocabulary_are_an_error(features: list[Features]) -> None:
    with pytest.raises(SetupError, match="too few for 100000 words"):
        Vocabulary.learn(features, 100_000)


def test_a_vocabulary_of_ones_own_is_a_model_by_its_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_items(
        tmp_path / "pictures.parquet", [Item(str(scene), "made", encode(picture(scene, 0))) for scene in range(8)]
    )
    place = tmp_path / "own.npz"

    command.main(
        [
            "--pictures",
            str(tmp_path / "pictures.parquet"),
            "--words",
            "64",
            "--counts",
            "8",
            "16",
            "32",
            "--output",
            str(place),
        ]
    )

    assert "elbow" in capsys.readouterr().out
    describer = make_describer(str(tmp_path / "own.toml"))
    shown = [picture(scene, 0.0) for scene in range(8)]
    rows = describer.describe(shown)
    again = describer.describe([(each * 0.9).astype(np.uint8) for each in shown])
    assert rows.shape == (8, 64)
    assert ((again @ rows.T).argmax(axis=1) == np.arange(8)).all()


def test_a_damaged_vocabulary_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"x\.npz: is no vocabulary"):
        Vocabulary.load(b"nothing", "x.npz")
    card = load_card("sift-words")
    (tmp_path / "c.toml").write_text(
        Path(card.folder, "sift-words.toml").read_text().replace("dimension = 2048", "dimension = 64")
    )
    (tmp_path / card.weights).write_bytes(card.path(card.weights).read_bytes())
    with pytest.raises(ModelError, match="the card says 64"):
        VisualWords(read_card(tmp_path / "c.toml"))


def test_a_flat_picture_has_no_words() -> None:
    assert not make_describer("sift-words").describe([np.zeros((50, 50, 3), dtype=np.uint8)]).any()


# --- Learned features.


def test_the_map_is_the_networks_own_and_its_stride_is_eight() -> None:
    """Read out of the same network by onnxruntime, whose graph is given one more output."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    card = load_card("vcd-rmac")
    network = onnx.load(card.path(card.weights))
    network.graph.output.append(onnx.helper.make_empty_tensor_value_info(card.local_map))
    shown = np.ascontiguousarray(picture(4, 0.0)[:192, :192]) if min(picture(4, 0.0).shape[:2]) >= 192 else None
    if shown is None:
        shown = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    batch = make_batch(card, [shown], as_bytes=False)
    [expected] = runtime.InferenceSession(network.SerializeToString()).run([card.local_map], {"pictures": batch})

    found = FeatureMaps(card)(shown)

    assert found.shape == (24, 24, 128)
    np.testing.assert_allclose(found, expected[0].transpose(1, 2, 0), atol=2e-3)


def test_learned_features_lie_where_the_mask_lets_them_and_are_unit_vectors() -> None:
    shown = np.repeat(np.repeat(picture(5, 0.0), 2, axis=0), 2, axis=1)
    mask = np.zeros(shown.shape[:2], dtype=np.uint8)
    mask[:, : shown.shape[1] // 2] = 255

    found = LearnedFinder(FeatureMaps(load_card("vcd-rmac")))(shown, mask)

    assert len(found) > 20
    assert found.points[:, 0].max() <= shown.shape[1] / 2
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-4)

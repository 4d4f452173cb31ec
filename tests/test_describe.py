"""Stage 2: frames -> descriptors."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made import picture
from tests.made_networks import make_background, make_card, make_deep_network, make_network, sha256
from tests.made_torch import make_backbone_card, make_script
from vcd.describe import MODELS, describe_frames, load_background, load_card, make_describer
from vcd.describe.describer import Describer, unit_rows
from vcd.describe.quality import picture_quality
from vcd.describe.regional_dct import GRID_PX, regions
from vcd.errors import ConfigError, ModelError, UnknownName
from vcd.types import MIRRORED, WHOLE, Frame, MediaInfo, Picture

VIDEO = MediaInfo("video", 4.0, 320, 180, "made")


OWN = {
    "an ONNX file": make_card,
    "an ONNX file that takes bytes": lambda folder: make_card(
        folder, make_deep_network(folder / "net.onnx", as_bytes=True), input_px=32
    ),
    "a TorchScript file": lambda folder: make_card(folder, make_script(folder / "net.pt")),
    "a network of torchvision": make_backbone_card,
}
"""Models that a user brings."""


@pytest.fixture(
    params=[*(name for name in MODELS if not load_card(name).needs_torch), *OWN, "an ONNX file on openvino"]
)
def describer(request: pytest.FixtureRequest, tmp_path: Path) -> Describer:
    """Every built-in model but torchvision's, whose weights cannot be had everywhere, and those that a user brings."""
    if request.param in MODELS:
        return make_describer(request.param)
    if request.param in OWN:
        return make_describer(str(OWN[request.param](tmp_path)))
    pytest.importorskip("openvino")
    return make_describer(str(make_card(tmp_path)), "openvino")


class TestEveryDescriber:
    def test_gives_one_unit_row_of_the_cards_dimension_for_each_picture(self, describer: Describer) -> None:
        vectors = describer.describe([picture(scene, 0.0) for scene in range(5)])

        assert vectors.shape == (5, describer.card.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_no_pictures_give_no_rows(self, describer: Describer) -> None:
        assert describer.describe([]).shape == (0, describer.card.dimension)

    def test_a_row_depends_on_its_own_picture_alone(self, describer: Describer) -> None:
        pictures = [picture(scene, 0.0) for scene in range(4)]
        together = describer.describe(pictures)

        for row, single in zip(together, pictures, strict=True):
            np.testing.assert_allclose(row, describer.describe([single])[0], atol=1e-5)

    def test_pictures_of_any_size_and_shape_are_welcome(self, describer: Describer) -> None:
        sizes = [(1, 1), (3, 500), (640, 2), (37, 53), (400, 400)]
        vectors = describer.describe([cv2.resize(picture(1, 0.0), size) for size in sizes])

        assert np.isfinite(vectors).all()

    @pytest.mark.parametrize("grey", [0, 128, 255])
    def test_a_flat_picture_gives_finite_numbers(self, describer: Describer, grey: int) -> None:
        vectors = describer.describe([np.full((90, 160, 3), grey, dtype=np.uint8)])

        assert np.isfinite(vectors).all()
        assert np.linalg.norm(vectors) <= 1 + 1e-5

    def test_the_same_picture_gives_the_same_row(self, describer: Describer) -> None:
        np.testing.assert_array_equal(describer.describe([picture(2, 0.5)]), describer.describe([picture(2, 0.5)]))

    def test_the_background_is_unit_rows_of_the_cards_dimension(self, describer: Describer) -> None:
        background = describer.background

        assert background.dtype == np.float32
        assert background.shape[1:] == (describer.card.dimension,)
        np.testing.assert_allclose(np.linalg.norm(background, axis=1), 1, atol=1e-5)


def recompressed(image: Picture) -> Picture:
    small = cv2.GaussianBlur(image, (0, 0), 1.5)
    return cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)


def with_logo_and_subtitle(image: Picture) -> Picture:
    marked = image.copy()
    marked[8:28, -70:-10] = (240, 20, 20)
    cv2.putText(marked, "a subtitle", (60, 168), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    return marked


def cropped(image: Picture, share: float) -> Picture:
    height, width = image.shape[:2]
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return image[top : height - top, left : width - left]


class TestRegionalDct:
    @pytest.mark.parametrize(
        "edit",
        [recompressed, with_logo_and_subtitle, lambda image: cropped(image, 0.9), lambda image: image // 2 + 60],
        ids=["recompressed", "logo and subtitle", "cropped", "less contrast"],
    )
    def test_edited_pictures_are_nearest_to_their_originals(self, edit) -> None:
        describer = make_describer("regional-dct")
        originals = [picture(scene, 0.0) for scene in range(40)]
        similarities = describer.describe([edit(image) for image in originals]) @ describer.describe(originals).T

        assert (similarities.argmax(axis=1) == np.arange(40)).all()
        assert np.diag(similarities).mean() > 0.6

    def test_unrelated_pictures_stay_below_what_the_card_says(self) -> None:
        describer = make_describer("regional-dct")
        vectors = describer.describe([picture(scene, 0.0) for scene in range(60)])
        unrelated = (vectors @ vectors.T)[np.triu_indices(60, 1)]

        assert np.quantile(unrelated, 0.97) < describer.card.unrelated_similarity

    def test_a_mirrored_picture_is_another_picture(self) -> None:
        describer = make_describer("regional-dct")
        image = picture(3, 0.0)
        straight, mirrored = describer.describe([image, np.ascontiguousarray(image[:, ::-1])])

        assert straight @ mirrored < 0.8

    def test_the_regions_lie_inside_the_grid_and_cover_it(self) -> None:
        covered = np.zeros((GRID_PX, GRID_PX), dtype=int)
        for top, left, side in regions():
            assert min(top, left) >= 0
            assert max(top, left) + side <= GRID_PX + 1e-9
            covered[round(top) : round(top + side), round(left) : round(left + side)] += 1

        assert len(regions()) == 14
        assert covered.min() >= 2
        assert covered[GRID_PX // 2, GRID_PX // 2] > covered[0, 0]


class TestNetwork:
    def test_the_network_gets_what_the_card_says(self, tmp_path: Path) -> None:
        """The slow twin multiplies by hand."""
        from onnx import load, numpy_helper

        network = make_network(tmp_path / "net.onnx")
        card = make_card(tmp_path, network, mean=[0.5, 0.4, 0.3], std=[0.2, 0.3, 0.4])
        weights = numpy_helper.to_array(load(str(network)).graph.initializer[0])
        image = picture(1, 0.0)
        square = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) / 255.0
        expected = ((square - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]).transpose(2, 0, 1).ravel() @ weights

        got = make_describer(str(card)).describe([image])[0]

        np.testing.assert_allclose(got, expected / np.linalg.norm(expected), atol=1e-4)

    def test_weights_with_another_hash_are_refused(self, tmp_path: Path) -> None:
        card = make_card(tmp_path, sha256="0" * 64)

        with pytest.raises(ModelError, match="SHA-256"):
            make_describer(str(card))

    def test_weights_that_are_missing_are_named(self, tmp_path: Path) -> None:
        card = make_card(tmp_path)
        (tmp_path / "net.onnx").unlink()

        with pytest.raises(ModelError, match=r"net\.onnx"):
            make_describer(str(card))

    def test_a_file_that_is_no_network_is_refused(self, tmp_path: Path) -> None:
        garbage = tmp_path / "net.onnx"
        garbage.write_bytes(b"no network" * 100)

        with pytest.raises(ModelError, match="not a network"):
            make_describer(str(make_card(tmp_path, garbage)))

    def test_another_dimension_than_the_cards_is_an_error(self, tmp_path: Path) -> None:
        describer = make_describer(str(make_card(tmp_path, dimension=9)))

        with pytest.raises(ModelError, match="promises"):
            describer.describe([picture(1, 0.0)])

    def test_numbers_that_are_not_finite_are_an_error(self, tmp_path: Path) -> None:
        network = make_network(tmp_path / "net.onnx", broken="nan")

        with pytest.raises(ModelError, match="not finite"):
            make_describer(str(make_card(tmp_path, network))).describe([picture(1, 0.0)])

    def test_an_input_of_another_size_than_the_networks_is_an_error(self, tmp_path: Path) -> None:
        describer = make_describer(str(make_card(tmp_path, input_px=20)))

        with pytest.raises(ModelError, match="refused its input"):
            describer.describe([picture(1, 0.0)])


class TestBackground:
    def test_it_is_read_from_the_cards_file(self, tmp_path: Path) -> None:
        file = make_background(tmp_path / "noise.npy")
        card = make_card(tmp_path, background=file.name, background_sha256=sha256(file))

        background = make_describer(str(card)).background

        np.testing.assert_allclose(background, np.load(file), atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(background, axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(load_background(load_card(str(card))), background)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (np.zeros((4, 9), dtype=np.float16), "promises"),
            (np.zeros(8, dtype=np.float16), "promises"),
            (np.full((40, 8), np.nan, dtype=np.float16), "not finite"),
            (np.ones((31, 8), dtype=np.float16), "at least 32"),
            (np.zeros((4, 8), dtype=np.int64), "no array"),
            (np.array([{}], dtype=object), "no array"),
            (b"", "no array"),
            (b"anything", "no array"),
        ],
    )
    def test_a_file_that_holds_anything_else_is_refused(self, tmp_path: Path, content: object, reason: str) -> None:
        file = tmp_path / "noise.npy"
        np.save(file, content) if isinstance(content, np.ndarray) else file.write_bytes(content)
        card = make_card(tmp_path, background=file.name, background_sha256=sha256(file))

        with pytest.raises(ModelError, match=reason):
            load_background(load_card(str(card)))

    def test_a_file_with_another_hash_is_refused(self, tmp_path: Path) -> None:
        file = make_background(tmp_path / "noise.npy")
        card = make_card(tmp_path, background=file.name, background_sha256="0" * 64)

        with pytest.raises(ModelError, match="SHA-256"):
            load_background(load_card(str(card)))


class TestCard:
    def test_an_unknown_model_names_the_near_one(self) -> None:
        with pytest.raises(UnknownName, match="regional-dct"):
            load_card("regional-dtc")

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"dimension": None}, "lacks 'dimension'"),
            ({"sha256": None}, "lacks 'sha256'"),
            ({"background": "noise.npy"}, "lacks 'background_sha256'"),
            ({"precision": "int8"}, "lacks 'int8_weights'"),
            ({"precision": "fp8"}, "must be one of fp32, bf16, int8"),
            ({"dimension": "eight"}, "must be of type int"),
            ({"dimension": 0}, "at least 1"),
            ({"mean": [1, 2]}, "three numbers"),
            ({"diemnsion": 3}, "did you mean 'dimension'"),
        ],
    )
    def test_a_bad_card_is_named_with_its_key(self, tmp_path: Path, changes: dict[str, object], reason: str) -> None:
        with pytest.raises(ConfigError, match=reason):
            load_card(str(make_card(tmp_path, **changes)))

    def test_what_shapes_the_vectors_shapes_the_identity(self, tmp_path: Path) -> None:
        plain = load_card(str(make_card(tmp_path / "a")))
        described = load_card(str(make_card(tmp_path / "b", description="the same network")))
        other = load_card(str(make_card(tmp_path / "c", std=[1.0, 1.0, 1.0])))

        assert plain.identity == described.identity
        assert plain.identity != other.identity


class TestFrames:
    def test_times_vectors_and_quality_stay_together_over_batches(self) -> None:
        describer = make_describer("regional-dct")
        frames = [Frame(float(t), picture(t, 0.0)) for t in range(7)]
        (whole,) = describe_frames(frames, "film", VIDEO, describer, batch=3)

        assert whole.times_s.tolist() == [0, 1, 2, 3, 4, 5, 6]
        np.testing.assert_allclose(whole.vectors, describer.describe([f.picture for f in frames]), atol=1e-4)

    def test_the_second_view_is_that_of_the_mirrored_pictures(self) -> None:
        describer = make_describer("regional-dct")
        frames = [Frame(0.0, picture(1, 0.0))]
        straight, mirrored = describe_frames(frames, "film", VIDEO, describer, batch=3, views=[WHOLE, MIRRORED])
        flipped = [Frame(0.0, np.ascontiguousarray(picture(1, 0.0)[:, ::-1]))]
        (expected,) = describe_frames(flipped, "film", VIDEO, describer, batch=3)

        assert (straight.mirrored, mirrored.mirrored) == (False, True)
        np.testing.assert_allclose(mirrored.vectors, expected.vectors, atol=1e-4)

    def test_quality_is_nothing_for_a_black_frame_and_all_for_a_rich_one(self) -> None:
        assert picture_quality(np.zeros((90, 160, 3), dtype=np.uint8)) == 0
        assert picture_quality(picture(1, 0.0)) > 0.8
        assert picture_quality(np.zeros((1, 1, 3), dtype=np.uint8)) == 0


def test_an_all_zero_row_stays_zero() -> None:
    rows = unit_rows(np.array([[3, 4], [0, 0]], dtype=np.float32))

    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]])

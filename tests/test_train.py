"""vcd.train: views, pooling, loss, the training and its checkpoints, export. Needs the extra `torch`."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
onnx = pytest.importorskip("onnx", reason="the extra torch is not installed")

from tests.conftest import Call  # noqa: E402
from vcd.describe.pooling import centre_weight, regions  # noqa: E402
from vcd.errors import ConfigError, SetupError  # noqa: E402
from vcd.train.augment import GROUPS, easy_view, hard_view  # noqa: E402
from vcd.train.batches import Batches, side_at, stream  # noqa: E402
from vcd.train.config import ExportConfig, TrainConfig  # noqa: E402
from vcd.train.curves import draw_curves  # noqa: E402
from vcd.train.export import Exported, export, load_network, unrelated_similarity, write_onnx  # noqa: E402
from vcd.train.fit import fit_whitening, sample_rows  # noqa: E402
from vcd.train.generate import dead_leaves  # noqa: E402
from vcd.train.loop import rate_at, read_checkpoint, train  # noqa: E402
from vcd.train.loss import Queue, info_nce, koleo, nearest_other  # noqa: E402
from vcd.train.network import Network, normalise  # noqa: E402
from vcd.train.pictures import Pictures, open_pictures  # noqa: E402
from vcd.train.pooling import POOLINGS  # noqa: E402
from vcd.train.run import load_recipe, make_model  # noqa: E402

TINY = TrainConfig(
    steps=4, pairs=6, small_px=32, large_px=48, small_share=0.5, warm_up=2, queue=8, queue_share=0.5, widths=(8, 8, 16),
    blocks=(1, 1, 1), dimension=16, generated=10, save_every=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty pictures of dead leaves as PNG files."""
    made = tmp_path_factory.mktemp("leaves")
    for number in range(20):
        picture = dead_leaves(96, np.random.default_rng(number))
        cv2.imwrite(str(made / f"{number:02d}.png"), picture[:, :, ::-1])
    return made


@pytest.fixture(scope="module")
def pictures(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return open_pictures([folder], tmp_path_factory.mktemp("store"), seed=1, generated=10)


# Views


@pytest.mark.parametrize("groups", [(), *((name,) for name in GROUPS), tuple(GROUPS)], ids=str)
def test_views_are_squares_and_depend_on_their_seed_alone(groups: tuple[str, ...]) -> None:
    picture, other = (dead_leaves(120, np.random.default_rng(seed)) for seed in (1, 2))

    def views() -> list[np.ndarray]:
        rng = np.random.default_rng(7)
        hard = [hard_view(picture, lambda: other, 64, frozenset(groups), rng) for _ in range(30)]
        return [easy_view(picture, 64, rng), *hard]

    first, second = views(), views()

    assert all(view.shape == (64, 64, 3) and view.dtype == np.uint8 for view in first)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_without_edits_a_hard_view_is_the_picture_itself() -> None:
    picture = dead_leaves(64, np.random.default_rng(1))

    assert (hard_view(picture, lambda: picture, 64, frozenset(), np.random.default_rng(1)) == picture).all()


# Pictures and batches


def test_pictures_are_kept_as_they_are_and_read_once(folder: Path, tmp_path: Path) -> None:
    store = open_pictures([folder], tmp_path, seed=1, generated=10)
    again = open_pictures([folder], tmp_path, seed=1, generated=10)

    first = cv2.imread(str(folder / "00.png"), cv2.IMREAD_COLOR_RGB)
    row = int(np.flatnonzero(store.sources > 0)[0])
    assert (store[row] == first).all()
    assert (again[row] == first).all()
    assert int((store.sources > 0).sum()) == 20
    assert store.weights().sum() == pytest.approx(1)
    assert (store.weights()[store.sources == 0] == 0).all()


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(SetupError, match="no picture to train on"):
        open_pictures([tmp_path / "empty"], tmp_path, seed=1, generated=10)


def test_a_batch_depends_on_its_number_alone(pictures: Pictures) -> None:
    batches = Batches(pictures, TINY)
    from_workers = list(stream(pictures, TINY, first=2, workers=1))

    views, rows = batches[3]
    assert views.shape == (12, 48, 48, 3)
    assert len(set(rows.tolist())) == len(rows) == 6
    assert (batches[3][0] == views).all()
    assert (from_workers[1].views == views).all()
    assert [side_at(step, TINY) for step in range(4)] == [32, 32, 48, 48]


# Pooling


@pytest.mark.parametrize("centred", [False, True])
def test_regional_pooling_is_what_its_definition_says(centred: bool) -> None:
    torch.manual_seed(0)
    pool = POOLINGS["gaussian-rmac" if centred else "rmac"](5, 4).eval()
    maps = torch.rand(3, 5, 6, 8)

    found = regions(6, 8)
    weights = [centre_weight(region, 6, 8) if centred else 1.0 for region in found]
    matrix = pool.linear.weight.detach().numpy()
    for number in range(3):
        total = np.zeros(4)
        for (top, left, side), weight in zip(found, weights, strict=True):
            window = maps[number, :, top : top + side, left : left + side].numpy()
            vector = matrix @ window.reshape(5, -1).max(axis=1)
            total += weight * vector / np.linalg.norm(vector)
        expected = total / np.linalg.norm(total)
        np.testing.assert_allclose(pool(maps)[number].detach().numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("name", POOLINGS)
def test_every_pooling_gives_unit_rows(name: str) -> None:
    vectors = POOLINGS[name](8, 6).eval()(torch.rand(4, 8, 5, 7))

    assert vectors.shape == (4, 6)
    np.testing.assert_allclose(vectors.detach().norm(dim=1).numpy(), 1, atol=1e-5)


# Loss


@given(st.integers(2, 6), st.integers(0, 5), st.integers(0, 1000))
def test_info_nce_is_what_its_definition_says(count: int, queued: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(2 * count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = rng.permutation(20)[:count]
    queue = Queue(queued, 8, "cpu")
    earlier = rng.normal(size=(queued, 8)).astype(np.float32)
    earlier_ids = rng.integers(0, 20, queued)
    queue.push(torch.from_numpy(earlier), torch.from_numpy(earlier_ids))

    losses = []
    both = np.concatenate([ids, ids])
    for row in range(2 * count):
        partner = (row + count) % (2 * count)
        scores = {other: vectors[row] @ vectors[other] / 0.1 for other in range(2 * count) if other != row}
        far = [vectors[row] @ e / 0.1 for e, i in zip(earlier, earlier_ids, strict=True) if i != both[row]]
        every = np.array([*scores.values(), *far], dtype=np.float64)
        losses.append(np.log(np.exp(every - every.max()).sum()) + every.max() - scores[partner])

    found = info_nce(torch.from_numpy(vectors), torch.from_numpy(ids), queue, 0.1)
    assert float(found) == pytest.approx(float(np.mean(losses)), rel=1e-4)


def test_koleo_counts_the_nearest_of_another_picture() -> None:
    vectors = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0.6, 0.8]])

    nearest = nearest_other(vectors, torch.tensor([4, 9]))

    np.testing.assert_allclose(nearest.numpy(), [0.6, 0, 0.6, 0.6], atol=1e-6)
    assert float(koleo(nearest)) == pytest.approx(-np.mean(np.log(np.sqrt([0.8, 2, 0.8, 0.8]))), rel=1e-5)


def test_a_queue_forgets_the_oldest() -> None:
    queue = Queue(3, 2, "cpu")
    for number in range(4):
        queue.push(torch.full((1, 2), float(number)), torch.tensor([number]))

    assert sorted(queue.filled()[1].tolist()) == [1, 2, 3]


# The training


def test_the_rate_rises_stays_and_falls() -> None:
    config = dataclasses.replace(TINY, steps=100, warm_up=10, decay_share=0.2, learning_rate=1.0)
    rates = [rate_at(step, config) for step in range(100)]

    assert rates[0] == pytest.approx(0.1)
    assert set(rates[10:80]) == {1.0}
    assert rates[90] == pytest.approx(0.5)


def test_a_resumed_training_ends_where_an_uninterrupted_one_does(pictures: Pictures, tmp_path: Path) -> None:
    (tmp_path / "once").mkdir()
    (tmp_path / "twice").mkdir()
    steady = dataclasses.replace(TINY, decay_share=0.0, small_share=0.0, queue_share=1.0)
    whole = train(pictures, steady, tmp_path / "once", workers=0)
    train(pictures, dataclasses.replace(steady, steps=2), tmp_path / "twice", workers=0)
    halves = train(pictures, steady, tmp_path / "twice", workers=0)

    one, other = (read_checkpoint(path, "cpu") for path in (whole, halves))
    assert one["step"] == other["step"] == 4
    for name, values in one["mean"].items():
        np.testing.assert_allclose(values.numpy(), other["mean"][name].numpy(), atol=1e-6, err_msg=name)


def test_a_training_learns(pictures: Pictures, tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, steps=60, pairs=16, small_share=1.0, augment=("crop",), queue=0)
    train(pictures, config, tmp_path, workers=0)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]

    assert [line["step"] for line in lines] == [50, 60]
    assert lines[-1]["info_nce"] < lines[0]["info_nce"] < np.log(31)
    assert lines[-1]["positive"] > lines[-1]["nearest_negative"]
    draw_curves(tmp_path / "log.jsonl", tmp_path / "curves.png")
    assert cv2.imread(str(tmp_path / "curves.png")).shape[0] > 300


def test_a_checkpoint_of_another_recipe_is_refused(pictures: Pictures, tmp_path: Path) -> None:
    train(pictures, dataclasses.replace(TINY, steps=1), tmp_path, workers=0)

    with pytest.raises(SetupError, match="was made with dimension = 16, not 32"):
        train(pictures, dataclasses.replace(TINY, dimension=32), tmp_path, workers=0)


def test_a_damaged_checkpoint_is_refused(pictures: Pictures, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")

    with pytest.raises(SetupError, match="is not a checkpoint of a training"):
        train(pictures, TINY, tmp_path, workers=0)


# What is fitted, and the export


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_whitening_decorrelates(strength: float) -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(4000, 6)) @ rng.normal(size=(6, 6)) + 3).astype(np.float32)
    whitening = fit_whitening(vectors, strength, 6)

    turned = (vectors - whitening.mean) @ whitening.matrix
    covariance = np.cov(turned.T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-2 * covariance.max()
    if strength:
        np.testing.assert_allclose(np.diag(covariance), 1, atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(whitening.apply(vectors), axis=1), 1, atol=1e-5)


def test_rows_for_fitting_are_real_pictures(pictures: Pictures) -> None:
    rows = sample_rows(pictures, 50, seed=1)

    assert len(rows) == 20
    assert (pictures.sources[rows] > 0).all()


def test_the_onnx_file_gives_what_torch_gives(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(1)
    network = Network(dataclasses.replace(TINY, pooling="gaussian-rmac")).eval()
    whitening = fit_whitening(np.random.default_rng(0).normal(size=(100, 16)).astype(np.float32), 0.5, 16)
    model = Exported(network, whitening).eval()
    write_onnx(model, 64, tmp_path / "net.onnx")

    views = [dead_leaves(64, np.random.default_rng(seed)) for seed in range(5)]
    batch = normalise(torch.from_numpy(np.stack(views))).contiguous()
    session = runtime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"pictures": batch.numpy()})[0]

    # Weights are stored as float16: about three decimals.
    cosines = (found * model(batch).detach().numpy()).sum(axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_from_pictures_to_a_model_that_describes(folder: Path, tmp_path: Path) -> None:
    from vcd.describe import load_card, make_describer

    card = make_model([folder], tmp_path, (TINY, ExportConfig(name="leaves", input_px=64)))

    describer = make_describer(str(card))
    vectors = describer.describe([dead_leaves(100, np.random.default_rng(seed)) for seed in range(3)])
    assert vectors.shape == (3, 16)
    assert load_card(str(card)).name == "leaves"
    assert (tmp_path / "curves.png").stat().st_size > 1000
    network, recipe, steps = load_network(tmp_path / "checkpoint.pt")
    assert (recipe, steps, network.training) == (TINY, 4, False)
    pictures = open_pictures([folder], tmp_path, 1, TINY.generated)
    again = export(tmp_path / "checkpoint.pt", pictures, tmp_path / "again", ExportConfig())
    assert (tmp_path / "again" / again.name).exists()


def test_unrelated_similarity_is_a_high_quantile() -> None:
    vectors = np.eye(16, dtype=np.float32)

    assert unrelated_similarity(vectors) == pytest.approx(0)


def test_a_recipe_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text("[train]\nwidths = [8, 8, 16]\npairs = 7\n\n[export]\ninput_px = 64\n")
    training, exporting = load_recipe(file, steps=5, seed=3)
    assert (training.widths, training.pairs, training.steps, training.seed) == ((8, 8, 16), 7, 5, 3)
    assert exporting.input_px == 64

    file.write_text("[train]\nwidths = [8, 8]\n")
    with pytest.raises(ConfigError, match="widths must be a list of 3 items"):
        load_recipe(file)


def test_the_command_trains_and_names_the_card(vcd: Call, folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    values = {
        "pairs": 4,
        "small_px": 32,
        "large_px": 32,
        "queue": 0,
        "generated": 4,
        "widths": [8] * 3,
        "blocks": [1] * 3,
    }
    recipe.write_text("[train]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()))
    answer = vcd("train", str(folder), "--work", str(tmp_path / "work"), "--steps", "2", "--recipe", str(recipe))

    assert answer.code == 0, answer.err
    assert answer.text.strip() == str(tmp_path / "work/model/vcd-rmac.toml")

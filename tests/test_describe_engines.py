"""The engines that run networks: one contract over the table, and what they say to bad input."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.made import picture
from tests.made_networks import SIDE, make_card, make_deep_network, make_network, make_odd_network, sha256
from vcd.describe import load_card, make_describer, prove_describer
from vcd.describe.engines import CORE_ENGINE, ENGINES, make_engine
from vcd.describe.quantize import quantize
from vcd.errors import MissingExtra, ModelError, SetupError, UnknownName
from vcd.workers import Workers, engine_threads, usable_cores

PICTURES = [picture(scene, 0.0) for scene in range(6)]
COMBINATIONS = [
    ("onnxruntime", "fp32"), ("onnxruntime", "int8"),
    ("openvino", "fp32"), ("openvino", "bf16"), ("openvino", "int8"),
]  # fmt: skip


@pytest.fixture(params=[name for name in ENGINES if name != "onnxruntime-cuda"])
def engine(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(request.param)
    return request.param


def make_quantized_card(folder: Path, **changes: object) -> Path:
    """A card with a network in fp32 and in int8."""
    network = make_deep_network(folder / "net.onnx", halved=True)
    plain = make_card(folder, network, input_px=64)
    quantize(load_card(str(plain)), folder / "int8.onnx", PICTURES)
    return make_card(folder, network, input_px=64, int8_weights="int8.onnx", int8_sha256=sha256(folder / "int8.onnx"),
                     **changes)  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "precision"), COMBINATIONS)
def test_all_engines_and_precisions_give_the_same_vectors(tmp_path: Path, name: str, precision: str) -> None:
    pytest.importorskip(name)
    if precision not in ENGINES[name].precisions():
        pytest.skip(f"this machine has no {precision}")
    card = str(make_quantized_card(tmp_path))
    expected = make_describer(card, "onnxruntime", "fp32").describe(PICTURES)

    got = make_describer(card, name, precision).describe(PICTURES)

    assert (got * expected).sum(axis=1).min() > {"fp32": 1 - 1e-5, "bf16": 0.999, "int8": 0.99}[precision]
    assert (precision == "fp32") == bool(np.allclose(got, expected, atol=1e-5))


def test_fp32_is_exact_where_the_processor_offers_less(tmp_path: Path, engine: str) -> None:
    """OpenVINO takes bf16 by itself. The slow twin multiplies by hand."""
    from onnx import load, numpy_helper

    card = make_card(tmp_path)
    weights = numpy_helper.to_array(load(str(tmp_path / "net.onnx")).graph.initializer[0]).astype(np.float64)
    batch = np.random.default_rng(0).normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)

    got = make_engine(load_card(str(card)), engine, "fp32").run(batch)

    np.testing.assert_allclose(got, batch.reshape(3, -1) @ weights, rtol=1e-3, atol=1e-3)


def test_a_network_that_takes_bytes_gets_bytes(tmp_path: Path, engine: str) -> None:
    floats = make_card(tmp_path / "floats", make_deep_network(tmp_path / "floats" / "net.onnx"), input_px=32,
                       mean=[0.0] * 3, std=[128 / 255] * 3)  # fmt: skip
    bytes_ = make_card(tmp_path / "bytes", make_deep_network(tmp_path / "bytes" / "net.onnx", as_bytes=True),
                       input_px=32)  # fmt: skip

    expected = make_describer(str(floats), engine).describe(PICTURES)
    got = make_describer(str(bytes_), engine).describe(PICTURES)

    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_later_batch_leaves_an_earlier_result_alone(tmp_path: Path, engine: str) -> None:
    running = make_engine(load_card(str(make_card(tmp_path))), engine)
    batch = np.ones((2, 3, SIDE, SIDE), dtype=np.float32)
    first = running.run(batch)
    before = first.copy()
    running.run(2 * batch)

    np.testing.assert_array_equal(first, before)


class TestBadNetworks:
    @pytest.mark.parametrize("content", [b"", b"no network" * 100], ids=["empty", "garbage"])
    def test_a_file_that_is_no_network_is_refused(self, tmp_path: Path, engine: str, content: bytes) -> None:
        (tmp_path / "net.onnx").write_bytes(content)

        with pytest.raises(ModelError, match=r"net\.onnx: is not a network that"):
            make_describer(str(make_card(tmp_path, tmp_path / "net.onnx")), engine)

    def test_a_file_that_was_cut_off_is_refused(self, tmp_path: Path, engine: str) -> None:
        network = make_network(tmp_path / "net.onnx")
        network.write_bytes(network.read_bytes()[:-1000])

        with pytest.raises(ModelError, match=r"net\.onnx: is not a network that"):
            make_describer(str(make_card(tmp_path, network)), engine)

    @pytest.mark.parametrize("odd", ["of a later version", "two inputs"])
    def test_an_odd_network_is_refused(self, tmp_path: Path, engine: str, odd: str) -> None:
        network = make_odd_network(tmp_path / "net.onnx", odd)

        with pytest.raises(ModelError, match="one input" if odd == "two inputs" else "is not a network that"):
            make_describer(str(make_card(tmp_path, network)), engine)

    def test_an_input_of_another_size_than_the_networks_is_an_error(self, tmp_path: Path, engine: str) -> None:
        with pytest.raises(ModelError, match="refused its input"):
            prove_describer(make_describer(str(make_card(tmp_path, input_px=20)), engine))

    def test_another_dimension_than_the_cards_is_an_error(self, tmp_path: Path, engine: str) -> None:
        with pytest.raises(ModelError, match="promises"):
            prove_describer(make_describer(str(make_card(tmp_path, dimension=9)), engine))

    def test_numbers_that_are_not_finite_are_an_error(self, tmp_path: Path, engine: str) -> None:
        network = make_network(tmp_path / "net.onnx", broken="nan")

        with pytest.raises(ModelError, match="not finite"):
            prove_describer(make_describer(str(make_card(tmp_path, network)), engine))

    def test_a_background_that_is_not_the_cards_is_an_error(self, tmp_path: Path, engine: str) -> None:
        card = make_card(tmp_path, background="noise.npy", background_sha256="0" * 64)

        with pytest.raises(ModelError, match=r"noise\.npy"):
            prove_describer(make_describer(str(card), engine))


class TestChoice:
    def test_the_core_engine_is_in_the_table(self) -> None:
        assert CORE_ENGINE in ENGINES

    def test_an_unknown_engine_names_the_near_one(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownName, match="did you mean 'openvino'"):
            make_describer(str(make_card(tmp_path)), "openvin")

    def test_an_engine_that_is_not_installed_says_how_to_get_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = str(make_card(tmp_path))
        monkeypatch.setitem(sys.modules, "onnxruntime", None)

        with pytest.raises(MissingExtra, match=r"onnxruntime is not installed; run: pip install 'vcd\[onnxruntime\]'"):
            make_describer(card, "onnxruntime")

    def test_cuda_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        onnxruntime = pytest.importorskip("onnxruntime")
        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("this onnxruntime has CUDA")

        with pytest.raises(SetupError, match="install onnxruntime-gpu"):
            make_describer(str(make_card(tmp_path)), "onnxruntime-cuda")

    def test_a_precision_that_the_engine_has_not_is_an_error(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        with pytest.raises(SetupError, match="no bf16 on this machine, only fp32, int8"):
            make_describer(str(make_card(tmp_path)), "onnxruntime", "bf16")

    def test_int8_without_int8_weights_is_an_error(self, tmp_path: Path, engine: str) -> None:
        with pytest.raises(SetupError, match="has no int8 weights"):
            make_describer(str(make_card(tmp_path)), engine, "int8")

    def test_auto_takes_the_cards_precision(self, tmp_path: Path, engine: str) -> None:
        other = make_deep_network(tmp_path / "other" / "other.onnx")
        card = make_card(tmp_path, make_deep_network(tmp_path / "net.onnx"), precision="int8", input_px=32,
                         int8_weights="other/other.onnx", int8_sha256="0" * 64)  # fmt: skip

        with pytest.raises(ModelError, match=r"other\.onnx: the file has SHA-256"):
            make_describer(str(card), engine)
        assert other.exists()

    def test_auto_takes_fp32_where_the_engine_has_not_the_cards_precision(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        plain = make_describer(str(make_card(tmp_path / "a")), "onnxruntime").describe(PICTURES)
        card = str(make_card(tmp_path / "b", precision="bf16"))

        np.testing.assert_array_equal(make_describer(card, "onnxruntime").describe(PICTURES), plain)


class TestThreads:
    @pytest.mark.parametrize("count", [1, 2])
    def test_workers_share_the_cores(self, count: int) -> None:
        with Workers(count, 60) as pool:
            found = [threads for _, threads in pool.map(engine_threads, [("", ())] * 4)]

        assert found == [max(1, usable_cores() // count)] * 4

    def test_an_engine_starts_no_more_threads_than_it_was_given(self, tmp_path: Path, engine: str) -> None:
        card = str(make_card(tmp_path, make_deep_network(tmp_path / "net.onnx"), input_px=64))
        with Workers(1, 60) as pool:
            [(_, (one, one_more))] = pool.map(count_threads, [("", (card, engine))])

        assert one_more - one == 0


def count_threads(card: str, engine: str) -> tuple[int, int]:
    """Of this process, that work: with a describer of one thread, and after it has described."""
    make_describer(card, engine, threads=1).describe(PICTURES)
    describer = make_describer(card, engine, threads=1)
    before = sum(1 for _ in tasks())
    describer.describe(PICTURES)
    return before, sum(1 for _ in tasks())


def tasks() -> Iterator[Path]:
    return Path("/proc/self/task").iterdir()


def test_quantized_weights_are_bytes_and_the_file_is_whole(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    make_quantized_card(tmp_path)
    model = onnx.load(tmp_path / "int8.onnx")

    kinds = {tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) == 4}
    assert kinds == {onnx.TensorProto.INT8}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.toml", "int8.onnx", "net.onnx"]

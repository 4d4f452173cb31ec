"""Models of torch: TorchScript files, and torchvision's networks, cut and pooled.

torchvision's published weights are not fetched: the code that fetches them gets a file of the same form from loopback.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conftest import Call
from tests.made import picture
from tests.made_networks import SIDE, make_card
from tests.made_server import Site, serve
from tests.made_torch import make_backbone_card, make_script, make_state, need_torch, need_torchvision
from vcd.describe import load_card, make_describer, prove_describer
from vcd.describe.export import export_model
from vcd.describe.network import make_batch
from vcd.describe.pooling import POOLINGS, pool
from vcd.describe.torch_models import RESNET18, VGG16, load_module
from vcd.errors import ConfigError, MissingExtra, ModelError, SetupError, UnknownName

PICTURES = [picture(scene, 0.0) for scene in range(3)]


class TestWithout:
    @pytest.mark.parametrize("name", ["resnet18", "vgg16"])
    def test_without_torch_it_says_how_to_get_it(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch", None)

        with pytest.raises(MissingExtra, match=r"torch is not installed; run: pip install 'vcd\[torch\]'"):
            make_describer(name)

    def test_without_torchvision_it_says_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
        monkeypatch.setitem(sys.modules, "torchvision", None)

        with pytest.raises(MissingExtra, match="torchvision is not installed"):
            make_describer("resnet18")

    def test_a_torchvision_for_another_torch_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As torchvision's packages with CUDA do beside a torch without."""
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text('raise RuntimeError("operator nms does not exist")')
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
        monkeypatch.syspath_prepend(tmp_path)

        with pytest.raises(SetupError, match="torchvision does not fit the installed torch: operator nms"):
            make_describer("resnet18")


class TestScript:
    def test_it_gives_what_the_module_gives(self, tmp_path: Path) -> None:
        """The slow twin multiplies by hand."""
        card = make_card(tmp_path, make_script(tmp_path / "net.pt"))
        weights = next(load_module(load_card(str(card))).parameters()).detach().numpy().astype(np.float64)
        expected = make_batch(load_card(str(card)), PICTURES, as_bytes=False).reshape(3, -1) @ weights.T

        got = make_describer(str(card)).describe(PICTURES)

        np.testing.assert_allclose(got, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-4)

    @pytest.mark.parametrize("content", [b"", b"no network" * 100])
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path, content: bytes) -> None:
        need_torch()
        (tmp_path / "net.pt").write_bytes(content)

        with pytest.raises(ModelError, match=r"net\.pt: is no TorchScript file"):
            make_describer(str(make_card(tmp_path, tmp_path / "net.pt")))

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [({"input_px": 20}, "refused its input"), ({"dimension": 9}, "promises"), ({"sha256": "0" * 64}, "SHA-256")],
    )
    def test_one_that_is_not_the_cards_is_refused(
        self, tmp_path: Path, changes: dict[str, object], reason: str
    ) -> None:
        card = make_card(tmp_path, make_script(tmp_path / "net.pt"), **changes)

        with pytest.raises(ModelError, match=reason):
            prove_describer(make_describer(str(card)))

    def test_one_that_gives_no_batch_of_vectors_is_refused(self, tmp_path: Path) -> None:
        card = make_card(tmp_path, make_script(tmp_path / "net.pt", kind="pair"))

        with pytest.raises(ModelError, match="gave a tuple"):
            prove_describer(make_describer(str(card)))

    @pytest.mark.parametrize("setting", [{"engine": "openvino"}, {"precision": "bf16"}])
    def test_another_engine_or_precision_is_an_error(self, tmp_path: Path, setting: dict[str, Any]) -> None:
        (tmp_path / "net.pt").write_bytes(b"")

        with pytest.raises(SetupError, match="runs on torch in fp32"):
            make_describer(str(make_card(tmp_path, tmp_path / "net.pt")), **setting)

    def test_exported_it_gives_the_same(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        card = make_card(tmp_path, make_script(tmp_path / "net.pt"))
        exported = export_model(load_card(str(card)), tmp_path / "out" / "net.onnx")

        np.testing.assert_allclose(
            make_describer(str(exported), "onnxruntime").describe(PICTURES),
            make_describer(str(card)).describe(PICTURES), atol=1e-5,
        )  # fmt: skip


class TestBackbone:
    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_it_is_the_network_up_to_the_layer_and_the_pooling(self, tmp_path: Path, pooling: str) -> None:
        """The twin runs the whole network and listens at the layer."""
        torch, torchvision = need_torch(), need_torchvision()
        card = load_card(str(make_backbone_card(tmp_path, pooling)))
        network = torchvision.models.resnet18(weights=None).eval()
        network.load_state_dict(torch.load(tmp_path / "resnet18.pth", weights_only=True))
        heard: list[np.ndarray] = []
        network.layer2.register_forward_hook(lambda *heard_: heard.append(heard_[-1].detach().numpy()))
        network(torch.from_numpy(make_batch(card, PICTURES, as_bytes=False)))

        got = make_describer(str(tmp_path / "card.toml")).describe(PICTURES)

        np.testing.assert_allclose(got, pool(heard[0], pooling, np), atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_exported_it_gives_the_same_without_torch(self, tmp_path: Path, pooling: str) -> None:
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
        card = load_card(str(make_backbone_card(tmp_path, pooling)))
        exported = load_card(str(export_model(card, tmp_path / "out" / "net.onnx")))

        assert not exported.needs_torch
        np.testing.assert_allclose(
            make_describer(str(tmp_path / "out" / "net.toml"), "onnxruntime").describe(PICTURES),
            make_describer(str(tmp_path / "card.toml")).describe(PICTURES), atol=1e-4,
        )  # fmt: skip

    def test_layer_and_pooling_shape_the_identity(self, tmp_path: Path) -> None:
        cards = [make_backbone_card(tmp_path / "a"), make_backbone_card(tmp_path / "b", "rmac"),
                 make_backbone_card(tmp_path / "c", layer="layer3")]  # fmt: skip

        assert len({load_card(str(card)).identity for card in cards}) == 3

    @pytest.mark.parametrize(
        ("changes", "error", "reason"),
        [
            ({"layer": "layer9"}, ConfigError, "has no layer 'layer9'"),
            ({"pooling": "gaussian"}, UnknownName, "did you mean 'gaussian-rmac'"),
            ({"architecture": "resnet81"}, UnknownName, "did you mean 'resnet18'"),
            ({"architecture": "resnet34"}, ModelError, "is no state dict of resnet34"),
            ({"dimension": 64}, ModelError, "promises"),
        ],
    )
    def test_a_card_that_does_not_fit_is_refused(
        self, tmp_path: Path, changes: dict[str, object], error: type[Exception], reason: str
    ) -> None:
        with pytest.raises(error, match=reason):
            prove_describer(make_describer(str(make_backbone_card(tmp_path, **changes))))

    @pytest.mark.parametrize("content", [b"", b"no network" * 100, b"\x80\x02N."], ids=["empty", "garbage", "pickle"])
    def test_a_file_that_is_no_state_dict_is_refused(self, tmp_path: Path, content: bytes) -> None:
        need_torchvision()
        (tmp_path / "net.pth").write_bytes(content)
        card = make_card(tmp_path, tmp_path / "net.pth", architecture="resnet18", layer="layer2", pooling="mac")

        with pytest.raises(ModelError, match=r"net\.pth: is no state dict of resnet18"):
            make_describer(str(card))


class TestPublished:
    """torchvision fetches the weights of the built-in cards by itself; here from a site of ours."""

    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
        torchvision = need_torchvision()
        state = make_state(tmp_path / "resnet18.pth").read_bytes()
        name = f"resnet18-{hashlib.sha256(state).hexdigest()[:8]}.pth"
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
        with serve(Site({name: state})) as site:
            published = torchvision.models.ResNet18_Weights.DEFAULT.value
            monkeypatch.setattr(published, "url", f"{site.url}/{name}")
            yield site

    def test_they_are_fetched_once_and_used(self, site: Site, tmp_path: Path, vcd: Call) -> None:
        answer = vcd("models", "fetch", "resnet18")
        card = make_backbone_card(tmp_path / "own", RESNET18.pooling, layer=RESNET18.layer, dimension=256, input_px=224)

        assert (answer.code, answer.out) == (0, b"")
        got = make_describer("resnet18").describe(PICTURES)
        np.testing.assert_allclose(got, make_describer(str(card)).describe(PICTURES), atol=1e-5)
        assert site.asked == [""]

    def test_without_a_network_it_says_so(self, site: Site) -> None:
        site.files.clear()

        with pytest.raises(ModelError, match="could not fetch its weights, are you offline"):
            make_describer("resnet18")

    def test_damaged_ones_are_refused(self, site: Site) -> None:
        [name] = site.files
        site.files[name] += b"?"

        with pytest.raises(ModelError, match="damaged: invalid hash value"):
            make_describer("resnet18")


@pytest.mark.slow
@pytest.mark.parametrize("card", [RESNET18, VGG16], ids=lambda card: card.name)
def test_the_built_in_cards_fit_torchvisions_networks(card: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With random weights in place of the published ones, which are half a gigabyte."""
    torch, torchvision = need_torch(), need_torchvision()
    monkeypatch.setattr(
        "vcd.describe.torch_models._with_published_weights",
        lambda card, _: torchvision.models.get_model(card.architecture, weights=None),
    )
    with torch.inference_mode():
        vectors = load_module(card)(torch.rand(1, 3, card.input_px, card.input_px))

    assert vectors.shape == (1, card.dimension)


def test_one_thread_is_one_thread(tmp_path: Path) -> None:
    torch = need_torch()
    describer = make_describer(str(make_card(tmp_path, make_script(tmp_path / "net.pt"))), threads=1)
    describer.describe([np.zeros((SIDE, SIDE, 3), dtype=np.uint8)])

    assert torch.get_num_threads() == 1

"""Small files of torch: TorchScript networks, and state dicts of torchvision's networks with random weights."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.made_networks import SIDE, make_card


def need_torch() -> Any:
    return pytest.importorskip("torch", reason="the extra torch is not installed")


def need_torchvision() -> Any:
    """torchvision, unless it is missing or made for another torch: its CPU builds are seldom at hand."""
    need_torch()
    try:
        import torchvision.models
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    return torchvision


def make_script(path: Path, kind: str = "vectors") -> Path:
    """A network that flattens and multiplies; of another `kind` it gives a "pair"."""
    torch = need_torch()

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3 * SIDE * SIDE, 8, bias=False)

        def forward(self, pictures: Any) -> Any:
            vectors = self.linear(pictures.flatten(1))
            return (vectors, vectors) if kind == "pair" else vectors

    torch.manual_seed(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit")  # deprecated, and what models are published as
        torch.jit.trace(Flat().eval(), torch.zeros(2, 3, SIDE, SIDE)).save(str(path))
    return path


def make_state(path: Path, architecture: str = "resnet18", seed: int = 0) -> Path:
    """The state dict of a network with random weights; its normalisations are not idle."""
    torch, torchvision = need_torch(), need_torchvision()
    torch.manual_seed(seed)
    network = torchvision.models.get_model(architecture, weights=None)
    for name, values in network.state_dict().items():
        if name.endswith("running_var"):
            values.copy_(torch.rand_like(values) + 0.5)
        elif name.endswith("running_mean"):
            values.copy_(torch.rand_like(values) - 0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return path


def make_backbone_card(folder: Path, pooling: str = "gaussian-rmac", **changes: object) -> Path:
    """ResNet-18 with random weights, cut at stride 8."""
    values: dict[str, object] = {"architecture": "resnet18", "layer": "layer2", "pooling": pooling, "dimension": 128,
                                 "input_px": 64}  # fmt: skip
    return make_card(folder, make_state(folder / "resnet18.pth"), **{**values, **changes})

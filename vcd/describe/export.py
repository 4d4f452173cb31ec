"""A model -> an ONNX file and its card, which run without torch."""

import dataclasses
import hashlib
import io
import json
import warnings
from pathlib import Path

from vcd.describe.card import ModelCard
from vcd.describe.weights import read_checked, read_text
from vcd.errors import ConfigError, MissingExtra, ModelError

OPSET = 17


def export_model(card: ModelCard, target: Path) -> Path:
    """Write `target`, its card beside it (``.toml``) and what else the model has; gives the card's path.

    The vectors are those of the model, but the weights have another hash: a library is made anew with it. Raises
    `ConfigError` for a model that has no network, and as loading the model does. Nothing is written then.
    """
    if target.suffix != ".onnx":
        raise ConfigError(f"{target}: the file's name must end in .onnx")
    if not card.weights and not card.architecture:
        raise ConfigError(f"model {card.name} has no network: it needs no weights, and there is nothing to export")
    stem = target.stem
    contents = {target.name: _network(card)}
    written = dataclasses.replace(
        card,
        weights=target.name,
        sha256=hashlib.sha256(contents[target.name]).hexdigest(),
        url="",
        int8_weights=f"{stem}.int8.onnx" if card.int8_weights else "",
        background=f"{stem}.background.npy" if card.background else "",
        text=f"{stem}.md" if card.text else "",
        architecture="",
        layer="",
        pooling="",
    )
    if card.int8_weights:
        contents[written.int8_weights] = read_checked(card.path(card.int8_weights), card.int8_sha256)
    if card.background:
        contents[written.background] = read_checked(card.path(card.background), card.background_sha256)
    if card.text:
        contents[written.text] = read_text(card).encode()
    contents[f"{stem}.toml"] = card_toml(written).encode()  # last: the card of half an export would lie
    target.parent.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        _write_whole(target.with_name(name), content)
    return target.with_suffix(".toml")


def card_toml(card: ModelCard) -> str:
    """The card as TOML: what differs from the defaults."""
    lines = []
    for field in dataclasses.fields(card):
        value = getattr(card, field.name)
        if field.name != "folder" and value != field.default:
            # JSON's strings, numbers and lists are TOML's as well, but for one control character.
            text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
            lines.append(f"{field.name} = {text}\n".replace("\x7f", "\\u007f"))
    return "".join(lines)


def _network(card: ModelCard) -> bytes:
    """The network as ONNX."""
    if not card.needs_torch:
        return read_checked(card.path(card.weights), card.sha256)
    from vcd.describe.torch_models import load_module

    module = load_module(card)
    import torch  # there, when a module of it is

    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # The exporter that torch now prefers needs another package. The size of the maps is meant to be constant;
            # TorchScript has no signature to look at.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (torch.zeros(2, 3, card.input_px, card.input_px),), buffer, input_names=["pictures"],
                output_names=["vectors"], dynamic_axes={"pictures": {0: "n"}, "vectors": {0: "n"}},
                opset_version=OPSET, dynamo=False,
            )  # fmt: skip
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise ModelError(f"model {card.name}: torch cannot write it as ONNX: {error}") from error
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "torch") from error
    return buffer.getvalue()


def _write_whole(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error

"""`vcd models`, and what a bad model does to `vcd index` and `vcd query`: an error, and nothing is written."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Call
from tests.made_networks import make_background, make_card, make_network, sha256
from tests.made_server import Site, serve
from vcd.describe import make_describer
from vcd.describe.models import MODELS, shipped


class TestInfo:
    def test_it_prints_the_facts_and_the_text(self, vcd: Call, tmp_path: Path) -> None:
        (tmp_path / "CARD.md").write_text("# Made\n\nLimits: many – all.\n", encoding="utf-8")
        noise = make_background(tmp_path / "noise.npy")
        card = make_card(tmp_path, text="CARD.md", background=noise.name, background_sha256=sha256(noise))

        answer = vcd("models", "info", card)
        facts = vcd("models", "info", card, "--format", "json").json

        assert (answer.code, answer.err) == (0, "")
        assert "identity: made@" in answer.text
        assert answer.text.endswith("\n\n# Made\n\nLimits: many – all.\n")
        assert facts["text"] == "# Made\n\nLimits: many – all.\n"
        assert facts["size_bytes"] == (tmp_path / "net.onnx").stat().st_size + noise.stat().st_size
        assert "folder" not in facts

    @pytest.mark.parametrize("name", MODELS)
    def test_every_built_in_model_has_a_card(self, vcd: Call, name: str) -> None:
        answer = vcd("models", "info", name)

        assert answer.code == 0
        assert answer.text.startswith(f"identity: {name}@")
        assert f"\nlicence: {MODELS[name]().licence}\n" in answer.text

    def test_a_damaged_file_is_an_error(self, vcd: Call, tmp_path: Path) -> None:
        answer = vcd("models", "info", make_card(tmp_path, sha256="0" * 64))

        assert (answer.code, answer.out) == (1, b"")
        assert "SHA-256" in answer.err


class TestFetch:
    def test_it_says_where_the_files_are(self, vcd: Call, tmp_path: Path) -> None:
        make_card(tmp_path / "there")
        files = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
        with serve(Site(files)) as site:
            answer = vcd("models", "fetch", f"{site.url}/card.toml", "--folder", tmp_path / "here")

        here = tmp_path / "here"
        assert (answer.code, answer.text, answer.err) == (0, f"{here / 'card.toml'}\n{here / 'net.onnx'}\n", "")

    def test_a_model_with_an_address_is_fetched_by_its_card(self, vcd: Call, tmp_path: Path) -> None:
        network = make_network(tmp_path / "net.onnx")
        with serve(Site({"some.onnx": network.read_bytes()})) as site:
            card = make_card(tmp_path, url=f"{site.url}/some.onnx")
            network.unlink()
            answer = vcd("models", "fetch", card)

        assert (answer.code, answer.text) == (0, f"{network}\n")
        assert make_describer(str(card)).card.dimension == 8

    def test_a_model_that_needs_nothing_says_so(self, vcd: Call) -> None:
        answer = vcd("models", "fetch", "regional-dct")

        assert (answer.code, answer.out) == (1, b"")
        assert answer.err == "vcd: model regional-dct needs nothing that could be fetched: its card has no url\n"

    def test_a_checksum_that_is_none_is_wrong_usage(self, vcd: Call, tmp_path: Path) -> None:
        assert vcd("models", "fetch", "http://127.0.0.1/x", "--sha256", "abc", "--folder", tmp_path).code == 2


class TestExport:
    def test_it_says_where_the_card_is(self, vcd: Call, tmp_path: Path) -> None:
        answer = vcd("models", "export", make_card(tmp_path / "a"), tmp_path / "b" / "net.onnx")

        assert (answer.code, answer.text, answer.err) == (0, f"{tmp_path / 'b' / 'net.toml'}\n", "")


class TestShipped:
    """A network of the package: its card lies beside its files and is read when it is asked for."""

    def test_it_is_listed_and_used_by_its_name(
        self, vcd: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = make_card(tmp_path, name="net")
        card.rename(tmp_path / "net.toml")
        monkeypatch.setattr("vcd.describe.models.MODELS", {**MODELS, "net": shipped("net", tmp_path)})
        monkeypatch.setattr("vcd.upkeep.MODELS", {**MODELS, "net": shipped("net", tmp_path)})

        assert [row["name"] for row in vcd("models", "list", "--format", "json").json] == sorted([*MODELS, "net"])
        assert vcd("models", "info", "net").code == 0
        assert make_describer("net").describe([np.zeros((9, 9, 3), dtype=np.uint8)]).shape == (1, 8)

    def test_a_card_that_is_never_asked_for_is_never_read(self, tmp_path: Path) -> None:
        shipped("none", tmp_path)


def settings(folder: Path, card: Path, extra: str = "") -> Path:
    path = folder / "settings.toml"
    path.write_text(f'[describe]\nmodel = "{card}"\n{extra}\n', encoding="utf-8")
    return path


def make_bad(folder: Path, how: str) -> Path:
    """A card with a model that is bad in one way."""
    if how == "damaged":
        network = make_network(folder / "net.onnx")
        network.write_bytes(network.read_bytes()[:-500])
        return make_card(folder, network)
    if how == "not finite":
        return make_card(folder, make_network(folder / "net.onnx", broken="nan"))
    changes: dict[str, dict[str, object]] = {
        "SHA-256": {"sha256": "0" * 64},
        "promises": {"dimension": 9},
        "noise.npy": {"background": "noise.npy", "background_sha256": "0" * 64},
        "refused its input": {"input_px": 20},
        "lacks 'sha256'": {"sha256": None},
    }
    return make_card(folder, **changes[how])


BAD = ["damaged", "SHA-256", "promises", "not finite", "refused its input", "lacks 'sha256'"]


class TestBadModel:
    @pytest.mark.parametrize("how", [*BAD, "noise.npy"])
    def test_indexing_with_it_writes_nothing(self, vcd: Call, tmp_path: Path, films: Path, how: str) -> None:
        (tmp_path / "model").mkdir()
        config = settings(tmp_path, make_bad(tmp_path / "model", how))
        answer = vcd("index", films, "--library", tmp_path / "library", "--config", config)

        assert (answer.code, answer.out) == (1, b"")
        assert ("is not a network" if how == "damaged" else how) in answer.err
        assert not (tmp_path / "library").exists()

    @pytest.mark.parametrize("how", BAD)  # without a library there is no use for a background
    def test_comparing_with_it_says_why(self, vcd: Call, tmp_path: Path, clip: Path, how: str) -> None:
        (tmp_path / "model").mkdir()
        config = settings(tmp_path, make_bad(tmp_path / "model", how))
        output = tmp_path / "out.json"
        answer = vcd("compare", clip, clip, "--config", config, "--format", "json", "--output", output)

        assert (answer.code, answer.out) == (1, b"")
        assert ("is not a network" if how == "damaged" else how) in answer.err
        assert not output.exists()


class TestAnotherModel:
    def test_a_library_of_another_model_is_refused_and_stays_as_it_is(
        self, vcd: Call, tmp_path: Path, library: Path, films: Path, clip: Path
    ) -> None:
        config = settings(tmp_path, make_card(tmp_path / "model"))
        before = {path: path.stat().st_mtime_ns for path in library.rglob("*.parquet")}
        queried = vcd("query", clip, "--library", library, "--config", config)
        indexed = vcd("index", films, "--library", library, "--config", config)

        for answer in (queried, indexed):
            assert (answer.code, answer.out) == (1, b"")
            assert "made with model vcd-rmac@" in answer.err
        assert {path: path.stat().st_mtime_ns for path in library.rglob("*.parquet")} == before

    @pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
    def test_a_library_of_an_own_model_is_searched_with_it(
        self, vcd: Call, tmp_path: Path, films: Path, clip: Path, engine: str
    ) -> None:
        pytest.importorskip(engine)
        config = settings(tmp_path, make_card(tmp_path / "model"), f'engine = "{engine}"')
        assert vcd("index", films, "--library", tmp_path / "library", "--config", config).code == 0
        answer = vcd("query", clip, "--library", tmp_path / "library", "--config", config, "--format", "csv")

        assert answer.code == 0
        assert answer.rows[0]["reference"] == "a.mp4"

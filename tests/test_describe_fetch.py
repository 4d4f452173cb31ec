"""Fetching models from a real server on loopback: whole, interrupted, damaged."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made import picture
from tests.made_networks import make_background, make_card, sha256
from tests.made_server import Site, serve
from vcd.describe import make_describer
from vcd.describe.fetch import TRIES, fetch_file, fetch_model
from vcd.errors import ConfigError, ModelError

CONTENT = np.random.default_rng(0).bytes(700_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site({"net.onnx": CONTENT})) as site:
        yield site


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWhole:
    @pytest.mark.parametrize("digest", [DIGEST, DIGEST.upper(), ""])
    def test_a_file_arrives_as_it_is(self, site: Site, tmp_path: Path, digest: str) -> None:
        [path] = fetch_model(f"{site.url}/net.onnx", digest, tmp_path / "new" / "folder")

        assert path == tmp_path / "new" / "folder" / "net.onnx"
        assert path.read_bytes() == CONTENT
        assert names(path.parent) == ["net.onnx"]

    def test_a_file_that_is_there_is_not_fetched_again(self, site: Site, tmp_path: Path) -> None:
        for _ in range(2):
            fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert site.asked == [""]

    def test_another_file_of_that_name_is_replaced(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "net.onnx").write_bytes(b"old")
        fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert (tmp_path / "net.onnx").read_bytes() == CONTENT

    def test_an_empty_file_is_a_file(self, site: Site, tmp_path: Path) -> None:
        site.files["empty"] = b""

        assert fetch_file(f"{site.url}/empty", "", tmp_path / "empty").read_bytes() == b""

    def test_the_pieces_can_be_watched(self, site: Site, tmp_path: Path) -> None:
        seen: list[int] = []

        def watch(items, what, total=None):
            assert what == "fetching net.onnx"
            for item in items:
                seen.append(item)
                yield item

        fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path, watch)

        assert sum(seen) == len(CONTENT)
        assert len(seen) > 1


class TestInterrupted:
    def test_a_transfer_that_breaks_off_goes_on_where_it_was(self, site: Site, tmp_path: Path) -> None:
        site.break_off_after = [300_000, 100_000]
        [path] = fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert path.read_bytes() == CONTENT
        assert site.asked == ["", "bytes=300000-", "bytes=400000-"]

    @pytest.mark.parametrize("ranges", [True, False], ids=["of a server with ranges", "of a server without"])
    def test_what_an_earlier_run_left_is_used(self, site: Site, tmp_path: Path, ranges: bool) -> None:
        site.ranges = ranges
        (tmp_path / ".net.onnx.part").write_bytes(CONTENT[:123_456])
        [path] = fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert path.read_bytes() == CONTENT
        assert site.asked == ["bytes=123456-"]
        assert names(tmp_path) == ["net.onnx"]

    def test_a_whole_file_that_only_lacks_its_name_gets_it(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / ".net.onnx.part").write_bytes(CONTENT)
        [path] = fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert path.read_bytes() == CONTENT
        assert names(tmp_path) == ["net.onnx"]

    def test_without_a_checksum_it_begins_anew(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / ".net.onnx.part").write_bytes(b"of another file")
        [path] = fetch_model(f"{site.url}/net.onnx", "", tmp_path)

        assert path.read_bytes() == CONTENT
        assert site.asked == [""]

    def test_one_that_never_ends_is_given_up_and_kept_for_the_next_run(self, site: Site, tmp_path: Path) -> None:
        site.break_off_after = [1000] * TRIES
        with pytest.raises(ModelError, match=rf"broke off after {TRIES * 1000} of 700000 bytes; run the same command"):
            fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert names(tmp_path) == [".net.onnx.part"]
        [path] = fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)
        assert path.read_bytes() == CONTENT
        assert site.asked[-1] == f"bytes={TRIES * 1000}-"

    def test_a_file_that_changes_meanwhile_is_fetched_whole(self, site: Site, tmp_path: Path) -> None:
        site.break_off_after = [1000]
        new = CONTENT[::-1]

        def change(items, what, total=None):
            for item in items:
                if site.tag == '"1"':
                    site.tag, site.files["net.onnx"] = '"2"', new
                yield item

        [path] = fetch_model(f"{site.url}/net.onnx", "", tmp_path, change)

        assert path.read_bytes() == new

    @given(kept=st.integers(0, 3000), breaks=st.lists(st.integers(1, 3000), max_size=TRIES - 1))
    def test_wherever_it_breaks_off_the_whole_comes(
        self, tmp_path_factory: pytest.TempPathFactory, kept: int, breaks: list[int]
    ) -> None:
        content = CONTENT[:3000]
        folder = tmp_path_factory.mktemp("fetched")
        (folder / ".net.onnx.part").write_bytes(content[:kept])
        with serve(Site({"net.onnx": content}, break_off_after=breaks)) as site:
            [path] = fetch_model(f"{site.url}/net.onnx", hashlib.sha256(content).hexdigest(), folder)

        assert path.read_bytes() == content
        assert names(folder) == ["net.onnx"]


class TestDamaged:
    def test_another_content_is_refused_and_not_kept(self, site: Site, tmp_path: Path) -> None:
        site.files["net.onnx"] = CONTENT[:-1] + b"?"
        with pytest.raises(ModelError, match="nothing was kept"):
            fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert names(tmp_path) == []

    def test_a_damaged_beginning_of_an_earlier_run_is_refused_and_the_next_run_is_right(
        self, site: Site, tmp_path: Path
    ) -> None:
        (tmp_path / ".net.onnx.part").write_bytes(b"?" * 1000)
        with pytest.raises(ModelError, match="nothing was kept"):
            fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)

        assert fetch_file(f"{site.url}/net.onnx", DIGEST, tmp_path / "net.onnx").read_bytes() == CONTENT

    def test_the_old_file_stays_when_the_new_one_is_damaged(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "net.onnx").write_bytes(b"old")
        with pytest.raises(ModelError, match="SHA-256"):
            fetch_model(f"{site.url}/net.onnx", "0" * 64, tmp_path)

        assert (tmp_path / "net.onnx").read_bytes() == b"old"

    def test_a_server_that_gives_another_part_is_named(self, site: Site, tmp_path: Path) -> None:
        site.shift = 5
        (tmp_path / ".net.onnx.part").write_bytes(CONTENT[:1000])
        with pytest.raises(ModelError, match="another part"):
            fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path)


class TestNothingThere:
    def test_a_missing_file_is_named_with_the_servers_words(self, site: Site, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"/none\.onnx: cannot be fetched: the server says 404"):
            fetch_model(f"{site.url}/none.onnx", DIGEST, tmp_path / "new")

    def test_without_a_network_it_says_so(self, tmp_path: Path) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/net.onnx"
            with pytest.raises(ModelError, match="are you offline"):
                fetch_model(url, DIGEST, tmp_path)

        assert names(tmp_path) == []

    @pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://host/net.onnx", "http:///net.onnx", "http://host/"])
    def test_an_address_of_another_kind_is_refused(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ModelError, match="no http or https address of a file"):
            fetch_model(url, "", tmp_path)

    def test_a_folder_that_cannot_be_written_is_named(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(ModelError, match="cannot be written"):
            fetch_model(f"{site.url}/net.onnx", DIGEST, tmp_path / "file")


class TestCard:
    @pytest.fixture
    def published(self, tmp_path: Path, site: Site) -> Site:
        """A model with a background on the site."""
        folder = tmp_path / "published"
        folder.mkdir()
        noise = make_background(folder / "noise.npy")
        make_card(folder, background=noise.name, background_sha256=sha256(noise))
        site.files = {f"models/{path.name}": path.read_bytes() for path in folder.iterdir()}
        return site

    def test_a_card_brings_its_files_and_runs(self, published: Site, tmp_path: Path) -> None:
        card, *files = fetch_model(f"{published.url}/models/card.toml", "", tmp_path / "here")

        assert {path.name for path in files} == {"net.onnx", "noise.npy"}
        describer = make_describer(str(card))
        assert describer.describe([picture(1, 0.0)]).shape == (1, 8)
        assert len(describer.background) == 40

    def test_files_that_are_not_the_cards_are_refused(self, published: Site, tmp_path: Path) -> None:
        published.files["models/net.onnx"] += b"?"
        with pytest.raises(ModelError, match=r"net\.onnx: what came has SHA-256"):
            fetch_model(f"{published.url}/models/card.toml", "", tmp_path / "here")

    def test_a_card_that_names_a_file_elsewhere_is_refused(self, published: Site, tmp_path: Path) -> None:
        card = published.files["models/card.toml"].replace(b"net.onnx", b"../net.onnx")
        published.files["models/card.toml"] = card
        with pytest.raises(ModelError, match="outside its folder"):
            fetch_model(f"{published.url}/models/card.toml", "", tmp_path / "here")

    def test_what_is_no_card_is_named(self, published: Site, tmp_path: Path) -> None:
        published.files["models/card.toml"] = b"<html>sign in</html>"
        with pytest.raises(ConfigError, match=r"card\.toml: is not valid TOML"):
            fetch_model(f"{published.url}/models/card.toml", "", tmp_path / "here")

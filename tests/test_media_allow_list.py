"""A file leads vcd to no other file and to no network, whatever it says."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests import made_broken
from tests.made import make_video, steady
from tests.test_media_bad_input import ANYHOW, linux, reason, unopened

HOSTILE = {
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n",
    "playlist of playlists": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n",
    "playlist with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:4,\nx.ts\n#EXT-X-ENDLIST\n',
    "playlist with a map": '#EXTM3U\n#EXT-X-MAP:URI="{target}"\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n',
    "script": "ffconcat version 1.0\nfile '{target}'\n",
    "DASH manifest": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet mimeType="video/mp2t"><Representation id="1"><BaseURL>{target}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
    "smooth streaming": '<SmoothStreamingMedia MajorVersion="2"><StreamIndex Type="video" Url="{target}"/>'
    "</SmoothStreamingMedia>",
    "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\na=control:{target}\n",
    "ASX": '<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
    "SMIL": '<smil><body><video src="{target}"/></body></smil>',
    "XSPF": '<playlist version="1"><trackList><track><location>{target}</location></track></trackList></playlist>',
    "PLS": "[playlist]\nFile1={target}\nNumberOfEntries=1\n",
    "address": "{target}\n",
    "IMF": '<?xml version="1.0"?><AssetMap><AssetList><Asset><ChunkList><Chunk><Path>{target}</Path></Chunk>'
    "</ChunkList></Asset></AssetList></AssetMap>",
    "drawing": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{target}" width="9" height="9"/></svg>',
    "Avisynth": 'FFmpegSource2("{target}")\n',
    "PostScript": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({target}) run\nshowpage\n",
}


@contextmanager
def uncalled() -> Iterator[str]:
    """An address of this machine; fails when anybody has called it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/film.ts"
        with pytest.raises(BlockingIOError):
            server.accept()[0].close()


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    return make_video(tmp_path / "hidden.ts", steady(1), size=(64, 48))


@linux
def test_ffmpeg_by_itself_follows_a_playlist(tmp_path: Path, hidden: Path) -> None:
    """So the tests below would notice."""
    path = made_broken.make_playlist(tmp_path / "a.m3u8", hidden.name)

    with pytest.raises(pytest.fail.Exception), unopened(hidden), av.open(path):
        pass


def test_the_ear_hears_a_call() -> None:
    with pytest.raises(pytest.fail.Exception), uncalled() as address, pytest.raises(av.FFmpegError):
        av.open(address, timeout=0.3)


@linux
@pytest.mark.parametrize("suffix", ["mp4", "m3u8"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_text_is_not_followed(tmp_path: Path, hidden: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with unopened(hidden), uncalled() as address:
        for target in (hidden.name, f"{hidden}", f"file:{hidden}", f"concat:{hidden}|{hidden}", address):
            path.write_text(HOSTILE[kind].format(target=target))
            expected = "is an SVG drawing" if kind == "drawing" else "is not a media file, or is damaged"
            assert reason(path).startswith(expected)


@linux
@pytest.mark.parametrize("scheme", ["file://", "file:", ""])
def test_a_film_that_names_a_file_as_its_data_does_not_get_it(tmp_path: Path, scheme: str) -> None:
    hidden = make_video(tmp_path / "hidden.mp4", steady(1), size=(64, 48))
    path = made_broken.point_by_url(hidden, tmp_path / "a.mov", f"{scheme}{hidden}")
    short = made_broken.make_reference_movie(tmp_path / "b.mov", f"{scheme}{hidden}")

    with unopened(hidden):
        assert reason(path)
        assert reason(path, ANYHOW)
        assert reason(short, ANYHOW)


def test_a_film_that_names_an_address_as_its_data_does_not_get_it(tmp_path: Path) -> None:
    plain = make_video(tmp_path / "plain.mp4", steady(1), size=(64, 48))

    with uncalled() as address:
        assert reason(made_broken.point_by_url(plain, tmp_path / "a.mov", address), ANYHOW)
        assert reason(made_broken.make_reference_movie(tmp_path / "b.mov", address), ANYHOW)


@linux
@pytest.mark.parametrize(
    "name", ["concat:hidden.ts|hidden.ts", "subfile,,start,0,end,0,,:hidden.ts", "cache:hidden.ts"]
)
def test_a_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: Path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("no film")

    with unopened(hidden):
        assert reason(Path(name)) == "is not a media file, or is damaged"
        Path(name).unlink()
        assert reason(Path(name)) == "cannot be read: No such file or directory"

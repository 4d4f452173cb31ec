"""Real files as found, where they are at hand: they are not part of the repository."""

from pathlib import Path

import pytest

from tests.made import reencode
from vcd.config import Config, load_config
from vcd.pipeline import index, query
from vcd.types import Span

MEDIA = Path(__file__).parent.parent.parent / "shared" / "data" / "videos"
CUTS = {
    "clips/shared-assets-002.mp4": (20.0, 45.0),
    "clips/popcorn-js-003.mp4": (10.0, 30.0),
    "clips/videocontext-023.mp4": (2.0, 11.0),
    "long/big_buck_bunny.mp4": (300.0, 330.0),
}
"""What is cut from which film: scenes with motion and cuts."""

pytestmark = [
    pytest.mark.media,
    pytest.mark.slow,
    pytest.mark.skipif(not MEDIA.is_dir(), reason="needs the real media in ../shared/data"),
]


@pytest.fixture(scope="module", params=["default", "fast"])
def preset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def library(preset: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(preset)
    done = index([MEDIA], folder, load_config(preset))

    assert len(done.added) == 129
    assert [problem.path for problem in done.problems] == [f"{MEDIA}/formats/laracroft-cinepak-partial.avi"]
    assert "truncated" in done.problems[0].reason
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, (start_s, end_s) in CUTS.items():
        reencode(MEDIA / name, folder / Path(name).name, start_s, end_s, size=(320, 180), crf=32)
    return folder


def test_recompressed_clips_are_found_to_the_second(library: Path, clips: Path, preset: str) -> None:
    report = query([clips], library, load_config(preset))
    best = {segment.query: segment for segment in reversed(report.segments)}  # rows of a query come by falling score

    assert len(best) == len(CUTS)
    for segment in best.values():
        start_s, end_s = CUTS[segment.reference]
        assert Path(segment.query).name == Path(segment.reference).name
        for got, true in (
            (segment.query_span, Span(0, end_s - start_s)),
            (segment.reference_span, Span(start_s, end_s)),
        ):
            assert abs(got.start_s - true.start_s) <= 0.5, segment
            assert abs(got.end_s - true.end_s) <= 0.5, segment


def test_every_odd_file_finds_itself(library: Path, preset: str) -> None:
    if preset != "default":
        pytest.skip("one preset is enough")
    report = query([MEDIA / "formats"], library, Config())
    named = {(Path(segment.query).name, segment.reference) for segment in report.segments}
    found = {name for name, reference in named if reference == f"formats/{name}"}
    asked = {path.name for path in (MEDIA / "formats").iterdir()} - {"laracroft-cinepak-partial.avi"}

    assert asked - found == set()

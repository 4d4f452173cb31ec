"""Whether vcd works on this machine: every stage tried on something small, each with what was found."""

import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import av
import numpy as np

from vcd.config import Config
from vcd.describe import make_describer, prove_describer
from vcd.errors import VcdError
from vcd.library import Library, LibraryWriter, is_library
from vcd.media import open_media
from vcd.workers import usable_cores

PACKAGES = ("numpy", "av", "opencv-python-headless", "faiss-cpu", "pyarrow", "openvino")
DECODERS = ("h264", "hevc", "vp9", "av1", "mpeg2video")
LEAST_FREE_BYTES = 200_000_000
"""Of the folder for unfinished files: a library's index is written there before it replaces the old one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried."""

    what: str
    found: str
    works: bool


def examine_machine(library: Path, config: Config) -> list[Check]:
    """Each check by itself: one that fails does not keep the others from being tried."""
    tries: dict[str, Callable[[], str]] = {
        "system": _system,
        "packages": lambda: ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "decoders": _decoders,
        "video": lambda: _film(config),
        "model": lambda: _model(config),
        "folder for unfinished files": lambda: _free_space(Path(tempfile.gettempdir())),
        "new library": lambda: _new_library(library, config),
        "library": lambda: _library(library, config),
    }
    return [_try(what, attempt) for what, attempt in tries.items()]


def _try(what: str, attempt: Callable[[], str]) -> Check:
    try:
        return Check(what, attempt(), works=True)
    except (VcdError, OSError, RuntimeError, ImportError, ValueError) as error:
        return Check(what, str(error) or type(error).__name__, works=False)


def _system() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {usable_cores()} cores"


def _decoders() -> str:
    missing = [name for name in DECODERS if name not in av.codecs_available]
    if missing:
        raise RuntimeError(f"this build of PyAV lacks {', '.join(missing)}; files of that kind cannot be read")
    return ", ".join(DECODERS)


def _film(config: Config) -> str:
    """Encode a second of noise and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "doctor.mp4")
        rng = np.random.default_rng(0)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            for _ in range(10):
                picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        frames = list(open_media(path, config.media).frames(config.media.query))
    return f"written and read back, {len(frames)} frames sampled"


def _model(config: Config) -> str:
    describe = config.describe
    describer = make_describer(describe.model, describe.engine, describe.precision)
    prove_describer(describer)
    return f"{describer.card.identity}, {describer.card.dimension} numbers a frame"


def _free_space(folder: Path) -> str:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < LEAST_FREE_BYTES:
        raise OSError(f"{folder}: only {free_bytes / 1e6:.0f} MB are free; make room, or set TMPDIR to another folder")
    return f"{folder}, {free_bytes / 1e9:.1f} GB free"


def _new_library(library: Path, config: Config) -> str:
    """Locks and atomic renames must work where the library lies or is to lie."""
    place = next(folder for folder in library.absolute().parents if folder.is_dir())
    with (
        tempfile.TemporaryDirectory(dir=place, prefix=".vcd-doctor-") as folder,
        LibraryWriter.open_or_create(Path(folder, "library"), config.library, "doctor", 8, {}),
    ):
        pass
    return f"can be made in {place}"


def _library(folder: Path, config: Config) -> str:
    if not is_library(folder):
        return f"none at {folder} yet; make one with `vcd index FOLDER`"
    return f"{folder}, {len(Library(folder, config.library))} references"

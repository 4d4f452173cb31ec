"""All settings: what they mean, their defaults and limits, and how a TOML file fills them.

Precedence: defaults below < preset < TOML file < command line. A key that vcd does not know is an error.
"""

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from vcd.errors import ConfigError, suggest

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Within:
    """The values that a number may take, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """Which moments of a video are looked at."""

    mode: Literal["iframe", "scene", "uniform", "hybrid"] = "hybrid"
    """iframe: frames that decode alone. scene: the first frame after each change of scene. uniform: one frame
    every gap_s. hybrid: I-frames, and more where two of them are further apart than gap_s."""
    gap_s: Annotated[float, Within(0.02, 600)] = 1.0
    """uniform: the step. hybrid: the largest gap between two sampled frames; less in files of a few seconds. Not used
    by the other modes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaConfig:
    """How files are read."""

    query: SampleConfig = SampleConfig(gap_s=1.0)
    """Queries are sampled densely ..."""
    reference: SampleConfig = SampleConfig(gap_s=2.0)
    """... references sparsely."""
    short_side_px: Annotated[int, Within(32, 4096)] = 224
    """Pictures are made this small while decoding, by their shorter side; small pictures stay as they are."""
    max_pixels: Annotated[int, Within(1, 2**31)] = 200_000_000
    """A picture with more pixels than this is refused."""
    max_frames: Annotated[int, Within(1, 2**31)] = 5_000_000
    """A file with more frames than this is refused; this many are two days at 30 a second."""
    max_streams: Annotated[int, Within(1, 1000)] = 200
    """A file with more streams (pictures, sounds, subtitles) than this is refused."""
    memory_mb: Annotated[int, Within(512, 2**20)] = 4096
    """A file that makes its worker process need more than this is given up; a worker at rest takes about 300 MB."""
    timeout_s: Annotated[float, Within(1, 1e6)] = 3600.0
    """A file that takes longer than this is given up, and named in the problems."""
    hardware: Literal["none", "cuda", "vaapi", "qsv", "videotoolbox"] = "none"
    """What decodes, beside the processor; an error where the machine or PyAV does not have it. Codecs that it does not
    know are decoded by the processor."""
    accept_truncated: bool = False
    """Use what can be read of a file that ends early, instead of refusing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeConfig:
    """How a frame becomes a vector."""

    model: str = "vcd-rmac"
    """A built-in model's name, or the path of a model card (``.toml``) beside an ONNX or TorchScript file."""
    engine: Literal["auto", "onnxruntime", "onnxruntime-cuda", "openvino"] = "auto"
    """What runs the model's network. auto: the one that comes with vcd. Another one must be installed."""
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
    """What the network computes in. auto: what the model's card says where engine and processor have it, else fp32.
    Vectors of one model fit together whatever they were computed in."""
    mirrored: bool = True
    """Also look for mirrored copies: costs a second search of each query, not a second decoding."""
    layout: bool = True
    """Look in each query for borders, pictures side by side and pictures in pictures, and search each part as well."""
    parts: bool = False
    """Also search the centre and the four halves of each query, for layouts that cannot be seen."""
    turned: Literal["never", "likely", "always"] = "likely"
    """Also look for copies that were turned by quarters. likely: of still pictures, and of upright films in which no
    layout was found."""
    batch: Annotated[int, Within(1, 4096)] = 32
    """Frames described at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryConfig:
    """How vectors are searched. These may change at any time: the index is derived."""

    index: Literal["auto", "exact", "hnsw", "ivf-sq8", "ivf-pq"] = "auto"
    """auto: by the number of frames. Under 50,000, exact: every vector is compared, nothing is missed. To 1 million,
    hnsw: approximate, fast, 784 bytes a frame at 256 dimensions. Above, ivf-sq8: 270 bytes, similarities to two
    decimals. Above 10 million where memory is short, ivf-pq: 80 bytes in memory, and 512 on the disk that are read as
    they are needed; auto never takes it. docs/scale.md has the measurements, on generated vectors."""
    links: Annotated[int, Within(4, 128)] = 32
    """HNSW: links of a node (M); more find more, and take memory: 8 bytes each."""
    effort_build: Annotated[int, Within(8, 4096)] = 128
    """HNSW: efConstruction."""
    effort_search: Annotated[int, Within(8, 16384)] = 256
    """HNSW: efSearch; more finds more, and takes time in proportion."""
    probes: Annotated[int, Within(1, 16384)] = 64
    """ivf-sq8, ivf-pq: lists that a query looks into, of 4 sqrt(frames) and at most 16384."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """Which references are worth aligning."""

    neighbours: Annotated[int, Within(1, 16384)] = 128
    """Reference frames fetched for each query frame; large, because time prunes later."""
    candidates: Annotated[int, Within(1, 10000)] = 30
    """References aligned with a query, best first."""
    normalise: Annotated[float, Within(0, 2)] = 1.0
    """How much of a query frame's likeness to the model's background set is taken off its similarities (beta of score
    normalisation); 0: nothing. Models without such a set are not affected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignConfig:
    """How frame matches become segments."""

    aligner: Literal["vote", "temporal-network", "hough", "dynamic-programming", "extrapolation", "exhaustive"] = "vote"
    """vote is the one to use; the others are there to be compared with, and know fewer tricks or take much longer."""
    min_speed: Annotated[float, Within(0.1, 1)] = 0.5
    """Slowest copy looked for: reference seconds per query second."""
    max_speed: Annotated[float, Within(1, 10)] = 2.0
    backwards: bool = True
    """Also look for copies that are played backwards."""
    max_segments: Annotated[int, Within(1, 1000)] = 20
    """Segments looked for in one pair of files."""
    min_length_s: Annotated[float, Within(0, 3600)] = 2.0
    """Shorter copies are not reported, but for whole files that are shorter; stills have no length."""
    merge_gap_s: Annotated[float, Within(0, 3600)] = 5.0
    """Pieces of one line closer than this become one segment."""
    refine: bool = True
    """Decode both files around the ends of each segment to find them exactly, where the files can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyConfig:
    """Where local features of both files' pictures are compared, to tell a copy from what only looks alike."""

    when: Literal["never", "grey", "always"] = "grey"
    """grey: segments whose score says too little. always: all segments."""
    grey_from: Annotated[float, Within(0, 1)] = 0.05
    """Scores from here on ..."""
    grey_to: Annotated[float, Within(0, 1)] = 0.98
    """... to here are grey."""
    features: Literal["sift", "orb", "learned"] = "sift"
    """sift: sure. orb: several times as fast, and blind where a copy is much smaller or blurred. learned: from the
    feature map of the descriptor's network, for models that name one; slower, and sure of blurred copies."""
    pairs: Annotated[int, Within(1, 100)] = 6
    """Moments of a segment that are looked at."""
    stills: Annotated[int, Within(0, 10_000)] = 8
    """References beside the probable ones, best first, that a single picture is compared with: in a large library
    much looks a little like it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashesConfig:
    """Perceptual hashes, by the extra `hashes`: see docs/hashes.md."""

    kinds: tuple[Literal["pdq", "phash", "dhash", "whash", "crop-resistant"], ...] = ()
    """Those that are stored with each reference, of the frames that are described."""
    filter: Literal["off", "same", "near"] = "off"
    """What is answered at once and looked into no further. same: files with the bytes of a reference. near: also those
    that a reference shows nearly all of by the stored hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """Which segments are shown."""

    min_score: Annotated[float, Within(0, 1)] = 0.5
    """Segments less probable than this are left out."""
    top: Annotated[int, Within(0, 1_000_000)] = 0
    """At most this many segments for each query, best first; 0: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set."""

    media: MediaConfig = field(default_factory=MediaConfig)
    describe: DescribeConfig = field(default_factory=DescribeConfig)
    library: LibraryConfig = field(default_factory=LibraryConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    hashes: HashesConfig = field(default_factory=HashesConfig)
    report: ReportConfig = field(default_factory=ReportConfig)

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @property
    def digest(self) -> str:
        """Short name for exactly these settings, written beside every result."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:12]


def load_config(name_or_file: str | None = None) -> Config:
    """Read a preset by its name, or a TOML file by its path; None gives the defaults.

    A file starts from the preset that its key ``preset`` names, else from the defaults. Raises `ConfigError` for an
    unknown preset, an unreadable file, an unknown key or a bad value.
    """
    if name_or_file is None:
        return Config()
    presets = find_presets()
    if name_or_file in presets:
        return _read_preset(name_or_file, presets)
    path = Path(name_or_file)
    if path.suffix != ".toml" and not path.exists():
        raise ConfigError(f"unknown preset {name_or_file!r}; {suggest(name_or_file, presets)}")
    values = read_toml(path)
    base = values.pop("preset", "default")
    if str(base) not in presets:
        raise ConfigError(f"{path}: preset must name a preset, not {base!r}; {suggest(str(base), presets)}")
    return parse_config(values, str(path), _read_preset(base, presets))


def _read_preset(name: str, presets: Mapping[str, Path]) -> Config:
    return parse_config(read_toml(presets[name]), str(presets[name]))


def find_presets() -> dict[str, Path]:
    """The TOML files of ``configs/`` by name: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).parent
    folder = here / "configs" if (here / "configs").is_dir() else here.parent / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_toml(path: Path) -> dict[str, Any]:
    """Raises `ConfigError` when the file cannot be read or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def parse_config(values: Mapping[str, Any], where: str, base: Config | None = None) -> Config:
    """Put nested tables over `base`, or over the defaults; ``where`` names their origin in errors."""
    return fill(base or Config(), values, where)


def fill(defaults: C, values: Mapping[str, Any], where: str, prefix: str = "") -> C:
    """`defaults` (a dataclass) with `values` put over it, each checked against its field's type."""
    hints = get_type_hints(type(defaults), include_extras=True)
    changes = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"{where}: unknown setting {prefix + key!r}; {suggest(key, hints)}")
        current = getattr(defaults, key)
        if dataclasses.is_dataclass(current) and not isinstance(current, type):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: {prefix + key!r} is a table, not {value!r}")
            changes[key] = fill(current, value, where, f"{prefix}{key}.")
        else:
            changes[key] = _check(hints[key], value, where, prefix + key)
    return dataclasses.replace(defaults, **changes)  # type: ignore[type-var]


def _check(hint: Any, value: Any, where: str, key: str) -> Any:
    """`value` if it fits the annotation, a whole number turned into a float where one is wanted."""
    within = None
    if get_origin(hint) is Annotated:
        hint, within = get_args(hint)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            wanted = ", ".join(repr(choice) for choice in get_args(hint))
            raise ConfigError(f"{where}: {key} must be one of {wanted}, not {value!r}")
        return value
    if get_origin(hint) is tuple:
        return _check_all(hint, value, where, key)
    is_whole = hint is float and type(value) is int
    if type(value) is not hint and not is_whole:
        raise ConfigError(f"{where}: {key} must be of type {hint.__name__}, not {value!r}")
    if within is not None and not within.low <= value <= within.high:
        raise ConfigError(f"{where}: {key} must lie between {within.low} and {within.high}, not {value!r}")
    return float(value) if is_whole else value


def _check_all(hint: Any, value: Any, where: str, key: str) -> tuple[Any, ...]:
    """A list whose every item fits: of any length for ``tuple[int, ...]``, else of the annotation's."""
    items = get_args(hint)
    if not isinstance(value, list) or (items[-1] is not Ellipsis and len(value) != len(items)):
        length = "" if items[-1] is Ellipsis else f"{len(items)} "
        raise ConfigError(f"{where}: {key} must be a list of {length}items, not {value!r}")
    return tuple(_check(items[0], item, where, key) for item in value)

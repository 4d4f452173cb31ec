"""Stage 2: `Frame`s -> `Descriptors`.

`describer` is what a model must do; `regional_dct` is the built-in one that needs no weights; `network` runs an
ONNX file through an `engine` as its `card` says; `frames` puts times, vectors and quality together.
"""

from vcd.describe.card import ModelCard
from vcd.describe.describer import Describer
from vcd.describe.frames import describe_frames
from vcd.describe.models import MODELS, load_card, make_describer, prove_describer
from vcd.describe.weights import load_background

__all__ = [
    "MODELS",
    "Describer",
    "ModelCard",
    "describe_frames",
    "load_background",
    "load_card",
    "make_describer",
    "prove_describer",
]

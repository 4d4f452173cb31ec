"""Stage 2: `Frame`s -> `Descriptors`.

`describer` is what a model must do; `regional_dct` is the built-in one that needs no weights; `network` runs an
ONNX file through an `engine` as its `card` says; `views` says how to look at a query; `frames` puts times, vectors
and `quality` together.
"""

from vcd.describe.card import ModelCard
from vcd.describe.describer import Describer
from vcd.describe.frames import describe_frames
from vcd.describe.models import MODELS, load_card, make_describer, prove_describer
from vcd.describe.views import choose_views, short_side_for
from vcd.describe.weights import load_background

__all__ = [
    "MODELS",
    "Describer",
    "ModelCard",
    "choose_views",
    "describe_frames",
    "load_background",
    "load_card",
    "make_describer",
    "prove_describer",
    "short_side_for",
]

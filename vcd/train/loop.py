"""The training itself: batches -> weights, with checkpoints from which it goes on."""

import dataclasses
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vcd.errors import SetupError
from vcd.train.batches import stream
from vcd.train.config import TrainConfig
from vcd.train.loss import Queue, info_nce, koleo, nearest_other
from vcd.train.network import Network, normalise
from vcd.train.pictures import Pictures
from vcd.types import Progress, quiet

AVERAGE = 0.999
"""Of the running mean of the weights, which is what a training gives: smoother than its last step."""
LOG_EVERY = 50
FREE = {
    "steps", "save_every", "small_px", "large_px", "small_share", "decay_share", "queue_share", "spread",
    "learning_rate",
}  # fmt: skip
"""Settings that a resumed training may change: they shape what is left to do, not what was done."""


class Training:
    """Weights, their running mean, the optimiser and the queue: all that a checkpoint holds."""

    def __init__(self, config: TrainConfig, device: str) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device = config, device
        self.network = Network(config).to(device, memory_format=torch.channels_last)
        self.mean = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE), use_buffers=True)
        flat = [p for p in self.network.parameters() if p.ndim < 2]
        deep = [p for p in self.network.parameters() if p.ndim >= 2]
        groups: list[dict[str, Any]] = [
            {"params": deep, "weight_decay": config.weight_decay},
            {"params": flat, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))
        self.queue = Queue(config.queue, config.dimension, device)
        self.step = 0

    def run_step(self, views: Tensor, pictures: Tensor) -> dict[str, float]:
        """One step of the optimiser; gives what the log says of it."""
        views, pictures = views.to(self.device), pictures.to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, self.config)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            vectors = self.network(normalise(views)).float()
        nce = info_nce(vectors, pictures, self.queue, self.config.temperature)
        nearest = nearest_other(vectors, pictures)
        spread = koleo(nearest)
        ramp = min(1.0, self.step / max(1, 2 * self.config.warm_up))
        loss = nce + self.config.spread * ramp * spread
        if not torch.isfinite(loss):
            raise SetupError(f"the loss is {float(loss)} at step {self.step}; take a smaller learning_rate")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.mean.update_parameters(self.network)
        if self.step >= (1 - self.config.queue_share) * self.config.steps:
            self.queue.push(vectors, torch.cat([pictures, pictures]))
        self.step += 1
        half = len(pictures)
        positive = (vectors[:half] * vectors[half:]).sum(dim=1).mean()
        values = {"info_nce": nce, "koleo": spread, "positive": positive, "nearest_negative": nearest.mean()}
        return {name: value.item() for name, value in values.items()}

    def save(self, path: Path) -> None:
        """Write a checkpoint whole or not at all."""
        state = {
            "config": dataclasses.asdict(self.config), "step": self.step,
            "network": self.network.state_dict(), "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "queue": (self.queue.vectors, self.queue.pictures, self.queue.next),
        }  # fmt: skip
        unfinished = path.with_suffix(".tmp")
        torch.save(state, unfinished)
        unfinished.rename(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; raises `SetupError` when it is of another recipe."""
        state = read_checkpoint(path, self.device)
        for name, value in dataclasses.asdict(self.config).items():
            if name not in FREE and state["config"].get(name) != value:
                raise SetupError(
                    f"{path}: was made with {name} = {state['config'].get(name)!r}, not {value!r}; "
                    "start in another folder, or keep that setting"
                )
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.queue.vectors, self.queue.pictures, self.queue.next = state["queue"]
        self.step = state["step"]


def read_checkpoint(path: Path, device: str) -> dict[str, Any]:
    """Raises `SetupError` when the file is no checkpoint."""
    try:
        found = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise SetupError(f"{path}: is not a checkpoint of a training: {error}") from error
    if not isinstance(found, dict) or not {"config", "step", "network", "mean"} <= found.keys():
        raise SetupError(f"{path}: is not a checkpoint of a training")
    return found


def rate_at(step: int, config: TrainConfig) -> float:
    """Learning rate: a linear warm-up, a plateau, a linear decay to 0 (so that a training may be resumed longer)."""
    decay = max(1.0, config.decay_share * config.steps)
    left = (config.steps - step) / decay
    risen = (step + 1) / max(1, config.warm_up)
    return config.learning_rate * max(0.0, min(1.0, risen, left))


def train(pictures: Pictures, config: TrainConfig, work: Path, workers: int = 1, progress: Progress = quiet) -> Path:
    """Train to the last step, going on from ``work/checkpoint.pt`` if it is there; gives the checkpoint's path.

    Every `LOG_EVERY` steps a line is added to ``work/log.jsonl``: means of the loss's parts, of the cosine of the two
    views of a picture and of that to the nearest other picture, views a second, and the share of the time in which the
    network waited for views.
    """
    checkpoint = work / "checkpoint.pt"
    training = Training(config, "cuda" if torch.cuda.is_available() else "cpu")
    if checkpoint.exists():
        training.load(checkpoint)
    log = Log(work / "log.jsonl")
    batches = _timed(stream(pictures, config, training.step, workers))
    for waited_s, batch in progress(batches, "training", config.steps - training.step):
        log.note({**training.run_step(batch.views, batch.pictures), "waited": waited_s}, len(batch.views))
        is_last = training.step == config.steps
        if training.step % LOG_EVERY == 0 or is_last:
            log.write(training.step, rate_at(training.step, config), batch.views.shape[1])
        if training.step % config.save_every == 0 or is_last:
            training.save(checkpoint)
    return checkpoint


class Log:
    """Means over some steps, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        self._sums: dict[str, float] = {}
        self._steps = self._views = 0
        self._started = time.monotonic()

    def note(self, values: Mapping[str, float], views: int) -> None:
        self._sums = {name: self._sums.get(name, 0.0) + value for name, value in values.items()}
        self._steps += 1
        self._views += views

    def write(self, step: int, rate: float, side_px: int) -> None:
        passed_s = time.monotonic() - self._started
        means = {name: round(total / self._steps, 4) for name, total in self._sums.items() if name != "waited"}
        speed = {"views_per_s": round(self._views / passed_s, 1), "waited": round(self._sums["waited"] / passed_s, 3)}
        line = {"step": step, **means, "rate": rate, "side_px": side_px, **speed}
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        self._start()


def _timed(batches: Iterator[Any]) -> Iterator[tuple[float, Any]]:
    """Each batch with the seconds that it was waited for."""
    while True:
        asked = time.monotonic()
        batch = next(batches, None)
        if batch is None:
            return
        yield time.monotonic() - asked, batch

"""A tone, so that a film has sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

RATE = 48_000
"""Samples a second; the one rate that all encoders know."""


def add_sound(container: OutputContainer, codec: str | None = None) -> AudioStream:
    """A mono stream in the container's usual codec; to be called before anything is written."""
    usual = {"webm": "libopus", "matroska": "aac", "avi": "pcm_s16le", "mpegts": "aac", "asf": "libmp3lame"}
    codec = codec or usual.get(container.format.name, container.default_audio_codec)
    return container.add_stream(codec, rate=RATE, layout="mono")


def encode_sound(stream: AudioStream, length_s: float, start_s: float = 0.0) -> list[Packet]:
    """All packets of a 440 Hz tone."""
    moments_s = np.arange(round(length_s * RATE)) / RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * moments_s)).astype(np.float32)[None]
    whole = av.AudioFrame.from_ndarray(wave, format="flt", layout="mono")
    whole.sample_rate, whole.pts, whole.time_base = RATE, round(start_s * RATE), Fraction(1, RATE)
    if not stream.codec_context.is_open:
        stream.codec_context.open()
    resampler = av.AudioResampler(stream.format.name, "mono", RATE, frame_size=stream.frame_size or 1024)
    packets = []
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def make_audio(path: Path, length_s: float = 2.0) -> Path:
    """A file with sound and no picture: .m4a .mp3 .flac .mka .wav .ogg, or .mp4 with a sound stream only."""
    with av.open(path, "w") as container:
        stream = add_sound(container)
        container.mux(encode_sound(stream, length_s))
    return path

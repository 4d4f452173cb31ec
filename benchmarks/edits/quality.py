"""Edits of the encoding, of the colours, and of the rate of frames."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from benchmarks.edits.film import FRAMES_PER_S, SAMPLED, Context, Edit, Film, TimeMap, even

NOT_X264 = {"preset": "", "crf": ""}
"""Options that only x264 and x265 know, taken away."""


def crf(film: Film, context: Context) -> Film:
    return film.encoded(crf=context.level(31, 37, 43))


def bitrate(film: Film, context: Context) -> Film:
    # the second number is what any film needs, however small
    per_px, least = context.level((1.4, 9000), (0.6, 6000), (0.25, 4000))
    per_s = int(film.size.width_px * film.size.height_px * per_px) + least
    return film.encoded(**{"crf": "", "b:v": per_s, "maxrate": per_s, "bufsize": 2 * per_s})


def codec(film: Film, context: Context) -> Film:
    """HEVC, then MPEG-4 Visual with fewer and fewer bits: blocks where H.264 would blur."""
    if context.strength == "mild":
        quiet = "log-level=none:pools=none:frame-threads=1"
        return film.encoded(**{"c:v": "libx265", "preset": "ultrafast", "crf": 30, "x265-params": quiet})
    return film.encoded(**{**NOT_X264, "c:v": "mpeg4", "q:v": context.level(0, 10, 26)})


def gop(film: Film, context: Context) -> Film:
    """Key frames every half second; every 10 s; none but the first."""
    return film.encoded(g=context.level(12, 250, 100_000), sc_threshold=0, bf=2)


def resolution(film: Film, context: Context) -> Film:
    scale = context.level(2 / 3, 0.4, 0.27)
    return film.sized(film.size.scaled(scale))


def blur(film: Film, context: Context) -> Film:
    return film.filtered("gblur", sigma=round(film.size.height_px * context.level(0.004, 0.01, 0.02), 2))


def noise(film: Film, context: Context) -> Film:
    seed = int(context.random.integers(1, 2**31 - 1))
    return film.filtered("noise", alls=context.level(14, 30, 60), allf="t", all_seed=seed)


def contrast(film: Film, context: Context) -> Film:
    low, high = context.level((0.75, 1.35), (0.55, 1.7), (0.38, 2.3))
    return film.filtered("eq", contrast=context.either(low, high))


def brightness(film: Film, context: Context) -> Film:
    shift = context.level(0.1, 0.2, 0.33)
    return film.filtered("eq", brightness=context.either(-shift, shift))


def gamma(film: Film, context: Context) -> Film:
    power = context.level(1.35, 1.9, 2.8)
    return film.filtered("eq", gamma=round(context.either(power, 1 / power), 4))


def saturation(film: Film, context: Context) -> Film:
    low, high = context.level((0.6, 1.5), (0.3, 2.2), (0.12, 3.0))
    return film.filtered("eq", saturation=context.either(low, high))


def gray(film: Film, context: Context) -> Film:
    """Gray; gray with a brown tint; gray with hard contrast."""
    plain = film.filtered("hue", s=0)
    if context.strength == "medium":
        return plain.filtered("colorbalance", rm=0.25, gm=0.05, bm=-0.25)
    return plain.filtered("eq", contrast=1.8) if context.strength == "hard" else plain


def frame_drop(film: Film, context: Context) -> Film:
    """Frames are left out at random, never the first; those that stay keep their times."""
    share, seed = context.level(0.1, 0.3, 0.6), int(context.random.integers(1, 2**31 - 1))
    return film.filtered("select", f"if(eq(n,0),1+0*st(0,{seed}),gt(random(0),{share}))")


def frame_rate(film: Film, context: Context) -> Film:
    return film.filtered("fps", context.level(20, 12, 6), **SAMPLED)


def at_speed(film: Film, speed: Fraction) -> Film:
    """Played so much faster, at the same rate of frames; the sound keeps its pitch."""
    # in a fine time base, or setpts would round to whole frames of the old rate
    moved = film.video.filter("settb", "1/1000000").filter("setpts", f"PTS*{speed.denominator}/{speed.numerator}")
    video = moved.filter("fps", FRAMES_PER_S, **SAMPLED)
    audio = film.audio.filter("atempo", float(speed)) if film.audio is not None else None
    return replace(film, video=video, audio=audio).retimed(TimeMap(1 / speed), film.length_s / speed)


def speed(film: Film, context: Context) -> Film:
    slow, fast = context.level(
        (Fraction(9, 10), Fraction(11, 10)), (Fraction(6, 5), Fraction(6, 5)), (Fraction(4, 5), Fraction(3, 2))
    )
    return at_speed(film, context.either(slow, fast))


def reverse(film: Film, context: Context) -> Film:
    """Played backwards; at medium and hard also faster."""
    audio = film.audio.filter("areverse") if film.audio is not None else None
    turned = replace(film, video=film.video.filter("reverse"), audio=audio)
    backwards = turned.retimed(TimeMap(Fraction(-1), film.length_s), film.length_s)
    faster = context.level(Fraction(1), Fraction(11, 10), Fraction(6, 5))
    return backwards if faster == 1 else at_speed(backwards, faster)


def slow_zoom(film: Film, context: Context) -> Film:
    """The camera draws nearer and goes away again, over and over; at its nearest it shows 1 / zoom of the width."""
    depth, period = context.level(0.15, 0.4, 0.9), context.level(500, 400, 300)
    size, x, y = film.size, context.within(0.3, 0.7), context.within(0.3, 0.7)
    zoom = f"1+{depth / 2}*(1-cos(2*PI*on/{period}))"
    # zoompan moves in whole pixels of its input: twice the size halves the shaking
    larger = film.filtered("scale", even(2 * size.width_px), even(2 * size.height_px), flags="bilinear")
    return larger.filtered(
        "zoompan",
        z=zoom, x=f"(iw-iw/zoom)*{x:.3f}", y=f"(ih-ih/zoom)*{y:.3f}", d=1, fps=25,
        s=f"{size.width_px}x{size.height_px}",
    ).filtered("setsar", 1)  # fmt: skip


QUALITY: Mapping[str, Edit] = {
    "crf": Edit(crf, "quality"),
    "bitrate": Edit(bitrate, "quality"),
    "codec": Edit(codec, "quality"),
    "gop": Edit(gop, "quality"),
    "resolution": Edit(resolution, "rate"),
    "blur": Edit(blur, "colour"),
    "noise": Edit(noise, "colour"),
    "contrast": Edit(contrast, "colour"),
    "brightness": Edit(brightness, "colour"),
    "gamma": Edit(gamma, "colour"),
    "saturation": Edit(saturation, "colour"),
    "gray": Edit(gray, "colour"),
    "frame-drop": Edit(frame_drop, "rate"),
    "frame-rate": Edit(frame_rate, "rate"),
    "speed": Edit(speed, "time"),
    "reverse": Edit(reverse, "time"),
    "slow-zoom": Edit(slow_zoom, "frame"),
}

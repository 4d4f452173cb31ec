"""Edits that lay something over the picture: text, logos, stickers, and a screen's pattern."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.edits.drawings import caption, logo, moire, sticker, watermark
from benchmarks.edits.film import Context, Edit, Film, even
from benchmarks.edits.framing import perspective


def text(film: Film, context: Context) -> Film:
    """Lines of text that stay, covering up to so much of the height, from above or from below."""
    lines, share = context.level((1, 0.1), (2, 0.13), (3, 0.16))
    height = even(film.size.height_px * share)
    above = context.either(True, False)
    for line in range(lines):
        y_px = round((0.03 * film.size.height_px) + line * height * 1.1)
        top = context.draw(caption(height, context.random, ground=context.level(0, 110, 255)))
        film = film.with_overlay(top, "(W-w)/2", y_px if above else film.size.height_px - y_px - height)
    return film


def subtitle(film: Film, context: Context) -> Film:
    """Text that runs from right to left over and over."""
    height = even(film.size.height_px * context.level(0.08, 0.14, 0.22))
    top = context.draw(caption(height, context.random, ground=context.level(0, 120, 220), words=context.level(1, 3, 5)))
    pace = film.size.width_px * context.within(0.12, 0.25)
    y_px = film.size.height_px - height - even(film.size.height_px * 0.03) if context.random.random() < 0.8 else 16
    return film.with_overlay(top, f"W-mod(t*{pace:.2f},W+w)", y_px)


def _corner(film: Film, context: Context) -> tuple[str, str]:
    gap = round(0.04 * film.size.height_px)
    return context.either(str(gap), f"W-w-{gap}"), context.either(str(gap), f"H-h-{gap}")


def station_logo(film: Film, context: Context) -> Film:
    width = even(film.size.width_px * context.level(0.1, 0.2, 0.33))
    return film.with_overlay(context.draw(logo(width, context.random)), *_corner(film, context))


def water_mark(film: Film, context: Context) -> Film:
    """Translucent text: one row, three rows, five rows."""
    opacity, rows = context.level((0.2, 1), (0.35, 3), (0.55, 5))
    size_px = (film.size.width_px, film.size.height_px)
    return film.with_overlay(context.draw(watermark(size_px, context.random, opacity, rows)), 0, 0)


def logo_blur(film: Film, context: Context) -> Film:
    """A corner of the picture blurred, as by one who takes a logo away."""
    share = context.level(0.16, 0.28, 0.42)
    size = film.size.scaled(share)
    x_px = context.either(0.04, 0.96 - share) * film.size.width_px
    y_px = context.either(0.04, 0.96 - share) * film.size.height_px
    under, over = film.copies(2)
    corner = over.filter("crop", size.width_px, size.height_px, int(x_px), int(y_px))
    return replace(film, video=under).with_overlay(corner.filter("gblur", sigma=12), int(x_px), int(y_px))


def stickers(film: Film, context: Context) -> Film:
    """Stickers that wander about, each on a path of its own."""
    side = even(film.size.height_px * context.level(0.18, 0.22, 0.27))
    for _ in range(context.level(1, 3, 6)):
        x, y = context.within(0.05, 0.95), context.within(0.05, 0.95)
        pace, turn = context.within(0.3, 1.2), context.within(0, 6.28)
        top = context.draw(sticker(side, context.random))
        film = film.with_overlay(
            top, f"(W-w)*({x:.3f}+0.15*sin({pace:.3f}*t+{turn:.3f}))", f"(H-h)*({y:.3f}+0.15*cos({pace:.3f}*t))"
        )
    return film


def screen(film: Film, context: Context) -> Film:
    """Filmed from a screen: moire, another gamma, washed-out colours, seen from the side, dark all around."""
    size_px = (film.size.width_px, film.size.height_px)
    seen = film.with_overlay(context.draw(moire(size_px, context.random, context.level(0.2, 0.35, 0.55))), 0, 0)
    power = context.level(1.15, 1.4, 1.8)
    seen = seen.filtered("eq", gamma=context.either(power, 1 / power), contrast=context.level(0.95, 0.85, 0.7),
                         saturation=context.level(0.9, 0.75, 0.55))  # fmt: skip
    seen = perspective(seen, context).filtered("gblur", sigma=context.level(0.4, 0.8, 1.3))
    outer = film.size.scaled(context.level(1.06, 1.15, 1.3))
    x_px = int((outer.width_px - film.size.width_px) * context.within(0.3, 0.7))
    y_px = int((outer.height_px - film.size.height_px) * context.within(0.3, 0.7))
    return seen.padded(outer, x_px, y_px, "0x101014").sized(film.size)


OVERLAYS: Mapping[str, Edit] = {
    "text": Edit(text, "overlay"),
    "subtitle": Edit(subtitle, "overlay"),
    "logo": Edit(station_logo, "overlay"),
    "watermark": Edit(water_mark, "overlay"),
    "logo-blur": Edit(logo_blur, "overlay"),
    "sticker": Edit(stickers, "overlay"),
    "screen": Edit(screen, "layout"),
}

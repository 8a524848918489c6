"""Lines in a coordinate system as SVG: small, without a library, and the same bytes for the same figures.

A plot is {"file", "title", "x", "y", "lines": [{"name", "points": [[x, y], ...]}]}; y begins at 0, x is logarithmic unless
"linear" is true."""

import math
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 90
COLOURS = ("#1f6fb4", "#d1662b", "#2c8a4b", "#8e4bb0", "#7a7a7a", "#b02a4c")


def svg(plot: dict) -> str:
    xs = [x for line in plot["lines"] for x, _ in line["points"]]
    highest = max(y for line in plot["lines"] for _, y in line["points"])
    step = _step(highest)
    top = step * math.ceil(highest / step)
    scale = float if plot.get("linear") else math.log10
    low, high = scale(min(xs)), scale(max(xs))

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((scale(x) - low) / (high - low) if high > low else 0.5)

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    parts = [_text(LEFT, 26, plot["title"], size=16), *_vertical_axis(plot, step, top, up), *_horizontal_axis(plot, xs, across)]
    for number, line in enumerate(plot["lines"]):
        colour = COLOURS[number % len(COLOURS)]
        places = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in sorted(line["points"]))
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in line["points"]]
        at = RIGHT + number * (WIDTH - 2 * RIGHT) / len(plot["lines"])
        parts.append(f'<rect x="{at:.0f}" y="{HEIGHT - 24}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(at + 17, HEIGHT - 14, line["name"], size=11))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _vertical_axis(plot: dict, step: float, top: float, up) -> list:
    parts = [f'<text transform="translate(16 {HEIGHT / 2:.0f}) rotate(-90)" font-size="12" text-anchor="middle">'
             f"{escape(plot['y'])}</text>"]  # fmt: skip
    for count in range(round(top / step) + 1):
        y = count * step
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(y):.1f}" y2="{up(y):.1f}" stroke="#dddddd"/>')
        parts.append(_text(LEFT - 6, up(y) + 4, f"{y:,.10g}", anchor="end"))
    return parts


def _horizontal_axis(plot: dict, xs: list, across) -> list:
    parts = [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, plot["x"], anchor="middle")]
    wanted = sorted(set(xs))
    for x in wanted[:: -(-len(wanted) // 12)]:
        parts.append(_text(across(x), HEIGHT - BOTTOM + 18, f"{x:,.10g}", anchor="middle"))
    return parts


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'


def _step(highest: float) -> float:
    """1, 2 or 5 times a power of ten; four to ten of them make the axis."""
    rough = max(highest, 1e-9) / 5
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)

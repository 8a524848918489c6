"""How fast something grows, and how sure that is: a straight line by least squares through means of blocks.

Neighbouring samples of memory are alike, so their number says little; means of longer blocks are nearly independent. The
range is that of 95 % confidence by Student's t."""

import statistics
from dataclasses import dataclass

BLOCKS = 12
# Student's t for 97.5 % by degrees of freedom, here BLOCKS - 2 and less.
_T = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23}


@dataclass(frozen=True)
class Slope:
    """Megabytes a minute: the best guess, and between what it lies. Threads: immutable."""

    a_minute: float
    lowest: float
    highest: float


def of(samples: list) -> Slope:
    """`samples`: (seconds, value), in order, at least three."""
    points = _means(samples)
    xs, ys = [x / 60 for x, _ in points], [y for _, y in points]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    square = sum((x - mean_x) ** 2 for x in xs)
    best = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / square
    left = sum((y - mean_y - best * (x - mean_x)) ** 2 for x, y in zip(xs, ys))
    free = len(points) - 2
    error = (left / free / square) ** 0.5 * _T[free]
    return Slope(best, best - error, best + error)


def _means(samples: list) -> list:
    count = min(BLOCKS, len(samples))
    assert count >= 3, "too few samples"
    bounds = [len(samples) * n // count for n in range(count + 1)]
    blocks = [samples[begin:end] for begin, end in zip(bounds, bounds[1:])]
    return [(statistics.fmean(x for x, _ in block), statistics.fmean(y for _, y in block)) for block in blocks]

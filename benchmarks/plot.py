"""A plot of seconds over sizes, both logarithmic, as SVG."""

from math import ceil, floor, log10
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, EDGE = 720, 420, 60, 130, 40
COLOURS = ("#1b6ca8", "#0a9396", "#94a3b8", "#64748b", "#475569", "#1e293b", "#d97706", "#b91c1c")


def draw_growth(path: Path, lines: dict[str, dict[int, float]], title: str = "seconds by orders") -> None:
    """Write a line for each name, its seconds by size; nothing where nothing was measured at two sizes."""
    lines = {name: points for name, points in lines.items() if points}
    sizes = [log10(size) for points in lines.values() for size in points]
    seconds = [log10(second) for points in lines.values() for second in points.values()]
    if not sizes:
        return
    low, high = floor(min(seconds)), ceil(max(seconds))
    first, last = min(sizes), max(max(sizes), min(sizes) + 1)

    def x(size: float) -> float:
        return LEFT + (log10(size) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(second: float) -> float:
        return HEIGHT - EDGE - (log10(second) - low) / max(high - low, 1) * (HEIGHT - 2 * EDGE)

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', _text(LEFT, EDGE / 2, title)]
    for exponent in range(low, high + 1):
        height = y(10**exponent)
        parts.append(f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#e2e8f0"/>')
        parts.append(_text(LEFT - 8, height + 4, f"{10**exponent:g}", "end"))
    marks = sorted({size for points in lines.values() for size in points})
    if len(marks) > 8:  # too many to read
        marks = [size for size in marks if size in (marks[-1], 10 ** round(log10(size)))]
    for size in marks:
        parts.append(_text(x(size), HEIGHT - EDGE / 2, f"{size:,}", "middle"))
    ends = {name: y(list(points.values())[-1]) for name, points in lines.items()}
    lowest = 0.0
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        colour = COLOURS[list(lines).index(name) % len(COLOURS)]
        places = " ".join(f"{x(size):.1f},{y(second):.1f}" for size, second in lines[name].items())
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lowest = max(end, lowest + 14)  # names of lines that end together stand below each other
        parts.append(_text(x(max(lines[name])) + 8, lowest + 4, name, colour=colour))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n' + "\n".join(parts) + "\n</svg>\n",
        encoding="utf-8",
    )


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#334155") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'

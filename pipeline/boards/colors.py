"""Give a picture two colour schemes: each light colour gets a counterpart for the dark scheme."""

import re

from coloraide import Color

# The colours in a picture, except in data- attributes, which its script uses.
_PAINTED = re.compile(
    r"(?<![\w-])(fill|stroke|stop-color|color)(=\"|:\s*)(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|rgb\([\d,\s]+\))(?!\w)"
)
# The backgrounds of the two schemes in board.css.
LIGHT_PAPER, DARK_PAPER = Color("#ffffff"), Color("#161616")
# This many halvings find a lightness to within one step of 255.
_HALVINGS = 12


def name_colors(picture: str) -> str:
    """Return an SVG picture whose colours are CSS variables, named by their light colour."""
    return _PAINTED.sub(lambda found: f"{found[1]}{found[2]}var(--c{Color(found[3]).to_string(hex=True)[1:]})", picture)


def schemes_of(pictures: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that pictures use, with their colours in the light and the dark scheme."""
    named = sorted({name for picture in pictures for name in re.findall(r"var\(--c([0-9a-f]{6})\)", picture)})
    light = {f"--c{name}": f"#{name}" for name in named}
    return light, {name: dark_counterpart(Color(color)).to_string(hex=True) for name, color in light.items()}


def dark_counterpart(color: Color) -> Color:
    """Return the colour of the same hue with the same contrast to dark paper as this one to light paper.

    The contrast is that of WCAG 2.2. In Oklab equal steps look equal, which preserves hues.
    """
    wanted, dark = color.contrast(LIGHT_PAPER), color.convert("oklab").set("lightness", 0.5)
    for halving in range(_HALVINGS):
        found = dark.convert("srgb").clip()
        is_too_dark = found.luminance() < DARK_PAPER.luminance() or found.contrast(DARK_PAPER) < wanted
        dark["lightness"] += (1 if is_too_dark else -1) * 0.25 / 2**halving
    return found

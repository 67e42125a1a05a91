"""Give a picture two colour schemes: each light colour gets a counterpart for the dark scheme."""

import re

# The colours in a picture, except in data- attributes, which its script uses.
_PAINTED = re.compile(r"(?<![\w-])(fill|stroke|stop-color|color)(=\"|:\s*)(#[0-9a-fA-F]{3,6}|rgb\([\d,\s]+\))")
# The backgrounds of the two schemes in board.css.
LIGHT_PAPER, DARK_PAPER = (0xFF, 0xFF, 0xFF), (0x16, 0x16, 0x16)
# This many halvings find a lightness to within one step of 255.
_HALVINGS = 12

Color = tuple[int, int, int]


def name_colors(picture: str) -> str:
    """Return an SVG picture whose colours are CSS variables, named by their light colour."""
    return _PAINTED.sub(lambda found: f"{found[1]}{found[2]}var({_variable(_parse(found[3]))})", picture)


def schemes_of(pictures: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that pictures use, with their colours in the light and the dark scheme."""
    named = sorted({name for picture in pictures for name in re.findall(r"var\(--c([0-9a-f]{6})\)", picture)})
    colors = {f"--c{name}": _parse(f"#{name}") for name in named}
    light = {variable: _written(color) for variable, color in colors.items()}
    return light, {variable: _written(dark_counterpart(color)) for variable, color in colors.items()}


def dark_counterpart(color: Color) -> Color:
    """Return the colour of the same hue with the same contrast to dark paper as this one to light paper."""
    wanted = contrast(color, LIGHT_PAPER)
    lightness, green_red, blue_yellow = 0.5, *_to_oklab(color)[1:]
    for halving in range(_HALVINGS):
        found = _from_oklab(lightness, green_red, blue_yellow)
        is_too_dark = _luminance(found) < _luminance(DARK_PAPER) or contrast(found, DARK_PAPER) < wanted
        lightness += (1 if is_too_dark else -1) * 0.25 / 2**halving
    return found


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, 1 to 21, by WCAG 2.2."""
    darker, lighter = sorted([_luminance(one), _luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _variable(color: Color) -> str:
    return f"--c{_written(color)[1:]}"


def _parse(text: str) -> Color:
    if text.startswith("rgb"):
        red, green, blue = (int(part) for part in re.findall(r"\d+", text))
        return red, green, blue
    digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:4])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _written(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


# Oklab by Björn Ottosson, https://bottosson.github.io/posts/oklab: equal steps look equal, which preserves hues.
def _to_oklab(color: Color) -> tuple[float, float, float]:
    red, green, blue = (_linear(part / 255) for part in color)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, green_red: float, blue_yellow: float) -> Color:
    long = (lightness + 0.3963377774 * green_red + 0.2158037573 * blue_yellow) ** 3
    medium = (lightness - 0.1055613458 * green_red - 0.0638541728 * blue_yellow) ** 3
    short = (lightness - 0.0894841775 * green_red - 1.2914855480 * blue_yellow) ** 3
    return (
        _shown(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _shown(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _shown(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _shown(part: float) -> int:
    """Return a linear part as 0 to 255, clipped to what a screen can show."""
    part = min(max(part, 0.0), 1.0)
    return round(255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))

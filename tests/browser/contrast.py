"""How well the words of a page stand out from what is behind them, by WCAG 2.2."""

from playwright.sync_api import Page

_WORST = """() => {
    const parts = colour => {
        const numbers = colour.match(/[\\d.]+/g).map(Number);
        return colour.startsWith("color(") ? numbers : numbers.map((part, at) => at < 3 ? part / 255 : part);
    };
    const luminance = colour => {
        const [red, green, blue] = parts(colour)
            .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = getComputedStyle(element).backgroundColor;
            if (parts(colour)[3] !== 0) return colour;
        }
    };
    const contrast = element => {
        const style = getComputedStyle(element);
        const [darker, lighter] = [element.closest("svg") ? style.fill : style.color, behind(element)]
            .map(luminance).sort((one, other) => one - other);
        return (lighter + 0.05) / (darker + 0.05);
    };
    return [...document.querySelectorAll("body *:not(script, style, option)")]
        .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
        .filter(element => element.getClientRects().length && !element.closest("[opacity='0'], [fill-opacity='0']"))
        .map(element => [contrast(element), element.textContent.trim().slice(0, 60)])
        .sort(([one], [other]) => one - other)[0];
}"""


def worst_contrast(page: Page) -> tuple[float, str]:
    """Return the least contrast of a page's words with their background, 1 to 21, and the words."""
    least, words = page.evaluate(_WORST)
    return least, words

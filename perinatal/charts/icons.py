"""Icons of Making Data Count for an SPC chart: what kind of variation it shows, and whether it meets its target.

Our own drawings of NHS England's vocabulary, with the shapes that the marks of our charts have, so that nobody needs
the colour: a diamond improves, a triangle is of concern, a square is neither, a circle is common cause. H and L stand
for higher and lower values; P, F and ? for a target that is passed, failed, or hit and missed.
"""

from __future__ import annotations

from markupsafe import Markup

FRAMES = {
    "circle": '<circle cx="14" cy="14" r="12.5"/>',
    "diamond": '<path class="frame" d="M14 1L27 14L14 27L1 14z"/>',
    "triangle": '<path class="frame" d="M14 1.5L27 26H1z"/>',
    "square": '<path class="frame" d="M2.5 2.5h23v23h-23z"/>',
}
RISE, FALL, WAVE, LINE = (
    "M8 19L12 17L16 18L20 14",
    "M8 14L12 17L16 16L20 19",
    "M6 17L10 12L14 17L18 12L22 17",
    "M7 20H21",
)
# kind → (class, frame, what is drawn in it, its letter)
ICONS = {
    "improve-high": ("improve", "diamond", RISE, "H"),
    "improve-low": ("improve", "diamond", FALL, "L"),
    "concern-high": ("concern", "triangle", RISE, "H"),
    "concern-low": ("concern", "triangle", FALL, "L"),
    "neutral-high": ("neutral", "square", RISE, "H"),
    "neutral-low": ("neutral", "square", FALL, "L"),
    "common": ("common", "circle", WAVE, ""),
    "pass": ("improve", "circle", LINE, "P"),
    "fail": ("concern", "circle", LINE, "F"),
    "hit-or-miss": ("common", "circle", LINE, "?"),
}


def sprite() -> Markup:
    """Return the drawings, once a page, for the icons to point to."""
    drawn = "".join(_symbol(kind, *parts) for kind, parts in ICONS.items())
    return Markup(f'<svg class="sprite" aria-hidden="true" focusable="false">{drawn}</svg>')  # noqa: S704 - constants


def _symbol(kind: str, look: str, frame: str, line: str, letter: str) -> str:
    lower = 4 if frame == "triangle" else 0
    words = f'<text x="14" y="{12 + lower}" text-anchor="middle">{letter}</text>' if letter else ""
    return (
        f'<symbol id="icon-{kind}" viewBox="0 0 28 28"><g class="{look}">{FRAMES[frame]}'
        f'<path transform="translate(0 {lower})" d="{line}"/>{words}</g></symbol>'
    )


def icon(kind: str) -> Markup:
    """Return an icon; what it means stands beside it or names the link around it."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>').format(kind)

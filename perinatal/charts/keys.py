"""What the marks and lines of each kind of picture mean, for the key beside it."""

from __future__ import annotations

from collections.abc import Sequence

RANKED_KEY = (
    ("common", "dot", False, "similar, or nothing to compare with"),
    ("improve", "diamond", False, "better"),
    ("concern", "triangle", False, "worse"),
    ("neutral", "square", False, "higher or lower"),
    ("whisk", None, True, "95% interval"),
    ("bounds", None, True, "bounds, where incomplete"),
    ("l-compare", None, True, "comparator"),
)
FUNNEL_KEY = (
    ("l-mean", None, True, "England"),
    ("f-95", None, True, "95% limits"),
    ("f-998", None, True, "99.8% limits"),
)
# look and shape of each mark, whether it is drawn as a line, and what it means, by kind of picture
KEYS: dict[str, Sequence[tuple[str, str | None, bool, str]]] = {
    "trend": (
        ("l-own", "dot", True, "value with 95% interval"),
        ("l-compare", None, True, "what it is compared with"),
        ("bounds", None, True, "bounds, where incomplete"),
    ),
    "spc": (
        ("common", "dot", False, "common cause"),
        ("improve", "diamond", False, "special cause: improvement"),
        ("concern", "triangle", False, "special cause: concern"),
        ("neutral", "square", False, "special cause: neither"),
        ("l-mean", None, True, "mean"),
        ("l-limit", None, True, "process limits"),
        ("l-target", None, True, "target"),
    ),
    "funnel": (
        ("own", "diamond", False, "this page’s trusts"),
        ("other", "dot", False, "other trusts"),
        *FUNNEL_KEY,
    ),
    "funnel-bare": (("other", "dot", False, "trust"), *FUNNEL_KEY),
    "ranked": RANKED_KEY,
    "spine": (*RANKED_KEY[:6], ("all", "bar", False, "lowest to highest"), ("half", "bar", False, "middle half")),
    "themes": (
        ("cell", "frame", False, "number of the body’s findings that were coded to the theme"),
        ("published", "diamond", False, "the body names the theme in a published count or list"),
    ),
}

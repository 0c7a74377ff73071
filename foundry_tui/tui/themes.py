"""The app's own themes beside those that Textual brings: dark, light, high contrast, colour-blind safe.

Colour never stands alone for a meaning anywhere in the app; these make it pleasant, or strong, for those who
see it.  The ANSI themes are Textual's (``ansi-dark``, ``ansi-light``): the terminal's own sixteen colours.
"""

from textual.theme import Theme

__all__ = ["DEFAULT_THEME", "THEMES"]

DEFAULT_THEME = "foundry-dark"

_DARK = Theme(
    name="foundry-dark",
    primary="#5fa8d3",
    secondary="#3d6f8e",
    accent="#e0a458",
    warning="#e9c46a",
    error="#e76f6f",
    success="#7fb685",
    foreground="#dde3e8",
    background="#12161a",
    surface="#171c21",
    panel="#20272e",
    variables={"footer-key-foreground": "#e0a458"},
)
_LIGHT = Theme(
    name="foundry-light",
    primary="#1f6391",
    secondary="#4a7fa5",
    accent="#9a5b00",
    warning="#8a6100",
    error="#b3261e",
    success="#226b3a",
    foreground="#1c2328",
    background="#f2f4f5",
    surface="#fafbfb",
    panel="#e3e8eb",
    dark=False,
    variables={"footer-key-foreground": "#9a5b00"},
)
# Seven to one and more between every text and what it stands on.
_HIGH_CONTRAST = Theme(
    name="foundry-high-contrast",
    primary="#66d9ff",
    secondary="#00b3e6",
    accent="#ffd700",
    warning="#ffd700",
    error="#ff9c9c",
    success="#7dff9b",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    text_alpha=1.0,
    variables={
        "text-muted": "#e6e6e6",
        "foreground-muted": "#e6e6e6",
        "block-cursor-background": "#ffd700",
        "block-cursor-foreground": "#000000",
        "border-blurred": "#bfbfbf",
        "footer-key-foreground": "#ffd700",
        "footer-description-foreground": "#ffffff",
    },
)
# The palette of Okabe and Ito (2008), made to be told apart with every common kind of colour blindness: good
# and bad are blue and vermilion, never green and red.
_COLOUR_BLIND = Theme(
    name="foundry-colour-blind",
    primary="#56b4e9",
    secondary="#0072b2",
    accent="#f0e442",
    warning="#e69f00",
    error="#ff7f2a",
    success="#56b4e9",
    foreground="#e8e8e8",
    background="#101214",
    surface="#16191c",
    panel="#22272b",
    variables={"footer-key-foreground": "#f0e442"},
)

THEMES = (_DARK, _LIGHT, _HIGH_CONTRAST, _COLOUR_BLIND)

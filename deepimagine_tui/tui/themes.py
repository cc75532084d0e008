"""The two house themes: one dark, one light, one accent each. The only place where a colour is written down."""

from __future__ import annotations

from textual.theme import Theme

DARK = "deepimagine-dark"
LIGHT = "deepimagine-light"

_SHARED = {
    "block-cursor-text-style": "none",
}


def house_themes() -> tuple[Theme, Theme]:
    """The dark and the light theme."""
    dark = Theme(
        name=DARK,
        primary="#58b4c4",
        secondary="#58b4c4",
        accent="#58b4c4",
        foreground="#d9dee4",
        background="#14181c",
        surface="#14181c",
        panel="#20262c",
        warning="#d9a84e",
        error="#e0706c",
        success="#7fb77e",
        dark=True,
        variables={
            **_SHARED,
            "block-cursor-background": "#24505a",
            "block-cursor-foreground": "#f2f6f8",
            "block-cursor-blurred-background": "#262d34",
            "block-cursor-blurred-foreground": "#d9dee4",
            "border": "#58b4c4",
            "border-blurred": "#38424b",
            "footer-background": "#14181c",
            "footer-key-foreground": "#58b4c4",
            "footer-description-foreground": "#a9b3bc",
        },
    )
    light = Theme(
        name=LIGHT,
        primary="#0b7285",
        secondary="#0b7285",
        accent="#0b7285",
        foreground="#1f2933",
        background="#fbfbf9",
        surface="#fbfbf9",
        panel="#eceeee",
        warning="#8f5b00",
        error="#b3261e",
        success="#2b6e32",
        dark=False,
        variables={
            **_SHARED,
            "block-cursor-background": "#c3e3e9",
            "block-cursor-foreground": "#10202a",
            "block-cursor-blurred-background": "#e6eaeb",
            "block-cursor-blurred-foreground": "#1f2933",
            "border": "#0b7285",
            "border-blurred": "#c3c9cc",
            "footer-background": "#fbfbf9",
            "footer-key-foreground": "#0b7285",
            "footer-description-foreground": "#4b5862",
        },
    )
    return dark, light

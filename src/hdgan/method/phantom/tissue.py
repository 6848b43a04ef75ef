"""The classes of drawn tissue and their colours."""

from typing import Literal

Stain = Literal["rose", "silver", "azure", "umber"]
Coding = Literal["colour", "context"]
"""What tells the class of a pixel: its colour alone, or what lies around it too."""

Palette = tuple[tuple[int, int, int], ...]
"""The colour of each class, in the order of `class_map.KIDNEY`."""

WHITESPACE, TUBULOINTERSTITIUM, GLOMERULUS, ARTERIOLE, ARTERY = range(5)

PALETTES: dict[Stain, Palette] = {
    "rose": ((244, 241, 244), (232, 160, 190), (120, 84, 176), (222, 86, 60), (124, 18, 62)),
    "silver": ((242, 243, 240), (172, 186, 176), (62, 110, 150), (214, 152, 60), (86, 50, 30)),
    "azure": ((241, 243, 246), (158, 170, 208), (58, 78, 168), (226, 104, 62), (104, 22, 34)),
    "umber": ((245, 244, 241), (198, 160, 184), (88, 92, 178), (206, 120, 52), (98, 44, 24)),
}
"""Stains that look like periodic acid-Schiff, silver, trichrome, and an immunostain in brown.

Colours of one class, and those between them, stay 96 grey levels from those of any other class.
"""

STAIN_COLOURS: dict[Stain, Palette] = {stain: PALETTES[stain] for stain in ("rose", "silver")}
"""The two stains of the demonstration."""

SHOWN_AS: dict[Coding, tuple[int, ...]] = {
    "colour": (WHITESPACE, TUBULOINTERSTITIUM, GLOMERULUS, ARTERIOLE, ARTERY),
    "context": (WHITESPACE, TUBULOINTERSTITIUM, ARTERY, ARTERY, ARTERY),
}
"""The class whose colour each class has."""

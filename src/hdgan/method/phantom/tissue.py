"""The classes of drawn tissue and their colours."""

from typing import Literal

Stain = Literal["rose", "silver"]
Coding = Literal["colour", "context"]
"""What tells the class of a pixel: its colour alone, or what lies around it too."""

WHITESPACE, TUBULOINTERSTITIUM, GLOMERULUS, ARTERIOLE, ARTERY = range(5)

STAIN_COLOURS: dict[Stain, tuple[tuple[int, int, int], ...]] = {
    "rose": ((244, 241, 244), (232, 160, 190), (120, 84, 176), (222, 86, 60), (124, 18, 62)),
    "silver": ((242, 243, 240), (172, 186, 176), (62, 110, 150), (214, 152, 60), (86, 50, 30)),
}
"""The colour of each class (in the order of `class_map.KIDNEY`) in each stain.

Colours of one class between the two stains stay at least 97 grey levels from those of any other.
"""

SHOWN_AS: dict[Coding, tuple[int, ...]] = {
    "colour": (WHITESPACE, TUBULOINTERSTITIUM, GLOMERULUS, ARTERIOLE, ARTERY),
    "context": (WHITESPACE, TUBULOINTERSTITIUM, ARTERY, ARTERY, ARTERY),
}
"""The class whose colour each class has."""

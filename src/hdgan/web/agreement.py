"""How far readings of the same tiles agree, for the page."""

import math
from itertools import combinations

import numpy as np

from hdgan.class_map import AMBIGUOUS
from hdgan.method.agreement import agreement, compared
from hdgan.web.desk import Desk
from hdgan.web.records import Record


def agreement_of(desk: Desk) -> Record:
    """Every pair of readings of a tile, and the classes over all of them, as plain data."""
    num_classes = len(desk.class_map)
    readings: dict[str, list[int]] = {}
    for tile, reading in desk.history.heads():
        readings.setdefault(tile, []).append(reading)
    total = np.zeros((num_classes, num_classes), dtype=np.int64)
    rows = []
    for tile, own in readings.items():
        for first, second in combinations(own, 2):
            one, other = (desk.history.labels(tile, reading) for reading in (first, second))
            matrix = compared(one, other, num_classes)
            total += matrix
            marked = float(np.mean((one == AMBIGUOUS) | (other == AMBIGUOUS)))
            rows.append(_row(tile, (first, second), matrix, marked))
    overall = agreement(total)
    classes = [
        {"name": name, "dice": _plain(overall.dice[i]), "kappa": _plain(overall.kappa[i])}
        for i, name in enumerate(desk.class_map.names)
    ]
    return {"tiles": rows, "classes": classes, "kappa": _plain(overall.kappa_all)}


def _row(tile: str, readings: tuple[int, int], matrix: np.ndarray, ambiguous: float) -> Record:
    found = agreement(matrix)
    return {
        "tile": tile,
        "readings": list(readings),
        "dice": [_plain(value) for value in found.dice],
        "kappa": [_plain(value) for value in found.kappa],
        "kappa_all": _plain(found.kappa_all),
        "pixels": found.pixels,
        "ambiguous": ambiguous,
    }


def _plain(value: float) -> float | None:
    """A number as JSON has it, which knows no NaN."""
    return None if math.isnan(value) else float(value)

"""Tables of images: a row an image, with what is known of it."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from io import StringIO

from hdgan.artifacts.layouts.labelled_images import LabelledImage
from hdgan.pipeline import Fact

IMAGES = "images.csv"
Columns = Callable[[LabelledImage], Mapping[str, Fact]]
"""What a row says before the facts."""


def csv_of(images: Sequence[LabelledImage], columns: Columns) -> bytes:
    """CSV with a header. It grows by about a hundred bytes an image."""
    rows = [{**columns(image), **image.facts} for image in images]
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_lines_of(images: Sequence[LabelledImage], columns: Columns) -> bytes:
    """A JSON object a line."""
    rows = ({**columns(image), **image.facts} for image in images)
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()

"""Files that users hand in: class maps, tables, images, slides, outlines."""

import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from PIL import Image

from hdgan.artifacts.annotation_file import _found, _labels
from hdgan.artifacts.annotation_set import class_map_of
from hdgan.artifacts.coco import CocoImage, coco_bytes
from hdgan.artifacts.images import grey_of, rgb_of
from hdgan.artifacts.label_images import file_without_mark, labels_in_image, values_in_image
from hdgan.artifacts.label_maps import label_map_of
from hdgan.artifacts.outlines.written_geojson import geojson_of
from hdgan.artifacts.score_table import score_table_of
from hdgan.artifacts.slide_metadata import read_metadata
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import overview
from hdgan.class_map import KIDNEY, painted
from hdgan.method.score_consistency import consistency
from tests.hostile.mutations import (
    in_json,
    in_png,
    in_text,
    in_zip,
)
from tests.hostile.reader import Reader, file_at, read_from_file, read_plainly
from tests.slide_world import tissue_pixels, write_dicom, write_ome, write_tiff

SCORES = (
    b"class,recall,precision,dice,iou,pixels\na,0.91,0.88,0.895,0.81,1200\nb,0.5,0.5,0.5,0.33,90\n"
    b"mean,0.7,0.69,0.70,0.57,\n",
    b"| class | Dice | IoU |\n|---|---|---|\n| tumour | 92.1 % | 85.4 % |\n\nmean Dice: 0.92\n",
    b"class    recall   precision\nglomerulus   .91  .93\nartery  .40 (.02)  .51\nmean .65 .72\n",
)
METADATA = (
    b"slide,patient,stain,centre,spacing_um,fold\na.svs,p1,PAS,x,0.25,0\nb.svs,p2,HE,y,0.5,1\n",
    b"slide;patient\na;1\nb;2\n",
)


def _labels_of(data: bytes) -> object:
    """All that reads label maps, each of which may refuse what another takes."""
    plain = file_without_mark(data, "file", KIDNEY)
    own = label_map_of(plain, "file", KIDNEY, "auto")
    values = {name: number % 5 for number, (name, _) in enumerate(values_in_image(data, "file"))}
    return own, labels_in_image(data, "file", values, *own.shape), grey_of(data, "file")


def _label_seeds(world: Path) -> list[bytes]:
    labels = grey_of((world / "painted" / "s000000.png").read_bytes(), "seed")
    images = [Image.fromarray(labels), Image.fromarray(painted(labels, KIDNEY))]
    palette = Image.fromarray(labels).convert("P")
    palette.putpalette([number for colour in KIDNEY.palette.tolist() for number in colour])
    images += [palette, Image.fromarray(labels.astype(np.uint16))]
    return [_saved(image, "PNG") for image in images]


def _saved(image: Image.Image, kind: str, **more: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def _image_seeds(kind: str) -> list[bytes]:
    colour = Image.fromarray(tissue_pixels(24, 17))
    if kind == "PNG":
        clear = colour.convert("RGBA")
        clear.putalpha(100)
        return [_saved(colour, kind), _saved(clear, kind), _saved(colour.convert("P"), kind)]
    if kind == "TIFF":
        ways = ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
        return [_saved(colour, kind, compression=way) for way in ways]
    return [_saved(colour, kind), _saved(colour.convert("L"), kind)]


def _slide_seeds(world: Path) -> list[bytes]:
    pixels = tissue_pixels(160, 130)
    place = world.parent / "slide-seeds"
    place.mkdir(exist_ok=True)
    for way in ("jpeg", "adobe_deflate", "lzw", "none"):
        write_tiff(place / f"{way}.tif", pixels, num_levels=2, compression=way)
    write_ome(place / "ome.ome.tif", pixels)
    return [path.read_bytes() for path in sorted(place.glob("*.tif"))]


def _dicom_seeds(world: Path) -> list[bytes]:
    place = world.parent / "dicom-seeds"
    write_dicom(place, tissue_pixels(160, 130), spacing_um=0.5)
    return [(place / "1.dcm").read_bytes()]


def _slide(path: Path) -> object:
    with open_slide(path) as slide:
        return overview(slide, 64)


def _outlines(data: bytes) -> object:
    """The classes of a file, and a label map of it."""
    found = _found(data, "file", "s000000")
    class_of = {name: number % 255 for number, (name, _) in enumerate(found)}
    return _labels(data, "file", "s000000", class_of, (16, 16))


def _geojson(world: Path) -> list[bytes]:
    labels = grey_of((world / "painted" / "s000000.png").read_bytes(), "seed")
    return [(world / "outlines" / "s000001.geojson").read_bytes(), geojson_of(labels, KIDNEY)]


def _coco(world: Path) -> list[bytes]:
    labels = grey_of((world / "painted" / "s000000.png").read_bytes(), "seed")
    polygons = (
        b'{"images": [{"id": 1, "file_name": "s000000.png", "width": 16, "height": 16}], '
        b'"categories": [{"id": 1, "name": "a"}], "annotations": [{"id": 1, "image_id": 1, '
        b'"category_id": 1, "segmentation": [[1, 1, 9, 1, 9.5, 12]]}, {"id": 2, "image_id": 1, '
        b'"category_id": 1, "segmentation": {"size": [16, 16], "counts": [3, 250, 3]}}]}'
    )
    return [coco_bytes([CocoImage("s000000.png", labels)], KIDNEY), polygons]


ASAP = (
    b'<?xml version="1.0"?><ASAP_Annotations><Annotations><Annotation Name="a" Type="Polygon" '
    b'PartOfGroup="tumour"><Coordinates><Coordinate Order="0" X="1" Y="1"/><Coordinate Order="1" '
    b'X="12,5" Y="1"/><Coordinate Order="2" X="9" Y="14"/></Coordinates></Annotation><Annotation '
    b'Type="Dot"/></Annotations></ASAP_Annotations>'
)
APERIO = (
    b'<Annotations MicronsPerPixel="0.25"><Annotation Id="1" Name="a"><Regions><Region Id="1" '
    b'Type="0" NegativeROA="0"><Vertices><Vertex X="1" Y="1"/><Vertex X="14" Y="1"/><Vertex X="8" '
    b'Y="14"/></Vertices></Region><Region Id="2" Type="2" NegativeROA="1" InputRegionId="1">'
    b'<Vertices><Vertex X="5" Y="3"/><Vertex X="9" Y="7"/></Vertices></Region></Regions>'
    b"</Annotation></Annotations>"
)
POLYGONS = b"[[[1, 1], [12, 1], [9.5, 14]], [[0, 0], [5, 5], [5, 0], [0, 5]]]"


def _regions(_: Path) -> list[bytes]:
    from roifile import ImagejRoi

    ring = np.array([[1.5, 1], [12, 1.5], [9, 14]])
    polygon = ImagejRoi.frompoints(ring, name="tumour").tobytes()
    oval = bytearray(polygon[:64] + bytes(64))
    struct.pack_into(">BxhhhhH", oval, 6, 2, 1, 1, 12, 14, 0)
    return [polygon, bytes(oval)]


def _region_lists(world: Path) -> list[bytes]:
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for number, data in enumerate(_regions(world)):
            archive.writestr(f"tumour-{number}.roi", data)
    return [buffer.getvalue()]


def _image(kind: str) -> Reader:
    seeds = _image_seeds(kind)
    return Reader(
        f"image, {kind}",
        lambda _: seeds,
        read_plainly(lambda data: rgb_of(data, "file")),
        in_png if kind == "PNG" else None,
        0.5,
    )


_outlined = read_plainly(_outlines)

READERS = [
    Reader(
        "class map", file_at("classes.json"), read_plainly(lambda d: class_map_of(d, "f")), in_json
    ),
    Reader(
        "scores",
        lambda _: list(SCORES),
        read_plainly(lambda data: consistency(score_table_of(data, "file"))),
        in_text,
        0.5,
    ),
    Reader("slides' table", lambda _: list(METADATA), read_from_file(read_metadata, "t"), in_text),
    Reader("label map", _label_seeds, read_plainly(_labels_of), in_png, 0.5),
    *map(_image, ("PNG", "JPEG", "TIFF", "BMP", "WEBP")),
    Reader("slide, TIFF", _slide_seeds, read_from_file(_slide, "slide.tif"), share=0.2),
    Reader("slide, DICOM", _dicom_seeds, read_from_file(_slide, "slide.dcm"), share=0.1),
    Reader("GeoJSON", _geojson, _outlined, in_json),
    Reader("ASAP", lambda _: [ASAP], _outlined, in_text),
    Reader("ImageScope", lambda _: [APERIO], _outlined, in_text),
    Reader("list of polygons", lambda _: [POLYGONS], _outlined, in_json),
    Reader("ImageJ region", _regions, _outlined),
    Reader("ImageJ regions, zip", _region_lists, _outlined, in_zip),
    Reader("COCO", _coco, _outlined, in_json),
]
"""Of files."""

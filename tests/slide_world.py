"""Small slides that tests make."""

from io import BytesIO
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import UInt8
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEGBaseline8Bit,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

Pixels = UInt8[np.ndarray, "height width 3"]


def tissue_pixels(width: int, height: int, *, seed: int = 0) -> Pixels:
    """Pink tissue with violet nuclei in the left two thirds, glass in the rest."""
    random = np.random.default_rng(seed)
    glass = np.full((height, width, 3), 244.0)
    ground = np.array([222, 150, 190]) + random.normal(0, 10, (height, width, 3))
    rows, columns = np.mgrid[:height, :width]
    for _ in range(width * height // 900):
        y, x = random.uniform(0, height), random.uniform(0, width)
        ground[(rows - y) ** 2 + (columns - x) ** 2 < 16] = (90, 50, 130)
    edge = 2 * width // 3
    glass[:, :edge] = ground[:, :edge]
    return glass.clip(0, 255).astype(np.uint8)


def halved(pixels: Pixels) -> Pixels:
    """The same at half the size."""
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    parts = pixels[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    return parts.mean(axis=(1, 3)).round().astype(np.uint8)


def write_tiff(
    path: Path,
    pixels: Pixels,
    *,
    spacing_um: float | None = 0.5,
    num_levels: int = 3,
    tile_px: int = 64,
    compression: str = "jpeg",
) -> None:
    """A tiled, pyramidal TIFF with resolution tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffWriter(path) as file:
        for level in range(num_levels):
            down = 2**level
            file.write(
                pixels,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression=compression,
                subifds=num_levels - 1 if level == 0 else None,
                subfiletype=0 if level == 0 else 1,
                resolution=(1e4 / spacing_um / down,) * 2 if spacing_um else None,
                resolutionunit="CENTIMETER" if spacing_um else None,
                metadata=None,
            )
            pixels = halved(pixels)


def write_ome(path: Path, pixels: Pixels, *, size_x: str = "0.5", unit: str = "µm") -> None:
    """A tiled OME-TIFF that says of its spacing what it is told to."""
    metadata = {
        "axes": "YXS",
        "PhysicalSizeX": size_x,
        "PhysicalSizeXUnit": unit,
        "PhysicalSizeY": size_x,
        "PhysicalSizeYUnit": unit,
    }
    tifffile.imwrite(path, pixels, tile=(64, 64), photometric="rgb", metadata=metadata, ome=True)


def write_dicom(folder: Path, pixels: Pixels, *, spacing_um: float, tile_px: int = 128) -> None:
    """A DICOM slide of two levels, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    series = generate_uid()
    for number, (level, down) in enumerate([(pixels, 1), (halved(pixels), 2)], start=1):
        _write_level(folder / f"{number}.dcm", level, spacing_um * down, (series, tile_px))


def _write_level(path: Path, pixels: Pixels, spacing_um: float, of: tuple[str, int]) -> None:
    series, tile_px = of
    height, width, _ = pixels.shape
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    measures = Dataset()
    measures.PixelSpacing = [spacing_um / 1000, spacing_um / 1000]
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    optical = Dataset()
    optical.OpticalPathIdentifier = "0"
    frames = _frames(pixels, tile_px)
    said = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "SeriesInstanceUID": series,
        "StudyInstanceUID": series,
        "FrameOfReferenceUID": series,
        "Modality": "SM",
        "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        "TotalPixelMatrixColumns": width,
        "TotalPixelMatrixRows": height,
        "Columns": tile_px,
        "Rows": tile_px,
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "YBR_FULL_422",
        "PlanarConfiguration": 0,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "DimensionOrganizationType": "TILED_FULL",
        "NumberOfOpticalPaths": 1,
        "TotalPixelMatrixFocalPlanes": 1,
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "OpticalPathSequence": Sequence([optical]),
        "NumberOfFrames": len(frames),
        "PixelData": encapsulate(frames),
        "LossyImageCompression": "01",
    }
    content = Dataset()
    content.file_meta = meta
    for name, value in said.items():
        setattr(content, name, value)
    content["PixelData"].is_undefined_length = True
    content.save_as(path, enforce_file_format=True)


def _frames(pixels: Pixels, tile_px: int) -> list[bytes]:
    """Its tiles as JPEG, the last ones filled up with white."""
    height, width, _ = pixels.shape
    frames = []
    for y in range(0, height, tile_px):
        for x in range(0, width, tile_px):
            tile = np.full((tile_px, tile_px, 3), 255, dtype=np.uint8)
            cut = pixels[y : y + tile_px, x : x + tile_px]
            tile[: cut.shape[0], : cut.shape[1]] = cut
            buffer = BytesIO()
            Image.fromarray(tile).save(buffer, "JPEG", quality=95, subsampling=1)
            frames.append(buffer.getvalue())
    return frames

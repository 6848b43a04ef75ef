"""WebDataset shards: tar archives that are read from their beginning to their end."""

import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from hdgan.artifacts.layouts.encoding import PNG, Encoded, Encoding, shards_of
from hdgan.artifacts.layouts.labelled_images import (
    SHORT_SPLITS,
    LabelledImage,
    LabelledImages,
)
from hdgan.artifacts.layouts.readme import write_about
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.writing import renamed_when_whole
from hdgan.class_map import UNLABELLED, ClassMap

LAYOUT = """
WebDataset shards, `train-000000.tar` and so on: of each image `NAME.image.{ending}` (RGB),
`NAME.labels.png` (class of each pixel, 8-bit grey, 255 unlabelled) and `NAME.json` (what else is
known of it, and the classes that it has a pixel of). Images lie in the order of their seeds: mix
them while reading.

```python
import io
from pathlib import Path

import numpy as np
import webdataset
from PIL import Image


def grey(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)))


folder = "."
shards = sorted(str(path) for path in Path(folder).glob("train-*.tar"))
pairs = (
    webdataset.WebDataset(shards, shardshuffle=False)
    .decode(webdataset.handle_extension("labels.png", grey), "rgb8")
    .to_tuple("image.{ending}", "labels.png", "json")
)
for image, labels, about in pairs:
    names = about["classes"]
```
"""


@dataclass(frozen=True)
class WebDataset:
    """`train-000000.tar` and so on, `classes.json`, `README.md`."""

    encoding: Encoding = PNG
    """How images are stored."""

    shard_size: int = 1000
    """Images of a shard."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder, shard by shard; memory does not grow with them.

        Raises:
            StorageError: the disk is full or read-only.
        """
        for split, short in SHORT_SPLITS.items():
            for i, shard in enumerate(shards_of(dataset.of(split), self.shard_size)):
                name = f"{short}-{i:06d}.tar"
                self._write_shard(name, shard, dataset.class_map, unfinished, written)
        layout = LAYOUT.replace("{ending}", self.encoding.ending)
        write_about(dataset, unfinished, layout)

    def _write_shard(
        self,
        name: str,
        shard: Sequence[LabelledImage],
        class_map: ClassMap,
        unfinished: UnfinishedArtifact,
        written: Callable[[], None],
    ) -> None:
        """Write a shard unless it is there."""
        if unfinished.has(name):
            for _ in shard:
                written()
            return
        with (
            renamed_when_whole(unfinished.folder / name) as temporary,
            tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for encoded in self.encoding.each(shard):
                key = encoded.image.name
                _add(archive, f"{key}.image.{self.encoding.ending}", encoded.pixels)
                _add(archive, f"{key}.labels.png", encoded.labels_png)
                _add(archive, f"{key}.json", _about(encoded, class_map))
                written()


def _about(encoded: Encoded, class_map: ClassMap) -> bytes:
    there = np.unique(encoded.labels)
    names = [class_map.names[i] for i in there[there != UNLABELLED]]
    about = {"name": encoded.image.name, "classes": names, **encoded.image.facts}
    return json.dumps(about, ensure_ascii=False).encode()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Put a file into an archive, with nobody's name and no time: equal images, equal bytes."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, BytesIO(data))

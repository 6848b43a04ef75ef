"""Parquet files that the library `datasets` opens with images, label maps and class names."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hdgan.artifacts.layouts.encoding import PNG, Encoded, Encoding, shards_of
from hdgan.artifacts.layouts.hub_card import front_matter
from hdgan.artifacts.layouts.labelled_images import (
    SHORT_SPLITS,
    LabelledImage,
    LabelledImages,
)
from hdgan.artifacts.layouts.readme import write_about
from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.writing import renamed_when_whole
from hdgan.class_map import UNLABELLED, ClassMap
from hdgan.errors import SettingsError
from hdgan.pipeline import Fact

GROUP_ROWS = 100
"""Most images of a row group, which is what readers take into memory at once."""

GROUP_BYTES = 16 * 2**20
"""A row group ends with the image that reaches this."""

COLUMNS = ("name", "image", "labels", "classes")
"""What a row has besides the facts."""

LAYOUT = """
Parquet files in `data/`, as the library `datasets` and the Hugging Face hub read them: `image` is
RGB, `labels` the class of each pixel (8-bit grey, 255 unlabelled), `classes` lists the classes that
the image has a pixel of, by name in the features.

```python
from pathlib import Path

import numpy as np
from datasets import load_dataset

folder = "."
pairs = load_dataset(str(Path(folder).resolve()))
for pair in pairs["train"]:
    image, labels = np.array(pair["image"]), np.array(pair["labels"])
    names = [pairs["train"].features["classes"].feature.int2str(i) for i in pair["classes"]]
```
"""


@dataclass(frozen=True)
class HuggingFace:
    """`data/train-00000-of-00001.parquet` and so on, `README.md` with metadata, `classes.json`."""

    encoding: Encoding = PNG
    """How images are stored."""

    shard_size: int = 1000
    """Images of a file."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder, file by file.

        Memory: a row group and what the library makes of it, so about ten times `GROUP_BYTES` or,
        if it is more, of one image; it does not grow with their number.

        Raises:
            StorageError: the disk is full or read-only.
            SettingsError: the package pyarrow is not installed, or two columns have one name.
        """
        need("pyarrow", "export", "Parquet files")
        _check_facts(dataset)
        for split, short in SHORT_SPLITS.items():
            shards = shards_of(dataset.of(split), self.shard_size)
            for i, shard in enumerate(shards):
                name = f"data/{short}-{i:05d}-of-{len(shards):05d}.parquet"
                self._write_shard(name, shard, dataset.class_map, unfinished, written)
        front = front_matter(dataset, "data/{split}-*.parquet")
        write_about(dataset, unfinished, LAYOUT, front=front)

    def _write_shard(
        self,
        name: str,
        shard: Sequence[LabelledImage],
        class_map: ClassMap,
        unfinished: UnfinishedArtifact,
        written: Callable[[], None],
    ) -> None:
        """Write a file unless it is there."""
        from pyarrow import Table
        from pyarrow.parquet import ParquetWriter

        if unfinished.has(name):
            for _ in shard:
                written()
            return
        facts = dict(shard[0].facts)
        schema = _schema(facts, class_map)
        with (
            renamed_when_whole(unfinished.folder / name) as temporary,
            ParquetWriter(
                temporary,
                schema,
                compression="NONE",  # the images are compressed already
                use_dictionary=False,
                write_statistics=list(facts) or False,
            ) as writer,
        ):
            for rows in _groups(self._row(encoded) for encoded in self.encoding.each(shard)):
                writer.write_table(Table.from_pylist(rows, schema=schema))
                for _ in rows:
                    written()

    def _row(self, encoded: Encoded) -> dict[str, Any]:
        name = encoded.image.name
        there = np.unique(encoded.labels)
        return {
            "name": name,
            "image": {"bytes": encoded.pixels, "path": f"{name}.{self.encoding.ending}"},
            "labels": {"bytes": encoded.labels_png, "path": f"{name}.png"},
            "classes": there[there != UNLABELLED].tolist(),
            **encoded.image.facts,
        }


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        group.append(row)
        size += len(row["image"]["bytes"]) + len(row["labels"]["bytes"])
        if size >= GROUP_BYTES or len(group) == GROUP_ROWS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _check_facts(dataset: LabelledImages) -> None:
    """Do nothing if no fact has the name of a column."""
    for image in dataset.images[:1]:
        twice = sorted(set(COLUMNS) & set(image.facts))
        if twice:
            raise SettingsError(
                f"Images cannot have a fact called {twice[0]!r}: a column of the Parquet files has "
                "that name. Call it otherwise."
            )


def _schema(facts: dict[str, Fact], class_map: ClassMap) -> Any:
    """Columns and their types, with what the library `datasets` says of them in the metadata."""
    import pyarrow

    image = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    types = {
        "name": pyarrow.string(),
        "image": image,
        "labels": image,
        "classes": pyarrow.list_(pyarrow.int64()),
    }
    features: dict[str, Any] = {
        "name": {"dtype": "string", "_type": "Value"},
        "image": {"_type": "Image"},
        "labels": {"_type": "Image"},
        "classes": {
            "feature": {"names": class_map.names, "_type": "ClassLabel"},
            "_type": "Sequence",
        },
    }
    arrow = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    for name, fact in facts.items():
        types[name] = arrow[type(fact)]
        dtype = {str: "string", int: "int64", float: "float64"}[type(fact)]
        features[name] = {"dtype": dtype, "_type": "Value"}
    about = json.dumps({"info": {"features": features}})
    return pyarrow.schema(list(types.items()), metadata={"huggingface": about})

"""The raw folder of nnU-Net v2, for two-dimensional RGB images.

Rules: nnU-Net's pages `dataset_format.md`, `ignore_label.md` and `manual_data_splits.md`, and its
classes `NaturalImage2DIO` and `LabelManager` (github.com/MIC-DKFZ/nnUNet).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hdgan.artifacts.images import grey_of, png_of
from hdgan.artifacts.layouts.encoding import PNG, Encoding
from hdgan.artifacts.layouts.file_names import joined_words
from hdgan.artifacts.layouts.image_table import IMAGES, csv_of
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.layouts.readme import NOT_STATED, write_about
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.errors import SettingsError

BACKGROUND, IGNORE = "background", "ignore"
"""Names that nnU-Net keeps: the first for value 0, the second for what is left out."""

LAYOUT = """
The raw folder of nnU-Net v2: `{name}/` with `imagesTr` (training and validation), `labelsTr`,
`imagesTs`, `labelsTs` (test) and `dataset.json`. nnU-Net wants value 0 called `background`;
here that is the class *{first}*, which nnU-Net leaves out of its Dice scores.{ignore}
{splits}
```sh
export nnUNet_raw="$PWD"
nnUNetv2_plan_and_preprocess -d {number} --verify_dataset_integrity
{copy}nnUNetv2_train {number} 2d 0
```
"""
_IGNORED = " Unlabelled pixels, 255 elsewhere, are {} here, nnU-Net's ignore label."
_COPIED = """
`splits_final.json` holds the one split; nnU-Net reads it from its folder of preprocessed data.
"""
_OWN = """
Without validation images nnU-Net deals five folds itself. It does not know which drawings share a
latent, or which tiles a patient: export with validation images if there are such.
"""


@dataclass(frozen=True)
class NnuNet:
    """`Dataset042_Name/` as nnU-Net v2 reads it, `images.csv`, `classes.json`, `README.md`."""

    number: int = 42
    """Of the dataset, 1 to 999."""

    encoding: Encoding = PNG
    """Threads; nnU-Net takes no JPEG."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder.

        Raises:
            StorageError: the disk is full or read-only.
            SettingsError: JPEG is asked for, or no image is for training.
        """
        self._check(dataset)
        work = _Files(dataset, unfinished, self.folder_name(dataset), self.encoding)
        is_partial = False
        for has_unlabelled in self.encoding.done(work.write, dataset.images):
            is_partial |= has_unlabelled
            written()
        description = self._description(dataset, ignores=is_partial)
        unfinished.write(f"{work.top}/dataset.json", json_bytes(description))
        has_validation = bool(dataset.of("validation"))
        if has_validation:
            unfinished.write(f"{work.top}/splits_final.json", json_bytes(_splits(dataset)))
        table = csv_of(
            dataset.images,
            lambda image: {
                "image": work.image_name(image),
                "labels": work.labels_name(image),
                "split": image.split,
            },
        )
        unfinished.write(IMAGES, table)
        ignore = len(dataset.class_map) if is_partial else None
        layout = self._layout(dataset, ignore, has_splits=has_validation)
        write_about(dataset, unfinished, layout, unlabelled=ignore)

    def folder_name(self, dataset: LabelledImages) -> str:
        """What nnU-Net calls the dataset: `Dataset042_Name`."""
        return f"Dataset{self.number:03d}_{joined_words(dataset.title)}"

    def _check(self, dataset: LabelledImages) -> None:
        if self.encoding.image_format != "png":
            raise SettingsError(
                "--layout nnunet takes PNG images only, because nnU-Net reads label maps by the "
                "same ending. Leave out --image-format jpeg."
            )
        if not dataset.of("training"):
            raise SettingsError(
                "No image is left for training, without which nnU-Net cannot begin. Lower "
                "--validation and --test, or export more images."
            )

    def _description(self, dataset: LabelledImages, *, ignores: bool) -> dict[str, object]:
        labels = labels_of(dataset.class_map)
        if ignores:
            labels[IGNORE] = len(dataset.class_map)
        return {
            "channel_names": {"0": "R", "1": "G", "2": "B"},
            "labels": labels,
            "numTraining": len(dataset.of("training")) + len(dataset.of("validation")),
            "file_ending": ".png",
            "overwrite_image_reader_writer": "NaturalImage2DIO",
            "name": dataset.title,
            "licence": dataset.licence or NOT_STATED,
        }

    def _layout(self, dataset: LabelledImages, ignore: int | None, *, has_splits: bool) -> str:
        name = self.folder_name(dataset)
        return LAYOUT.format(
            name=name,
            number=self.number,
            ignore="" if ignore is None else _IGNORED.format(ignore),
            first=dataset.class_map.names[0],
            splits=_COPIED if has_splits else _OWN,
            copy=f'cp {name}/splits_final.json "$nnUNet_preprocessed/{name}/"\n'
            if has_splits
            else "",
        )


@dataclass(frozen=True)
class _Files:
    """The files of one image each."""

    dataset: LabelledImages
    unfinished: UnfinishedArtifact
    top: str
    encoding: Encoding

    def image_name(self, image: LabelledImage) -> str:
        """Channels of an RGB image are in one file, whose number is that of the first."""
        return f"{self.top}/images{_part(image)}/{image.name}_0000.png"

    def labels_name(self, image: LabelledImage) -> str:
        return f"{self.top}/labels{_part(image)}/{image.name}.png"

    def write(self, image: LabelledImage) -> bool:
        """Write an image unless it is there; whether it has an unlabelled pixel comes back."""
        ignore = len(self.dataset.class_map)
        names = self.image_name(image), self.labels_name(image)
        if all(self.unfinished.has(name) for name in names):
            data = (self.unfinished.folder / names[1]).read_bytes()
            return bool((grey_of(data, names[1]) == ignore).any())
        encoded = self.encoding.of(image)
        labels: LabelMap = np.where(encoded.labels == UNLABELLED, np.uint8(ignore), encoded.labels)
        self.unfinished.write(names[0], encoded.pixels)
        self.unfinished.write(names[1], png_of(labels))
        return bool((labels == ignore).any())


def labels_of(class_map: ClassMap) -> dict[str, int]:
    """Values by name as nnU-Net has them: 0 is `background`; a class of a kept name gets another.

    The first class is `background` whatever it is called.
    """
    labels = {BACKGROUND: 0}
    for i, name in enumerate(class_map.names[1:], start=1):
        labels[f"{name} (class {i})" if name in (BACKGROUND, IGNORE) else name] = i
    return labels


def _splits(dataset: LabelledImages) -> list[dict[str, list[str]]]:
    """One split for all folds that are trained with it: fold 0."""
    return [
        {
            "train": [image.name for image in dataset.of("training")],
            "val": [image.name for image in dataset.of("validation")],
        }
    ]


def _part(image: LabelledImage) -> str:
    return "Ts" if image.split == "test" else "Tr"

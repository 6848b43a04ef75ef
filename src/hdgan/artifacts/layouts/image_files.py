"""An image and its label map in files of their own."""

from collections.abc import Callable, Sequence

from hdgan.artifacts.layouts.encoding import Encoded, Encoding
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.unfinished import UnfinishedArtifact


def write_image_files(
    dataset: LabelledImages,
    unfinished: UnfinishedArtifact,
    encoding: Encoding,
    names: Callable[[LabelledImage], Sequence[str]],
    written: Callable[[], None],
    beside: Callable[[Encoded], Sequence[bytes]] = lambda _: (),
) -> None:
    """Write the files of each image, unless an interrupted run has written all of them.

    Args:
        dataset: what is written.
        unfinished: the folder.
        encoding: of the images.
        names: paths of an image, of its label map, and of what lies beside them.
        written: is called once for each image.
        beside: the content of what lies beside, in the order of its paths.

    Raises:
        StorageError: the disk is full or read-only.
    """

    def write_one(image: LabelledImage) -> None:
        paths = names(image)
        if all(unfinished.has(path) for path in paths):
            return
        encoded = encoding.of(image)
        contents = [encoded.pixels, encoded.labels_png, *beside(encoded)]
        for path, content in zip(paths, contents, strict=True):
            unfinished.write(path, content)

    for _ in encoding.done(write_one, dataset.images):
        written()

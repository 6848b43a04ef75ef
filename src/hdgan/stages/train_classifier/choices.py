"""Choices that do not suit what is learned from, refused before anything is made."""

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.errors import SettingsError
from hdgan.method.classifier_presets import recipe_of
from hdgan.method.context_head import context_shape_of
from hdgan.method.stylegan.bands import WHOLE_PX
from hdgan.settings.sources import AnnotationSources, ClassifierSources, SampleSources
from hdgan.settings.train_classifier import RealLabels, TrainClassifierSettings

_OF_TILES = ("folds", "crops_per_tile", "projection_steps")
"""What only learning from real tiles has."""

_NOT_MATCHED = (
    "batch",
    "optimizer",
    "class_mix",
    "class_weights",
    "label_smoothing",
    "context",
    "preset",
    "features",
    "projection_steps",
)
"""What gradient matching does not have."""


def check_of_samples(
    annotated: AnnotationSet, settings: TrainClassifierSettings, sources: SampleSources
) -> None:
    """Do nothing if the choices suit annotated samples.

    Raises:
        SettingsError: one is for annotated tiles.
    """
    if settings.real_labels is not None:
        raise SettingsError(
            f"--real-labels is {settings.real_labels}, but {annotated.folder} holds annotated "
            "samples, whose latents are known. Leave it out, or give annotated tiles."
        )
    given = _changed(settings, _OF_TILES)
    if isinstance(sources, AnnotationSources) and sources.tiles is not None:
        given += ["tiles"]
    if isinstance(sources, ClassifierSources) and sources.encoder is not None:
        given += ["encoder"]
    if given:
        raise SettingsError(
            f"--{_flag(given)} is for annotated tiles, but {annotated.folder} holds annotated "
            "samples. Leave it out, or give annotated tiles."
        )


def check_way(
    way: RealLabels, settings: TrainClassifierSettings, sources: ClassifierSources
) -> None:
    """Do nothing if the choices suit this way of learning from real tiles.

    Raises:
        SettingsError: one changes nothing for it.
    """
    if settings.all_splits:
        raise SettingsError(
            "--all-splits is for annotated drawings; of annotated tiles, --folds says which are "
            "learned from. Leave it out."
        )
    if way == "projection":
        return
    given = _changed(settings, _NOT_MATCHED)
    given += ["encoder"] if sources.encoder is not None else []
    if given:
        raise SettingsError(
            f"--{_flag(given)} changes nothing for --real-labels gradient-matching, "
            "or cannot be matched. Leave it out, or choose --real-labels projection."
        )


def check_context(generator: GeneratorFolder, settings: TrainClassifierSettings) -> None:
    """Do nothing unless a context head is wished for that has nothing to read.

    Raises:
        SettingsError: no map that is read is small enough.
    """
    shape = generator.shape
    num_blocks = recipe_of(settings).for_blocks(len(shape.resolutions)).num_blocks
    if settings.context is True and context_shape_of(shape, num_blocks, 1) is None:
        raise SettingsError(
            f"--context needs feature maps up to {WHOLE_PX} px, but of {generator.folder} "
            f"only the last {num_blocks} blocks are read, which are larger. Read more with "
            "--num-blocks, or leave out --context."
        )


def check_classes(annotated: AnnotationSet, settings: TrainClassifierSettings) -> None:
    """Do nothing if the settings name classes, and as many, as are annotated.

    Raises:
        SettingsError: they name others, or another number.
    """
    num_weights, num_classes = len(settings.class_weights or ()), len(annotated.class_map)
    if num_weights not in (0, num_classes):
        raise SettingsError(
            f"--class-weights has {num_weights} numbers; {annotated.folder} has {num_classes} "
            f"classes: {', '.join(annotated.class_map.names)}. Give one number a class, in this "
            "order."
        )
    strange = [name for name in settings.object_vote if name not in annotated.class_map.names]
    if strange:
        raise SettingsError(
            f"--object-vote names {strange[0]}, which is no class of {annotated.folder}. They are "
            f"{', '.join(annotated.class_map.names)}."
        )


def _changed(settings: TrainClassifierSettings, names: tuple[str, ...]) -> list[str]:
    """Which of these settings are not what they are by default."""
    default = TrainClassifierSettings()
    return [name for name in names if getattr(settings, name) != getattr(default, name)]


def _flag(given: list[str]) -> str:
    return given[0].replace("_", "-")

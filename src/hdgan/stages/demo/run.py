"""`hdgan demo`: where it begins."""

from pathlib import Path

from hdgan.artifacts.shipped import shipped_folders
from hdgan.artifacts.writing import remove_left
from hdgan.pipeline import Made
from hdgan.report.progress import remark
from hdgan.settings.demo import PREFERRED_GENERATORS, DemoSettings
from hdgan.stages.demo.phantom import demo_from_scratch
from hdgan.stages.demo.shipped import demo_from_shipped
from hdgan.stages.demo.steps import Steps, Verbs


def demo(output: Path, settings: DemoSettings, verbs: Verbs) -> Made:
    """Run the pipeline from a shipped generator, or from nothing, to a report.

    Where no generator came with the installation, it begins from nothing and says so.

    Returns:
        Where the report is, with its headline numbers.

    Raises:
        MissingArtifactError: no generator of this name came with the installation.
        WrongArtifactError: the generator comes without annotated drawings.
    """
    steps = Steps(output, verbs)
    shipped = {folder.name: folder for folder in shipped_folders()}
    chosen = settings.generator
    if chosen is None and not settings.from_scratch:
        chosen = next((name for name in PREFERRED_GENERATORS if name in shipped), None)
        if chosen is None:
            remark(
                "demo",
                "no generator came with this installation; one is trained on drawn tissue instead, "
                "as with --from-scratch",
            )
    if chosen is None:
        made = demo_from_scratch(settings.numbers(from_scratch=True), settings.seed, steps)
    else:
        # By its folder, since a bare name would mean a folder of that name here.
        place = shipped.get(chosen, Path(chosen))
        numbers = settings.numbers(from_scratch=False)
        made = demo_from_shipped(place, numbers, settings.seed, steps)
    remove_left(output)
    return made

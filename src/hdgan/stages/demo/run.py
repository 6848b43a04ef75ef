"""`hdgan demo`: where it begins."""

from pathlib import Path

from hdgan.artifacts.shipped import shipped_folders
from hdgan.pipeline import Made
from hdgan.report.progress import remark
from hdgan.settings.demo import DEFAULT_GENERATOR, DemoSettings
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
    names = {folder.name for folder in shipped_folders()}
    is_absent = settings.generator == DEFAULT_GENERATOR and settings.generator not in names
    if is_absent and not settings.from_scratch:
        remark(
            "demo",
            f"no generator {DEFAULT_GENERATOR} came with this installation; one is trained on "
            "drawn tissue instead, as with --from-scratch",
        )
    if is_absent or settings.from_scratch:
        return demo_from_scratch(settings.numbers(from_scratch=True), settings.seed, steps)
    return demo_from_shipped(
        settings.generator, settings.numbers(from_scratch=False), settings.seed, steps
    )

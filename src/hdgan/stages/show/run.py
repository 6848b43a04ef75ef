"""`hdgan show`: what an artifact is."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.shipped import shipped_or
from hdgan.artifacts.writing import write_among_others
from hdgan.errors import DamagedArtifactError
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import ArtifactPage, html_of_artifact
from hdgan.settings.show import ShowSettings
from hdgan.stages.show.account import Account, Look
from hdgan.stages.show.checking import check
from hdgan.stages.show.kinds import account_of
from hdgan.stages.show.lineage import (
    Linker,
    card_facts,
    file_facts,
    folders_beside,
    learned_facts,
    making_facts,
    origin_facts,
)
from hdgan.stages.show.page_file import refuse_other_file
from hdgan.stages.show.regenerating import Verbs, regenerate
from hdgan.stages.show.told import Told, clean


def show(
    folder: Path,
    settings: ShowSettings | None = None,
    verbs: Callable[[], Verbs] | None = None,
) -> Told:
    """Say what an artifact is and what it was made from, check its files, and write its page.

    Every file is read once to be checked. Of pixels, memory holds those of one record; the page
    itself grows with `num_pictures`, to some 60 MB. With `check` or `regenerate`, only what they
    find is said, and that something differs is no error.

    Args:
        folder: an artifact, or the name of a generator that comes with the package.
        settings: choices.
        verbs: gives what draws again, which is asked for only by `regenerate`.

    Raises:
        ArtifactError: it is not finished or damaged.
        SettingsError: the page would replace another file, or lie inside an artifact; or nothing of
            this kind can be regenerated.
    """
    settings = settings or ShowSettings()
    folder = shipped_or(folder)
    artifact = Artifact.open(folder)
    if settings.check or settings.num_regenerated is not None:
        return _compared(artifact, settings, verbs)
    if settings.html is not None:
        refuse_other_file(settings.html)
    artifact.check_files()
    beside = folders_beside(folder)
    account = account_of(folder, Look(settings.num_pictures, beside))
    learned, files = learned_facts(artifact, beside), file_facts(artifact)
    making = clean(making_facts(artifact, account.unused))
    printed = account.facts | origin_facts(artifact, beside) | learned | card_facts(artifact)
    facts = clean(printed | files) | making
    if settings.html is not None:
        # A page may be sent to others: it names folders, and does not say where they are.
        in_page = clean(account.facts | learned | files)
        page = _page(artifact, account, (in_page, making), Linker(settings.html, beside))
        data = html_of_artifact(page)
        write_among_others(settings.html, data)
        facts["page"] = f"{settings.html} ({len(data) / 1e6:.1f} MB)"
    return Told(artifact.manifest.kind, folder, facts)


def _compared(
    artifact: Artifact, settings: ShowSettings, verbs: Callable[[], Verbs] | None
) -> Told:
    """Compare an artifact with its manifest, and with what is drawn again."""
    drawn: dict[str, Fact] = {}
    differs = False
    checked, is_broken = check(artifact) if settings.check else ({}, False)
    if settings.num_regenerated is not None:
        if verbs is None:
            raise ValueError("regenerate needs verbs that draw again")
        try:
            drawn, differs = regenerate(
                artifact, settings.num_regenerated, verbs(), settings.device
            )
        except DamagedArtifactError as error:
            if not is_broken:
                raise
            drawn = {"drawn again": f"nothing: {error}"}
    facts = drawn | checked
    differs = differs or is_broken
    return Told(artifact.manifest.kind, artifact.folder, clean(facts), differs)


def _page(
    artifact: Artifact,
    account: Account,
    facts: tuple[Mapping[str, Fact], Mapping[str, Fact]],
    linker: Linker,
) -> ArtifactPage:
    shown = account.shown()
    return ArtifactPage(
        kind=artifact.manifest.kind,
        name=artifact.folder.resolve().name,
        lead=account.lead,
        facts=facts[0],
        parents=linker.parents(artifact),
        children=linker.children(artifact),
        numbers=shown.numbers,
        gallery=shown.gallery,
        sections=shown.sections,
        texts=shown.texts,
        making=facts[1],
    )

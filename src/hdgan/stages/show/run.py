"""`hdgan show`: what an artifact is."""

from collections.abc import Mapping
from pathlib import Path

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.shipped import shipped_or
from hdgan.artifacts.writing import write_atomically
from hdgan.pipeline import Fact, Made
from hdgan.report.artifact_page import ArtifactPage, html_of_artifact
from hdgan.settings.show import ShowSettings
from hdgan.stages.show.account import Account, Look
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


def show(folder: Path, settings: ShowSettings | None = None) -> Made:
    """Say what an artifact is and what it was made from, check its files, and write its page.

    Every file is read once to be checked. Of pixels, memory holds those of one record; the page
    itself grows with `num_pictures`, to some 60 MB.

    Raises:
        ArtifactError: it is not finished or damaged.
        SettingsError: the page would replace another file, or lie inside an artifact.
    """
    settings = settings or ShowSettings()
    folder = shipped_or(folder)
    artifact = Artifact.open(folder)
    if settings.html is not None:
        refuse_other_file(settings.html)
    artifact.check_files()
    beside = folders_beside(folder)
    account = account_of(folder, Look(settings.num_pictures, beside))
    learned, files = learned_facts(artifact, beside), file_facts(artifact)
    making = _clean(making_facts(artifact, account.unused))
    printed = account.facts | origin_facts(artifact, beside) | learned | card_facts(artifact)
    facts = _clean(printed | files) | making
    if settings.html is not None:
        # A page may be sent to others: it names folders, and does not say where they are.
        in_page = _clean(account.facts | learned | files)
        page = _page(artifact, account, (in_page, making), Linker(settings.html, beside))
        data = html_of_artifact(page)
        write_atomically(settings.html, data)
        facts["page"] = f"{settings.html} ({len(data) / 1e6:.1f} MB)"
    return Made(artifact.manifest.kind, folder, facts)


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


def _clean(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Facts whose texts cannot move a terminal's cursor: names come from other people's files."""
    return {
        _printable(name): _printable(fact) if isinstance(fact, str) else fact
        for name, fact in facts.items()
    }


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )

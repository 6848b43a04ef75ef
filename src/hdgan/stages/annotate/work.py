"""A folder of annotations while somebody paints: its history, and the server over it."""

import getpass
import logging
import shlex
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path

from hdgan.artifacts.annotation_history import AnnotationHistory
from hdgan.artifacts.annotation_set import HISTORY, SPLITS
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import AMBIGUOUS, UNLABELLED, ClassMap
from hdgan.pipeline import Fact
from hdgan.report.progress import remark
from hdgan.settings.annotate import AnnotateSettings
from hdgan.stages.annotate.beginning import TILES, note_lineage, write_copy
from hdgan.stages.annotate.finishing import write_annotation_set
from hdgan.web.app import page
from hdgan.web.assistant import Assistant
from hdgan.web.desk import Desk
from hdgan.web.guard import LOG, Secret
from hdgan.web.predictor import Predictor
from hdgan.web.serving import HOST, free_socket, open_in_browser, serve
from hdgan.web.tiles import TileSource
from hdgan.web.transfer import EXPORT

REASONS = ("artefact", "blurred", "not tissue", "implausible", "duplicate", "ambiguous")
"""Why a tile may be set aside; a person may also write another reason."""

LOG_FILE = "page.log"
"""Where refused requests are noted."""


class Work:
    """What is painted in an unfinished folder."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        source: TileSource,
        class_map: ClassMap,
        settings: AnnotateSettings,
    ) -> None:
        """Open the history, or begin it.

        Args:
            unfinished: the folder.
            source: the tiles.
            class_map: what is painted.
            settings: choices.
        """
        self.unfinished, self.source = unfinished, source
        self.class_map, self.settings = class_map, settings
        self.history = AnnotationHistory(unfinished.scratch / HISTORY, source.sizes)
        self.assistant = Assistant(None)
        self.desk = self._desk()
        if self.history.facts().get(TILES) is None:
            self.history.note(TILES, source.artifact.digest)
        unfinished.is_dear = bool(self.history.heads() or self.history.marks())

    def close(self) -> None:
        """Write everything into the history's file."""
        self.assistant.close()
        self.history.close()

    def start_from(self, other: Path) -> None:
        """Take over what was painted in another folder, unless something is painted here.

        Raises:
            MissingArtifactError: nothing was painted there.
            WrongArtifactError: it was painted on other tiles, or with other classes.
            LabelError: a label map does not have the size of its tile.
        """
        if self.history.heads() or self.history.marks():
            return
        copy = self.unfinished.scratch / "copy.sqlite3"
        for left in copy.parent.glob(f"{copy.name}*"):
            left.unlink()
        write_copy(other, self.source, self.class_map, copy)
        self.history.close()
        copy.replace(self.history.path)
        self.history = AnnotationHistory(self.history.path, self.source.sizes)
        self.desk = self._desk()

    def helped_by(self, predictor: Predictor, classifier: Artifact | None) -> None:
        """Let somebody predict; what it has learned from is noted."""
        self.assistant = Assistant(predictor)
        self.desk = self._desk()
        if classifier is not None:
            note_lineage(self.history, classifier.parents, classifier.manifest.learned)

    def finished(self) -> dict[str, Fact]:
        """Write the annotation set; what is in it comes back.

        Raises:
            LabelError: nothing is painted.
        """
        _, facts = self.desk.finish(self.settings.author or _account())
        return dict(facts)  # type: ignore[arg-type]

    @property
    def facts(self) -> dict[str, Fact]:
        """How it stands, for people."""
        if self.desk.is_finished:
            return {"label maps": len(self.desk.outlook().painted)}
        outlook = self.desk.outlook()
        return {
            "painted tiles": len(outlook.painted),
            "not finished": "run the same command again to go on",
        }

    def serve(self) -> None:
        """Serve the page until the user interrupts."""
        self.unfinished.is_dear = True
        for left in self.unfinished.scratch.glob(f"{EXPORT}*"):
            left.unlink(missing_ok=True)
        secret = Secret.kept_in(self.unfinished.scratch / "secret")
        listener = free_socket(self.settings.port)
        port = listener.getsockname()[1]
        address = f"http://{HOST}:{port}/?token={secret.token}"
        log = RotatingFileHandler(
            self.unfinished.scratch / LOG_FILE, maxBytes=2**20, backupCount=1, encoding="utf-8"
        )
        log.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        LOG.addHandler(log)

        def ready() -> None:
            remark("annotate", f"open {address}")
            remark("annotate", "each stroke is saved at once; Ctrl+C here ends the page")
            if self.settings.browser:
                open_in_browser(address)

        try:
            serve(page(self.desk, secret, port, self._session()), listener, ready)
        finally:
            LOG.removeHandler(log)
            log.close()

    def _next_command(self) -> list[str]:
        """What can be made of the finished set."""
        folder = self.unfinished.folder
        made = "classifier" if self.source.has_splits else "segmenter"
        return ["hdgan", f"train-{made}", str(folder), str(folder.with_name(made))]

    def _desk(self) -> Desk:
        goal = dict(zip(SPLITS, self.settings.goal, strict=True)) if self.source.has_splits else {}
        return Desk(self.source, self.history, self.class_map, goal, self.assistant, self._write)

    def _write(self) -> tuple[str, Mapping[str, object]]:
        facts = write_annotation_set(self.unfinished, self.desk, self.settings)
        return str(self.unfinished.folder), facts

    def _session(self) -> dict[str, object]:
        """What the page has to know at first."""
        folder = self.unfinished.folder
        samples = self.source.artifact.folder
        return {
            "author": self.settings.author or _account(),
            "samples": samples.name,
            "output": str(folder),
            "kind": self.source.artifact.kind,
            "classes": self.class_map.to_records(),
            "ambiguous": AMBIGUOUS,
            "unlabelled": UNLABELLED,
            "goal": self.desk.goal or None,
            "has_predictions": self.assistant.predicts,
            "predicts_before_strokes": self.assistant.predicts_before_strokes,
            "reasons": REASONS,
            "goes_on_with": shlex.join(self._next_command()),
            "starts_again_with": shlex.join(
                ["hdgan", "annotate", str(samples), "NEW_FOLDER", "--start-from", str(folder)]
            ),
        }


def _account() -> str:
    """Name of this computer's account."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "annotator"

"""The SQLite file of a history: opened with care, one thread at a time, all or nothing."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hdgan.errors import DamagedArtifactError, StorageError

LAYOUT = 1
"""Version of the tables."""

_TABLES = """
CREATE TABLE revisions (
  tile TEXT, reading INTEGER, revision INTEGER, kind TEXT NOT NULL, undoes INTEGER,
  author TEXT NOT NULL, at TEXT NOT NULL, x INTEGER NOT NULL, y INTEGER NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, labels BLOB NOT NULL, counts BLOB NOT NULL,
  PRIMARY KEY (tile, reading, revision)) WITHOUT ROWID;
CREATE TABLE keyframes (
  tile TEXT, reading INTEGER, revision INTEGER, labels BLOB NOT NULL,
  PRIMARY KEY (tile, reading, revision)) WITHOUT ROWID;
CREATE TABLE times (
  id INTEGER PRIMARY KEY, tile TEXT NOT NULL, reading INTEGER NOT NULL, author TEXT NOT NULL,
  at TEXT NOT NULL, seconds REAL NOT NULL, report TEXT UNIQUE);
CREATE INDEX times_by_tile ON times (tile, reading);
CREATE TABLE marks (
  id INTEGER PRIMARY KEY, tile TEXT NOT NULL, verdict TEXT, reason TEXT, split TEXT,
  author TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX marks_by_tile ON marks (tile);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class HistoryDatabase:
    """The tables of a history. What SQLite may refuse becomes one sentence."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Args:
            path: of the file.

        Raises:
            DamagedArtifactError: it is no history.
            StorageError: it cannot be written.
        """
        self.path = path
        self.lock = threading.RLock()
        with self._errors():
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                self._begin()
            except BaseException:
                self._connection.close()
                raise

    def _begin(self) -> None:
        connection = self._connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout == 0:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;")
        elif layout != LAYOUT:
            raise DamagedArtifactError(
                f"{self.path} is a history of layout {layout}; this version of hdgan reads layout "
                f"{LAYOUT}. Use the version that wrote it."
            )

    def close(self) -> None:
        """Write everything into the one file."""
        with self._errors():
            self._connection.close()

    def copy_to(self, path: Path) -> None:
        """Write a copy as one closed file.

        Raises:
            StorageError: it cannot be written.
        """
        with self._errors(), closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    def rows(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives; changes stand at once, or with the transaction around them.

        Raises:
            DamagedArtifactError: the file is damaged.
            StorageError: it cannot be read or written.
        """
        with self._errors():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is changed inside, or nothing.

        Raises:
            StorageError: it cannot be written.
        """
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self.lock:
            try:
                yield
            except sqlite3.OperationalError as error:
                raise StorageError(
                    f"{self.path} could not be written or read ({error}). Make room, or see to it "
                    "that the folder can be written; what was saved before is kept."
                ) from error
            except sqlite3.Error as error:
                raise DamagedArtifactError(
                    f"{self.path} is no history of annotations, or is damaged ({error}). Restore "
                    "it from a copy."
                ) from error

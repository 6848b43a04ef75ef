"""The scheduler of a Dask cluster is killed; tests of its workers are in tests/stages."""

import os
import signal
import time
from pathlib import Path

import pytest

from hdgan.errors import StorageError
from hdgan.workers import done_by_cluster
from tests.stages.local_cluster import local_cluster

NUM_PIECES = 400


def scheduler_of(folder: Path) -> int:
    """The process of the cluster whose files lie in a folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            command = (entry / "cmdline").read_bytes()
            if b"\0scheduler\0" in command and os.fsencode(folder) in command:
                return int(entry.name)
    raise AssertionError(f"no scheduler works in {folder}")


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc to find it")
def test_a_scheduler_that_is_killed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_cluster(tmp_path, 1, "") as cluster:
        results = done_by_cluster(time.sleep, [0.05] * NUM_PIECES, cluster, 1)
        assert next(results) is None
        monkeypatch.setattr("hdgan.workers.CONNECT_SECONDS", 1)
        os.kill(scheduler_of(tmp_path), signal.SIGKILL)

        with pytest.raises(StorageError, match=r"The scheduler at --cluster tcp:.* has ended"):
            list(results)

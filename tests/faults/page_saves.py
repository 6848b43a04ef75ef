"""Many people paint on the annotation page at once, and its server is killed meanwhile."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hdgan.artifacts.sample_set import SampleSet
from tests.tiny_world import SIDE
from tests.web.served_page import ServedPage, open_client
from tests.web.test_concurrency import Painter, check_history


@dataclass(frozen=True)
class Saves:
    """What came of it; every save that was answered with success was found afterwards."""

    acknowledged: int
    """Saves that were answered with success."""

    conflicts: int
    """Saves that were answered with: somebody else was quicker."""

    untold: int
    """Saves on the disk whose answer the kill cut off; at most one for each painter."""

    others: int
    """Requests with any other answer."""


def saved_by_many(samples: Path, folder: Path, num_painters: int, seconds: float) -> Saves:
    """Let so many clients save all the time, kill the server after so many seconds, and look.

    Raises:
        AssertionError: a save that was answered with success is not there, or is another.
    """
    names = [record.sample for record in SampleSet.open(samples).records()]
    tiles = [names[i % len(names)] for i in range(num_painters)]
    with ServedPage(samples, folder) as page:
        painters = [
            Painter(open_client(page), f"author {i}", tile, i % 5) for i, tile in enumerate(tiles)
        ]
        killer = threading.Timer(seconds, page.kill)
        with ThreadPoolExecutor(num_painters) as pool:
            painted = [pool.submit(painter.paint, lambda: False) for painter in painters]
            killer.start()
            for done in painted:
                done.result()
        killer.join()
        for painter in painters:
            painter.client.close()
    untold = check_history(folder, dict.fromkeys(names, (SIDE, SIDE)), painters)
    answers = sum((painter.statuses for painter in painters), Counter[int]())
    acknowledged, conflicts = answers.pop(201, 0), answers.pop(412, 0)
    return Saves(acknowledged, conflicts, untold, answers.total())

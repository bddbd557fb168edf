"""A pool of worker processes that give way to others and end with whoever started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from perinatal.settings import GIVES_WAY


def pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of fresh processes. A worker ends when its parent does, even where the parent is killed."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    os.nice(GIVES_WAY)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process at once when its parent has ended: a worker holds both ends of its queue and would wait on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

"""Workers end with whoever started them, even where that process is killed."""

import subprocess
import sys
import time

import psutil

STARTS_WORKERS = """
import time
from perinatal import worker_processes
if __name__ == "__main__":
    with worker_processes.pool(2) as pool:
        waiting = [pool.submit(time.sleep, 600) for _ in range(2)]
        while len(pool._processes) < 2 or not all(one.running() for one in waiting):
            time.sleep(0.05)
        print(*pool._processes, flush=True)
        time.sleep(600)
"""


def test_workers_of_a_killed_process_end(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(STARTS_WORKERS)
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as parent:
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    _, alive = psutil.wait_procs(workers, timeout=30)
    for left in alive:
        left.kill()
    assert alive == []


def test_work_is_done_and_gives_way():
    from perinatal import worker_processes

    with worker_processes.pool(1) as pool:
        assert pool.submit(time.monotonic).result() > 0
        assert psutil.Process(next(iter(pool._processes))).nice() == 19

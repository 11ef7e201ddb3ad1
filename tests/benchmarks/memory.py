"""What memory costs on this machine: `python -m tests.benchmarks.memory` [--gb N].

CPU seconds for each GB that a program enters for the first time, and again right after another program gave it back.
On a machine of its own both are the same. A virtual machine may give memory that lies idle back to its host; entering it
anew then costs several times as much, and the same night takes longer than an hour ago. Linux, macOS. Not here: nights.
"""

from __future__ import annotations

import argparse
import json
import mmap
import subprocess
import sys
import time
from statistics import median

ENTER = """
import json, mmap, sys, time
memory = mmap.mmap(-1, int(sys.argv[1]) << 30)
spent = []
for first in range(0, len(memory), 1 << 30):
    begun = time.process_time()
    for place in range(first, first + (1 << 30), mmap.PAGESIZE):
        memory[place] = 1
    spent.append(time.process_time() - begun)
print(json.dumps(spent))
"""


def entered(gigabytes: int) -> list[float]:
    """CPU seconds for each GB, by a program of its own."""
    words = [sys.executable, "-c", ENTER, str(gigabytes)]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def walked(pages: int) -> float:
    """CPU seconds that Python takes for the loop alone."""
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    begun = time.process_time()
    for _ in range(pages):
        memory[0] = 1
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=int, default=12, help="how much memory is entered; less than is free")
    given = parser.parse_args()
    loop = walked((1 << 30) // mmap.PAGESIZE)
    for name in ("as it was", "right after"):
        spent = [max(one - loop, 0) for one in entered(given.gb)]
        print(f"{name:12} {median(spent):.2f} s a GB ({min(spent):.2f}–{max(spent):.2f})")


if __name__ == "__main__":
    main()

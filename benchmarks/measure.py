"""What the benchmarks share: the programs, and the machine."""

import json
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def built(*chosen):
    """The program that Cargo builds where these options choose it."""
    command = ["cargo", "build", "--quiet", "--message-format", "json", *chosen]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    made = (json.loads(line).get("executable") for line in said.splitlines())
    return [path for path in made if path][-1]


def version(program):
    """What it says it is."""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def machine(place):
    """What the figures hold for."""
    processor = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    kind = subprocess.run(["stat", "--file-system", "--format=%T", place], capture_output=True, text=True).stdout
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release().split("-")[0],
        "file_system": kind.strip(),
        # Of others: nothing has been timed yet.
        "load": round(os.getloadavg()[0]),
    }

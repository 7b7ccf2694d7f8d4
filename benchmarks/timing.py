"""Interleaved timing of several callables in one process, and the record of a run."""

import gc
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np

from benchmarks import ROOT

RESULTS = ROOT / "benchmarks" / "results"
MIN_ROUNDS = 3
MAX_ROUNDS = 10_000


def interleave(calls, budget_s, n_rounds=None, min_rounds=MIN_ROUNDS):
    """Time callables in rounds A B C A B C, so that a slow moment of the machine hits them all.

    Parameters
    ----------
    calls : dict of str to callable
        What is timed; each is called without arguments, once per round.
    budget_s : float
        Rounds are added while another one is expected to end within this many seconds, never
        more than `MAX_ROUNDS`.
    n_rounds : int, optional
        A fixed number of rounds instead.
    min_rounds : int
        The fewest rounds, however long they take.

    Returns
    -------
    wall, cpu : dict of str to ndarray of shape (n_rounds,)
        Seconds per round; CPU seconds are those of all threads of the process.
    last : dict
        What each callable returned in the last round.
    """
    wall = {name: [] for name in calls}
    cpu = {name: [] for name in calls}
    last = dict.fromkeys(calls)
    start, done = time.perf_counter(), 0
    gc.collect()
    gc.disable()  # as timeit does: a collection would hit one side at random
    try:
        while True:
            if n_rounds is not None:
                if done >= n_rounds:
                    break
            elif done >= min_rounds:
                elapsed = time.perf_counter() - start
                if done >= MAX_ROUNDS or elapsed * (done + 1) / done > budget_s:
                    break
            for name, call in calls.items():
                last[name] = None  # the old model is freed before the clock starts
                await_helpers()
                cpu_start, wall_start = time.process_time(), time.perf_counter()
                last[name] = call()
                wall[name].append(time.perf_counter() - wall_start)
                cpu[name].append(time.process_time() - cpu_start)
            done += 1
    finally:
        gc.enable()
    as_arrays = [{name: np.array(v) for name, v in side.items()} for side in (wall, cpu)]
    return *as_arrays, last


def await_helpers():
    """Wait until no helper of the last call spins: its CPU time would count for the next one.

    The system may write down what another thread has used four milliseconds late. The processor
    is kept busy meanwhile, lest it slow down before a short call.
    """
    for _ in range(10):
        before = time.process_time() - time.thread_time()
        end = time.perf_counter() + 0.006
        while time.perf_counter() < end:
            pass
        if time.process_time() - time.thread_time() - before < 0.001:
            break


def compare(reference, contender):
    """Return how many times faster the contender is: median and quartiles of the paired ratios."""
    lower, middle, upper = np.quantile(reference / contender, [0.25, 0.5, 0.75])
    return {"ratio": float(middle), "lower": float(lower), "upper": float(upper)}


def geometric_mean(ratios):
    """Return the mean that treats twice as fast and half as fast as opposites."""
    return float(np.exp(np.mean(np.log(list(ratios)))))


def mean_depth(tree):
    """Return the depth at which a training sample ends, on average: the levels it went through."""
    depth = np.zeros(tree.node_count)
    inner = np.flatnonzero(tree.children_left >= 0)
    for node in inner:  # a parent has a lower number than its children
        depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
    leaves = tree.children_left < 0
    return float(np.average(depth[leaves], weights=tree.n_node_samples[leaves]))


def format_seconds(seconds):
    """Write a duration with three digits and its unit.

    >>> [format_seconds(s) for s in (12.34, 0.0567, 0.000512)]
    ['12.3 s', '56.7 ms', '512 us']
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size or unit == "us":
            value = seconds / size
            return f"{value:.{max(0, 2 - int(np.log10(max(value, 1))))}f} {unit}"


def n_cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_machine():
    """Return processor, cores, memory, system and load: what the numbers depend on."""
    processor = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if "model name" in line]
        processor = names[0] if names else processor
    machine = {"processor": processor, "system": platform.platform(), "n_cores": n_cores()}
    machine["load_average"] = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return machine


def _git(*arguments):
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def describe_run(benchmark, versions):
    """Return the heading of a result: command, date, commit, machine and versions."""
    return {
        "benchmark": benchmark,
        "command": f"python -m benchmarks.{benchmark} {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "has_uncommitted_changes": bool(_git("status", "--porcelain")),
        "machine": describe_machine(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, **versions},
    }


def format_heading(run):
    """Write the heading of a result as two lines of text."""
    machine = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    commit = (run["commit"] or "none")[:12] + ("+" if run["has_uncommitted_changes"] else "")
    return (
        f"{machine['processor']}, {machine['n_cores']} cores, load {machine['load_average']}\n"
        f"{versions}, commit {commit}\n"
    )


def save(name, run, rows):
    """Write a result to benchmarks/results/NAME.json and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**run, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return path

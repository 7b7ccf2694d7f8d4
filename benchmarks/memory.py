"""Peak of the memory that a fit takes above its data, measured in a process of its own.

Linux alone tells the peak of one process; elsewhere there is no number.
"""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import ROOT

STATUS = Path("/proc/self/status")


def peak_above(X, y, peer, settings):
    """Return the megabytes by which a fit raises the peak of a fresh process, None if unknown.

    The process has loaded the data and the library and has fitted a small part before.
    """
    if not STATUS.exists():
        return None
    with TemporaryDirectory() as folder:
        np.save(Path(folder, "X.npy"), X)
        np.save(Path(folder, "y.npy"), y)
        Path(folder, "settings.pkl").write_bytes(pickle.dumps(settings))
        # The checkout last: it may hold sources of treelearn that were never compiled.
        path = [entry for entry in sys.path if entry] + [str(ROOT)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", folder, peer],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            check=True,
            capture_output=True,
            text=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def peak_mb():
    """Return the largest number of megabytes that this process has held."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main(folder, peer):
    """Fit in this process and print by how much its peak has risen."""
    from benchmarks import peers

    adapter = peers.PEERS[peer]()
    X, y = (np.load(Path(folder, f"{name}.npy")) for name in "Xy")
    settings = pickle.loads(Path(folder, "settings.pkl").read_bytes())
    small = np.concatenate([np.arange(min(len(y), 200)), np.unique(y, return_index=True)[1]])
    adapter.fit(X[small], y[small], settings)
    before = peak_mb()
    adapter.fit(X, y, settings)
    print(json.dumps(peak_mb() - before))


if __name__ == "__main__":
    main(*sys.argv[1:])

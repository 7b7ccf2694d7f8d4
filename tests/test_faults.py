"""Interrupts, memory that cannot be had, forks and worker processes.

What could hang or kill the process runs in one of its own, with a time limit.
"""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from joblib import Parallel, delayed
from tree_checks import equal_trees

from treelearn import DecisionTreeClassifier

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and limits")


def _run(script, time_limit=100):
    """Run a script in a new process and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=time_limit,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


INTERRUPT = """
    import os, signal, threading, time
    import numpy as np
    from treelearn import {estimator} as Estimator

    rng = np.random.default_rng(0)
    small = rng.random((50, {n_features})), rng.integers(0, 2, 50)
    X = rng.random(({n_rows}, {n_features}), dtype=np.float32)
    y = rng.integers(0, 3, len(X))
    tree = Estimator(n_jobs={n_jobs}, {rules}).fit(*small)
    before = dict(vars(tree)), tree.predict(small[0])
    sent = []

    def interrupt(delay):
        time.sleep(delay)
        sent.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    for delay in {delays}:
        thread = threading.Thread(target=interrupt, args=(delay,))
        thread.start()
        try:
            {call}
            outcome = "finished"
            thread.join()
            time.sleep(1.0)
        except KeyboardInterrupt:
            # Of the processors, not of the clock: others may be at work on them.
            outcome = "late" if time.process_time() - sent[-1] > 1.0 else "interrupted"
        thread.join()
        print(outcome, round(time.process_time() - sent[-1], 3), flush=True)
    assert vars(tree).keys() == before[0].keys(), vars(tree).keys()
    assert (tree.predict(small[0]) == before[1]).all()
"""


@needs_posix
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    ("estimator", "rules", "n_rows"),
    [
        ("DecisionTreeClassifier", "criterion='tsallis', order=1.7", 2_000_000),
        ("DecisionTreeRegressor", "criterion='absolute_error'", 600_000),
    ],
    ids=["classifier", "regressor"],
)
def test_interrupted_fit(n_jobs, estimator, rules, n_rows):
    script = INTERRUPT.format(
        estimator=estimator,
        rules=rules,
        n_jobs=n_jobs,
        n_rows=n_rows,
        n_features=8,
        delays=[0.01, 0.15, 0.8],
        call="tree.fit(X, y)",
    )
    outcomes = [line.split()[0] for line in _run(script).splitlines()]
    assert outcomes == ["interrupted"] * 3


@needs_posix
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupted_search_of_bins(n_jobs):
    """Noise without end: every bin is looked into, in every node."""
    script = INTERRUPT.format(
        estimator="DecisionTreeClassifier",
        rules="max_depth=30",
        n_jobs=n_jobs,
        n_rows=1_000_000,
        n_features=16,
        delays=[0.2, 0.9],
        call="tree.fit(X, y)",
    )
    script = script.replace(
        "import numpy as np",
        "import numpy as np\n    import treelearn._bounded_fitting as b\n    b._PATIENCE = 1e9",
    )
    assert [line.split()[0] for line in _run(script).splitlines()] == ["interrupted"] * 2


@needs_posix
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_interrupted_binning(n_jobs):
    """Every thread's way out of the loop over rows raises what the signal left."""
    script = INTERRUPT.format(
        estimator="DecisionTreeClassifier",
        rules="max_bins=64",
        n_jobs=n_jobs,
        n_rows=1_000_000,
        n_features=8,
        delays=[0.04, 0.06, 0.08, 0.1, 0.12],
        call="[bin_samples(X, 64, tree.n_jobs) for _ in range(100)]",
    )
    script = script.replace(
        "import numpy as np",
        "import numpy as np\n    from treelearn.histogram.binning import bin_samples",
    )
    assert [line.split()[0] for line in _run(script).splitlines()] == ["interrupted"] * 5


@needs_posix
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupted_predict(n_jobs):
    script = INTERRUPT.format(
        estimator="DecisionTreeClassifier",
        rules="max_depth=30",
        n_jobs=n_jobs,
        n_rows=6_000_000,
        n_features=2,
        delays=[0.02],
        call="[tree.predict(X) for _ in range(100)]",
    )
    assert _run(script).split()[0] == "interrupted"


@needs_posix
def test_memory_that_cannot_be_had():
    """The limit leaves room for the table, not for what a fit needs beside it."""
    out = _run("""
        import re, resource
        import numpy as np
        from treelearn import DecisionTreeClassifier
        from treelearn import DecisionTreeRegressor

        X = np.random.default_rng(0).random((400_000, 30), dtype=np.float32)
        y = (X[:, 0] > 0.5).astype(np.int64)
        small = X[:100], y[:100]
        trees = [
            DecisionTreeClassifier(n_jobs=1, max_depth=3),  # through bins
            DecisionTreeClassifier(n_jobs=1, max_depth=20),  # on lists
            DecisionTreeRegressor(n_jobs=1, max_depth=3, criterion="absolute_error"),
        ]
        for tree in trees:
            tree.fit(*small).predict(X[:100])
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        for room in (2, 8, 20):
            resource.setrlimit(resource.RLIMIT_AS, (used + room * 2**20, -1))
            for tree in trees:
                try:
                    tree.fit(X, y)
                except MemoryError as error:
                    size = re.search(r"[0-9.]+ ?(bytes|[KMG]i?B)", str(error))
                    print("refused" if size else f"no size: {error!r}")
                else:
                    print("fitted")
            resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
            for tree in trees:
                assert tree.tree_.n_node_samples[0] == 100
                assert tree.fit(*small).get_n_leaves() > 1
    """)
    assert out.split("\n")[:-1] == ["refused"] * 9, out


@needs_posix
@pytest.mark.parametrize("first", [1, 2])
def test_fit_after_fork(first):
    """A parent whose threads have run forks a child, which fits and predicts with threads."""
    out = _run(f"""
        import multiprocessing, warnings
        import numpy as np
        from treelearn import DecisionTreeClassifier

        warnings.simplefilter("ignore")
        rng = np.random.default_rng(0)
        X, y = rng.random((60_000, 6)), rng.integers(0, 2, 60_000)

        def work(queue=None):
            tree = DecisionTreeClassifier(n_jobs=2, max_depth=8).fit(X, y)
            found = float(tree.predict(X).sum() + tree.tree_.threshold.sum())
            return found if queue is None else queue.put(found)

        DecisionTreeClassifier(n_jobs={first}, max_depth=8).fit(X, y).predict(X)
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=work, args=(queue,))
        child.start()
        child.join(40)
        if child.is_alive():
            child.kill()
            print("hangs")
        else:
            print("equal" if queue.get(timeout=5) == work() else "different")
    """)
    assert out.strip() == "equal"


def _fit(X, y, n_jobs):
    return DecisionTreeClassifier(max_depth=8, n_jobs=n_jobs).fit(X, y)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_inside_workers(backend, rng):
    X, y = rng.random((20_000, 4)), rng.integers(0, 2, 20_000)
    expected = _fit(X, y, 1)
    trees = Parallel(n_jobs=2, backend=backend)(delayed(_fit)(X, y, n) for n in (None, 2, 1, None))
    for tree in trees:
        equal_trees(tree.tree_, expected.tree_)


def test_threads_share_one_fitted_tree(rng):
    """Predictions from many threads of one estimator, the first of them included."""
    X, y = rng.random((5000, 4)), rng.integers(0, 2, 5000)
    tree = _fit(X, y, 1)
    found = Parallel(n_jobs=4, backend="threading")(delayed(tree.predict)(X) for _ in range(16))
    for prediction in found:
        np.testing.assert_array_equal(prediction, tree.predict(X))


def test_limits_on_threads_are_kept():
    out = _run("""
        import os
        os.environ["OMP_NUM_THREADS"] = "1"
        from threadpoolctl import threadpool_limits
        from treelearn._threads import effective_n_threads, openmp_enabled
        print(effective_n_threads(None))
        if openmp_enabled():
            assert effective_n_threads(3) == 3
    """)
    assert out.strip() == "1"

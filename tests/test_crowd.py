"""Threads that are held up: the next regions are left to fewer of them, for a while."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its clocks are too coarse")

PRELUDE = """
import time
from treelearn._crowd import begin_share, end_share, n_threads_now

def share(ran=0.0, held_up=0.0):
    begin_share(0)
    end = time.thread_time() + ran
    while time.thread_time() < end:
        pass
    time.sleep(held_up)
    end_share()

def counts():
    return [n_threads_now(n) for n in (1, 2, 3, 8)]

def time_of_wait():
    began = time.monotonic()
    while counts() != [1, 2, 3, 8]:
        assert counts() == [1, 1, 1, 4] or counts() == [1, 2, 3, 8]
        time.sleep(0.005)
    return time.monotonic() - began
"""


def run(code):
    """Run code in a process of its own, since all fits of a process share what is known."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_all_threads_work_at_first():
    run("assert counts() == [1, 2, 3, 8]")


def test_threads_that_are_held_up_are_halved_for_a_while():
    run(
        """
share(held_up=0.004)
assert counts() == [1, 1, 1, 4]
assert 0.3 < time_of_wait() < 10
"""
    )


def test_second_wait_is_twice_as_long():
    run(
        """
share(held_up=0.002)
first = time_of_wait()
share(held_up=0.002)
second = time_of_wait()
assert second > min(1.8 * first, 7)
"""
    )


def test_time_that_threads_ran_pays_for_a_short_delay():
    run(
        """
for attempt in range(20):
    share(ran=0.03)
    time_of_wait()
    share(ran=0.03)
    began = time.monotonic()
    share(held_up=0.001)
    if time.monotonic() - began < 0.003:  # a busy machine may let it sleep longer
        break
assert counts() == [1, 2, 3, 8]
share(held_up=0.1)
assert counts() == [1, 1, 1, 4]
"""
    )


def test_credit_is_bounded():
    run(
        """
share(ran=0.5)
share(held_up=0.05)
assert counts() == [1, 1, 1, 4]
"""
    )


def test_share_after_a_long_way_counts_as_held_up():
    run(
        """
begin_share(1)  # due when the clock began
assert counts() == [1, 1, 1, 4]
"""
    )


def test_same_tree_while_threads_are_held_up():
    run(
        """
import numpy as np
from treelearn import DecisionTreeClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(30_000, 10)).astype(np.float32)
y = (X[:, 0] + rng.normal(size=len(X)) > 0).astype(int)
for options in ({}, {"max_bins": 63}):
    one = DecisionTreeClassifier(n_jobs=1, **options).fit(X, y).tree_
    for delay in (0.0, 0.02):
        share(held_up=delay)
        found = DecisionTreeClassifier(n_jobs=3, **options).fit(X, y).tree_
        assert (found.feature == one.feature).all() and (found.threshold == one.threshold).all()
"""
    )

"""Threads that are held up: the next regions are left to fewer of them, for a while."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its clocks are too coarse")

PRELUDE = """
import time
from treelearn._crowd import (
    begin_share, crowd_state, end_share, ignore_crowd, n_threads_now, settle
)

def share(ran=0.0, held_up=0.0):
    began, began_run = time.monotonic(), time.thread_time()
    begin_share(0)
    while time.thread_time() < began_run + ran:
        pass
    time.sleep(held_up)
    end_share()
    # A busy machine may hold it up for longer.
    return time.monotonic() - began - (time.thread_time() - began_run)

def counts():
    return [n_threads_now(n) for n in (1, 2, 3, 8)]

def await_end():
    while crowd_state()[2] >= 0:
        time.sleep(0.01)
"""


def run(code):
    """Run code in a process of its own, since all fits of a process share what is known."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr


def test_all_threads_work_at_first():
    run("assert counts() == [1, 2, 3, 8]")


def test_threads_that_are_held_up_are_halved_for_a_while():
    run(
        """
lost = share(held_up=0.004)
assert counts() == [1, 1, 1, 4]
credit, wait, left = crowd_state()
assert credit == 0
assert 0.4 <= wait <= min(8, 100 * lost + 0.1)
assert 0 < left <= wait
await_end()
assert counts() == [1, 2, 3, 8]
"""
    )


def test_next_wait_is_twice_as_long_if_the_trial_fails():
    run(
        """
waits = [0]
while waits[-1] < 1:
    share(held_up=0.0025)
    waits.append(crowd_state()[1])
    await_end()
assert all(after >= 2 * before for before, after in zip(waits[1:], waits[2:]))
"""
    )


def test_no_wait_is_longer_than_eight_seconds():
    run(
        """
share(held_up=0.2)
assert crowd_state()[1] == 8
"""
    )


def test_time_that_threads_ran_pays_for_a_short_delay():
    run(
        """
settle(8_000_000, 0)
assert crowd_state()[0] == 0.002
settle(0, 1_500_000)
assert crowd_state()[0] == 0.0005 and counts() == [1, 2, 3, 8]
settle(0, 1_500_000)
assert crowd_state()[0] == 0 and counts() == [1, 1, 1, 4]
"""
    )


def test_time_that_a_thread_ran_is_measured():
    run(
        """
while True:
    share(ran=0.01)
    if 0 < crowd_state()[0]:
        break
    await_end()
"""
    )


def test_credit_is_bounded():
    run(
        """
settle(10**9, 0)
assert crowd_state()[0] == 0.004
settle(0, 20_000_000)
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


def test_crowd_can_be_ignored():
    run(
        """
begin_share(1)
ignore_crowd(True)
assert counts() == [1, 2, 3, 8]
ignore_crowd(False)
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
    for ignores in (True, False):
        begin_share(1)
        ignore_crowd(ignores)
        assert n_threads_now(3) == (3 if ignores else 1)
        found = DecisionTreeClassifier(n_jobs=3, **options).fit(X, y).tree_
        assert (found.feature == one.feature).all() and (found.threshold == one.threshold).all()
"""
    )

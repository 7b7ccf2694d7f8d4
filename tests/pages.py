"""Pages that several tests look at, and the facts that a page holds."""

import json
import re
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from treelearn import compare_criteria
from treelearn._tables import Table
from treelearn.report import page_of_table

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "]]>--><!-- %%FACTS%%",
    "\u2028\u202e&amp; \\u003c 'quoted\"",
    "${alert(3)} `x`",
]


def table_page(X, y, names=None, *, name="table", task=None, **options):
    """Return the page of arrays."""
    table = Table(name, X, y, "target")
    if names is not None:
        table.feature_names = names
    result = compare_criteria(X, y, cv=3, n_repeats=1, task=task)
    return page_of_table(table, X, y, result, command="treelearn report", seed=0, **options)


def facts_of(page):
    """Return the facts that a page holds."""
    return json.loads(re.search(r'id="facts">(.*?)</script>', page, re.DOTALL)[1])


@cache
def cancer_page():
    """Return the page of a bundled set with two classes."""
    return table_page(*load_breast_cancer(return_X_y=True))


@cache
def hostile_page():
    """Return the page of a table whose every name is hostile."""
    pd = pytest.importorskip("pandas", reason="frames have names")
    rng = np.random.default_rng(1)
    y = np.array(HOSTILE[:3])[rng.integers(0, 3, 240)]
    X = pd.DataFrame(rng.normal(size=(240, 4)), columns=HOSTILE[:4])
    X[HOSTILE[4]] = y
    X.iloc[::9, 0] = np.nan
    result = compare_criteria(X, y, cv=3, n_repeats=1)
    table = Table(HOSTILE[0], X, y, HOSTILE[1], notes=[HOSTILE[1]])
    result.notes += HOSTILE
    return page_of_table(table, X, y, result, command=HOSTILE[1], seed=0)

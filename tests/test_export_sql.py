"""Trees as SQL, run in SQLite, DuckDB and PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
import sys
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from exported import HOSTILE_NAMES, chain, fitted_trees, mixed_model
from hypothesis import given, settings
from hypothesis import strategies as st

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.export import VerificationError, to_sql
from treelearn.export._sql_dialects import sqlite_float
from treelearn.model import Model


@pytest.fixture(params=["sqlite", "duckdb"])
def dialect(request):
    """Return a database that runs in this process."""
    if request.param == "duckdb":
        pytest.importorskip("duckdb", reason="the export extra installs DuckDB")
        pytest.importorskip("pandas", reason="rows go to DuckDB as a frame")
    return request.param


@given(fitted=fitted_trees(), form=st.sampled_from(["auto", "nodes"]), proba=st.booleans())
def test_every_row_agrees(fitted, form, proba):
    estimator, X = fitted
    proba = proba and hasattr(estimator, "classes_")
    found = to_sql(estimator, "sqlite", form=form, proba=proba).verify(X)
    assert found.n_nodes_probed == found.n_inner_nodes


@settings(max_examples=10)
@given(fitted=fitted_trees(n_outputs=2))
def test_every_row_of_several_outputs_agrees(fitted):
    estimator, X = fitted
    for form in ("auto", "nodes"):
        to_sql(estimator, "sqlite", form=form).verify(X)


@pytest.mark.parametrize("form", ["auto", "nodes"])
def test_examples_in_every_database(dialect, form, class_table):
    X, y = class_table
    X[::7, 1] = np.nan
    tree = DecisionTreeClassifier(criterion="renyi", order=0.5).fit(X, y)
    to_sql(tree, dialect, form=form, proba=True).verify(X)
    to_sql(DecisionTreeRegressor(max_depth=4).fit(X, X[:, :2].sum(axis=1) > y), dialect).verify(X)


@pytest.mark.parametrize("max_depth", [3, None])
def test_a_table_of_every_kind_of_column(dialect, max_depth):
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    model, frame = mixed_model(pd, max_depth=max_depth)
    found = to_sql(model, dialect, proba=True).verify(frame)
    assert found.n_rows == len(frame)


def test_many_categories_are_looked_up(dialect):
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    rng = np.random.default_rng(0)
    words = np.array([f"it's {k}" for k in range(200)])
    frame = pd.DataFrame(
        {"word": words[rng.integers(0, 200, 400)], "n": pd.Categorical(rng.integers(0, 99, 400))}
    )
    frame.loc[::9, "word"] = None
    model = Model.fit(DecisionTreeClassifier(), frame, rng.integers(0, 3, 400))
    export = to_sql(model, dialect)
    assert export.setup.count("CREATE TABLE") == 3
    export.verify(frame)


def test_unknown_categories_go_where_missing_values_go():
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    frame = pd.DataFrame({"c": ["a", "b", "c", None] * 5})
    for y in ([0, 1, 1, 0] * 5, [0, 1, 0, 1] * 5):
        model = Model.fit(DecisionTreeClassifier(), frame, y)
        expected = int(model.predict(np.array([[np.nan]]))[0])
        for form in ("case", "nodes"):
            export = to_sql(model, "sqlite", form=form)
            base = sqlite3.connect(":memory:")
            base.execute("CREATE TABLE data (c TEXT)")
            base.execute("INSERT INTO data VALUES ('new')")
            base.executescript(export.setup)
            assert base.execute(export.query).fetchone()[-1] == expected
            base.close()


@pytest.mark.parametrize("form", ["case", "nodes"])
def test_hostile_names(dialect, form):
    n = len(HOSTILE_NAMES)
    X = np.random.default_rng(2).random((40, n))
    y = np.array(HOSTILE_NAMES)[np.arange(40) % n]
    tree = DecisionTreeClassifier(max_depth=5).fit(X, y)
    export = to_sql(tree, dialect, form=form, proba=True, feature_names=HOSTILE_NAMES)
    export.verify(X)
    named = to_sql(tree, dialect, form=form, feature_names=HOSTILE_NAMES, table='a"b; --')
    assert 'FROM "a""b; --" AS t' in named.query


def test_names_that_no_database_takes():
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    tree = DecisionTreeClassifier().fit(X, [0, 1, 2, 3])
    for names in (["a", "a"], ["a\0", "b"], ["\ud800", "b"]):
        with pytest.raises(ValueError):
            to_sql(tree, "sqlite", feature_names=names)
    for dialect in ("postgresql", "duckdb"):
        with pytest.raises(ValueError, match="without a name"):
            to_sql(tree, dialect, feature_names=["", "b"])
    to_sql(tree, "sqlite", feature_names=["", "b"]).verify(X)
    with pytest.raises(ValueError, match="features 'a' and 'A' apart"):
        to_sql(tree, "duckdb", feature_names=["a", "A"])
    to_sql(tree, "postgresql", feature_names=["a", "A"])
    with pytest.raises(ValueError, match="63 bytes"):
        to_sql(tree, "postgresql", feature_names=["ü" * 32, "b"])
    with pytest.raises(ValueError, match="NUL"):
        to_sql(DecisionTreeClassifier().fit(X, np.array(["a\0b", "c", "c", "c"], dtype=object)))


def test_labels_cannot_leave_a_comment():
    labels = np.array(["*/ ; DROP TABLE data; --", "\nDROP TABLE data;", "\u2028x"])
    X = np.arange(3.0)[:, None]
    export = to_sql(DecisionTreeClassifier().fit(X, labels), "sqlite", proba=True)
    heading = export.query.split("SELECT")[0]
    assert all(line.startswith("--") for line in heading.splitlines())
    export.verify(X)


@pytest.mark.parametrize("depth", [11, 2000])
def test_deep_trees(dialect, depth):
    estimator, X = chain(depth)
    export = to_sql(estimator, dialect)
    assert export.setup
    export.verify(X, n_probed=8)
    with pytest.raises(ValueError, match=f"{depth} levels"):
        to_sql(estimator, dialect, form="case")


def test_the_deepest_case_expression(dialect):
    """All branches nest, which is the worst that a parser can meet."""
    X = np.arange(1024.0)[:, None]
    tree = DecisionTreeClassifier(max_depth=10).fit(X, np.arange(1024) % 2)
    to_sql(tree, dialect, form="case").verify(X)


def test_a_tree_of_one_leaf(dialect):
    X = np.zeros((3, 2))
    for form in ("case", "nodes"):
        to_sql(DecisionTreeRegressor().fit(X, np.ones(3)), dialect, form=form).verify(X)


@pytest.mark.parametrize(
    "value",
    [0.1, 1 / 3, 5e-324, 2.2e-308, 1.7976931348623157e308, 2.0**53 + 2, 1e22, 1e23, 123456.7, 3e-9],
)
def test_sqlite_reads_every_number_exactly(value):
    base = sqlite3.connect(":memory:")
    for number in (value, -value, np.nextafter(value, 0.0), np.nextafter(-value, 0.0)):
        assert base.execute(f"SELECT {sqlite_float(float(number))}").fetchone()[0] == number
    base.close()


@given(st.floats(allow_nan=False))
@settings(max_examples=200)
def test_sqlite_reads_any_number_exactly(value):
    base = sqlite3.connect(":memory:")
    assert base.execute(f"SELECT {sqlite_float(value)}").fetchone()[0] == value
    base.close()


def test_a_difference_is_reported_with_its_row(monkeypatch):
    X = np.arange(6.0)[:, None]
    export = to_sql(DecisionTreeClassifier().fit(X, [0, 0, 0, 1, 1, 1]), "sqlite")
    condition = "treelearn.export._sql_writer.SqlWriter._condition"
    monkeypatch.setattr(condition, lambda *_: 't."x0" < 2')
    with pytest.raises(VerificationError, match="row 2: prediction 1 instead of 0") as caught:
        export.verify(X)
    rows = {found["row"] for found in caught.value.differences}
    assert 2 in rows and 5 not in rows
    assert caught.value.differences[0]["values"] == [2.0]


def test_a_query_that_loses_rows_is_reported(monkeypatch):
    X = np.arange(6.0)[:, None]
    export = to_sql(DecisionTreeClassifier().fit(X, [0, 0, 0, 1, 1, 1]), "sqlite")
    write = "treelearn.export._sql_writer.SqlWriter._case_query"
    monkeypatch.setattr(
        write, lambda self: 'SELECT t.*, 0 AS "prediction" FROM treelearn_rows AS t LIMIT 3'
    )
    with pytest.raises(AssertionError, match="3 of 10 rows"):
        export.verify(X)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"dialect": "mysql"}, "dialect"),
        ({"form": "tree"}, "form"),
        ({"feature_names": ["a"]}, "feature names"),
        ({"table": 3}, "table"),
    ],
)
def test_bad_options(options, reason):
    tree = DecisionTreeClassifier().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    with pytest.raises((ValueError, TypeError), match=reason):
        to_sql(tree, **options)


def test_bad_rows():
    tree = DecisionTreeClassifier().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    with pytest.raises(ValueError, match="1 features"):
        to_sql(tree, "sqlite").verify(np.zeros((3, 1)))
    with pytest.raises(ValueError, match="connection"):
        to_sql(tree, "postgresql").verify(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="no class probabilities"):
        to_sql(DecisionTreeRegressor().fit([[0.0]], [0.0]), proba=True)


# -- PostgreSQL -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgresql():
    """Return a connection to a server of its own, which ends with the tests."""
    psycopg = pytest.importorskip("psycopg", reason="the way to PostgreSQL")
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("no PostgreSQL server is installed")
    if sys.platform == "win32":
        pytest.skip("needs sockets in the file system")
    user = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        import pwd

        try:
            user = {"user": pwd.getpwnam("postgres").pw_uid}
        except KeyError:
            pytest.skip("root, and no user postgres to run a server as")
    # Not below pytest's folders, into which that user may not look.
    with TemporaryDirectory() as folder:
        if user:
            os.chown(folder, user["user"], -1)
        base = f"{folder}/base"
        # A sanitizer that is loaded before our modules (.ci/sanitize) is not for the server.
        env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        options = {"capture_output": True, "text": True, "cwd": folder, "env": env, **user}

        def call(*command):
            return subprocess.run(command, check=False, **options)

        done = call("initdb", "-D", base, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync")
        if done.returncode:
            pytest.skip(f"initdb failed: {done.stderr[-200:]}")
        sockets = f"-k {folder} -c listen_addresses='' -c fsync=off"
        call("pg_ctl", "-D", base, "-o", sockets, "-l", f"{folder}/log", "-w", "start")
        try:
            with psycopg.connect(f"host={folder} user=tester dbname=postgres") as connection:
                yield connection
        finally:
            call("pg_ctl", "-D", base, "-m", "immediate", "stop")


@settings(max_examples=8)
@given(fitted=fitted_trees(), form=st.sampled_from(["auto", "nodes"]))
def test_every_row_agrees_in_postgresql(postgresql, fitted, form):
    estimator, X = fitted
    proba = hasattr(estimator, "classes_")
    to_sql(estimator, form=form, proba=proba).verify(X, connection=postgresql)


def test_tables_names_and_depths_in_postgresql(postgresql):
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    for max_depth in (3, None):
        model, frame = mixed_model(pd, max_depth=max_depth)
        to_sql(model, proba=True).verify(frame, connection=postgresql)
    X = np.random.default_rng(2).random((40, len(HOSTILE_NAMES)))
    y = np.array(HOSTILE_NAMES)[np.arange(40) % len(HOSTILE_NAMES)]
    tree = DecisionTreeClassifier(max_depth=5).fit(X, y)
    for form in ("case", "nodes"):
        export = to_sql(tree, form=form, proba=True, feature_names=HOSTILE_NAMES)
        export.verify(X, connection=postgresql)
    estimator, X = chain(2000)
    to_sql(estimator).verify(X, n_probed=8, connection=postgresql)

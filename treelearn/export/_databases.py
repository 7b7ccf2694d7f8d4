"""Databases that run an exported query: what columns are there, and the rows that come back."""

from contextlib import closing

import numpy as np

from .._tables import to_frame
from ._sql_dialects import quoted

__all__ = ["TABLE_OF_ROWS", "raw_values", "run_query"]

TABLE_OF_ROWS = "treelearn_rows"
"""The table that a query is tried on."""

_ROWS_OF_A_FETCH = 10_000


def raw_values(column, values, dialect):
    """Return the values that a table holds for a feature; None is missing."""
    values = values.tolist()
    if column.kind == "category":
        return [None if v != v else column.levels[int(v)] for v in values]
    if column.kind == "boolean":
        return [None if v != v else bool(v) for v in values]
    if column.kind == "number" or dialect == "sqlite":
        return [None if v != v else v for v in values]
    if column.kind == "date":
        moments = [None if v != v else np.datetime64(round(v * 1e6), "us") for v in values]
        return [None if moment is None else str(moment) for moment in moments]
    return [None if v != v else f"{round(v * 1e6)} microseconds" for v in values]


def _blocks(cursor):
    """Yield the rows of an answer, some at a time: Python's numbers are large."""
    while rows := cursor.fetchmany(_ROWS_OF_A_FETCH):
        yield rows


def _table_of_rows(data, types):
    names = [quoted(name) for name in data]
    columns = ", ".join(map(" ".join, zip(names, types, strict=True)))
    return f"CREATE TABLE {TABLE_OF_ROWS} ({columns})"


def _run_sqlite(data, types, setup, query, connection):
    import sqlite3

    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(_table_of_rows(data, types))
        marks = ", ".join("?" * len(data))
        base.executemany(
            f"INSERT INTO {TABLE_OF_ROWS} VALUES ({marks})", zip(*data.values(), strict=True)
        )
        base.executescript(setup)
        yield from _blocks(base.execute(query))


def _run_duckdb(data, types, setup, query, connection):
    try:
        import duckdb
    except ImportError as error:
        raise ImportError('DuckDB is needed: pip install "treelearn[export]"') from error
    with duckdb.connect() as base:
        base.execute(_table_of_rows(data, types))
        plain = {f"c{j}": values for j, values in enumerate(data.values())}
        base.register("plain", to_frame(plain))
        base.execute(f"INSERT INTO {TABLE_OF_ROWS} SELECT * FROM plain")
        if setup:
            base.execute(setup)
        yield from _blocks(base.execute(query))


def _run_postgresql(data, types, setup, query, connection):
    cursor = connection.cursor()
    try:
        # What is created now is temporary, whatever the right to create tables.
        cursor.execute("SET LOCAL search_path TO pg_temp")
        cursor.execute(_table_of_rows(data, types))
        marks = ", ".join(["%s"] * len(data))
        cursor.executemany(
            f"INSERT INTO {TABLE_OF_ROWS} VALUES ({marks})", list(zip(*data.values(), strict=True))
        )
        if setup:
            cursor.execute(setup)
        cursor.execute(query)
        yield from _blocks(cursor)
    finally:
        connection.rollback()


def run_query(dialect, data, types, setup, query, connection=None):
    """Run a query on a table of its own, and yield the rows that it returns, some at a time.

    Parameters
    ----------
    dialect : {"postgresql", "sqlite", "duckdb"}
        Which database.
    data : dict of str to list
        The columns of `TABLE_OF_ROWS`.
    types : list of str
        Their types.
    setup, query : str
        Statements to run first, and the query.
    connection : DB-API connection, default=None
        To PostgreSQL; the others run in memory.

    Yields
    ------
    list of tuple
        Rows.

    Raises
    ------
    ImportError
        If DuckDB is not installed.
    """
    runners = {"sqlite": _run_sqlite, "duckdb": _run_duckdb, "postgresql": _run_postgresql}
    yield from runners[dialect](data, types, setup, query, connection)

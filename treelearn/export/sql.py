"""The tree as SQL: one CASE expression while it is small, else a table of nodes."""

import numpy as np

from ..model import Model
from ._base import Export
from ._databases import TABLE_OF_ROWS, raw_values, run_query
from ._sql_dialects import DIALECTS, column_type
from ._sql_writer import SqlWriter, used_features

__all__ = ["SqlExport", "to_sql"]

# Dates that all three databases and ISO 8601 write the same way: the years 1 to 9999.
_FIRST_SECOND, _LAST_SECOND = -62135596800.0, 253402300799.0


class SqlExport(Export):
    """A tree as SQL.

    Attributes
    ----------
    setup : str
        Statements that make the table of nodes; empty where a CASE expression is used.
    query : str
        One SELECT: all columns of the table, then the predictions.
    """

    def __init__(self, model, dialect, settings):
        self.dialect = dialect
        self._settings = settings
        self.setup, self.query = SqlWriter(model, dialect, **settings).write()
        super().__init__(model, self.setup + self.query)

    def verify(self, X, n_probed=1000, connection=None):
        """Run the query for real, and compare it with the tree to the last bit.

        SQLite and DuckDB run in this process, in memory. For PostgreSQL a connection is needed.

        Parameters
        ----------
        X : ndarray or frame of shape (n_samples, n_features)
            Rows to compare on; see `Export.verify`.
        n_probed : int, default=1000
            Inner nodes to try next to their thresholds.
        connection : DB-API connection, default=None
            To PostgreSQL, from psycopg. What is done there is rolled back.

        Returns
        -------
        Verification
            What was compared.

        Raises
        ------
        VerificationError
            If there is a difference; it names the rows.
        ImportError
            If DuckDB is not installed.
        ValueError
            If PostgreSQL is to be asked and there is no connection to it.
        """
        if self.dialect == "postgresql" and connection is None:
            raise ValueError(
                "PostgreSQL needs a connection: verify(X, connection=psycopg.connect(...))."
            )
        return super().verify(X, n_probed, connection=connection)

    def _representable(self, rows):
        rows = rows.copy()
        for j in used_features(self.model):
            column, values = self.model.columns[j], rows[:, j]
            if column.kind in ("category", "boolean"):
                top = 1 if column.kind == "boolean" else len(column.levels) - 1
                values[~((values >= 0) & (values <= top) & (values == np.floor(values)))] = np.nan
            elif column.kind != "number" and self.dialect != "sqlite":
                # Microseconds; a date far away stands for all that are farther.
                clipped = np.clip(values, _FIRST_SECOND, _LAST_SECOND)
                rows[:, j] = np.round(clipped * 1e6) / 1e6
        return rows

    def _run(self, rows, connection):
        used = used_features(self.model)
        names = ["treelearn_row"] + [self.model.columns[j].name for j in used]
        while len({name.lower() for name in names}) < len(names):
            names[0] += "_"
        data = {names[0]: list(range(len(rows)))}
        for j in used:
            data[self.model.columns[j].name] = raw_values(
                self.model.columns[j], rows[:, j], self.dialect
            )
        types = ["BIGINT"] + [column_type(self.model.columns[j], self.dialect) for j in used]
        settings = {**self._settings, "table": TABLE_OF_ROWS, "nodes": "treelearn_verify"}
        setup, query = SqlWriter(self.model, self.dialect, **settings).write()
        places, blocks = [], []
        for block in run_query(self.dialect, data, types, setup, query, connection):
            columns = list(zip(*block, strict=True))
            places += columns[0]
            blocks.append(self._by_name(columns[len(names) :], len(block)))
        order = np.argsort(places)
        if not np.array_equal(np.sort(places), np.arange(len(rows))):
            raise AssertionError(f"The query returned {len(places)} of {len(rows)} rows.")
        return {
            name: np.concatenate([block[name] for block in blocks])[order] for name in blocks[0]
        }

    def _by_name(self, columns, n_rows):
        """Return the columns that follow those of the table, by the names of `predicted`."""
        found = {}
        if self.setup:
            found["leaf"] = np.array(columns.pop(0))
        for output, mark in enumerate(self.model.output_marks()):
            predictions = columns.pop(0)
            if self.model.is_classifier:
                if self.model.classes[output].dtype.kind == "b":  # a number in SQLite
                    predictions = [bool(label) for label in predictions]
            found[f"prediction{mark}"] = np.array(predictions)
            if self._settings["proba"]:
                n_classes = len(self.model.classes[output])
                shares = [columns.pop(0) for _ in range(n_classes)]
                found[f"probability{mark}"] = np.array(shares, dtype=np.float64).T.reshape(
                    n_rows, n_classes
                )
        return found


def to_sql(
    tree,
    dialect="postgresql",
    *,
    table="data",
    proba=False,
    form="auto",
    nodes="treelearn_nodes",
    feature_names=None,
):
    """Return a tree as SQL that predicts every row of a table.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.
    dialect : {"postgresql", "sqlite", "duckdb"}, default="postgresql"
        The database.
    table : str or tuple of str, default="data"
        Table to predict; a tuple names its schema first. It has the columns that the tree splits
        on, under the names of the features. Of a `Model` that was fitted on a table these hold
        what they held there: text and categories, booleans, dates, durations (the last two as
        seconds in SQLite, which has none).
    proba : bool, default=False
        Whether class shares are returned too.
    form : {"auto", "case", "nodes"}, default="auto"
        "case" is one SELECT with nested CASE expressions, readable, up to 10 levels deep.
        "nodes" creates a table of the nodes first and then follows it by a recursive query, for
        trees of any depth: databases limit how deep expressions may nest. "auto" takes "case"
        up to 10 levels, 64 leaves and 512 outcomes.
    nodes : str, default="treelearn_nodes"
        Name of the table of nodes. Features of more than 32 categories have a table of their
        codes, which is called the same with the number of the feature: ``treelearn_nodes_7``.
    feature_names : sequence of str, default=None
        Names of the columns in place of the tree's own.

    Returns
    -------
    SqlExport
        ``str`` of it is a script; ``setup`` and ``query`` are its two parts. The query returns
        all columns of the table, then ``treelearn_leaf`` (form "nodes"), ``prediction`` and
        ``probability_0``, ... in the order of the classes; of several outputs
        ``prediction_0``, ``probability_0_0`` and so on.

    Raises
    ------
    TypeError, ValueError
        If it is no fitted tree; if there are names, labels or categories that the database
        cannot hold; if the form does not fit the tree.

    Notes
    -----
    NULL is a missing value, and so are NaN and categories that the training data did not have.
    Columns are compared as float64. Every number in the query is exact: where a decimal might
    be read with a rounding error, as by SQLite, it is written as a quotient of whole numbers.
    In SQLite text in a column of numbers counts as the number that it begins with, else as 0;
    empty text is missing.

    Examples
    --------
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.export import to_sql
    >>> tree = DecisionTreeClassifier().fit([[1.0], [2.0]], ["no", "yes"])
    >>> print(to_sql(tree, "duckdb", table="customers", feature_names=["age"]).query)
    SELECT t.*,
      CASE WHEN CAST(t."age" AS DOUBLE) <= 1.5e0 THEN
        'no'
      ELSE
        'yes'
      END AS "prediction"
    FROM "customers" AS t;
    <BLANKLINE>
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}, not {dialect!r}.")
    if form not in ("auto", "case", "nodes"):
        raise ValueError(f"form must be 'auto', 'case' or 'nodes', not {form!r}.")
    model = Model.of(tree, feature_names)
    if proba and not model.is_classifier:
        raise ValueError("A regression tree has no class probabilities.")
    settings = {"table": table, "proba": bool(proba), "form": form, "nodes": nodes}
    return SqlExport(model, dialect, settings)

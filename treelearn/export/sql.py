"""The tree as SQL: one CASE expression while it is small, else a table of nodes."""

import math
from decimal import Decimal

import numpy as np

from .._version import __version__
from ..model import Model
from ._base import Export, Leaves
from ._databases import (
    DOUBLE_TYPES,
    TABLE_OF_ROWS,
    column_type,
    quoted,
    raw_values,
    run_query,
)

__all__ = ["DIALECTS", "SqlExport", "to_sql"]

DIALECTS = ("postgresql", "sqlite", "duckdb")

# SQLite before 3.46 parses 18 CASE expressions within each other and refuses 20, whatever stands
# in them; beyond some levels nobody reads them anyway.
_DEEPEST_CASE = 10
_MOST_CASE_LEAVES = 64
_MOST_CASE_OUTCOMES = 512
_ROWS_OF_AN_INSERT = 500
# Categories of more levels than this are looked up by an index: a CASE compares one by one, at
# every step of a row.
_MOST_CASE_LEVELS = 32
_MOST_COLUMNS = {"postgresql": 1600, "sqlite": 2000, "duckdb": 10_000}
_LONGEST_NAME = 63
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
        self.setup, self.query = _Writer(model, dialect, **settings).write()
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
        for j in _used_features(self.model):
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
        used = _used_features(self.model)
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
        setup, query = _Writer(self.model, self.dialect, **settings).write()
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
        for output in range(self.model.n_outputs):
            mark = f" {output}" if self.model.n_outputs > 1 else ""
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


def _used_features(model):
    """Return the features that the tree splits on, in ascending order."""
    tree = model.estimator._tree
    return np.unique(tree.feature[tree.children_left != -1]).tolist()


class _Writer:
    """Writes the two statements."""

    def __init__(self, model, dialect, table, proba, form, nodes):
        self.model, self.dialect, self.proba = model, dialect, proba
        self.leaves = Leaves(model)
        self.tree = self.leaves.tree
        parts = tuple(table) if isinstance(table, (list, tuple)) else (table,)
        if not parts:
            raise ValueError("The name of the table is empty.")
        self.table = ".".join(self.identifier(part, "table") for part in parts)
        self.nodes, self.nodes_name = self.identifier(nodes, "table"), nodes
        self.used = _used_features(model)
        self.form = self._checked_form(form)
        self._check_names()
        self.values = {j: self._value(j) for j in self.used}

    def _checked_form(self, form):
        depth, n_leaves = self.tree.max_depth, len(self.leaves.nodes)
        if form == "case" and depth > _DEEPEST_CASE:
            raise ValueError(
                f"The tree is {depth} levels deep; form='case' goes to {_DEEPEST_CASE}, beyond "
                "which databases refuse nested expressions. form='nodes' takes any depth."
            )
        if form != "auto":
            return form
        n_outcomes = n_leaves * len(self._outcome_names())
        is_small = n_leaves <= _MOST_CASE_LEAVES and n_outcomes <= _MOST_CASE_OUTCOMES
        return "case" if depth <= _DEEPEST_CASE and is_small else "nodes"

    def _check_names(self):
        names = [column.name for column in self.model.columns]
        if self.dialect != "postgresql":  # the others take "A" and "a" for one column
            names = [name.lower() for name in names]
        for j in self.used:
            self.identifier(self.model.columns[j].name, "column")
            if names.count(names[j]) > 1:
                same = [
                    repr(column.name)
                    for column, name in zip(self.model.columns, names, strict=True)
                    if name == names[j]
                ]
                raise ValueError(
                    f"{self.dialect} cannot tell the features {' and '.join(same)} apart; rename "
                    "one, or give feature_names."
                )
        n_columns = 6 + len(self._outcome_names())
        if self.form == "nodes" and n_columns > _MOST_COLUMNS[self.dialect]:
            raise ValueError(
                f"{n_columns} columns are more than {self.dialect} has room for: leave out the "
                "probabilities."
            )

    def write(self):
        """Return the set-up and the query."""
        if self.form == "case":
            return "", self._case_query()
        codes = "".join(self._code_table(j) for j in self.used if self._is_looked_up(j))
        return self._node_table() + codes, self._node_query()

    # -- small parts ------------------------------------------------------------------------

    def identifier(self, name, what):
        """Return a name in quotes, or raise ValueError where it cannot be one."""
        if not isinstance(name, str):
            raise ValueError(f"The name of a {what} must be text, not {name!r}.")
        _check_text(name)
        if not name and self.dialect != "sqlite":
            raise ValueError(f"{self.dialect} has no {what} without a name; give feature_names.")
        if self.dialect == "postgresql" and len(name.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"The name {name[:40]!r}... of a {what} is longer than the {_LONGEST_NAME} bytes "
                "of PostgreSQL; give feature_names."
            )
        return quoted(name)

    def literal(self, value):
        """Return a value as an expression that gives back the same value."""
        if isinstance(value, str):
            _check_text(value)
            return "'" + value.replace("'", "''") + "'"
        if isinstance(value, bool):
            return str(value).upper() if self.dialect != "sqlite" else str(int(value))
        if isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                raise ValueError(f"{value} is no 64-bit integer.")
            # The lowest one is a negated number out of range.
            return str(value) if value > -(2**63) else f"({value + 1} - 1)"
        if self.dialect == "sqlite":
            return _sqlite_float(value)
        if math.isinf(value):
            sign = "-" if value < 0 else ""
            return f"CAST('{sign}Infinity' AS {self._double})"
        text = repr(value)
        if self.dialect == "duckdb":  # with an exponent it is no DECIMAL, which would round
            return text if "e" in text else f"{text}e0"
        return text

    @property
    def _double(self):
        return DOUBLE_TYPES[self.dialect]

    def _value(self, j):
        """Return a feature as float64; NaN may be there still, an unknown category is NULL."""
        column = self.model.columns[j]
        name = f"t.{self.identifier(column.name, 'column')}"
        if column.kind == "category":
            self._check_levels(column)
            if not column.levels:
                return f"CAST(NULL AS {self._double})"
            if self._is_looked_up(j):
                codes = self._name_of_codes(j)
                return f"(SELECT c.code FROM {codes} AS c WHERE c.level = {name})"
            levels = " ".join(
                f"WHEN {self.literal(level)} THEN {code}"
                for code, level in enumerate(column.levels)
            )
            return f"CASE {name} {levels} END"
        if self.dialect == "sqlite":
            return f"CAST(NULLIF({name}, '') AS REAL)"
        if column.kind in ("date", "duration"):
            if self.dialect == "duckdb":
                return f"(epoch_us({name}) / 1e6)"
            return f"CAST(EXTRACT(EPOCH FROM {name}) AS {self._double})"
        if column.kind == "boolean":
            name = f"CAST({name} AS INTEGER)"
        return f"CAST({name} AS {self._double})"

    def _is_looked_up(self, j):
        return self.form == "nodes" and len(self.model.columns[j].levels) > _MOST_CASE_LEVELS

    def _name_of_codes(self, j):
        return self.identifier(f"{self.nodes_name}_{j}", "table")

    def _code_table(self, j):
        """Return the statements that make the table of the codes of one feature."""
        column, name = self.model.columns[j], self._name_of_codes(j)
        kind = column_type(column, self.dialect)
        rows = [f"({self.literal(level)}, {code})" for code, level in enumerate(column.levels)]
        table = f"CREATE TABLE {name} (level {kind} PRIMARY KEY, code {self._double});\n"
        return table + _inserts(name, rows)

    def _check_levels(self, column):
        kinds = {"text" if isinstance(level, str) else type(level) for level in column.levels}
        if len({"number" if kind in (int, float) else kind for kind in kinds}) > 1:
            raise ValueError(
                f"The column {column.name!r} has categories of several types, which no column of "
                "a database has."
            )

    def _condition(self, node):
        """Return whether a row goes left, as SQL that is never NULL where it goes left."""
        j, threshold = int(self.tree.feature[node]), float(self.tree.threshold[node])
        misses_left = bool(self.tree.missing_go_to_left[node])
        column = self.model.columns[j]
        if column.kind == "category":
            name = f"t.{self.identifier(column.name, 'column')}"
            # An unknown category goes where a missing value goes.
            group = [
                self.literal(level)
                for code, level in enumerate(column.levels)
                if (code <= threshold) != misses_left
            ]
            if misses_left:
                is_in = f" OR {name} NOT IN ({', '.join(group)})" if group else " OR TRUE"
                return f"{name} IS NULL{is_in}"
            return f"{name} IN ({', '.join(group)})" if group else "FALSE"
        value = self.values[j]
        if not misses_left:
            # NaN is above every number in PostgreSQL and DuckDB, NULL is not true.
            return f"{value} <= {self.literal(threshold)}"
        return f"coalesce({self._without_nan(j)} <= {self.literal(threshold)}, TRUE)"

    def _without_nan(self, j):
        is_number = self.model.columns[j].kind == "number"
        if not is_number or self.dialect == "sqlite":
            return self.values[j]
        return f"NULLIF({self.values[j]}, CAST('NaN' AS {self._double}))"

    def _outcome_names(self):
        """Return (name, output, class or None) of everything that is predicted."""
        found = []
        for output in range(self.model.n_outputs):
            mark = f"_{output}" if self.model.n_outputs > 1 else ""
            found.append((f"prediction{mark}", output, None))
            if self.proba:
                n_classes = len(self.model.classes[output])
                found += [(f"probability{mark}_{k}", output, k) for k in range(n_classes)]
        return found

    def _outcomes(self, output, k):
        """Return one literal per leaf."""
        if k is None:
            values = self.leaves.labels(output)
        else:
            values = self.leaves.shares[output][:, k].tolist()
        return [self.literal(value) for value in values]

    def _outcome_type(self, output, k):
        if k is not None or not self.model.is_classifier:
            return self._double
        kind = self.model.classes[output].dtype.kind
        return {"b": "BOOLEAN", "i": "BIGINT", "u": "BIGINT", "f": self._double}.get(kind, "TEXT")

    def _heading(self):
        lines = [f"-- A decision tree of treelearn {__version__} for {self.dialect}."]
        for output, labels in enumerate(self.model.classes or ()):
            if self.proba:
                mark = f"_{output}" if self.model.n_outputs > 1 else ""
                # As ASCII, so that no label can end the comment.
                lines += [
                    f"-- probability{mark}_{k}: {ascii(label)}"
                    for k, label in enumerate(labels.tolist())
                ]
        return "\n".join(lines) + "\n"

    # -- CASE -------------------------------------------------------------------------------

    def _case_query(self):
        columns = []
        for name, output, k in self._outcome_names():
            outcomes = iter(self._outcomes(output, k))
            text = self._case(0, outcomes, "  ")
            kind = self._outcome_type(output, k)
            if kind == self._double and self.dialect == "postgresql":
                text = f"  CAST({text.lstrip()} AS {kind})"  # its decimals are of another type
            columns.append(f'{text} AS "{name}"')
        body = ",\n".join(columns)
        heading = self._heading() if self.proba else ""
        return f"{heading}SELECT t.*,\n{body}\nFROM {self.table} AS t;\n"

    def _case(self, node, outcomes, indent):
        if self.tree.children_left[node] == -1:
            return f"{indent}{next(outcomes)}"
        below = self._case(int(self.tree.children_left[node]), outcomes, indent + "  ")
        above = self._case(int(self.tree.children_right[node]), outcomes, indent + "  ")
        return (
            f"{indent}CASE WHEN {self._condition(node)} THEN\n{below}\n"
            f"{indent}ELSE\n{above}\n{indent}END"
        )

    # -- table of nodes ---------------------------------------------------------------------

    def _node_table(self):
        names = self._outcome_names()
        columns = [
            "node INTEGER PRIMARY KEY",
            "feature INTEGER",
            f"threshold {self._double}",
            "missing_left BOOLEAN",
            "left_child INTEGER",
            "right_child INTEGER",
            *(f'"{name}" {self._outcome_type(output, k)}' for name, output, k in names),
        ]
        outcomes = [self._outcomes(output, k) for _, output, k in names]
        tree = self.tree
        features, thresholds = tree.feature.tolist(), tree.threshold.tolist()
        left, right = tree.children_left.tolist(), tree.children_right.tolist()
        misses_left = tree.missing_go_to_left.tolist()
        nothing = ", NULL" * len(names)
        rows, place = [], 0
        for node in range(tree.node_count):
            if left[node] == -1:
                said = ", ".join(column[place] for column in outcomes)
                rows.append(f"({node}, NULL, NULL, NULL, NULL, NULL, {said})")
                place += 1
            else:
                cells = [
                    *(str(node), str(features[node]), self.literal(thresholds[node])),
                    self.literal(bool(misses_left[node])),
                    *(str(left[node]), str(right[node])),
                ]
                rows.append(f"({', '.join(cells)}{nothing})")
        table = f"CREATE TABLE {self.nodes} (\n  " + ",\n  ".join(columns) + "\n);\n"
        return self._heading() + table + _inserts(self.nodes, rows)

    def _node_query(self):
        names = "".join(f', n."{name}"' for name, _, _ in self._outcome_names())
        start = "0"
        if self.used:
            features = "\n".join(
                f"            WHEN {j} THEN {self._without_nan(j)}" for j in self.used
            )
            # Children have higher numbers than their parents: the last node is the leaf.
            start = (
                "(\n"
                "    WITH RECURSIVE walk(node) AS (\n"
                "      SELECT 0\n"
                "      UNION ALL\n"
                "      SELECT CASE WHEN coalesce(\n"
                "          CASE n.feature\n"
                f"{features}\n"
                "          END <= n.threshold, n.missing_left)\n"
                "        THEN n.left_child ELSE n.right_child END\n"
                f"      FROM walk JOIN {self.nodes} AS n ON n.node = walk.node\n"
                "      WHERE n.feature IS NOT NULL\n"
                "    )\n"
                "    SELECT max(walk.node) FROM walk\n"
                "  )"
            )
        return (
            f"SELECT t.*{names}\nFROM (\n  SELECT t.*, {start} AS treelearn_leaf\n"
            f"  FROM {self.table} AS t\n) AS t\n"
            f"JOIN {self.nodes} AS n ON n.node = t.treelearn_leaf;\n"
        )


def _inserts(name, rows):
    """Return the statements that fill a table, some rows each."""
    return "".join(
        f"INSERT INTO {name} VALUES\n"
        + ",\n".join(rows[start : start + _ROWS_OF_AN_INSERT])
        + ";\n"
        for start in range(0, len(rows), _ROWS_OF_AN_INSERT)
    )


def _check_text(text):
    """Refuse text that no database takes."""
    if "\0" in text:
        raise ValueError(f"SQL has no text with a NUL character, as in {text[:40]!r}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text[:40]!r} is no Unicode text.") from None


def _sqlite_float(value):
    """Return a float64 as SQL that every SQLite reads exactly; it may round decimals wrongly."""
    if math.isinf(value):
        return "9e999" if value > 0 else "-9e999"
    exact = Decimal(value)
    digits, exponent = exact.as_tuple()[1:]
    if len(digits) <= 15 and -22 <= exponent <= 15 - len(digits):
        return repr(value)
    # The mantissa as a whole number, odd unless that makes it longer than it is.
    whole, power = float(value).as_integer_ratio()
    sign = "-" if whole < 0 else ""
    whole, shift = abs(whole), -(power.bit_length() - 1)
    while whole >= 2**53:
        whole, shift = whole // 2, shift + 1
    steps = []
    while shift:
        step = min(62, abs(shift))
        steps.append(f"{'*' if shift > 0 else '/'} {2**step}")
        shift -= step if shift > 0 else -step
    # Whole numbers become floats before the first step, and every step is exact.
    steps = "".join(f" {step}" for step in steps)
    return f"({sign}CAST({whole} AS REAL){steps} /* {value!r} */)"

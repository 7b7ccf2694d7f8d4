"""The statements of a tree in SQL: nested CASE expressions, or a table of nodes and a query."""

import numpy as np

from .._version import __version__
from ._base import Leaves
from ._sql_dialects import DOUBLE_TYPES, MOST_COLUMNS, column_type, identifier, literal

__all__ = ["SqlWriter", "used_features"]

# SQLite before 3.46 parses 18 CASE expressions within each other and refuses 20, whatever stands
# in them; beyond some levels nobody reads them anyway.
_DEEPEST_CASE = 10
_MOST_CASE_LEAVES = 64
_MOST_CASE_OUTCOMES = 512
_ROWS_OF_AN_INSERT = 500
# Categories of more levels than this are looked up by an index: a CASE compares one by one, at
# every step of a row.
_MOST_CASE_LEVELS = 32


def used_features(model):
    """Return the features that the tree splits on, in ascending order."""
    tree = model.estimator._tree
    return np.unique(tree.feature[tree.children_left != -1]).tolist()


class SqlWriter:
    """Writes the two statements."""

    def __init__(self, model, dialect, table, proba, form, nodes):
        self.model, self.dialect, self.proba = model, dialect, proba
        self.leaves = Leaves(model)
        self.tree = self.leaves.tree
        parts = tuple(table) if isinstance(table, (list, tuple)) else (table,)
        if not parts:
            raise ValueError("The name of the table is empty.")
        self.table = ".".join(identifier(part, "table", dialect) for part in parts)
        self.nodes, self.nodes_name = identifier(nodes, "table", dialect), nodes
        self.used = used_features(model)
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
            identifier(self.model.columns[j].name, "column", self.dialect)
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
        if self.form == "nodes" and n_columns > MOST_COLUMNS[self.dialect]:
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

    @property
    def _double(self):
        return DOUBLE_TYPES[self.dialect]

    def _value(self, j):
        """Return a feature as float64; NaN may be there still, an unknown category is NULL."""
        column = self.model.columns[j]
        name = f"t.{identifier(column.name, 'column', self.dialect)}"
        if column.kind == "category":
            self._check_levels(column)
            if not column.levels:
                return f"CAST(NULL AS {self._double})"
            if self._is_looked_up(j):
                codes = self._name_of_codes(j)
                return f"(SELECT c.code FROM {codes} AS c WHERE c.level = {name})"
            levels = " ".join(
                f"WHEN {literal(level, self.dialect)} THEN {code}"
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
        return identifier(f"{self.nodes_name}_{j}", "table", self.dialect)

    def _code_table(self, j):
        """Return the statements that make the table of the codes of one feature."""
        column, name = self.model.columns[j], self._name_of_codes(j)
        kind = column_type(column, self.dialect)
        rows = [
            f"({literal(level, self.dialect)}, {code})" for code, level in enumerate(column.levels)
        ]
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
            name = f"t.{identifier(column.name, 'column', self.dialect)}"
            # An unknown category goes where a missing value goes.
            group = [
                literal(level, self.dialect)
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
            return f"{value} <= {literal(threshold, self.dialect)}"
        return f"coalesce({self._without_nan(j)} <= {literal(threshold, self.dialect)}, TRUE)"

    def _without_nan(self, j):
        is_number = self.model.columns[j].kind == "number"
        if not is_number or self.dialect == "sqlite":
            return self.values[j]
        return f"NULLIF({self.values[j]}, CAST('NaN' AS {self._double}))"

    def _outcome_names(self):
        """Return (name, output, class or None) of everything that is predicted."""
        found = []
        for output, mark in enumerate(self.model.output_marks("_")):
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
        return [literal(value, self.dialect) for value in values]

    def _outcome_type(self, output, k):
        if k is not None or not self.model.is_classifier:
            return self._double
        kind = self.model.classes[output].dtype.kind
        return {"b": "BOOLEAN", "i": "BIGINT", "u": "BIGINT", "f": self._double}.get(kind, "TEXT")

    def _heading(self):
        lines = [f"-- A decision tree of treelearn {__version__} for {self.dialect}."]
        for name, output, k in self._outcome_names():
            if k is not None:
                # As ASCII, so that no label can end the comment.
                lines.append(f"-- {name}: {ascii(self.model.classes[output].tolist()[k])}")
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
                    *(str(node), str(features[node]), literal(thresholds[node], self.dialect)),
                    literal(bool(misses_left[node]), self.dialect),
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

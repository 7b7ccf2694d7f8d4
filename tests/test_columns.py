"""Reading a new table as the training table was read."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treelearn import DecisionTreeClassifier
from treelearn._columns import Column, columns_of, read_rows

pd = pytest.importorskip("pandas", reason="new tables are frames")

VALUES = st.one_of(
    st.lists(st.sampled_from(["a", "b", "c d", "1", "01", "true"]), min_size=1, max_size=9),
    st.lists(st.integers(-3, 3), min_size=1, max_size=9),
    st.lists(st.integers(-99, 99).map(lambda k: k / 8), min_size=1, max_size=9),
    st.lists(st.booleans(), min_size=1, max_size=9),
)


@given(values=VALUES, as_category=st.booleans(), seed=st.integers(0, 99))
def test_any_part_of_the_training_table_reads_the_same(values, as_category, seed):
    frame = pd.DataFrame({"x": values, "y": 0})
    if as_category:
        frame["x"] = frame["x"].astype("category")
    X, columns = columns_of(frame)
    rows = np.random.default_rng(seed).integers(0, len(values), 5)
    part = frame.iloc[rows][["y", "x"]]
    np.testing.assert_array_equal(read_rows(columns, part), X[rows])
    # Without the list of categories, as another file would have it.
    plain = pd.DataFrame({"x": [values[i] for i in rows], "y": 0})
    np.testing.assert_array_equal(read_rows(columns, plain), X[rows])


@given(values=VALUES)
def test_a_table_read_from_csv_is_the_same_table(values):
    frame = pd.DataFrame({"x": pd.Series(values).astype("category"), "y": 0})
    X, columns = columns_of(frame)
    if {"1", "01"} <= set(values):
        return  # CSV does not say that these are text, nor which is which
    text = frame.to_csv(index=False)
    again = pd.read_csv(io.StringIO(text))
    np.testing.assert_array_equal(read_rows(columns, again), X)


def test_categories_of_numbers_and_missing_values():
    column = Column("x", "category", (1, 2, 10))
    frame = pd.DataFrame({"x": [10.0, np.nan, 1.0]})  # an integer column with a gap
    np.testing.assert_array_equal(read_rows([column], frame), [[2.0], [np.nan], [0.0]])
    frame = pd.DataFrame({"x": ["10", None, "2.0"]})
    np.testing.assert_array_equal(read_rows([column], frame), [[2.0], [np.nan], [1.0]])
    np.testing.assert_array_equal(
        read_rows([Column("x", "category", ("01", "7"))], pd.DataFrame({"x": [7, 1]})),
        [[1.0], [0.0]],
    )
    with pytest.raises(ValueError, match="holds 1.0 in row 1"):  # which one nobody knows
        read_rows([Column("x", "category", ("1", "01", "7"))], pd.DataFrame({"x": [7, 1]}))
    text = Column("x", "category", ("1", "2", "10"))
    frame = pd.DataFrame({"x": [10.0, np.nan, 1.0]})
    np.testing.assert_array_equal(read_rows([text], frame), [[2.0], [np.nan], [0.0]])


def test_columns_are_found_by_name():
    frame = pd.DataFrame([[1.0, 2.0, 3.0, 4.0]], columns=["b", "a", "b", "c"])
    columns = [Column("a"), Column("b"), Column("b")]
    assert read_rows(columns, frame).tolist() == [[2.0, 1.0, 3.0]]
    with pytest.raises(ValueError, match="lacks the column 'd'"):
        read_rows([Column("d")], frame)
    with pytest.raises(ValueError, match="lacks the column 'c'"):
        read_rows([Column("c"), Column("c")], frame)


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        (Column("x"), ["a", "1"], "'a' in row 0; the model was fitted on numbers"),
        (Column("x"), ["1", "2"], "holds text or categories, '1' in row 0"),
        (Column("x", "boolean"), [0, 2], "2 in row 1; the model was fitted on booleans"),
        (Column("x", "date"), [1.5, 2.0], "holds numbers; the model was fitted on dates"),
        (Column("x", "date"), ["soon"], "'soon' in row 0; the model was fitted on dates"),
        (
            Column("x", "duration"),
            [True, False],
            "booleans; the model was fitted on durations",
        ),
        (Column("x", "category", ("a",)), ["a", None, "b"], "holds 'b' in row 2"),
        (Column("x", "category", ("a",)), [3, 4], "holds 3.0 in row 0"),
        (Column("x", "category", ()), ["a"], "in all 1 unknown categories in 1 rows"),
        (Column("x", "category", ("a",)), pd.to_datetime(["2020-01-01"]), "holds dates"),
        (Column("x"), [np.inf], "infinite"),
    ],
)
def test_what_does_not_fit_is_refused(column, values, reason):
    with pytest.raises(ValueError, match=reason):
        read_rows([column], pd.DataFrame({"x": values}))


def test_what_fits_in_another_form_is_taken():
    def read(column, values):
        return read_rows([column], pd.DataFrame({"x": values}))[:, 0].tolist()

    assert read(Column("x"), [True, False]) == [1.0, 0.0]
    assert read(Column("x"), pd.Categorical([5, 3])) == [5.0, 3.0]
    assert read(Column("x", "boolean"), [1, 0]) == [1.0, 0.0]
    assert read(Column("x", "date"), ["1970-01-02", "1970-01-01 00:00:10"]) == [86400.0, 10.0]
    assert read(Column("x", "duration"), ["0 days 00:01:00"]) == [60.0]
    for kind in ("number", "boolean", "date", "duration", "category"):
        assert np.isnan(read(Column("x", kind), [None, None])).all()


def test_unknown_categories_may_be_missing():
    column = Column("x", "category", ("a", "b"))
    frame = pd.DataFrame({"x": ["b", "new", "a"]})
    np.testing.assert_array_equal(
        read_rows([column], frame, unknown="missing"), [[1.0], [np.nan], [0.0]]
    )
    with pytest.raises(ValueError, match="unknown"):
        read_rows([column], frame, unknown="guess")


def test_other_frames():
    for name in ("polars", "pyarrow"):
        library = pytest.importorskip(name, reason="another kind of frame")
        make = library.DataFrame if name == "polars" else library.table
        columns = (Column("x", "category", ("a", "b")), Column("n"))
        frame = make({"n": [1.5, None], "x": ["b", "a"]})
        np.testing.assert_array_equal(read_rows(columns, frame), [[1.0, 1.5], [0.0, np.nan]])


@pytest.mark.parametrize(
    "parts",
    [
        {"name": 3},
        {"name": "x", "kind": "picture"},
        {"name": "x", "kind": "number", "levels": (1,)},
        {"name": "x", "kind": "category", "levels": ("a", "a")},
        {"name": "x", "kind": "category", "levels": (np.inf,)},
        {"name": "x", "kind": "category", "levels": (None,)},
        {"name": "x", "has_missing": 3},
    ],
    ids=str,
)
def test_columns_that_are_none(parts):
    with pytest.raises(ValueError):
        Column(**parts)


def test_levels_of_other_types_become_text():
    cut = pd.cut(pd.Series([1.0, 5.0, 9.0]), [0, 3, 6, 10])
    frame = pd.DataFrame({"x": cut})
    X, columns = columns_of(frame)
    assert columns[0].levels == ("(0, 3]", "(3, 6]", "(6, 10]")
    np.testing.assert_array_equal(read_rows(columns, frame), X)
    again = pd.DataFrame({"x": cut.astype(str)})
    np.testing.assert_array_equal(read_rows(columns, again), X)
    assert DecisionTreeClassifier().fit(X, [0, 1, 2]).score(X, [0, 1, 2]) == 1.0

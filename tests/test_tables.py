"""Tables from files and frames: what becomes of every kind of column."""

import datetime
import decimal
import gzip
import os
import sys

import numpy as np
import pytest

from treelearn._tables import BUNDLED_SETS, feature_matrix, read_table, target_values

pd = pytest.importorskip("pandas")


def column(values, **kwargs):
    """Return one column as float64, and whether it became codes."""
    X, coded = feature_matrix(pd.DataFrame({"x": pd.Series(values, **kwargs)}))
    assert X.dtype == np.float64
    return X[:, 0], coded == ["x"]


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([3, 1], "int64", [3, 1]),
        ([3, None], "Int64", [3, NAN]),
        ([0.5, NAN], "float32", [0.5, NAN]),
        ([True, False], "bool", [1, 0]),
        ([True, None], "boolean", [1, NAN]),
        ([True, None], object, [1, NAN]),
        ([7, None], object, [7, NAN]),
        ([decimal.Decimal("0.5"), None], object, [0.5, NAN]),
        ([None, None], object, [NAN, NAN]),
        (["1970-01-02", None], "datetime64[ns]", [86400, NAN]),
        ([datetime.date(1970, 1, 2), None], object, [86400, NAN]),
        ([datetime.timedelta(minutes=2), None], "timedelta64[ns]", [120, NAN]),
    ],
)
def test_numbers_keep_their_values(values, dtype, expected):
    found, is_coded = column(values, dtype=dtype)
    np.testing.assert_array_equal(found, expected)
    assert not is_coded


def test_dates_with_a_time_zone_are_seconds():
    found, _ = column(pd.to_datetime(["1970-01-01T01:00+01:00", None]).tz_convert("Asia/Tokyo"))
    np.testing.assert_array_equal(found, [0, NAN])


@pytest.mark.parametrize("dtype", [object, "string", "category", "str"])
def test_text_becomes_codes_in_sorted_order(dtype):
    found, is_coded = column(["m", None, "s", "l", "m"], dtype=dtype)
    np.testing.assert_array_equal(found, [1, NAN, 2, 0, 1])
    assert is_coded


def test_ordered_categories_keep_their_order():
    sizes = pd.CategoricalDtype(["s", "m", "l"], ordered=True)
    found, _ = column(["m", None, "s", "l"], dtype=sizes)
    np.testing.assert_array_equal(found, [1, NAN, 0, 2])


def test_mixed_types_and_lists_do_not_crash():
    assert column([1, "a", None, 2.5])[1]
    assert column([[1, 2], [1], None])[1]
    assert column(pd.Categorical([1, "a", 1]))[1]


def test_infinite_and_complex_columns_are_refused():
    with pytest.raises(ValueError, match="column 'x' holds infinite"):
        column([1.0, np.inf])
    with pytest.raises(ValueError, match="column 'x' holds complex"):
        column([1j, 2.0])


def test_polars_frames():
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    X, coded = feature_matrix(pl.DataFrame({"a": [1, None], "b": ["y", "x"]}))
    np.testing.assert_array_equal(X, [[1, 1], [NAN, 0]])
    assert coded == ["b"]


@pytest.mark.parametrize(
    ("y", "kept", "kind"),
    [
        ([1, 2, 1], [1, 2, 1], "i"),
        ([1.5, NAN], [1.5], "f"),
        (["a", None, "b"], ["a", "b"], "U"),
        (np.array(["a", NAN], dtype=object), ["a"], "U"),
        ([[1], [2]], [1, 2], "i"),
        (pd.Series([1, None], dtype="Int64"), [1], "if"),
        (pd.Series(["b", None], dtype="category"), ["b"], "U"),
        (pd.Series([True, None], dtype="boolean"), [True], "b"),
    ],
)
def test_missing_targets_are_found(y, kept, kind):
    values, is_missing = target_values(y)
    assert values.tolist() == kept
    assert values.dtype.kind in kind
    assert is_missing.sum() == len(y) - len(kept)


def test_targets_of_two_columns_and_dates_are_refused():
    with pytest.raises(ValueError, match="one column"):
        target_values([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="dates"):
        target_values(np.array(["2020-01-01"], dtype="datetime64[D]"))


@pytest.mark.parametrize("name", BUNDLED_SETS)
def test_bundled_sets(name):
    table = read_table(name)
    assert len(table.X) == len(table.y)
    assert table.task == ("regression" if name == "diabetes" else "classification")


def test_classes_of_bundled_sets_have_their_names():
    assert set(read_table("iris").y) == {"setosa", "versicolor", "virginica"}
    table = read_table("breast_cancer")
    assert np.unique(table.y, return_counts=True)[1].tolist() == [357, 212]  # benign, malignant
    assert set(read_table("digits").y) == set(range(10))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_are_refused(tmp_path):
    # What was read of a pipe to see what it holds would be missing from the table.
    path = tmp_path / "table.csv"
    os.mkfifo(path)
    with pytest.raises(ValueError, match="no ordinary file"):
        read_table(path)


@pytest.fixture
def frame():
    """Return a small table with its target in the middle."""
    return pd.DataFrame({"a": [1.0, 2.0], "target": ["x", "y"], "b": ["p", None]})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_with_any_separator(tmp_path, frame, separator):
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False, sep=separator)
    table = read_table(path)
    assert list(table.X.columns) == ["a", "b"]
    assert table.target == "target"
    assert table.notes == []


def test_compressed_csv(tmp_path, frame):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(frame.to_csv(index=False, sep=";").encode()))
    assert read_table(path).X.shape == (2, 2)


def test_parquet_needs_no_suffix(tmp_path, frame):
    pytest.importorskip("pyarrow")
    path = tmp_path / "data"
    frame.astype({"target": "category"}).to_parquet(path)
    assert read_table(path).task == "classification"


def test_the_target_is_named_or_the_last_column(tmp_path, frame):
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    assert read_table(path, "a").target == "a"
    frame.rename(columns={"target": "t"}).to_csv(path, index=False)
    table = read_table(path)
    assert table.target == "b"
    assert "last column, 'b'" in table.notes[0]
    with pytest.raises(ValueError, match="no column 'tt'. Did you mean 't'"):
        read_table(path, "tt")


def test_a_saved_index_is_left_out(tmp_path, frame):
    path = tmp_path / "data.csv"
    frame.to_csv(path)
    table = read_table(path)
    assert list(table.X.columns) == ["a", "b"]
    assert "counts the rows" in table.notes[0]


def test_question_marks_are_missing(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,y\n1, ?\n?,2\n")
    X, _ = feature_matrix(read_table(path).X)
    np.testing.assert_array_equal(X[:, 0], [1, NAN])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"a,b\n", "has no rows"),
        (b"a\n1\n", "no column besides the target"),
        (b"a,b\n1,2\n1,2,3\n", "no readable table"),
        (b"a,b\n\xe9,1\n", "neither Parquet nor CSV"),
        (b"PAR1 and no more", "no readable table"),
        (b"a" * 200_000 + b",b\n1,2\n", "no readable table"),
    ],
)
def test_files_that_are_no_tables(tmp_path, content, reason):
    if content.startswith(b"PAR1"):
        pytest.importorskip("pyarrow")
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_table(path)


def test_names_that_are_no_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file nowhere.csv, and no bundled set"):
        read_table("nowhere.csv")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(ValueError, match="has its own target"):
        read_table("iris", "petal")


def test_without_pandas_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert read_table("wine").X.shape == (178, 13)
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ImportError, match=r'pip install "treelearn\[data\]"'):
        read_table(path)

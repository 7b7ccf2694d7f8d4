"""The model file: exact, safe to open, never lost."""

import copy
import io
import json
import os
import stat
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_checks import check_tree, equal_trees

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn._columns import Column
from treelearn._files import write_whole
from treelearn.export import from_json, json_schema, load_model, model_json, save_model, to_json
from treelearn.export.model_json import _digest
from treelearn.model import Model

on_posix = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")

LABELS = {
    "int64": np.array([3, -1, 7]),
    "uint8": np.array([0, 200, 255], dtype=np.uint8),
    "uint64": np.array([0, 2**63, 2**64 - 1], dtype=np.uint64),
    "float": np.array([-2.0, 0.0, 5.0]),
    "text": np.array(["", "ü\n'\"", "\ud800"]),
    "object": np.array(["a", "bb", "ccc\0"], dtype=object),
}


def _fitted(rng, labels=None, **parameters):
    X = rng.normal(size=(80, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    codes = rng.integers(0, 3, 80)
    y = codes if labels is None else labels[codes]
    return DecisionTreeClassifier(**parameters).fit(X, y), X


def _same(model, estimator, X):
    other = model.estimator
    assert type(other) is type(estimator)
    assert set(vars(other)) == set(vars(estimator))
    equal_trees(other.tree_, estimator.tree_)
    check_tree(other)
    np.testing.assert_array_equal(other.predict(X), estimator.predict(X))
    assert other.predict(X).dtype == estimator.predict(X).dtype
    if hasattr(estimator, "classes_"):
        np.testing.assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize("name", LABELS)
def test_labels_come_back_as_they_were(name, rng):
    estimator, X = _fitted(rng, LABELS[name])
    _same(from_json(str(to_json(estimator))), estimator, X)


@pytest.mark.parametrize(
    "parameters",
    [
        {"criterion": "renyi", "order": np.inf},
        {"criterion": "tsallis", "order": np.float64(0.3)},
        {"class_weight": {0: 1.0, 1: 2.5, 2: np.float32(0.5)}},
        {"class_weight": "balanced", "max_features": "sqrt", "random_state": 3},
        {"random_state": np.random.RandomState(0), "max_features": np.int64(2)},
        {"min_samples_leaf": 0.05, "splitter": "random", "n_jobs": 2},
        {"max_leaf_nodes": 7, "ccp_alpha": 0.01},
    ],
    ids=lambda parameters: " ".join(parameters),
)
def test_parameters_come_back(parameters, rng):
    estimator, X = _fitted(rng, **parameters)
    model = from_json(str(to_json(estimator)))
    expected = estimator.get_params()
    if isinstance(expected["random_state"], np.random.RandomState):
        expected["random_state"] = None
    assert model.estimator.get_params() == expected
    _same(model, estimator, X)
    model.estimator.fit(X, np.arange(len(X)) % 3)


def test_regression_several_outputs_monotone_and_names(rng):
    pd = pytest.importorskip("pandas", reason="names come from a frame")
    X = rng.random((60, 3))
    y = rng.normal(size=(60, 2))
    for estimator in (
        DecisionTreeRegressor().fit(X, y),
        DecisionTreeRegressor(criterion="absolute_error").fit(X, y[:, 0]),
        DecisionTreeClassifier().fit(X, (y > 0).astype(int)),
        DecisionTreeClassifier(monotonic_cst=[1, 0, -1], max_depth=4).fit(X, y[:, 0] > 0),
        DecisionTreeRegressor(max_depth=2).fit(X, y[:, 0], sample_weight=rng.random(60)),
    ):
        _same(from_json(str(to_json(estimator))), estimator, X)
    frame = pd.DataFrame(X, columns=["a", "<script>", ""])
    estimator = DecisionTreeRegressor().fit(frame, y)
    model = from_json(str(to_json(estimator)))
    assert model.feature_names == ["a", "<script>", ""]
    _same(model, estimator, frame)


def test_infinite_thresholds_come_back():
    X = np.array([[1.0], [2.0], [np.nan], [np.nan], [2.0]])
    estimator = DecisionTreeClassifier().fit(X, [0, 0, 1, 1, 0])
    assert np.isinf(estimator._tree.threshold[0])
    _same(from_json(str(to_json(estimator))), estimator, X)


def test_columns_come_back(rng):
    estimator, _ = _fitted(rng)
    columns = (
        Column("a\nb", "category", ("x", 1, 2.5, "\ud800"), True),
        Column("", "date", has_missing=False),
        Column("<script>", "boolean"),
    )
    model = from_json(str(to_json(Model(estimator, columns, "y"))))
    assert model.columns == columns
    assert model.target == "y"


def test_the_file_follows_the_schema(rng):
    jsonschema = pytest.importorskip("jsonschema", reason="checks files against their schema")
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    estimator, X = _fitted(rng, LABELS["text"], criterion="renyi", order=np.inf)
    columns = (Column("c", "category", ("x", 2, True)), Column("d", "date"), Column("e"))
    regressor = DecisionTreeRegressor().fit(X, X[:, :2] > 0)
    for model in (estimator, Model(estimator, columns), regressor):
        found = json.loads(str(to_json(model)))
        validator.validate(found)
        del found["model"]["tree"]["feature"]
        assert not validator.is_valid(found)


def test_verify(rng):
    estimator, X = _fitted(rng, LABELS["text"])
    found = to_json(estimator).verify(X)
    assert found.n_rows == 80
    assert found.n_probes == 4 * found.n_inner_nodes
    assert found.checked == ("leaf", "prediction", "probability")


@pytest.mark.parametrize(
    ("estimator", "error"),
    [
        (DecisionTreeClassifier(), ValueError),
        ("tree", TypeError),
        (DecisionTreeClassifier, TypeError),
    ],
    ids=str,
)
def test_what_is_no_model_is_refused(estimator, error):
    with pytest.raises(error):
        to_json(estimator)


def test_a_class_of_somebody_else_is_refused():
    class Mine(DecisionTreeClassifier):
        pass

    with pytest.raises(ValueError, match="not the class Mine"):
        to_json(Mine().fit([[0.0], [1.0]], [0, 1]))


# -- hostile and damaged files ----------------------------------------------------------------


@pytest.fixture(scope="module")
def written():
    """A small model as parsed JSON."""
    rng = np.random.default_rng(1)
    estimator, _ = _fitted(rng, np.array(["a", "b", "c"]), max_depth=3)
    columns = [Column("x", "category", ("u", "v")), Column("y"), Column("z")]
    return json.loads(str(to_json(Model(estimator, columns, "t"))))


def _signed(found):
    """Return the text of a file with the right checksum, as somebody hostile would write it."""
    return json.dumps(found | {"sha256": _digest(found["model"])})


def _set(*path_and_value):
    *path, last, value = path_and_value

    def spoil(content):
        for key in path:
            content = content[key]
        content[last] = value

    return spoil


def _drop(*path):
    *path, last = path

    def spoil(content):
        for key in path:
            content = content[key]
        del content[last]

    return spoil


HOSTILE = {
    "another class": _set("estimator", "os.system"),
    "a list for a class": _set("estimator", ["DecisionTreeClassifier"]),
    "a module as class": _set("estimator", "__import__('os').system('true')"),
    "unknown parameter": _set("parameters", "__class__", 3),
    "bad parameter": _set("parameters", "max_depth", -3),
    "nested parameter": _set("parameters", "class_weight", {"pairs": [[[1], 2]]}),
    "odd parameter": _set("parameters", "class_weight", {"a": 1}),
    "parameters no dict": _set("parameters", []),
    "no columns": _set("columns", []),
    "fewer columns": _drop("columns", 2),
    "column without kind": _set("columns", 0, {"name": "x", "has_missing": None}),
    "column of an unknown kind": _set("columns", 0, "kind", "picture"),
    "column with a number as name": _set("columns", 0, "name", 3),
    "level twice": _set("columns", 0, "levels", ["u", "u"]),
    "level that is a list": _set("columns", 0, "levels", [["u"]]),
    "n_outputs zero": _set("n_outputs", 0),
    "n_outputs two": _set("n_outputs", 2),
    "n_outputs true": _set("n_outputs", True),
    "n_outputs huge": _set("n_outputs", 2**80),
    "max_features text": _set("max_features", "all"),
    "target a number": _set("target", 3),
    "no classes": _set("classes", None),
    "fewer classes": _set("classes", 0, "labels", ["a", "b"]),
    "class twice": _set("classes", 0, "labels", ["a", "b", "a"]),
    "class of another type": _set("classes", 0, "labels", ["a", "b", 3]),
    "class type of objects": _set("classes", 0, "dtype", "O"),
    "class type of records": _set("classes", 0, "dtype", "i4,i4"),
    "class type that does not fit": _set("classes", 0, "dtype", "int8"),
    "names that are none": _set("feature_names_in", [1, 2, 3]),
    "fewer names": _set("feature_names_in", ["a"]),
    "array missing": _drop("tree", "feature"),
    "array too many": _set("tree", "more", [1]),
    "array no list": _set("tree", "feature", {"0": 1}),
    "array of text": _set("tree", "feature", ["0"] * 9),
    "array of lists": _set("tree", "feature", [[0]] * 9),
    "array of booleans": _set("tree", "missing_go_to_left", 0, True),
    "array too short": _set("tree", "feature", [0]),
    "no nodes": _set("tree", "feature", []),
    "left child far away": _set("tree", "children_left", 0, 10**6),
    "left child huge": _set("tree", "children_left", 0, 2**40),
    "left child beyond 64 bits": _set("tree", "children_left", 0, 2**70),
    "root its own child": _set("tree", "children_right", 0, 0),
    "feature beyond the end": _set("tree", "feature", 0, 3),
    "feature negative": _set("tree", "feature", 0, -1),
    "threshold text": _set("tree", "threshold", 0, "1"),
    "threshold null": _set("tree", "threshold", 0, None),
    "flag two": _set("tree", "missing_go_to_left", 0, 2),
    "impurity infinite": _set("tree", "impurity", 0, "inf"),
    "class beyond the end": _set("tree", "classes", 0, 3),
    "class start beyond the end": _set("tree", "class_starts", -1, 10**9),
    "weight negative": _set("tree", "class_weights", 0, -1.0),
    "value that fits no node": _set("tree", "value", [0.5] * 3),
    "samples negative": _set("tree", "n_node_samples", 0, -1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name, written):
    found = copy.deepcopy(written)
    HOSTILE[name](found["model"])
    with pytest.raises(ValueError) as caught:
        from_json(_signed(found))
    assert str(caught.value)


def test_a_file_cannot_ask_for_much_memory(written, monkeypatch):
    """Text in an array takes the room of its longest entry, as often as there are entries."""
    found = copy.deepcopy(written)
    found["model"]["classes"][0]["labels"][2] = "c" * 100
    from_json(_signed(found))
    monkeypatch.setattr(model_json, "_MOST_LABEL_BYTES", 1000)
    with pytest.raises(ValueError, match="too long"):
        from_json(_signed(found))


def test_the_honest_file_is_taken(written):
    assert from_json(_signed(written)).target == "t"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "No model"),
        ("{", "No model"),
        ("[]", "another kind"),
        ("3", "another kind"),
        ("null", "another kind"),
        ("NaN", "no number"),
        ('{"format": "treelearn model"}', "no version"),
        ('{"format": "treelearn model", "version": 99}', "Update"),
        ('{"format": "treelearn model", "version": 1}', "lacks a part"),
        ('{"format": 1, "format": 2}', "twice"),
        ("[" * 200_000, "No model"),
        ("9" * 10_000, "No model"),
        (b"\x80\x04\x95", "UTF-8"),
        (b"\xff\xfe", "UTF-8"),
        ('{"format": "treelearn model", "version": 1, "sha256": 3, "model": 1e999}', "checksum"),
    ],
)
def test_junk_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        from_json(text)


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "x,y\n1,2\n", "", "\x00" * 5000])
def test_what_is_wrong_with_which_file(tmp_path, content):
    path = tmp_path / "some.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"some\.json: No model"):
        load_model(path)


class _Endless(io.BytesIO):
    """A file whose end would never be reached."""

    def read(self, size=-1):
        assert size >= 0, "all of an endless file is read"
        return b"\x00" * size


def test_no_end_is_waited_for_where_the_start_is_wrong(monkeypatch):
    monkeypatch.setattr("builtins.open", lambda *_: _Endless())
    with pytest.raises(ValueError, match="does not begin"):
        load_model("zero")


def test_a_changed_file_is_refused(written):
    found = copy.deepcopy(written)
    found["model"]["tree"]["threshold"][0] += 1e-9
    with pytest.raises(ValueError, match="checksum"):
        from_json(json.dumps(found))


def test_spacing_and_order_do_not_matter(written):
    text = json.dumps(written, indent=3, sort_keys=True)
    assert from_json(text).target == "t"


@given(data=st.data())
@settings(max_examples=150)
def test_any_damage_is_refused_or_harmless(written, data):
    """Bytes exchanged, cut out or put in: a reason, or the same model."""
    octets = bytearray(json.dumps(written).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(octets) - 1))
        kind = data.draw(st.sampled_from(["change", "cut", "insert", "end"]))
        if kind == "change":
            octets[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del octets[place : place + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            octets[place:place] = data.draw(st.binary(max_size=8))
        else:
            del octets[max(place, 1) :]
    try:
        model = from_json(bytes(octets))
    except ValueError as error:
        assert str(error)
        return
    assert json.loads(str(to_json(model)))["model"] == written["model"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=4), part, max_size=3)
    ),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=60)
def test_any_signed_content_is_refused_or_a_tree(written, data):
    """Any part replaced by anything, with the right checksum: no crash, no read out of bounds."""
    found = copy.deepcopy(written)
    part, keys = found["model"], []
    while isinstance(part, (dict, list)) and part and (not keys or data.draw(st.booleans())):
        names = sorted(part) if isinstance(part, dict) else range(len(part))
        keys.append((part, data.draw(st.sampled_from(list(names)))))
        part = keys[-1][0][keys[-1][1]]
    holder, key = keys[-1]
    holder[key] = data.draw(JUNK)
    try:
        text = _signed(found)
    except ValueError:  # infinity
        return
    try:
        model = from_json(text)
    except ValueError as error:
        assert str(error)
        return
    rows = np.full((3, len(model.columns)), 0.5)
    rows[1] = np.nan
    model.predict(rows)
    to_json(model).verify(rows)


# -- writing ----------------------------------------------------------------------------------


def test_a_file_is_replaced_only_by_force(tmp_path, rng):
    estimator, _ = _fitted(rng)
    path = tmp_path / "model.json"
    save_model(estimator, path)
    before = path.read_bytes()
    other, _ = _fitted(rng, max_depth=1)
    with pytest.raises(ValueError, match="force=True"):
        save_model(other, path)
    assert path.read_bytes() == before
    save_model(other, path, force=True)
    assert load_model(path).estimator.get_depth() == 1
    assert os.listdir(tmp_path) == ["model.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_loses_nothing(step, tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    path.write_text("precious")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space") as caught:
        write_whole(path, "new", force=True)
    monkeypatch.undo()
    assert caught.value.filename == str(path)
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["model.json"]


def test_a_file_made_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    link = os.link

    def late(source, target):
        path.write_text("of somebody else")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(ValueError, match="exists"):
        write_whole(path, "new", force=False)
    assert path.read_text() == "of somebody else"
    assert os.listdir(tmp_path) == ["model.json"]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="folder"):
        write_whole(tmp_path, "x", force=True)
    with pytest.raises(ValueError, match="no folder"):
        write_whole(tmp_path / "nowhere" / "x", "x", force=True)
    if os.path.exists("/dev/null"):
        with pytest.raises(ValueError, match="no ordinary file"):
            write_whole("/dev/null", "x", force=True)


@on_posix
def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "model", tmp_path / "link"
    write_whole(path, "one", force=False)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, "two", force=True)
    assert link.is_symlink()
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_reading_a_model_runs_nothing(written, monkeypatch):
    """No pickle, no import by name: the only code that runs is there before the file is."""
    before = set(sys.modules)
    from_json(_signed(written))
    assert set(sys.modules) - before == set()


def test_text_that_looks_like_code_stays_text(written):
    found = copy.deepcopy(written)
    found["model"]["target"] = "__import__('os').abort()"
    assert from_json(_signed(found)).target == "__import__('os').abort()"

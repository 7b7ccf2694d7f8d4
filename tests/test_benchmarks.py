"""Every benchmark runs, on tables so small that it takes a moment; floors and charts are right."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import treelearn

ROOT = Path(__file__).resolve().parents[1]
QUICKLY = ["--rows", "300", "--rounds", "1"]
SCRIPTS = ["fit", "predict", "criteria", "scaling", "grid_search", "gpu"]


@pytest.fixture
def script(monkeypatch, tmp_path):
    """Return a function that imports a module of benchmarks, its results going elsewhere."""
    if not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not part of what is installed")
    # Last: the package that is tested must not be hidden by its sources.
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])

    def load(name):
        module = importlib.import_module(f"benchmarks.{name}")
        monkeypatch.setattr(importlib.import_module("benchmarks.timing"), "RESULTS", tmp_path)
        return module

    return load


def saved(folder, name="result"):
    """Return what a run has saved."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_options_are_checked_and_explained(name, script, capsys):
    module = script(name)
    with pytest.raises(SystemExit) as end:
        module.main(["--help"])
    assert end.value.code == 0
    assert f"benchmarks.{name}" in capsys.readouterr().out
    for wrong in (["--rows", "0"], ["--rounds", "0"], ["--save", "../elsewhere"], ["--nonsense"]):
        with pytest.raises(SystemExit) as end:
            module.main(wrong)
        assert end.value.code == 2


def test_fit_runs_every_synthetic_workload(script, tmp_path, capsys):
    fit, floors = script("fit"), script("floors")
    options = [*QUICKLY, "--workloads", "all", "--threads", "1", "2", "--floors"]
    assert fit.main([*options, "--save", "result"]) == 0
    result = saved(tmp_path)
    assert result["benchmark"] == "fit"
    assert {row["workload"] for row in result["rows"]} == set(floors.SYNTHETIC)
    for row in result["rows"]:
        assert row["ratio"] > 0 and row["cpu_ratio"] > 0
        assert row["n_samples"] == (150 if row["workload"] == "iris" else 300)
        assert row["has_missing"] == (row["workload"] == "200k_missing")
        assert np.isclose(row["score"], row["reference"]["score"], atol=0.05)
    assert "asked  measured" in capsys.readouterr().out


def test_fit_runs_real_tables(script, data_folder, tmp_path):
    fit = script("fit")
    options = [*QUICKLY, "--tables", "skin", "abalone", "--dtype", "float64", "--save", "result"]
    assert fit.main(options) == 0
    first, second = saved(tmp_path)["rows"]
    assert first["n_classes"] == 2  # the rows are spread over a table that is sorted by class
    assert second["task"] == "regression"


def test_fit_names_what_a_peer_cannot_do(script, capsys):
    fit, peers = script("fit"), script("peers")
    settings = peers.Settings("classification", limits={"max_leaf_nodes": 3})
    with pytest.raises(peers.UnsupportedError, match="knows no max_leaf_nodes"):
        settings.refuse("max_depth", "max_leaf_nodes")

    class Refusing(peers.Treelearn):
        def fit(self, X, y, settings, sample_weight=None):
            settings.refuse("max_depth")
            return super().fit(X, y, settings, sample_weight)

    workload = script("workloads").load_synthetic("100k_depth_8", most_rows=200)
    options = fit.parse_arguments([*QUICKLY, "--workloads", "100k_depth_8"])
    library = {peers.REFERENCE: peers.ScikitLearn(), "treelearn": Refusing()}
    rows, skipped = fit.run_workload(workload, "gini", options, library)
    assert rows == []
    assert skipped == ["skipped: 100k_depth_8: treelearn knows no max_depth"]


@pytest.mark.parametrize("peer", ["ydf", "lightgbm", "xgboost", "xgboost-exact", "onedal"])
def test_peers_where_they_are_installed(peer, script):
    peers, workloads = script("peers"), script("workloads")
    try:
        adapter = peers.PEERS[peer]()
    except ImportError as error:
        pytest.skip(f"a peer is missing: {error}")
    for name in ("100k_2_classes", "100k_10_classes", "200k_regression", "100k_depth_8"):
        workload = workloads.load_synthetic(name, most_rows=400)
        settings = peers.Settings(workload.task, n_threads=1, seed=0, limits=workload.limits)
        model = adapter.fit(workload.X, workload.y, settings)
        predicted = np.asarray(adapter.predict(model, workload.X))
        assert predicted.shape == workload.y.shape
        if workload.task == "classification":
            assert np.mean(predicted == workload.y) > 0.8
        else:
            assert np.corrcoef(predicted, workload.y)[0, 1] > 0.6
        n_nodes = adapter.n_nodes(model)
        assert n_nodes is None or n_nodes > 2


def test_predict_runs(script, tmp_path):
    predict = script("predict")
    names = ["100k_2_classes", "200k_regression", "200k_missing"]
    assert set(names) < set(predict.WORKLOADS)
    options = ["--workloads", *names, "--batches", "1", "500", "--threads", "1", "2"]
    assert predict.main([*QUICKLY, *options, "--save", "result"]) == 0
    rows = saved(tmp_path)["rows"]
    assert {row["workload"] for row in rows} == set(names)
    assert {row["n_rows"] for row in rows} == {1, 500}
    assert all(row["asked"] == 2 for row in rows if row["n_rows"] == 1 and row["threads"] == 1)


def test_criteria_runs(script, tmp_path):
    criteria = script("criteria")
    assert criteria.main([*QUICKLY, "--save", "result"]) == 0
    rows = saved(tmp_path)["rows"]
    assert {row["criterion"] for row in rows} == {*criteria.CLASSIFICATION, *criteria.REGRESSION}
    asked = {(r["workload"], r["criterion"]): r["asked"] for r in rows}
    assert asked["100k_2_classes", "renyi(2)"] == 1.3
    assert asked["100k_10_classes", "renyi(2)"] == 2.0
    assert asked["200k_regression", "poisson"] is None


def test_scaling_runs(script, tmp_path):
    scaling = script("scaling")
    options = ["--quick", *QUICKLY, "--over", "features", "classes", "threads"]
    assert scaling.main([*options, "--save", "result"]) == 0
    rows = saved(tmp_path)["rows"]
    assert {row["series"] for row in rows} == {"features", "classes", "threads"}
    assert all(row["ns_per_cell"] > 0 and row["mean_depth"] > 1 for row in rows)
    shapes = list(scaling.shapes("rows", scaling.parse_arguments(["--rows", "50000"])))
    assert [shape["n_samples"] for shape in shapes] == [25_000, 50_000]


def test_every_fit_is_a_first_one(script):
    peers, workloads = script("peers"), script("workloads")
    workload = workloads.load_synthetic("100k_2_classes", most_rows=2000)
    settings = peers.Settings(workload.task, seed=0)
    for _ in range(2):
        peers.Treelearn().fit(workload.X, workload.y, settings)
        assert treelearn.training_cache_info()["n_hits"] == 0


def test_memory_is_that_of_the_fit(script):
    memory, peers, workloads = script("memory"), script("peers"), script("workloads")
    workload = workloads.load_synthetic("100k_2_classes", most_rows=20_000)
    settings = peers.Settings("classification", n_threads=1, seed=0)
    peak = memory.peak_above(workload.X, workload.y, "treelearn", settings)
    if peak is None:
        pytest.skip("this system does not tell the peak of a process")
    assert 0.5 < peak < 100.0  # the lists of 20,000 x 20 entries of 4 bytes take 1.6 MB


def test_grid_search_runs(script, tmp_path):
    grid_search = script("grid_search")
    assert grid_search.main([*QUICKLY, "--reference", "--save", "result"]) == 0
    rows = saved(tmp_path)["rows"]
    assert {row["n_fits"] for row in rows} == {61}
    assert rows[0]["search"] == "treelearn" and rows[0]["ratio"] == 1.0


def a_row(**changes):
    """Return a row of a result as `floors` reads it."""
    row = {"peer": "treelearn", "workload": "100k_2_classes", "kind": "synthetic"}
    row |= {"task": "classification", "criterion": "gini", "threads": 1, "dtype": "float32"}
    row |= {"n_samples": 100_000, "n_features": 20, "has_missing": False}
    return {**row, "ratio": 50.0, "cpu_ratio": 46.0, **changes}


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, 45),
        ({"threads": 2}, 80),
        ({"dtype": "float64"}, 31.5),
        ({"criterion": "entropy"}, 1),
        ({"workload": "iris", "dtype": "float64", "threads": None}, 1),
        ({"workload": "adult", "kind": "table", "has_missing": True}, 10),
        ({"workload": "other", "kind": "table"}, 7),
        ({"workload": "other", "kind": "table", "threads": 2}, 9),
        ({"workload": "other", "kind": "table", "has_missing": True}, 3.5),
        ({"workload": "other", "kind": "table", "task": "regression"}, 6),
        ({"workload": "other", "kind": "table", "n_samples": 2999}, 1),
    ],
)
def test_floors(changes, asked, script):
    assert script("floors").asked(a_row(**changes)) == pytest.approx(asked)


def test_floors_compare_what_counts(script):
    floors = script("floors")
    table = {"workload": "other", "kind": "table"}
    rows = [
        a_row(**table, cpu_ratio=4.0),
        a_row(**{**table, "workload": "another"}, cpu_ratio=100.0),
        a_row(**table, peer="ydf", cpu_ratio=1.0),
        a_row(**table, threads=2, ratio=30.0, cpu_ratio=1.0),
    ]
    lines = floors.compare(rows)
    assert ("other gini", 1, 7, 4.0) in lines
    assert ("other gini", 2, 9, 30.0) in lines
    assert ("geometric mean of 2 classification tables", 1, 18, pytest.approx(20.0)) in lines
    assert len(lines) == 4
    text = floors.format_lines(lines).splitlines()
    assert text[1].split()[-2:] == ["missed:", "57%"]
    assert text[2].split()[-1] == "held"


def test_check_ends_with_a_status(script, monkeypatch):
    fit, floors = script("fit"), script("floors")
    options = [*QUICKLY, "--workloads", "iris", "--check"]
    monkeypatch.setattr(floors, "asked", lambda row: 1e-9)
    assert fit.main(options) == 0
    monkeypatch.setattr(floors, "asked", lambda row: 1e9)
    assert fit.main(options) == 1


@pytest.mark.parametrize("output", [None, "chart.svg"])
def test_plot_draws_a_result(output, script, tmp_path):
    pytest.importorskip("matplotlib", reason="charts are drawn by matplotlib")
    plot = script("plot")
    heading = {"benchmark": "fit", "versions": {"scikit-learn": "1.9.1"}}
    heading["machine"] = {"processor": "a processor"}
    rows = [a_row(), a_row(threads=2), a_row(workload="iris", threads=None), a_row(peer="ydf")]
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**heading, "rows": rows}))
    arguments = [str(path)] + (["--output", str(tmp_path / output)] if output else [])
    assert plot.main(arguments) == 0
    drawn = (tmp_path / (output or "result.svg")).read_text(encoding="utf-8")
    assert drawn.startswith("<?xml") and "times faster than scikit-learn 1.9.1" in drawn
    assert "100k 2 classes" in drawn and "treelearn, 2 threads" in drawn
    assert plot.main(arguments) == 0
    assert (tmp_path / (output or "result.svg")).read_text(encoding="utf-8") == drawn


def test_plot_refuses_what_is_no_result(script, tmp_path):
    plot = script("plot")
    with pytest.raises(SystemExit):
        plot.main(["nowhere"])
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"benchmark": "predict", "rows": [{}]}))
    with pytest.raises(SystemExit, match="no result of benchmarks.fit"):
        plot.main([str(path)])


def test_gpu_says_where_there_is_none(script, monkeypatch, capsys):
    gpu = script("gpu")

    def open_engine():
        raise ImportError('CuPy is not installed: pip install "treelearn[gpu]".')

    monkeypatch.setattr("treelearn._device.open_engine", open_engine)
    assert gpu.main(["--quick"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "needs a GPU" in said and "treelearn[gpu]" in said


def test_gpu_runs_on_a_stand_in(script, tmp_path, libraries):
    from cuda_twin import stand_in

    gpu = script("gpu")
    with stand_in("twin", libraries):
        options = ["--quick", "--rows", "2000", "--rounds", "1", "--cpu", "--save", "result"]
        assert gpu.main(options) == 0
    rows = saved(tmp_path)["rows"]
    steps = {row["what"].split()[1] for row in rows[1:]}
    assert {"fit", "encode", "fill", "scan", "partition", "finish", "predict", "CPU,"} <= steps
    assert all(row["times_the_floor"] > 0 and row["is_held"] is None for row in rows[1:])


def test_images_are_as_described(script):
    made = script("workloads").images(0, np.float32, n_samples=500)
    X = made["X"]
    assert X.shape == (500, 784)
    assert np.array_equal(X, np.floor(X)) and X.min() == 0.0 and X.max() <= 255.0
    assert 0.75 < np.mean(X == 0.0) < 0.92
    assert set(made["y"]) == set(range(10))


def test_every_committed_result_tells_where_it_comes_from():
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        assert {"command", "commit", "machine", "versions", "rows"} <= set(result)

"""The command line: arguments, output on terminals and in pipes, files, exit status."""

import csv
import io
import json
import os
import signal
import subprocess
import sys

import pytest
from rich.console import Console
from sklearn.datasets import load_wine
from typer.testing import CliRunner

from treelearn import __version__, compare_criteria
from treelearn._compare_command import _repeat_option
from treelearn._text_table import fitting_table
from treelearn.cli import app

on_terminals = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")

QUICK = ["--repeats", "1", "--cv", "3"]


def run(*args):
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(arg) for arg in args])


def refused(*args):
    """Run what must end with status 2 and return what it says."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--criteria", "gini", "renyi:0.5", "--cv", "3"], "gini renyi:0.5 | --cv 3"),
        (["--criteria", "gini,entropy"], "gini entropy |"),
        (["--criteria=gini,entropy", "renyi"], "gini entropy renyi |"),
        (["--criteria", "gini", "--criteria", "entropy"], "gini entropy |"),
        (["--criteria", "gini", "iris"], "gini | iris"),
        (["iris", "--criteria", "gini", "typo"], "gini typo | iris"),
        (["--criteria", "gini", "My Data.CSV"], "gini | My Data.CSV"),
        (["--criteria", "gini", "--", "table"], "gini | -- table"),
        (["--criteria"], "--criteria"),
        ([], ""),
    ],
)
def test_one_option_takes_many_values(args, expected):
    repeated = _repeat_option(args, "--criteria")
    names, _, others = expected.partition("|")
    if names == "--criteria":
        assert repeated == ["--criteria"]
        return
    found = [b for a, b in zip(repeated, repeated[1:], strict=False) if a == "--criteria"]
    assert found == names.split()
    rest = [arg for arg in repeated if arg != "--criteria" and arg not in found]
    assert " ".join(rest) == others.strip()


def test_compare_a_bundled_set():
    result = run("compare", "iris", *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "iris: 150 rows, 4 features; to predict: 'target', 3 classes"
    names = [line.split()[0] for line in lines if "±" in line]
    assert names == ["gini", "entropy", "renyi:0.5", "renyi:2", "tsallis:1.5", "Mean"]
    assert "Mean ± standard deviation over 1 x 3 folds" in result.stdout
    assert "Ties in accuracy, " in result.stdout


def test_compare_a_regression():
    result = run("compare", "diabetes", "--max-depth", 2, *QUICK)
    assert result.exit_code == 0, result.output
    assert "to predict: 'target', a number" in result.stdout
    assert "gaussian_entropy" in result.stdout


def test_compare_without_data_runs_the_bundled_sets():
    result = run("compare", "--criteria", "gini", "entropy", "--cv", 2, "--repeats", 1)
    assert result.exit_code == 0, result.output
    for name in ("iris: ", "wine: ", "breast_cancer: ", "digits: "):
        assert name in result.stdout
    assert "Of 4 sets, on how many all criteria tie: accuracy " in result.stdout


def test_a_file_with_text_and_missing_values(tmp_path):
    pytest.importorskip("pandas")
    path = tmp_path / "coats.csv"
    path.write_text("size,colour,coat\n" + "5,red,warm\n7,,cold\n,blue,\n" * 9)
    result = run("compare", path, "--criteria", "gini", *QUICK)
    assert result.exit_code == 0, result.output
    assert "coats.csv: 18 rows, 2 features; to predict: 'coat', 2 classes" in result.stdout
    assert "The target is the last column, 'coat'; --target names another." in result.stdout
    assert "ordinal codes: colour." in result.stdout
    assert "Rows without a target, left out: 9." in result.stdout


def test_names_in_the_data_do_not_steer_the_terminal(tmp_path):
    pytest.importorskip("pandas")
    path = tmp_path / "data.csv"
    path.write_text("\x1b[31m[red]:smile:,y\n" + "a,1.5\nb,2.5\n" * 9)
    result = run("compare", path, "--criteria", "squared_error", *QUICK)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.stdout
    assert "[red]:smile:" in result.stdout


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["nowhere.csv"], "treelearn: There is no file nowhere.csv"),
        (["iris", "--criteria", "ginny"], "treelearn: Unknown criterion 'ginny'"),
        (["iris", "--criteria", "squared_error"], "no criterion for classification"),
        (["iris", "--criteria"], "requires an argument"),
        (["iris", "--cv", "1"], "--cv"),
        (["iris", "--cv", "151"], "150 rows with a target are fewer than 151 folds"),
        (["iris", "--jobs", "0"], "n_jobs"),
        (["iris", "--task", "ranking"], "'ranking'"),
        (["iris", "nowhere.csv"], "There is no file nowhere.csv"),
        (["iris", "--groups", "g"], "--groups needs a file"),
        (["iris", "--groups", "g", "--time", "t"], "name one"),
        (["iris", "--time", "t", "--repeats", "2"], "does not go with"),
        (["--target", "y"], "--target needs a file"),
        (["iris", "--out", "x.html"], "must end in .csv or .json"),
        (["iris", "--out", "nowhere/x.csv"], "there is no folder nowhere"),
    ],
)
def test_bad_input_ends_in_a_line_and_status_2(args, reason):
    assert reason in refused("compare", *args)


def test_several_tables_are_ranked(tmp_path):
    out = tmp_path / "o.json"
    args = ["compare", "iris", "wine", "--criteria", "gini", "entropy", "--out", out]
    result = run(*args, *QUICK)
    assert result.exit_code == 0, result.output
    assert "iris: " in result.stdout and "wine: " in result.stdout
    assert "Over 2 tables, ties in accuracy" in result.stdout
    over = json.loads(out.read_text())["over_tables"]
    assert over[0]["data"] == ["iris", "wine"]
    assert [row["metric"] for row in over[0]["ranks"]][0] == "accuracy"


def test_a_folder_of_tables(tmp_path):
    pytest.importorskip("pandas")
    (tmp_path / "a.csv").write_text("x,y\n" + "1,n\n2,p\n" * 9)
    (tmp_path / "b.csv").write_text("x,y\n" + "1,n\n2,p\n" * 12)
    (tmp_path / "c.csv").write_text("x,y\n" + "1,n\n" * 9)
    (tmp_path / "notes.md").write_text("no table")
    args = ["compare", tmp_path, "--criteria", "gini", "entropy", *QUICK]
    result = run(*args, "--out", tmp_path / "o.csv")
    assert result.exit_code == 0, result.output
    assert "c.csv: left out. The target has one class only" in result.stdout
    assert "Of 2 sets, on how many all criteria tie: accuracy 2" in result.stdout
    with open(tmp_path / "o.csv", newline="") as file:
        assert [row["data"] for row in csv.DictReader(file)] == ["a.csv"] * 2 + ["b.csv"] * 2
    (tmp_path / "empty").mkdir()
    assert "holds no CSV" in refused("compare", tmp_path / "empty")


def test_groups_and_time(tmp_path):
    pytest.importorskip("pandas")
    path = tmp_path / "t.csv"
    rows = [f"{i % 7},{i % 5},2024-01-{1 + i % 28:02d},{'pn'[i % 2]}" for i in range(140)]
    path.write_text("\n".join(["x,who,day,y", *rows]))
    args = ["compare", path, "--criteria", "gini", "--cv", 4]
    result = run(*args, "--groups", "who")
    assert result.exit_code == 0, result.output
    assert "140 rows, 2 features" in result.stdout
    assert "over 4 folds of StratifiedGroupKFold." in result.stdout
    result = run(*args, "--time", "day")
    assert result.exit_code == 0, result.output
    assert "over 4 folds of TimeSeriesSplit." in result.stdout
    assert "no column 'whom'" in refused(*args, "--groups", "whom")
    assert "'who' has 5 values" not in run(*args, "--groups", "who").output
    assert "who has 5 values, fewer" in refused("compare", path, "--cv", 6, "--groups", "who")


def test_a_stored_study_is_taken_over(tmp_path):
    store = tmp_path / "s.jsonl"
    args = ["compare", "iris", "--criteria", "gini", "entropy", *QUICK, "--store", store]
    first = run(*args)
    assert first.exit_code == 0, first.output
    before = store.read_bytes()
    assert run(*args).stdout == first.stdout
    assert store.read_bytes() == before
    assert "no study" in refused("compare", "iris", "--store", __file__)
    assert "no folder" in refused("compare", "iris", "--store", "nowhere/s.jsonl")


def test_interrupt_says_how_to_go_on(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    args = ["compare", "iris", "--store", tmp_path / "s.jsonl"]
    assert run(*args, *QUICK).exit_code == 0
    monkeypatch.setattr("treelearn._compare_command.compare_criteria", interrupted)
    assert run("compare", "iris", "--store", tmp_path / "none.jsonl").stderr.count(":") == 1
    result = run(*args)
    assert result.exit_code == 130
    assert result.stderr.endswith("s.jsonl holds what is done: the same command goes on.\n")


def test_tuned_orders():
    result = run(
        "compare", "iris", "--criteria", "renyi", "gini", "--tune", "--cv", 2, "--repeats", 1
    )
    assert result.exit_code == 0, result.output
    names = [line.split()[0] for line in result.stdout.splitlines() if "±" in line]
    assert names == ["renyi", "gini", "Mean"]


def test_out_as_csv_and_json(tmp_path):
    args = ["compare", "iris", "--criteria", "gini", "renyi:inf", "--seed", "3", *QUICK]
    assert run(*args, "--out", tmp_path / "o.csv").exit_code == 0
    assert run(*args, "--out", tmp_path / "o.json").exit_code == 0
    with open(tmp_path / "o.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    found = json.loads((tmp_path / "o.json").read_text(), parse_constant=pytest.fail)
    study = found["studies"][0]
    assert (found["seed"], found["max_depth"]) == (3, None)
    assert (study["data"], study["target"], study["cv"]) == ("iris", "target", 3)
    assert [row["criterion"] for row in rows] == ["gini", "renyi:inf"]
    assert [row["order"] for row in study["rows"]] == [None, "inf"]
    for row, same in zip(rows, study["rows"], strict=True):
        assert row["data"] == "iris"
        assert float(row["accuracy"]) == same["accuracy"]
    assert len(study["folds"]) == 6
    assert len(study["comparisons"]) == 6
    assert {path.name for path in tmp_path.iterdir()} == {"o.csv", "o.json"}


def test_out_replaces_a_file_only_when_forced(tmp_path):
    path = tmp_path / "o.csv"
    path.write_text("dear")
    assert "exists; --force replaces it" in refused("compare", "iris", "--out", path)
    assert path.read_text() == "dear"
    assert run("compare", "iris", *QUICK, "--out", path, "--force").exit_code == 0
    assert path.read_text().startswith("data,criterion")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_write_loses_nothing(tmp_path, monkeypatch, call):
    path = tmp_path / "o.json"
    path.write_text("dear")

    def fail(*args):
        raise OSError(28, "No space left on device", "o.json")

    monkeypatch.setattr(f"treelearn._files.os.{call}", fail)
    result = run("compare", "iris", *QUICK, "--out", path, "--force")
    assert result.exit_code == 2
    assert result.stderr == "treelearn: o.json: No space left on device\n"
    assert path.read_text() == "dear"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_out_into_a_folder_that_takes_no_files(tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot write there" in refused("compare", "iris", "--out", tmp_path / "o.csv")


def test_interrupt_ends_with_status_130(monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("treelearn._compare_command.compare_criteria", interrupted)
    result = run("compare", "iris")
    assert result.exit_code == 130
    assert result.stderr == "treelearn: stopped by Ctrl-C.\n"


def test_help_and_version():
    assert run("--version").stdout == f"treelearn {__version__}\n"
    assert "compare" in run("-h").stdout
    shown = run("compare", "--help").stdout
    for option in ("--target", "--criteria", "--max-depth", "--cv", "--jobs", "--out", "--force"):
        assert option in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_module_in_a_pipe_that_shows_ascii_only():
    done = subprocess.run(
        [sys.executable, "-m", "treelearn", "compare", "iris", *QUICK],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"gini" in done.stdout
    # Neither colours nor a progress bar.
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_the_console(columns):
    file = io.StringIO()
    console = Console(file=file, width=columns)
    X, y = load_wine(return_X_y=True)
    result = compare_criteria(X, y, n_repeats=1, cv=2)
    console.print(fitting_table(console, result)[0])
    shown = file.getvalue()
    assert max(map(len, shown.splitlines())) <= columns
    # Nothing is cut off; the spreads go before that.
    assert "…" not in shown
    assert ("±" in shown) == (columns >= 80)


@on_terminals
def test_a_terminal_shows_a_bar_while_it_lasts():
    shown, status = run_on_terminal(["compare", "wine", *QUICK])
    assert status == 0
    bar, table = shown.split("wine: ")
    assert "━" in bar
    assert "━" not in table


@on_terminals
def test_interrupt_on_a_terminal():
    args = ["compare", "digits", "--repeats", "100000"]
    shown, status = run_on_terminal(args, interrupt_at="━")
    assert status == 130
    assert "treelearn: stopped by Ctrl-C." in shown
    assert "Traceback" not in shown


def run_on_terminal(args, interrupt_at=None):
    """Run a process on a terminal of 80 columns; return what it shows, and its exit status.

    It is interrupted as soon as it shows ``interrupt_at``.
    """
    terminal, inside = os.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        # Where the tests run in the background, the signal is ignored and children inherit that.
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
            "from treelearn.cli import main; main()",
            *args,
        ],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**environment, "TERM": "xterm"},
    )
    os.close(inside)
    shown = ""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux's way of saying that the other side has closed
            break
        if not part:
            break
        shown += part.decode(errors="replace")
        if interrupt_at is not None and interrupt_at in shown:
            process.send_signal(signal.SIGINT)
            interrupt_at = None
    os.close(terminal)
    return shown, process.wait()

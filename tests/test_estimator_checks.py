"""scikit-learn's own checks, under many settings of the parameters; none may fail."""

import pytest
from sklearn import tree
from sklearn.utils.estimator_checks import parametrize_with_checks

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor

# scikit-learn expects no failure of its own trees, and neither do we of ours.  Left out are
# min_samples_leaf and balanced class weights, which by their meaning tell a weighted row from
# repeated ones.
ESTIMATORS = [
    DecisionTreeClassifier(),
    DecisionTreeClassifier(criterion="entropy", n_jobs=2),
    DecisionTreeClassifier(criterion="renyi", order=0.5),
    DecisionTreeClassifier(criterion="renyi", order=50.0, max_leaf_nodes=20),
    DecisionTreeClassifier(criterion="renyi_mean", order=0.7),
    DecisionTreeClassifier(criterion="tsallis", order=1.5, max_depth=4),
    DecisionTreeClassifier(criterion="misclassification"),
    DecisionTreeClassifier(splitter="random"),
    DecisionTreeClassifier(max_features="sqrt", min_weight_fraction_leaf=0.02),
    DecisionTreeRegressor(),
    DecisionTreeRegressor(criterion="absolute_error", n_jobs=2),
    DecisionTreeRegressor(criterion="gaussian_entropy"),
    DecisionTreeRegressor(splitter="random", max_depth=6),
    DecisionTreeRegressor(max_features=0.5, ccp_alpha=0.001),
    DecisionTreeClassifier(max_bins=255),
    DecisionTreeRegressor(max_bins=255, criterion="gaussian_entropy"),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (DecisionTreeClassifier(), tree.DecisionTreeClassifier()),
        (DecisionTreeRegressor(), tree.DecisionTreeRegressor()),
    ],
    ids=["classifier", "regressor"],
)
def test_tags_are_scikit_learns(ours, theirs):
    ours, theirs = ours.__sklearn_tags__(), theirs.__sklearn_tags__()
    assert ours.input_tags.allow_nan
    assert ours.input_tags.sparse
    for part in ("estimator_type", "target_tags", "classifier_tags", "regressor_tags"):
        assert getattr(ours, part) == getattr(theirs, part)

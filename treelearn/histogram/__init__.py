"""Trees on binned data: bins, histograms, and growth level by level.

What the engines of the histogram mode (the compiled one of the CPU, the array program over NumPy
or CUDA kernels) have in common, so that all of them grow the same tree bit for bit:

**Codes.** ``codes`` is a C-contiguous array of shape (n_features, n_samples), uint8 where no
feature has more than 256 codes, else uint16. Feature f has ``n_bins[f]`` bins, numbered by growing
value; the code of a missing value is ``n_bins[f]``. Only rows of positive weight are samples, in
the order of the rows. Per bin its lowest and its highest training value are known:
``lowest[bin_starts[f] + b]`` and ``highest[...]``, float64.

**Splits.** A split of feature f at bin b sends codes ``<= b`` to the left, missing values where
``missing_goes_left`` says. Candidates are the cuts between two neighbouring bins that hold samples
of the node, b being the left one; and, where values are missing, the cut between the last such bin
and the missing values on the right. The threshold is the exact engine's ``threshold_between`` of
``highest[b]`` and the ``lowest`` of the first bin on the right that holds samples of the node,
infinity for the last cut. A tree on bins that hold one value each is therefore the exact tree.

**Ties.** The largest score; of equal scores the lowest feature, then the lowest bin, then missing
values to the right; Shannon's score before the feature where the criterion says so. Where a node
has no missing value of the feature, they go where more samples go. What is drawn follows from the
node's seed, as in ``_splitter.pyx``.

**Scores** are the exact engine's functions of the counts, with its choice among them
(``_scan.pyx``): for one output of classes with tables of terms (``_fitting.py``), two classes of
unit weight: ``tl_gini_binary``, or the terms of the two classes added; else power sums along a
binary tree over the classes present in the node, numbered in their order; for one regression
output without monotonic constraints: its moments; else ``side_score`` of the statistics vectors.

**Sums** are whole numbers: weights, sums and square sums in the units that ``TrainingSet`` chooses.
A TrainingSet of no feature (``np.empty((n_total, 0))``) holds them without sorting anything.

**Nodes.** Impurity, value and purity of a node are those of ``_statistics.pyx``: functions of the
statistics vector in classification, and of the targets in the order of the samples in regression.
Seeds of children, gains, stopping rules and the numbering of nodes are those of ``_node.pyx``,
``_grower.pyx`` and ``_records.pyx``.
"""

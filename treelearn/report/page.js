// The page: one section for each kind of fact that there is.

const facts = JSON.parse(document.getElementById("facts").textContent);
const page = document.getElementById("page");
const sections = [];
// What sections are called where there is little room.
const SHORT = { found: "Found", ties: "Ties", ranks: "Ranks", tables: "Tables", differences: "Differences", orders: "Orders", impurities: "Impurities", tree: "Tree", way: "One row", information: "Bits", repeat: "Repeat" };

function section(id, title, ...content) {
  sections.push([id, SHORT[id] || title]);
  const node = el("section", { id }, el("h2", {}, title), ...content);
  page.append(node);
  return node;
}

function p(text, kind) { return el("p", kind ? { class: kind } : {}, text); }

function list(items) { return el("ul", {}, ...items.map(item => el("li", {}, item))); }

// A choice of metrics, and what is drawn for the chosen one.
function byMetric(metrics, draw) {
  const box = el("div");
  const choose = el("select", { "aria-label": "What is compared", onchange: () => box.replaceChildren(...draw(metrics[choose.selectedIndex])) },
    ...metrics.map(metric => el("option", {}, metric.label)));
  box.append(...draw(metrics[0]));
  return [el("div", { class: "bar controls" }, choose), box];
}

function best(metric) { return metric.higher ? "higher is better" : "lower is better"; }

function title(metric) { return `${metric.label}${metric.unit && metric.unit !== "%" ? ` in ${metric.unit}` : ""} (${best(metric)})`; }

function ranking(found) {
  const rows = metric => [...found.rows].sort((a, b) => (metric.higher ? -1 : 1) * (a.scores[metric.key][0] - b.scores[metric.key][0]));
  section("ranking", "Ranking",
    ...byMetric(found.metrics, metric => [
      figure(intervalChart(rows(metric).map(row => ({ name: row.criterion, value: row.scores[metric.key][0], half: row.scores[metric.key][1], tone: row.scores[metric.key][2] ? "bad" : "accent" })),
        v => score(metric, v), title(metric), marks => axisFormat(metric, marks)),
        `Means over ${found.folds} with their 95 % intervals, widened for folds that share training rows (Nadeau and Bengio 2003). Intervals may overlap where a difference is more than noise: the folds are the same for all, and the test compares fold by fold. Criteria that are worse than the best by more than noise are set off.`,
        `Ranking by ${metric.label}`),
    ]),
    table(["criterion", ...found.metrics.map(metric => metric.label), "depth", "fit ms", "predict ms"],
      found.rows.map(row => [row.criterion, ...found.metrics.map(metric => {
        const [value, , isWorse] = row.scores[metric.key];
        const top = rows(metric)[0].scores[metric.key][0];
        return { text: score(metric, value), tone: isWorse ? "worse" : value === top ? "best" : null };
      }), row.depth.toFixed(1), number(row.fit_ms), number(row.predict_ms)])));
  if (found.rows.some(row => row.chosen.length)) {
    page.lastChild.append(p("Parameters that nested cross-validation chose, and on how many folds:"), list(found.rows.filter(row => row.chosen.length).map(row => `${row.criterion}: ${row.chosen.map(([text, n]) => `${text} (${n})`).join(", ")}`)));
  }
}

function notToldApart(found) {
  if (found.rows.length < 2) return;
  section("ties", "What is not told apart",
    ...byMetric(found.metrics, metric => [
      figure(differenceDiagram(found.rows.map(row => ({ name: row.criterion, value: row.scores[metric.key][0] })), found.groups[metric.key], marks => axisFormat(metric, marks), title(metric)),
        found.groups[metric.key].length ? "Bars join criteria of which no two differ by more than noise (corrected t-test over the folds, adjusted by Holm for all pairs)." : "Every two criteria differ by more than noise (corrected t-test over the folds, adjusted by Holm for all pairs).",
        `Criteria that ${metric.label} does not tell apart`),
      table(["first", { text: "second", tone: "left" }, "difference", "p, adjusted", "folds won / even / lost", "P(better)", "P(same)", "P(worse)"],
        found.pairs.filter(pair => pair.metric === metric.key).map(pair => [pair.first, { text: pair.second, tone: "left" }, score(metric, pair.difference), { text: number(pair.p_adjusted, 2), tone: pair.is_tie ? null : "best" }, `${pair.wins} / ${pair.ties} / ${pair.losses}`, ...["p_better", "p_equivalent", "p_worse"].map(key => number(pair[key], 2))])),
      p(`P(better), P(same), P(worse): probability that the first is better, practically as good (within ${metric.relative ? `${100 * metric.rope} % of the mean` : score(metric, metric.rope)}) and worse, by the Bayesian t-test for correlated folds (Corani and Benavoli 2015).`, "soft"),
    ]));
}

function study(found) {
  const n = found.tables.length;
  section("ranks", "Critical differences",
    ...byMetric(found.metrics, metric => {
      const rank = found.ranks.find(one => one.metric === metric.key);
      if (!rank) return [p("Ranks need two criteria.")];
      const k = found.criteria.length;
      return [
        figure(differenceDiagram(found.criteria.map(name => ({ name, value: rank.mean_ranks[name] })), rank.groups, () => v => number(v), `mean rank in ${metric.label} over ${n} tables (1 is best)`, [1, k]),
          `Bars join criteria whose mean ranks differ by less than the critical difference ${number(rank.critical_difference)} (Nemenyi). Friedman's test: p = ${number(rank.p_value, 2)}${rank.is_tie ? "; the ranks differ by no more than noise" : ""}.${n < 6 ? ` With ${n} tables only large differences can be found.` : ""}`,
          `Mean ranks in ${metric.label}`),
        table(["first", { text: "second", tone: "left" }, "tables won / tied / lost", "p, Nemenyi", "P(better)", "P(same)", "P(worse)"],
          found.pairs.filter(pair => pair.metric === metric.key).map(pair => [pair.first, { text: pair.second, tone: "left" }, `${pair.wins} / ${pair.ties} / ${pair.losses}`, number(pair.p_nemenyi, 2), ...["p_better", "p_equivalent", "p_worse"].map(key => number(pair[key], 2))])),
        p("Won and lost count the tables with a difference of more than noise. P: Bayesian signed-rank test for one more table (Benavoli and others 2017).", "soft"),
      ];
    }));
  section("tables", "Table by table",
    ...byMetric(found.metrics, metric => [table(["table", ...found.criteria], found.tables.map((name, i) => {
      const row = found.scores[metric.key][i], top = metric.higher ? Math.max(...row) : Math.min(...row);
      return [shorten(name, 40), ...row.map(value => ({ text: score(metric, value), tone: value === top ? "best" : null }))];
    }))]));
}

function orders(found) {
  section("orders", "Score against order",
    ...byMetric(found.metrics, metric => {
      const { curves, others } = found.by_metric[metric.key];
      const finite = Object.values(curves).flat().map(point => point[0]).filter(order => order !== null);
      const last = 2 * Math.max(...finite);
      const series = [
        ...Object.entries(curves).map(([name, points]) => ({ name, dots: true, points: points.map(([order, mean, half]) => [order ?? last, mean, half]) })),
        ...Object.entries(others).map(([name, level]) => ({ name, level, points: [] })),
      ];
      const marks = [...new Set(finite)].sort((a, b) => a - b);
      return [
        key(series.map(line => line.name)),
        figure(lineChart(series, { log: true, xMarks: marks, xTitle: "order", yFormat: v => score(metric, v, 1) }),
          `${title(metric)}; bands are 95 % intervals over ${found.folds} of ${found.n_samples.toLocaleString("en")} rows. Order 1 is Shannon, order 2 of Tsallis is Gini.`,
          `${metric.label} against order`),
      ];
    }));
}

function differences(found) {
  section("differences", "How different the trees are",
    table(["first", { text: "second", tone: "left" }, "equal splits", "equal predictions", { text: "same first split", tone: "left" }, "root rankings, tau"],
      found.pairs.map(pair => [pair.first, { text: pair.second, tone: "left" }, percent(pair.equal_splits), percent(pair.equal_predictions), { text: pair.same_root ? "yes" : "no", tone: "left" }, pair.kendall_tau === null ? "none" : number(pair.kendall_tau, 2)])),
    p(`Trees grown on three quarters of ${found.n_rows.toLocaleString("en")} rows. Splits are equal when feature and threshold are, wherever they stand; predictions are those of the other quarter. Tau is Kendall's, of the gains of all features at the root.`, "soft"),
    found.roots.some(root => root.best.length) ? table(["criterion", { text: "best features at the root, the best first", tone: "left" }], found.roots.map(root => [root.criterion, { text: root.best.map(name => shorten(name, 40)).join(" > "), tone: "rule" }])) : null);
}

function impurities(found) {
  const names = Object.keys(found.curves);
  const series = names.map(name => ({ name, points: found.shares.map((share, i) => [share, found.curves[name][i]]) }));
  section("impurities", "Impurities of two classes", key(names),
    figure(lineChart(series, { low: 0, xTitle: "share of one class", yFormat: v => number(v) }),
      "Each curve is divided by its height at one half, which changes no split. The more an impurity falls towards the ends, the more it rewards nodes that are nearly pure.",
      "Impurity against the share of one class"));
}

function pruning(found) {
  const series = [
    { name: `rows it was grown on (${found.n_train.toLocaleString("en")})`, points: found.n_leaves.map((n, i) => [n, found.train[i]]) },
    { name: `rows held out (${found.n_test.toLocaleString("en")})`, points: found.n_leaves.map((n, i) => [n, found.test[i]]) },
  ];
  for (const line of series) line.points.reverse();
  const most = Math.max(...found.n_leaves);
  const sizes = [1, 10, 100, 1000, 10000, 100000].flatMap(m => most < 1000 ? [m, 2 * m, 5 * m] : [m]).filter(m => m <= most);
  const format = v => found.label === "accuracy" ? `${(100 * v).toFixed(1)} %` : number(v);
  const why = found.is_given ? `The tree of this page is pruned by ccp_alpha = ${number(found.alpha)}, as the command says.`
    : found.standard_error ? `Best: ${plural(found.best_leaves, "leaf", "leaves")} (${format(found.best_score)}). The tree of this page is pruned to the smallest one within one standard error of that (Breiman and others 1984): ${plural(found.chosen_leaves, "leaf", "leaves")}, ${format(found.chosen_score)}, at ccp_alpha = ${number(found.alpha)}.`
    : `The tree of this page is pruned by what did best: ${plural(found.chosen_leaves, "leaf", "leaves")}, ${format(found.chosen_score)}, at ccp_alpha = ${number(found.alpha)}.`;
  section("pruning", "Pruning", key(series.map(line => line.name)),
    figure(lineChart(series, { log: true, xTitle: "leaves", xMarks: sizes, xFormat: v => v.toLocaleString("en"), yFormat: format, marks: [[found.chosen_leaves, found.chosen_score]] }),
      `${found.label} at every size that cost-complexity pruning gives a tree grown on three quarters of the rows. ${why}`,
      `${found.label} against leaves`));
}

function wilson(share, n) {
  const z2 = 1.959963984540054 ** 2, middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = Math.sqrt(z2 / n * (share * (1 - share) + z2 / (4 * n))) / (1 + z2 / n);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function plural(n, one, many) { return `${n.toLocaleString("en")} ${n === 1 ? one : many}`; }

function percent(value) { return `${(100 * value).toFixed(1)} %`; }

// How much of one node can be said in a sentence or two.
function nodeWords(tree, node) {
  const n = tree.nSamples(node), total = tree.nSamples(0), who = tree.isLeaf(node) ? "Leaf" : "Node";
  const lines = [el("p", {}, el("strong", {}, `${who} #${node}`), ` holds ${n.toLocaleString("en")} rows, ${percent(n / total)} of all.`)];
  const conditions = tree.conditions(node);
  lines.push(conditions.length ? el("div", {}, "A row comes here when", el("ol", {}, ...conditions.map(text => el("li", {}, text)))) : p("It is the root: every row comes here."));
  if (tree.classes) {
    const counts = tree.counts(node);
    lines.push(p(`${counts.slice(0, 8).map(([k, count]) => `${tree.classes[k]}: ${count.toLocaleString("en")} (${percent(count / n)})`).join(", ")}${counts.length > 8 ? ` and ${counts.length - 8} more classes` : ""}.`));
  } else if (tree.isLeaf(node)) {
    lines.push(p(`It predicts ${number(tree.leafValue[tree.leafBefore[node]], 6)}.`));
  }
  if (!tree.isLeaf(node)) lines.push(p(`It asks: ${tree.question(node)}? ${plural(tree.nLeaves(node), "leaf", "leaves")} below.`));
  return lines;
}

function rowWords(tree, model, row) {
  const values = new Map(model.rows.used.map((j, k) => [j, row.values[k]]));
  const texts = new Map(model.rows.used.map((j, k) => [j, row.texts[k]]));
  const { steps, leaf } = tree.route(values);
  const shown = (column, j, value) => texts.get(j) !== null ? `“${texts.get(j)}”` : column.kind === "boolean" ? (value > 0 ? "true" : "false") : valueText(column, value);
  const items = steps.map(({ node, value, goesLeft }) => {
    const j = tree.feature[node], column = tree.columns[j], cut = tree.cut(node);
    if (value === null) return `${column.name} is missing; missing values go ${tree.threshold[node] === Infinity ? "their own way" : goesLeft ? "with the small ones" : "with the large ones"} here`;
    if (column.kind === "boolean") return `${column.name} is ${shown(column, j, value)}`;
    if (tree.threshold[node] === Infinity) return `${column.name} is ${shown(column, j, value)}, so it is known`;
    const side = cut.isLevel ? (goesLeft ? "not after" : "after") : goesLeft ? "at most" : "above";
    return `${column.name} is ${shown(column, j, value)}, ${side} ${cut.text}`;
  });
  const k = tree.leafBefore[leaf], n = tree.leafN[k];
  let outcome;
  if (tree.classes) {
    const { name, count } = tree.majority(leaf), [low, high] = wilson(count / n, n);
    outcome = `So it is predicted to be “${tree.classes[name]}”: ${count.toLocaleString("en")} of the ${n.toLocaleString("en")} rows of leaf #${leaf} are (${percent(count / n)}, between ${percent(low)} and ${percent(high)}). In the table it is “${row.truth}”.`;
  } else {
    outcome = `So ${number(tree.leafValue[k], 6)} is predicted, from the ${n.toLocaleString("en")} rows of leaf #${leaf}. In the table it is ${number(row.truth, 6)}.`;
  }
  return { leaf, words: [items.length ? el("ol", {}, ...items.map(text => el("li", {}, text))) : p("The tree asks nothing."), p(outcome)] };
}

function model(found) {
  const tree = new Tree(found);
  const canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": "The fitted tree; arrow keys walk through it, Enter opens a node. The table of leaves below says the same in text." });
  const status = el("span", { class: "soft", role: "status", id: "matches" });
  const words = el("div", { class: "words", id: "node-words" }, p("Choose a node to read what leads there."));
  const view = new TreeView(tree, canvas, status, node => words.replaceChildren(...nodeWords(tree, node)));
  const query = el("input", { type: "search", placeholder: "Find a feature, a class or #node", "aria-label": "Search the tree", id: "query", onkeydown: event => { if (event.key === "Enter") view.hits.length && query.value === query.dataset.last ? view.step(event.shiftKey ? -1 : 1) : search(); } });
  const search = () => { query.dataset.last = query.value; view.search(query.value); };
  query.addEventListener("input", () => { clearTimeout(view.typing); view.typing = setTimeout(search, 150); });
  const button = (text, name, action) => el("button", { type: "button", "aria-label": name, title: name, onclick: action }, text);
  const size = `${plural(found.tree.n_leaves, "leaf", "leaves")}, ${plural(found.tree.depth, "level", "levels")} deep`;
  const pruned = found.n_nodes_whole > found.tree.n_nodes ? `; unpruned it has ${plural((found.n_nodes_whole + 1) / 2, "leaf", "leaves")}` : "";
  section("tree", "The tree",
    p(`Grown with ${found.criterion} on all rows: ${size}${pruned}.${found.is_cut ? " It was pruned further than asked, to what a page can hold." : ""} Rows for which the question is true go to the upper branch.`),
    tree.classes && tree.classes.length <= 12 ? key(tree.classes.map(name => shorten(name, 40))) : null,
    el("div", { class: "bar controls" }, query, button("‹", "Previous match", () => view.step(-1)), button("›", "Next match", () => view.step(1)), status,
      button("+", "Zoom in", () => view.zoom(1.25)), button("−", "Zoom out", () => view.zoom(0.8)), button("Fit", "Fit the tree into view", () => view.fit()),
      button("Open all", "Open every node", () => { view.openTo(1e9); view.fit(); }), button("Close", "Close all but three levels", () => { view.openTo(3); view.fit(0.55); })),
    el("div", { class: "treebox" }, canvas), words);
  const rows = found.rows.rows;
  const answer = el("div", { class: "words", id: "row-words" });
  const choose = el("select", { id: "row", "aria-label": "Row of the table", onchange: () => follow(true) }, ...rows.map(row => el("option", {}, `row ${(row.row + 1).toLocaleString("en")}`)));
  const follow = isAsked => {
    const way = rowWords(tree, found, rows[choose.selectedIndex]);
    answer.replaceChildren(...way.words);
    view.marked = new Set(tree.path(way.leaf));
    if (isAsked) view.show(way.leaf); else view.draw();
  };
  if (rows.length) {
    section("way", "The way of one row", el("div", { class: "bar controls" }, choose, button("Show it in the tree", "Show this row's way in the tree", () => { follow(true); document.getElementById("tree").scrollIntoView(); })), answer,
      p(`${rows.length} rows of the table, drawn by the seed.`, "soft"));
    follow(false);
  }
  leafTable(tree);
}

function leafTable(tree) {
  const all = [...tree.leaves].map(node => {
    const k = tree.leafBefore[node], n = tree.leafN[k];
    if (!tree.classes) return { node, n, value: tree.leafValue[k], k };
    const { name, count } = tree.majority(node);
    return { node, n, value: count / n, name, k };
  });
  const orders = { "most rows first": (a, b) => b.n - a.n, "surest first": (a, b) => b.value - a.value || b.n - a.n, "least sure first": (a, b) => a.value - b.value || b.n - a.n, "as in the tree": (a, b) => a.node - b.node };
  if (!tree.classes) { orders["largest first"] = orders["surest first"]; orders["smallest first"] = orders["least sure first"]; delete orders["surest first"]; delete orders["least sure first"]; }
  const size = 25;
  let start = 0;
  const box = el("div"), place = el("span", { class: "soft" });
  const choose = el("select", { "aria-label": "Order of the leaves", onchange: () => { start = 0; fill(); } }, ...Object.keys(orders).map(name => el("option", {}, name)));
  const fill = () => {
    const rows = [...all].sort(orders[choose.value]).slice(start, start + size);
    place.textContent = `${(start + 1).toLocaleString("en")} to ${(start + rows.length).toLocaleString("en")} of ${all.length.toLocaleString("en")}`;
    const rule = node => ({ text: tree.conditions(node).join(" and ") || "every row", tone: "rule" });
    box.replaceChildren(tree.classes
      ? table(["leaf", { text: "when", tone: "left" }, "rows", { text: "predicted", tone: "left" }, "share", "95 % interval", { text: "counts", tone: "left" }], rows.map(({ node, n, value, name }) => {
        const counts = tree.counts(node), [low, high] = wilson(value, n);
        return [`#${node}`, rule(node), n.toLocaleString("en"), { text: shorten(tree.classes[name], 30), tone: "left" }, percent(value), `${percent(low)} to ${percent(high)}`, { text: counts.slice(0, 3).map(([k, c]) => `${shorten(tree.classes[k], 20)} ${c.toLocaleString("en")}`).join(", ") + (counts.length > 3 ? ` and ${counts.length - 3} more` : ""), tone: "left" }];
      }))
      : table(["leaf", { text: "when", tone: "left" }, "rows", "predicted", "95 % interval of the mean", "spread"], rows.map(({ node, n, value, k }) => {
        const half = n > 1 ? 1.96 * tree.leafSd[k] / Math.sqrt(n) : null;
        return [`#${node}`, rule(node), n.toLocaleString("en"), number(value, 5), half === null ? "" : `${number(value - half, 4)} to ${number(value + half, 4)}`, n > 1 ? number(tree.leafSd[k]) : ""];
      })));
  };
  const turn = by => { const next = start + by * size; if (next >= 0 && next < all.length) { start = next; fill(); } };
  section("leaves", "Leaves",
    el("div", { class: "bar controls" }, choose, el("button", { type: "button", "aria-label": "Leaves before", onclick: () => turn(-1) }, "‹"), el("button", { type: "button", "aria-label": "More leaves", onclick: () => turn(1) }, "›"), place), box,
    p("Counts are those of the rows that the tree was grown on, so leaves look surer than they are: the smaller, the more. Shares have Wilson's intervals.", "soft"));
  fill();
}

function importances(found) {
  if (!found.rows.length) return;
  const names = ["impurity importance", "permutation importance"];
  section("features", "Features", key(names),
    figure(barChart(found.rows.slice(0, 20).map(row => ({ name: row.feature, values: [row.impurity, row.permutation] })), v => number(v, 2), names),
      `Impurity importance: share of the feature in the gain of the tree on the rows it was grown on; it favours features with many values. Permutation importance: what the score on ${found.n_rows.toLocaleString("en")} rows held out loses when the feature is shuffled (mean of ${found.n_repeats}), for the tree grown on the other rows and pruned alike: a feature may play a part in one of the two trees only. Bars of a kind are scaled to their largest. ${found.n_unused ? `Features that play no part: ${found.n_unused}.` : ""}`,
      "Importance of the features"));
}

function information(found) {
  const share = found.held_out_before > 0 ? 1 - found.held_out_bits / found.held_out_before : 0;
  section("information", "Information in bits",
    p(`A label of a row held out costs ${number(found.held_out_before)} bits without the tree and ${number(found.held_out_bits)} bits with it: the tree saves ${share > 0 ? percent(share) : "nothing"}.`),
    table(["bits per label", "no tree", "tree"], [
      [`entropy of ${found.n_samples.toLocaleString("en")} labels`, number(found.bits_before), number(found.bits_after)],
      ["code of these", number(found.code_before), number(found.code_after)],
      ["and of the tree", number(0), number(found.tree_code)],
      ["in all", number(found.code_before), number(found.code_total)],
      [`${found.n_test.toLocaleString("en")} labels held out`, number(found.held_out_before), number(found.held_out_bits)],
      ["by plain shares", "", found.held_out_bits_raw === null ? "\u221e" : number(found.held_out_bits_raw)],
    ]),
    p(`The ${found.n_leaves.toLocaleString("en")} leaves tell ${number(found.mutual_information)} of ${number(found.bits_before)} bits. ${found.code_total < found.code_before ? "Sending the tree first makes the labels shorter to send: it has found something." : "Sending the tree first does not make the labels shorter to send."}`),
    found.features.length ? figure(barChart(found.features.map(([name, bits]) => ({ name, values: [bits] })), v => `${number(v)} bits`, ["bits"]),
      `What the best single cut of each feature tells of the label (Shannon's gain at the root, ${found.n_rows_of_features.toLocaleString("en")} rows).`, "Bits of each feature") : null,
    p(`Codes add one half to every count (Krichevsky and Trofimov); plain shares cost infinitely much as soon as one label had probability 0. The tree of this section was grown on three quarters of the rows, the labels of the first lines, and pruned like the one above.`, "soft"));
}

function repeat(found, notes) {
  section("repeat", "How to repeat it", el("pre", {}, found.command),
    el("dl", {}, ...Object.entries({ table: found.source, seed: found.seed, "data (SHA-256)": found.data_hash, ...found.versions }).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))])),
    notes.length ? list(notes) : null);
}

const head = facts.study || facts.comparison;
page.append(el("h1", {}, head.question), el("p", { class: "answer" }, head.answer), p(facts.about, "soft"));
const nav = el("nav", { "aria-label": "Sections" });
page.append(nav);
section("found", "What was found", list(head.summary));
if (facts.study) study(facts.study);
if (facts.comparison) { ranking(facts.comparison); notToldApart(facts.comparison); }
if (facts.differences) differences(facts.differences);
if (facts.orders) orders(facts.orders);
if (facts.comparison && facts.comparison.curves) impurities(facts.comparison.curves);
if (facts.model) {
  model(facts.model);
  pruning(facts.model.pruning);
  importances(facts.model.importances);
  if (facts.model.information) information(facts.model.information);
}
repeat(facts.repeat, facts.notes);
nav.append(...sections.map(([id, name]) => el("a", { href: `#${id}` }, name)));
document.documentElement.dataset.ready = "yes";

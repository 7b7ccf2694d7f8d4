// The tree: unpacked arrays, what its nodes say in words, and a view that is moved and zoomed.

function unpack(text, Kind) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

// Nodes in pre-order: the left child of node i is i + 1, and all below i lies before end[i].
class Tree {
  constructor(model) {
    const packed = model.tree;
    this.columns = model.columns;
    this.classes = model.class_names;
    this.n = packed.n_nodes;
    this.feature = unpack(packed.feature, Int32Array);
    const cuts = unpack(packed.threshold, Float64Array), sides = unpack(packed.missing_left, Uint8Array);
    this.threshold = new Float64Array(this.n);
    this.missingLeft = new Uint8Array(this.n);
    this.parent = new Int32Array(this.n).fill(-1);
    this.end = new Int32Array(this.n);
    this.depth = new Int32Array(this.n);
    this.leafBefore = new Int32Array(this.n + 1);
    let inner = 0;
    for (let i = 0; i < this.n; i++) {
      const isLeaf = this.feature[i] < 0;
      this.leafBefore[i + 1] = this.leafBefore[i] + (isLeaf ? 1 : 0);
      if (!isLeaf) {
        this.threshold[i] = cuts[inner];
        this.missingLeft[i] = sides[inner++];
      }
    }
    for (let i = this.n - 1; i >= 0; i--) {
      this.end[i] = this.isLeaf(i) ? i + 1 : this.end[this.end[i + 1]];
    }
    for (let i = 0; i < this.n; i++) {
      if (this.isLeaf(i)) continue;
      for (const child of [i + 1, this.right(i)]) {
        this.parent[child] = i;
        this.depth[child] = this.depth[i] + 1;
      }
    }
    this.leafN = unpack(packed.leaf_n, Uint32Array);
    this.nBefore = new Float64Array(this.leafN.length + 1);
    this.leafN.forEach((n, k) => { this.nBefore[k + 1] = this.nBefore[k] + n; });
    this.leaves = new Int32Array(this.leafN.length);
    for (let i = 0, k = 0; i < this.n; i++) if (this.isLeaf(i)) this.leaves[k++] = i;
    if (this.classes) {
      this.leafClass = unpack(packed.class_of_leaf, Uint32Array);
      this.leafCount = unpack(packed.count_of_class, Uint32Array);
      this.leafStart = new Int32Array(this.leafN.length + 1);
      unpack(packed.n_classes_of_leaf, Uint32Array).forEach((n, k) => { this.leafStart[k + 1] = this.leafStart[k] + n; });
    } else {
      this.leafValue = unpack(packed.leaf_value, Float64Array);
      this.leafSd = unpack(packed.leaf_sd, Float32Array);
    }
  }

  isLeaf(i) { return this.feature[i] < 0; }
  right(i) { return this.end[i + 1]; }
  nSamples(i) { return this.nBefore[this.leafBefore[this.end[i]]] - this.nBefore[this.leafBefore[i]]; }
  nLeaves(i) { return this.leafBefore[this.end[i]] - this.leafBefore[i]; }

  // Class counts of a node as [class, count], the largest first.
  counts(i) {
    const sums = new Map();
    for (let e = this.leafStart[this.leafBefore[i]]; e < this.leafStart[this.leafBefore[this.end[i]]]; e++) {
      sums.set(this.leafClass[e], (sums.get(this.leafClass[e]) || 0) + this.leafCount[e]);
    }
    return [...sums].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  }

  majority(i) {
    const k = this.leafBefore[i];
    let best = this.leafStart[k];
    for (let e = best; e < this.leafStart[k + 1]; e++) if (this.leafCount[e] > this.leafCount[best]) best = e;
    return { name: this.leafClass[best], count: this.leafCount[best] };
  }

  cut(i) {
    const column = this.columns[this.feature[i]], value = this.threshold[i];
    if (column.kind === "category") {
      const code = Math.floor(value), level = column.levels[String(code)];
      return { isLevel: true, text: level === undefined ? number(value, 6) : `“${level}”` };
    }
    return { isLevel: false, text: valueText(column, value) };
  }

  question(i) {
    const column = this.columns[this.feature[i]];
    if (this.threshold[i] === Infinity) return `${column.name} is known`;
    if (column.kind === "boolean") return `${column.name} is false`;
    return `${column.name} ≤ ${this.cut(i).text}`;
  }

  prediction(i) {
    const k = this.leafBefore[i], n = this.leafN[k];
    if (!this.classes) return number(this.leafValue[k], 5);
    const { name, count } = this.majority(i);
    return `${this.classes[name]} ${number(100 * count / n)} %`;
  }

  text(i) { return this.isLeaf(i) ? this.prediction(i) : this.question(i); }

  path(i) {
    const nodes = [];
    for (let node = i; node >= 0; node = this.parent[node]) nodes.unshift(node);
    return nodes;
  }

  // The conditions on the way to a node, those of one feature merged.
  conditions(i) {
    const found = new Map(), nodes = this.path(i);
    for (let step = 0; step + 1 < nodes.length; step++) {
      const node = nodes[step], isLeft = nodes[step + 1] === node + 1, j = this.feature[node];
      if (!found.has(j)) found.set(j, { low: null, high: null, missing: this.columns[j].has_missing });
      const range = found.get(j);
      range[isLeft ? "high" : "low"] = node;
      if (this.missingLeft[node] !== (isLeft ? 1 : 0)) range.missing = false;
    }
    return [...found].map(([j, { low, high, missing }]) => {
      const column = this.columns[j], name = column.name, or = missing ? " (or missing)" : "";
      // Above every number there are only missing values.
      if (low !== null && this.threshold[low] === Infinity) return `${name} is missing`;
      const isKnown = high !== null && this.threshold[high] === Infinity;
      if (isKnown && low === null) return `${name} is known`;
      if (column.kind === "boolean") return `${name} is ${high === null || isKnown ? "true" : "false"}${or}`;
      const above = low === null ? null : this.cut(low).text, below = high === null || isKnown ? null : this.cut(high).text;
      if (above === null) return `${name} ≤ ${below}${or}`;
      if (below === null) return `${name} > ${above}${or}`;
      return `${above} < ${name} ≤ ${below}${or}`;
    });
  }

  // The way of one row: values by feature, null where missing.
  route(values) {
    const steps = [];
    let node = 0;
    while (!this.isLeaf(node)) {
      const value = values.get(this.feature[node]) ?? null;
      const goesLeft = value === null ? this.missingLeft[node] === 1 : value <= this.threshold[node];
      steps.push({ node, value, goesLeft });
      node = goesLeft ? node + 1 : this.right(node);
    }
    return { steps, leaf: node };
  }
}

function valueText(column, value) {
  if (column.kind === "date") {
    const date = new Date(1000 * value);
    if (!isNaN(date)) return date.toISOString().replace("T", " ").replace(/( 00:00:00)?\.000Z$/, "");
  }
  if (column.kind === "duration") return `${number(value, 6)} s`;
  return number(value, Math.abs(value) >= 1000 ? 15 : 6);
}

const BOX = { width: 204, height: 40, across: 248, down: 50 };
// Below this scale boxes are too small to hold text.
const SMALL = 0.3;

class TreeView {
  constructor(tree, canvas, status, onSelect) {
    Object.assign(this, { tree, canvas, status, onSelect });
    this.open = new Uint8Array(tree.n);
    this.scale = 1; this.x = 12; this.y = 12;
    this.selected = -1; this.hits = []; this.hit = -1;
    this.marked = new Set();
    this.pointers = new Map();
    this.openTo(tree.n > 60 ? 3 : 99);
    this.listen();
    new ResizeObserver(() => { this.resize(); }).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    matchMedia("print").addEventListener("change", () => this.draw());
  }

  openTo(depth) {
    for (let i = 0; i < this.tree.n; i++) this.open[i] = !this.tree.isLeaf(i) && this.tree.depth[i] < depth ? 1 : 0;
    this.layout();
  }

  // Places of the nodes that are open to view: a row for each end, parents between their children.
  layout() {
    const tree = this.tree, nodes = [], ends = [];
    for (let i = 0; i < tree.n;) {
      nodes.push(i);
      if (this.open[i]) i++;
      else { ends.push(i); i = tree.end[i]; }
    }
    this.nodes = nodes;
    this.row ||= new Float32Array(tree.n);
    ends.forEach((node, k) => { this.row[node] = k; });
    this.levels = 0;
    for (let k = nodes.length - 1; k >= 0; k--) {
      const node = nodes[k];
      this.levels = Math.max(this.levels, tree.depth[node]);
      if (this.open[node]) this.row[node] = (this.row[node + 1] + this.row[tree.right(node)]) / 2;
    }
    this.nRows = ends.length;
    this.canvas.dataset.shown = nodes.length;
  }

  resize() {
    const ratio = devicePixelRatio || 1, box = this.canvas.getBoundingClientRect();
    if (!box.width) return;
    this.width = box.width; this.height = box.height;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    if (!this.wasFit) { this.wasFit = true; this.fit(0.55); }
    this.draw();
  }

  fit(least = 0) {
    const across = this.levels * BOX.across + BOX.width + 24, down = this.nRows * BOX.down + 14;
    this.scale = Math.min(1, Math.max(least, Math.min(this.width / across, this.height / down)));
    this.x = 12;
    const room = this.height - down * this.scale;
    this.y = room > 0 ? room / 2 : 8;
    if (room < 0 && least) this.y = this.height / 2 - this.scale * (this.row[0] * BOX.down + BOX.height / 2);
    this.draw();
  }

  // Across, a tree that is too tall for its picture keeps the width that there is.
  get scaleX() {
    const across = this.levels * BOX.across + BOX.width;
    return Math.max(this.scale, Math.min(SMALL, (this.width - 24) / across));
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const before = this.scaleX, scale = Math.min(3, Math.max(0.0005, this.scale * factor));
    this.y = py - (py - this.y) * scale / this.scale;
    this.scale = scale;
    this.x = px - (px - this.x) * this.scaleX / before;
    this.draw();
  }

  show(node) {
    for (const above of this.tree.path(node).slice(0, -1)) this.open[above] = 1;
    this.layout();
    this.scale = Math.max(this.scale, 0.8);
    this.x = this.width / 2 - this.scale * (this.tree.depth[node] * BOX.across + BOX.width / 2);
    this.y = this.height / 2 - this.scale * (this.row[node] * BOX.down + BOX.height / 2);
    this.select(node);
  }

  select(node) {
    this.selected = node;
    this.canvas.dataset.selected = node;
    this.draw();
    this.onSelect(node);
  }

  toggle(node) {
    if (this.tree.isLeaf(node)) return;
    const before = this.y + this.scale * this.row[node] * BOX.down;
    this.open[node] ^= 1;
    // What is opened anew shows its children only.
    if (this.open[node]) for (let i = node + 1; i < this.tree.end[node]; i++) this.open[i] = 0;
    this.layout();
    this.y += before - (this.y + this.scale * this.row[node] * BOX.down);
    this.draw();
  }

  search(text) {
    const wanted = text.trim().toLowerCase();
    this.hits = []; this.hit = -1;
    if (wanted.startsWith("#") && /^#\d+$/.test(wanted)) {
      const node = Number(wanted.slice(1));
      if (node < this.tree.n) this.hits = [node];
    } else if (wanted) {
      for (let i = 0; i < this.tree.n; i++) if (this.tree.text(i).toLowerCase().includes(wanted)) this.hits.push(i);
    }
    if (this.hits.length) this.step(1);
    else { this.status.textContent = wanted ? "Nothing found." : ""; this.draw(); }
  }

  step(by) {
    if (!this.hits.length) return;
    this.hit = (this.hit + by + this.hits.length) % this.hits.length;
    this.status.textContent = `${(this.hit + 1).toLocaleString("en")} of ${this.hits.length.toLocaleString("en")}`;
    this.show(this.hits[this.hit]);
  }

  nodeAt(px, py) {
    const x = (px - this.x) / this.scaleX, y = (py - this.y) / this.scale, depth = Math.floor(x / BOX.across);
    if (x - depth * BOX.across > BOX.width) return -1;
    for (const node of this.nodes) {
      const top = this.row[node] * BOX.down;
      if (this.tree.depth[node] === depth && y >= top && y <= top + BOX.height) return node;
    }
    return -1;
  }

  listen() {
    const canvas = this.canvas, at = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener("wheel", event => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...at(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, at(event));
      this.moved = 0;
    });
    canvas.addEventListener("pointermove", event => {
      const before = this.pointers.get(event.pointerId), now = at(event);
      if (!before) return;
      const other = [...this.pointers].find(([id]) => id !== event.pointerId);
      if (other) {
        const distance = p => Math.hypot(p[0] - other[1][0], p[1] - other[1][1]);
        this.zoom(distance(now) / Math.max(1, distance(before)), (now[0] + other[1][0]) / 2, (now[1] + other[1][1]) / 2);
      } else {
        this.x += now[0] - before[0];
        this.y += now[1] - before[1];
        this.draw();
      }
      this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      this.pointers.set(event.pointerId, now);
    });
    const release = event => {
      if (this.pointers.delete(event.pointerId) && event.type === "pointerup" && this.moved < 6) {
        const node = this.nodeAt(...at(event));
        if (node >= 0) { this.toggle(node); this.select(node); }
      }
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("keydown", event => {
      const node = Math.max(0, this.selected), tree = this.tree, up = tree.parent[node];
      const moves = {
        ArrowLeft: () => up >= 0 && this.show(up),
        ArrowRight: () => !tree.isLeaf(node) && this.show(node + 1),
        ArrowUp: () => up >= 0 && this.show(up + 1),
        ArrowDown: () => up >= 0 && this.show(tree.right(up)),
        Enter: () => { this.toggle(node); this.select(node); },
        "+": () => this.zoom(1.25), "-": () => this.zoom(0.8), 0: () => this.fit(),
      };
      if (moves[event.key]) { event.preventDefault(); moves[event.key](); }
    });
  }

  draw() {
    if (this.waiting || !this.width) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.paint(); });
  }

  paint() {
    const { tree, scale, canvas } = this, pen = canvas.getContext("2d"), ratio = devicePixelRatio || 1;
    const style = getComputedStyle(document.documentElement), tone = name => style.getPropertyValue(`--${name}`).trim();
    const [ink, soft, line, panel, paper, accent, mark] = ["ink", "soft", "line", "panel", "paper", "accent", "mark"].map(tone);
    const tones = Array.from({ length: COLOURS }, (_, k) => tone(`c${k}`));
    const across = this.scaleX, isSmall = scale < SMALL, font = getComputedStyle(document.body).fontFamily;
    const X = node => this.x + across * tree.depth[node] * BOX.across, Y = node => this.y + scale * this.row[node] * BOX.down;
    const wide = across * BOX.width, high = scale * BOX.height;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = paper;
    pen.fillRect(0, 0, this.width, this.height);

    const edge = (up, node) => {
      const a = Y(up) + high / 2, b = Y(node) + high / 2;
      if (Math.max(a, b) < 0 || Math.min(a, b) > this.height) return;
      const start = X(up) + wide, end = X(node), turn = (start + end) / 2;
      pen.moveTo(start, a);
      pen.lineTo(turn, a);
      pen.lineTo(turn, b);
      pen.lineTo(end, b);
    };
    const isOnWay = node => this.marked.has(node);
    const seen = this.nodes.filter(node => { const x = X(node); return x > -across * BOX.across && x < this.width + across * BOX.across; });
    pen.lineWidth = Math.max(0.5, Math.min(1.5, scale));
    pen.strokeStyle = line;
    pen.beginPath();
    for (const node of seen) if (node && !isOnWay(node)) edge(tree.parent[node], node);
    pen.stroke();
    pen.strokeStyle = accent;
    pen.lineWidth = Math.max(2, 3 * scale);
    pen.beginPath();
    for (const node of this.marked) if (node && this.open[tree.parent[node]]) edge(tree.parent[node], node);
    pen.stroke();

    const found = new Set(this.hits);
    let n = 0;
    for (const node of seen) {
      const x = X(node), y = Y(node);
      if (y < -high || y > this.height) continue;
      n++;
      const isLeaf = tree.isLeaf(node), isChosen = node === this.selected || isOnWay(node);
      const tint = isLeaf ? tones[tree.classes ? tree.majority(node).name % COLOURS : 0] : line;
      if (isSmall) {
        pen.fillStyle = isChosen ? accent : isLeaf ? tint : soft;
        pen.fillRect(x, y + high * 0.2, wide, Math.max(0.6, high * 0.6));
        continue;
      }
      pen.fillStyle = found.has(node) ? mark : isLeaf ? paper : panel;
      pen.strokeStyle = isChosen ? accent : tint;
      pen.lineWidth = (node === this.selected ? 3 : isLeaf || isChosen ? 2 : 1) * Math.min(1.2, scale);
      pen.beginPath();
      pen.roundRect(x, y, wide, high, 5 * scale);
      pen.fill();
      pen.stroke();
      pen.fillStyle = ink;
      pen.font = `${13 * scale}px ${font}`;
      pen.fillText(this.fitting(pen, tree.text(node), wide - 16 * scale), x + 8 * scale, y + 17 * scale);
      pen.fillStyle = soft;
      pen.font = `${11 * scale}px ${font}`;
      const below = this.open[node] || isLeaf ? "" : ` · ${tree.nLeaves(node).toLocaleString("en")} leaves ▸`;
      pen.fillText(this.fitting(pen, `n = ${tree.nSamples(node).toLocaleString("en")}${below} · #${node}`, wide - 16 * scale), x + 8 * scale, y + 33 * scale);
    }
    canvas.dataset.scale = scale;
    canvas.dataset.painted = n;
  }

  // The text, or its beginning and its end where the box is too narrow.
  fitting(pen, text, room) {
    if (pen.measureText(text).width <= room) return text;
    let low = 4, high = Math.min(text.length, 60);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pen.measureText(shorten(text, middle)).width <= room) low = middle; else high = middle - 1;
    }
    return shorten(text, low);
  }
}

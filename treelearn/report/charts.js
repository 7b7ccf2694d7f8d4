// Drawing: elements made of nodes and text, never of markup, and charts as SVG at the width there is.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 8;

function colour(i) { return `var(--c${i % COLOURS})`; }

// Make an element; children are nodes or text.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    // Colours are variables of the style sheet, which attributes of SVG do not know.
    if (name === "fill" || name === "stroke") node.style[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child !== null));
  return node;
}

function number(value, digits = 3) {
  if (value === null || !isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toPrecision(digits);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(digits)));
}

function score(metric, value, digits) {
  if (metric.unit === "%") return withMinus(`${(100 * value).toFixed(digits ?? 2)} %`);
  return withMinus(metric.unit ? `${number(value)} ${metric.unit}` : number(value));
}

// Values of the data keep their hyphen, so that they can be searched for as they are typed.
function withMinus(text) { return text.replace(/^-/, "\u2212"); }

function shorten(text, most) {
  const letters = Array.from(text);
  if (letters.length <= most) return text;
  const head = Math.floor((most - 1) * 2 / 3);
  return letters.slice(0, head).join("") + "…" + letters.slice(letters.length - (most - 1 - head)).join("");
}

// Round numbers within an interval.
function ticks(low, high, most = 6) {
  if (!(high > low)) return [low];
  const raw = (high - low) / most;
  const base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(m => m * base).find(s => s >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

// How the marks of an axis are written: with the decimals that the longest of them needs.
function axisFormat(metric, marks) {
  const isShare = metric.unit === "%", scale = isShare ? 100 : 1;
  const decimals = mark => ((scale * mark).toFixed(8).replace(/0+$/, "").split(".")[1] ?? "").length;
  const digits = Math.max(0, ...marks.map(decimals));
  return v => withMinus((scale * v).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }) + (isShare ? " %" : ""));
}

// A figure that draws itself again when its width changes.
function figure(draw, caption, label) {
  const box = el("div");
  const node = el("figure", {}, box, caption ? el("figcaption", {}, caption) : null);
  let drawn = 0;
  const redraw = () => {
    const width = Math.max(260, Math.min(980, Math.floor(box.clientWidth || 600)));
    if (width === drawn) return;
    drawn = width;
    const picture = draw(width);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", label);
    box.replaceChildren(picture);
  };
  new ResizeObserver(redraw).observe(box);
  node.redraw = () => { drawn = 0; redraw(); };
  return node;
}

function canvasOf(width, height) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
}

function label(x, y, text, options = {}) {
  return svg("text", { x, y, "font-size": 13, ...options }, text);
}

function axisBelow(picture, scale, marks, y, format, title, left, right) {
  picture.append(svg("line", { x1: left, x2: right, y1: y, y2: y, stroke: "var(--line)" }));
  for (const mark of marks) {
    const x = scale(mark);
    picture.append(svg("line", { x1: x, x2: x, y1: y, y2: y + 5, stroke: "var(--soft)" }));
    picture.append(label(x, y + 19, format(mark), { "text-anchor": "middle", class: "dim", "font-size": 12 }));
  }
  picture.append(label((left + right) / 2, y + 38, title, { "text-anchor": "middle", class: "dim", "font-size": 12 }));
}

// Means with intervals, one row each: rows of {name, value, half, tone}.
function intervalChart(rows, format, title, axis) {
  return width => {
    const left = Math.min(190, width * 0.36), right = width - 14, step = 30;
    const height = rows.length * step + 52;
    const low = Math.min(...rows.map(r => r.value - r.half)), high = Math.max(...rows.map(r => r.value + r.half));
    const pad = (high - low || Math.abs(high) || 1) * 0.04;
    const scale = v => left + (v - low + pad) / (high - low + 2 * pad) * (right - left);
    const picture = canvasOf(width, height);
    const bottom = rows.length * step + 8;
    const marks = ticks(low, high, width < 500 ? 3 : 7);
    for (const mark of marks) {
      picture.append(svg("line", { x1: scale(mark), x2: scale(mark), y1: 4, y2: bottom, stroke: "var(--line)", "stroke-width": 0.7 }));
    }
    rows.forEach((row, i) => {
      const y = i * step + 20, tone = `var(--${row.tone})`;
      picture.append(label(left - 10, y + 4, shorten(row.name, Math.floor(left / 8)), { "text-anchor": "end" }));
      picture.append(svg("line", { x1: scale(row.value - row.half), x2: scale(row.value + row.half), y1: y, y2: y, stroke: tone, "stroke-width": 3, "stroke-linecap": "round", opacity: 0.55 }));
      picture.append(svg("circle", { cx: scale(row.value), cy: y, r: 5, fill: tone }, svg("title", {}, `${row.name}: ${format(row.value)} ± ${format(row.half)}`)));
    });
    axisBelow(picture, scale, marks, bottom, axis(marks), title, left, right);
    return picture;
  };
}

// Positions on a line, and bars over those that are not told apart (Demsar 2006).
function differenceDiagram(places, groups, axis, title, span) {
  return width => {
    const order = [...places].sort((a, b) => a.value - b.value);
    const half = Math.ceil(order.length / 2);
    const margin = Math.min(150, width * 0.3), left = margin, right = width - margin;
    const values = order.map(p => p.value);
    let low = span ? span[0] : Math.min(...values), high = span ? span[1] : Math.max(...values);
    if (!(high > low)) { low -= Math.abs(low) * 0.01 || 1; high += Math.abs(high) * 0.01 || 1; }
    const scale = v => left + (v - low) / (high - low) * (right - left);
    const top = 44, first = top + 16 + groups.length * 10;
    const height = first + half * 24 + 14;
    const picture = canvasOf(width, height);
    picture.append(label(width / 2, 12, title, { "text-anchor": "middle", class: "dim", "font-size": 12 }));
    picture.append(svg("line", { x1: left, x2: right, y1: top, y2: top, stroke: "var(--ink)" }));
    const marks = ticks(low, high, width < 500 ? 3 : 6), format = axis(marks);
    for (const mark of marks) {
      picture.append(svg("line", { x1: scale(mark), x2: scale(mark), y1: top - 5, y2: top, stroke: "var(--ink)" }));
      picture.append(label(scale(mark), top - 9, format(mark), { "text-anchor": "middle", class: "dim", "font-size": 12 }));
    }
    order.forEach((place, i) => {
      const isLeft = i < half, row = isLeft ? i : order.length - 1 - i;
      const y = first + row * 24 + 10, x = scale(place.value), edge = isLeft ? left - 6 : right + 6;
      picture.append(svg("polyline", { points: `${x},${top} ${x},${y} ${edge},${y}`, fill: "none", stroke: "var(--soft)" }));
      picture.append(label(isLeft ? edge - 4 : edge + 4, y + 4, shorten(place.name, Math.floor((margin - 10) / 8)), { "text-anchor": isLeft ? "end" : "start" }));
    });
    const at = new Map(order.map(p => [p.name, p.value]));
    groups.forEach((group, i) => {
      const xs = group.map(name => scale(at.get(name))), y = top + 10 + i * 10;
      picture.append(svg("line", { x1: Math.min(...xs) - 4, x2: Math.max(...xs) + 4, y1: y, y2: y, stroke: "var(--accent)", "stroke-width": 5, "stroke-linecap": "round" }));
    });
    return picture;
  };
}

// Lines: series of {name, points: [[x, y, half?]], dash, level}; x may be logarithmic.
function lineChart(series, options) {
  return width => {
    const height = Math.min(340, Math.max(230, width * 0.5)), left = 58, right = width - 12, top = 8, bottom = height - 46;
    const points = series.flatMap(s => s.points);
    const xs = points.map(p => p[0]);
    const levels = series.filter(s => s.level !== undefined).map(s => s.level);
    const ys = points.flatMap(p => [p[1] - (p[2] || 0), p[1] + (p[2] || 0)]).concat(levels);
    const turn = options.log ? Math.log : v => v;
    const x0 = turn(Math.min(...xs)), x1 = turn(Math.max(...xs));
    const y0 = options.low ?? Math.min(...ys), y1 = Math.max(...ys), pad = (y1 - y0 || 1) * 0.05;
    const X = v => left + (x1 > x0 ? (turn(v) - x0) / (x1 - x0) : 0.5) * (right - left);
    const Y = v => bottom - (v - y0 + (options.low === undefined ? pad : 0)) / (y1 - y0 + 2 * pad) * (bottom - top);
    const picture = canvasOf(width, height);
    for (const mark of ticks(y0, y1, 6)) {
      picture.append(svg("line", { x1: left, x2: right, y1: Y(mark), y2: Y(mark), stroke: "var(--line)", "stroke-width": 0.7 }));
      picture.append(label(left - 6, Y(mark) + 4, options.yFormat(mark), { "text-anchor": "end", class: "dim", "font-size": 12 }));
    }
    series.forEach((line, i) => {
      const tone = colour(i);
      if (line.level !== undefined) {
        picture.append(svg("line", { x1: left, x2: right, y1: Y(line.level), y2: Y(line.level), stroke: tone, "stroke-width": 1.5, "stroke-dasharray": "6 4" }));
        return;
      }
      if (line.points.some(p => p[2])) {
        const upper = line.points.map(p => `${X(p[0])},${Y(p[1] + p[2])}`), lower = line.points.map(p => `${X(p[0])},${Y(p[1] - p[2])}`).reverse();
        picture.append(svg("polygon", { points: [...upper, ...lower].join(" "), fill: tone, opacity: 0.13 }));
      }
      picture.append(svg("polyline", { points: line.points.map(p => `${X(p[0])},${Y(p[1])}`).join(" "), fill: "none", stroke: tone, "stroke-width": 2, "stroke-linejoin": "round" }));
      if (line.dots) for (const p of line.points) picture.append(svg("circle", { cx: X(p[0]), cy: Y(p[1]), r: 3, fill: tone }));
    });
    for (const mark of options.marks || []) {
      picture.append(svg("circle", { cx: X(mark[0]), cy: Y(mark[1]), r: 7, fill: "none", stroke: "var(--ink)", "stroke-width": 2 }));
    }
    const marks = (options.xMarks || ticks(x0, x1, 6)).filter((m, i, all) => i === 0 || width > 480 || X(m) - X(all[i - 1]) > 26);
    axisBelow(picture, X, marks, bottom, options.xFormat || (v => number(v)), options.xTitle, left, right);
    return picture;
  };
}

function key(names) {
  return el("p", { class: "key" }, ...names.map((name, i) => {
    const patch = el("i");
    patch.style.background = colour(i);
    return el("span", {}, patch, name);
  }));
}

// Two bars a row: rows of {name, first, second}.
function barChart(rows, format, names) {
  return width => {
    const left = Math.min(240, width * 0.4), right = width - 76, nBars = names.length;
    const step = 13 * nBars + 8, height = rows.length * step + 6;
    const tops = [0, 1].map(k => Math.max(1e-12, ...rows.map(r => Math.max(0, r.values[k] ?? 0))));
    const picture = canvasOf(width, height);
    rows.forEach((row, i) => {
      const y = i * step + 4;
      picture.append(label(left - 8, y + 6.5 * nBars + 3, shorten(row.name, Math.floor(left / 7.6)), { "text-anchor": "end" }));
      row.values.forEach((value, k) => {
        if (value === null || value === undefined) return;
        const length = Math.max(0, value) / tops[k] * (right - left);
        picture.append(svg("rect", { x: left, y: y + 13 * k, width: Math.max(1, length), height: 11, rx: 2, fill: colour(k) }, svg("title", {}, `${names[k]}: ${format(value)}`)));
        picture.append(label(left + length + 5, y + 13 * k + 10, format(value), { class: "dim", "font-size": 11 }));
      });
    });
    return picture;
  };
}

function table(heads, rows) {
  const cell = (tag, content) => {
    const { text, tone } = content !== null && typeof content === "object" ? content : { text: content };
    return el(tag, { class: tone, scope: tag === "th" ? "col" : null }, String(text ?? ""));
  };
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ...heads.map(head => cell("th", head)))),
    el("tbody", {}, ...rows.map(row => el("tr", {}, ...row.map(item => cell("td", item)))))));
}

// The runs explorer: a table that sorts and filters, curves of the runs that are ticked, and an address that keeps both.
"use strict";

const { columns, rows, histories, preset } = JSON.parse(document.getElementById("data").textContent);
const at = Object.fromEntries(columns.map((column, index) => [column.name, index]));
const PAGE = 50, AXES = ["dataset", "model", "corruption", "regularizer", "status"];
const MEASURES = {
  test_accuracy: "Test accuracy", online_accuracy: "Training accuracy, online", train_accuracy: "Training accuracy, evaluated",
  online_loss: "Training loss, online", train_loss: "Training loss, evaluated", test_loss: "Test loss",
};
const DASHES = ["", "7 4", "2 3", "10 3 2 3", "1 4", "14 4"];
const order = new Intl.Collator("en", { numeric: true });
const form = document.getElementById("filters"), element = (id) => document.getElementById(id);
const usual = columns.filter((column) => column.usual).map((column) => column.name);
const state = { sort: "", descending: false, page: 0, shown: usual, curves: [], measure: "test_accuracy" };

const nameOf = (row) => ["dataset", "model", "corruption", "regularizer"].map((axis) => row[at[axis]]).join("/") + "/seed-" + row[at.seed];
const digestOf = (row) => row[at.recipe_digest];

function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) key in made ? (made[key] = value) : made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shown(value, form) {
  if (value === null || value === "") return "–";
  if (form === "percent") return (100 * value).toFixed(2) + " %";
  if (form === "points") return (100 * value).toFixed(2).replace("-", "−");
  if (form === "count") return value.toLocaleString("en");
  if (form === "number") return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  if (form === "digest") return value.slice(0, 8);
  return String(value);
}

// The address

function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name of ["q", ...AXES]) form.elements[name].value = asked.get(name) || "";
  form.elements.withcurve.checked = asked.get("withcurve") === "1";
  const [sort, direction] = (asked.get("sort") || "").split(":");
  state.sort = Object.hasOwn(at, sort) ? sort : "";
  state.descending = direction === "down";
  // No name at all is a choice too.
  state.shown = asked.has("columns") ? columns.map((column) => column.name).filter((name) => asked.get("columns").split(",").includes(name)) : usual;
  state.page = Math.max(0, (parseInt(asked.get("part"), 10) || 1) - 1);
  state.curves = (asked.get("curves") || "").split(",").filter((digest) => Object.hasOwn(histories, digest));
  state.measure = Object.hasOwn(MEASURES, asked.get("measure")) ? asked.get("measure") : "test_accuracy";
}

function write() {
  const kept = new URLSearchParams();
  for (const name of ["q", ...AXES]) if (form.elements[name].value) kept.set(name, form.elements[name].value);
  if (form.elements.withcurve.checked) kept.set("withcurve", "1");
  if (state.sort) kept.set("sort", state.sort + (state.descending ? ":down" : ""));
  if (state.shown.join() !== usual.join()) kept.set("columns", state.shown.join());
  if (state.page) kept.set("part", state.page + 1);
  if (state.curves.length) kept.set("curves", state.curves.join(","));
  if (state.measure !== "test_accuracy") kept.set("measure", state.measure);
  history.replaceState(null, "", "#" + kept);
}

// The table

const shownColumns = () => columns.filter((column) => state.shown.includes(column.name));

function drawChoices() {
  element("choices").replaceChildren(...columns.map((column) => {
    const tick = make("input", { type: "checkbox", checked: state.shown.includes(column.name), value: column.name });
    tick.addEventListener("change", () => {
      const ticked = [...element("choices").querySelectorAll("input:checked")].map((input) => input.value);
      state.shown = columns.map((each) => each.name).filter((name) => ticked.includes(name));
      draw();
    });
    return make("label", {}, tick, column.title);
  }));
}

function chosen() {
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => {
    if (form.elements.withcurve.checked && !Object.hasOwn(histories, digestOf(row))) return false;
    if (AXES.some((axis) => form.elements[axis].value && String(row[at[axis]]) !== form.elements[axis].value)) return false;
    if (!words.length) return true;
    const text = row.join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (!state.sort) return found;
  const column = at[state.sort], sign = state.descending ? -1 : 1;
  return found.sort((a, b) => {
    const [x, y] = [a[column], b[column]];
    if (x === null || y === null) return (x === null) - (y === null); // what is not known comes last
    return sign * (typeof x === "number" ? x - y : order.compare(x, y));
  });
}

function drawHeads() {
  element("heads").replaceChildren(make("th", { scope: "col" }, "Curve"), ...shownColumns().map((column) => {
    const button = make("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      state.descending = state.sort === column.name && !state.descending;
      state.sort = column.name;
      state.page = 0;
      draw();
      element("heads").querySelectorAll("button")[state.shown.indexOf(column.name)].focus();
    });
    const head = make("th", { scope: "col", className: column.form === "text" || column.form === "digest" ? "" : "number" }, button);
    if (state.sort === column.name) head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
    return head;
  }));
}

function drawRow(row) {
  const digest = digestOf(row), first = make("td");
  if (Object.hasOwn(histories, digest)) {
    const tick = make("input", { type: "checkbox", checked: state.curves.includes(digest), "aria-label": "Curve of " + nameOf(row) });
    tick.addEventListener("change", () => {
      state.curves = tick.checked ? [...state.curves, digest] : state.curves.filter((other) => other !== digest);
      drawCurves();
      write();
    });
    first.append(tick);
  } else {
    first.append("–");
  }
  return make("tr", {}, first, ...shownColumns().map((column) => {
    const value = row[at[column.name]], cell = make(column.name === "model" ? "th" : "td", {}, shown(value, column.form));
    if (column.name === "model") cell.scope = "row";
    if (column.form === "digest" && value) cell.title = value;
    if (!["text", "digest"].includes(column.form)) cell.className = "number";
    return cell;
  }));
}

function draw() {
  const found = chosen(), last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  state.page = Math.min(state.page, last);
  const start = state.page * PAGE, part = found.slice(start, start + PAGE);
  drawHeads();
  element("rows").replaceChildren(...part.map(drawRow));
  const count = (number) => number.toLocaleString("en"), among = found.length < rows.length ? ` found, among ${count(rows.length)}` : "";
  element("shown").textContent = found.length
    ? `Runs ${count(start + 1)} to ${count(start + part.length)} of ${count(found.length)}${among}`
    : `No run is like this, among ${count(rows.length)}`;
  element("previous").disabled = state.page === 0;
  element("next").disabled = state.page === last;
  write();
}

// Curves

function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

function drawCurves() {
  const section = element("curves");
  section.hidden = state.curves.length === 0;
  if (section.hidden) return;
  const percent = state.measure.endsWith("accuracy");
  const drawn = state.curves.map((digest, index) => {
    const { epoch, [state.measure]: values } = histories[digest];
    const points = epoch.map((x, i) => [x, values[i]]).filter(([, y]) => y !== null);
    return { digest, index, points, name: nameOf(rows.find((row) => digestOf(row) === digest)) };
  });
  const all = drawn.flatMap(({ points }) => points);
  const plot = element("plot");
  if (!all.length) {
    plot.replaceChildren(make("p", {}, `No epoch of these runs has a value of ${MEASURES[state.measure].toLowerCase()}.`));
  } else {
    const wide = Math.max(280, plot.clientWidth), high = Math.min(380, 200 + wide / 6), left = 56, right = 40, top = 12, bottom = 42;
    const xs = [1, Math.max(2, ...all.map(([x]) => x))];
    const ys = percent ? [0, 1] : [0, Math.max(...all.map(([, y]) => y)) || 1];
    const place = ([x, y]) => [
      left + ((x - xs[0]) / (xs[1] - xs[0])) * (wide - left - right), top + (1 - (y - ys[0]) / (ys[1] - ys[0])) * (high - top - bottom),
    ].map((value) => value.toFixed(1));
    const told = drawn.map(({ index, name, points }) => points.length
      ? `${index + 1}: ${name}, from ${shown(points[0][1], percent ? "percent" : "number")} in epoch ${points[0][0]} to ${shown(points.at(-1)[1], percent ? "percent" : "number")} in epoch ${points.at(-1)[0]}`
      : `${index + 1}: ${name}, no values`);
    const picture = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": `${MEASURES[state.measure]} by epoch. ${told.join("; ")}.` });
    for (const value of ticks(...ys)) {
      const [, y] = place([1, value]);
      picture.append(svg("line", { class: "grid", x1: left, x2: wide - right, y1: y, y2: y }));
      picture.append(svg("text", { x: left - 8, y: Number(y) + 4, "text-anchor": "end" }, percent ? Math.round(100 * value) + " %" : shown(value, "number")));
    }
    for (const value of [1, ...ticks(...xs).filter((value) => value > 1)]) {
      const [x] = place([value, 0]);
      picture.append(svg("text", { x, y: high - bottom + 18, "text-anchor": "middle" }, value));
    }
    picture.append(svg("text", { x: (left + wide - right) / 2, y: high - 6, "text-anchor": "middle" }, "Epoch"));
    for (const { index, points } of drawn) {
      if (!points.length) continue;
      const color = `var(--curve-${index % 6})`;
      picture.append(svg("polyline", { class: "curve", points: points.map((point) => place(point).join(",")).join(" "), style: `stroke: ${color}`, "stroke-dasharray": DASHES[(index + Math.floor(index / 6)) % 6] }));
      if (points.length === 1) picture.append(svg("circle", { cx: place(points[0])[0], cy: place(points[0])[1], r: 3, style: `fill: ${color}` }));
      const [x, y] = place(points.at(-1));
      picture.append(svg("text", { class: "name", x: Number(x) + 6 + 10 * (index % 3), y: Number(y) + 4, style: `fill: ${color}` }, index + 1));
    }
    plot.replaceChildren(picture);
  }
  element("commands").replaceChildren(make("ul", { "aria-label": "Runs of these curves" }, ...drawn.map(({ index, name }) => make(
    "li", {}, `${index + 1}: ${name}. Trained again by `, make("code", {}, `snakemake --force runs/${preset}/${name}/metrics.json --config preset=${preset}`),
  ))));
}

// What people do

for (const axis of AXES) {
  const values = [...new Set(rows.map((row) => String(row[at[axis]])))].sort(order.compare);
  form.elements[axis].append(...values.map((value) => make("option", { value }, value)));
}
element("measure").append(...Object.entries(MEASURES).map(([value, title]) => make("option", { value }, title)));
const changed = () => { state.page = 0; draw(); };
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(changed));
element("measure").addEventListener("change", (event) => { state.measure = event.target.value; drawCurves(); write(); });
element("clear").addEventListener("click", () => { state.curves = []; drawCurves(); draw(); });
element("previous").addEventListener("click", () => { state.page -= 1; draw(); });
element("next").addEventListener("click", () => { state.page += 1; draw(); });
for (const [id, names] of [["all", columns.map((column) => column.name)], ["usual", usual]]) {
  element(id).addEventListener("click", () => { state.shown = names; drawChoices(); draw(); });
}
function show() { read(); element("measure").value = state.measure; drawChoices(); draw(); drawCurves(); }
addEventListener("hashchange", show);
addEventListener("resize", drawCurves); // letters keep their size
show();

const plot = { width: 1100, height: 430, left: 64, right: 20, top: 14, bottom: 46 };
const leastPoints = 4; // of score, from the lowest to the highest

function renderChart() {
  const tasks = model().points[0].tasks;
  const own = [...Object.entries(measures).map(([key, one]) => [key, one.name]),
    ...(tasks.length > 1 ? tasks.map((task, i) => [`task:${i}`, `Task ${task.name}`]) : [])];
  put("chart-controls",
    choice("Across", "x", own, state.x, value => choose({ x: value })), choice("Up", "y", own, state.y, value => choose({ y: value })));
  const [x, y] = [measure(state.x), measure(state.y)];
  const points = shown().filter(point => x.of(point) !== null && y.of(point) !== null);
  if (points.length === 0) {
    put("chart", make("p", {}, "No setting shown has both values."));
    return;
  }
  const across = scale(points.map(x.of), plot.left, plot.width - plot.right, x);
  const heights = points.flatMap(point => y.interval ? [y.of(point), ...y.interval(point)] : [y.of(point)]);
  const up = scale(heights, plot.height - plot.bottom, plot.top, y);
  const kept = frontier(points, x, y);
  const marks = points.map(point => mark(point, across.at(x.of(point)), up.at(y.of(point)), kept.includes(point)));
  put("chart", draw("svg", {
    viewBox: `0 0 ${plot.width} ${plot.height}`, role: "group", "aria-label": `${y.name} over ${x.name}`, keydown: event => move(event),
  }, grid(across, up, x, y), intervals(points, across, up, x, y), steps(kept, across, up, x, y), marks));
}

// Lower or higher is better, as the measure says; equal points stay.
function frontier(points, x, y) {
  const better = (one, a, b) => one.lower ? one.of(a) < one.of(b) : one.of(a) > one.of(b);
  const dominates = (a, b) => !better(x, b, a) && !better(y, b, a) && (better(x, a, b) || better(y, a, b));
  return points.filter(point => !points.some(other => dominates(other, point)));
}

// Logarithmic for bytes and times over a wide range; of scores at least some points, else noise would fill the picture.
function scale(values, from, to, one) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const logarithmic = one.lower && low > 0 && high > 24 * low;
  const [enter, leave] = logarithmic ? [Math.log, Math.exp] : [value => value, value => value];
  let [first, last] = [enter(low), enter(high)];
  if (!one.lower && last - first < leastPoints) {
    const middle = Math.max(leastPoints / 2, Math.min(100 - leastPoints / 2, (first + last) / 2));
    [first, last] = [middle - leastPoints / 2, middle + leastPoints / 2];
  }
  const room = (last - first || Math.abs(last) || 1) * 0.07;
  [first, last] = [first - room, last + room];
  const unit = one.text === bytes ? units.find(([, size]) => high >= size)?.[1] ?? 1 : 1;
  const step = unit * nice((last - first) / 7 / unit);
  const ticks = [];
  if (logarithmic) for (let tick = 2 ** Math.ceil(Math.log2(leave(first))); tick <= leave(last); tick *= 2) ticks.push(tick);
  else for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return { at: value => from + (enter(value) - first) / (last - first) * (to - from), ticks };
}

function nice(rough) {
  const decade = 10 ** Math.floor(Math.log10(rough));
  return decade * (rough <= decade ? 1 : rough <= 2 * decade ? 2 : rough <= 5 * decade ? 5 : 10);
}

function grid(across, up, x, y) {
  const [left, bottom, right] = [plot.left, plot.height - plot.bottom, plot.width - plot.right];
  return [
    across.ticks.map(tick => [
      draw("line", { class: "grid", x1: across.at(tick), x2: across.at(tick), y1: plot.top, y2: bottom }),
      draw("text", { x: across.at(tick), y: bottom + 17, "text-anchor": "middle" }, x.text(tick)),
    ]),
    up.ticks.filter(tick => y.lower || tick <= 100).map(tick => [
      draw("line", { class: "grid", x1: left, x2: right, y1: up.at(tick), y2: up.at(tick) }),
      draw("text", { x: left - 8, y: up.at(tick) + 4, "text-anchor": "end" }, y.text(tick).replace(/\.00$/, "")),
    ]),
    draw("path", { class: "frame", fill: "none", d: `M${left},${plot.top}V${bottom}H${right}` }),
    draw("text", { x: (left + right) / 2, y: plot.height - 8, "text-anchor": "middle" }, x.name),
    draw("text", { transform: `translate(14 ${(plot.top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, y.name),
  ].flat(3);
}

function intervals(points, across, up, x, y) {
  if (!y.interval) return [];
  return points.map(point => draw("line", {
    class: "interval", x1: across.at(x.of(point)), x2: across.at(x.of(point)),
    y1: up.at(y.interval(point)[0]), y2: up.at(y.interval(point)[1]),
  }));
}

// Steps only where they bound what is dominated: less is better across, more is better up.
function steps(kept, across, up, x, y) {
  if (!x.lower || y.lower) return null;
  const sorted = [...kept].sort((a, b) => x.of(a) - x.of(b));
  const path = sorted.map((point, i) => i === 0
    ? `M${across.at(x.of(point))},${plot.height - plot.bottom}V${up.at(y.of(point))}`
    : `H${across.at(x.of(point))}V${up.at(y.of(point))}`);
  return draw("path", { class: "steps", d: `${path.join("")}H${plot.width - plot.right}` });
}

function mark(point, x, y, isKept) {
  const place = model().points.indexOf(point);
  const chosen = [place === state.a ? "A" : "", place === state.b ? "B" : ""].filter(Boolean).join(" ");
  return draw("g", {
    class: "point", tabindex: 0, role: "button", "data-setting": point.setting, "data-frontier": String(isKept),
    "aria-label": `${point.setting}, ${bytes(point.peak)}, score ${fixed(point.score, 2)}`
      + (isKept ? ", on the frontier" : "") + (chosen ? `, chosen as ${chosen}` : ""),
    mouseenter: event => hint(point, event), focus: event => hint(point, event), mouseleave: unhint, blur: unhint,
    click: event => pick(place, event.shiftKey),
  }, [
    draw("circle", { class: "focus", cx: x, cy: y, r: 13 }),
    point.isBaseline ? draw("circle", { class: "ring", cx: x, cy: y, r: 11 }) : null,
    draw("circle", { class: isKept ? "dot" : "dot plain", cx: x, cy: y, r: isKept ? 7.5 : 5 }),
    isKept ? draw("path", { class: "tip", d: star(x, y, 5) }) : null,
    chosen ? draw("text", { class: "chosen", x: x + 12, y: y - 9 }, chosen) : null,
  ]);
}

function star(x, y, radius) {
  const tips = Array.from({ length: 10 }, (_, i) => {
    const [angle, length] = [Math.PI * (i / 5 - 0.5), i % 2 === 0 ? radius : 0.42 * radius];
    return `${x + length * Math.cos(angle)},${y + length * Math.sin(angle)}`;
  });
  return `M${tips.join("L")}Z`;
}

// The next point to that side, by place in the chart.
function move(event) {
  const keys = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
  const points = [...document.querySelectorAll("#chart .point")];
  const at = points.indexOf(document.activeElement);
  if (at < 0) return;
  if (event.key in keys) points[(at + keys[event.key] + points.length) % points.length].focus();
  else if (event.key === "Enter" || event.key === " ") points[at].dispatchEvent(new MouseEvent("click", { shiftKey: event.shiftKey }));
  else if (event.key === "Escape") unhint();
  else return;
  event.preventDefault();
}

function pick(place, isSecond) {
  const setting = model().points[place].setting;
  choose(isSecond ? { b: place, page: 0 } : { a: place, page: 0 });
  [...document.querySelectorAll("#chart .point")].find(point => point.dataset.setting === setting)?.focus();
}

function hint(point, event) {
  const box = put("hint",
    make("b", {}, point.setting), make("br"), `${bytes(point.peak)} (${fixed(point.saved, 1, " % saved")})`, make("br"),
    `score ${withError(point.score, point.error)} (${between(point.interval, 1)})`, make("br"),
    point.loss === null ? null : lossText(point), make("br"),
    point.isFrontier ? "on the frontier" : `dominated in ${fixed(100 * point.dominated, 0)} % of resamples`, make("br"),
    [point.ttft === null ? "" : `first token ${milliseconds(point.ttft)}`, point.tpot === null ? "" : `later ${milliseconds(point.tpot)}`]
      .filter(Boolean).join(", "));
  box.hidden = false;
  const place = event.currentTarget.getBoundingClientRect();
  box.style.left = `${Math.min(place.right + 8, innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${Math.max(4, Math.min(place.top - 8, innerHeight - box.offsetHeight - 8))}px`;
}

function unhint() {
  document.getElementById("hint").hidden = true;
}

const columns = [
  { key: "setting", name: "Setting", of: point => point.setting, text: point => point.setting, type: "name" },
  { key: "peak", name: "Peak", of: point => point.peak, text: point => bytes(point.peak) },
  { key: "saved", name: "Saved", of: point => point.saved, text: point => fixed(point.saved, 1, " %") },
  { key: "score", name: "Score", of: point => point.score, text: point => withError(point.score, point.error) },
  { key: "interval", name: "95 % interval", of: point => point.interval[0], text: point => between(point.interval, 1) },
  { key: "loss", name: "Loss", of: point => point.loss, text: point => fixed(point.loss, 2) },
  { key: "p", name: "p", of: point => point.p, text: point => chance(point.p) },
  { key: "holmP", name: "p (Holm)", of: point => point.holmP, text: point => chance(point.holmP) },
  { key: "dominated", name: "Dominated", of: point => point.dominated, text: point => fixed(100 * point.dominated, 0, " %") },
  { key: "ttft", name: "First token", of: point => point.ttft, text: point => milliseconds(point.ttft) },
  { key: "tpot", name: "Later token", of: point => point.tpot, text: point => milliseconds(point.tpot) },
];

function taskColumns() {
  const tasks = model().points[0].tasks;
  return tasks.length < 2 ? [] : tasks.map((task, i) => ({
    key: `task:${i}`, name: task.name, of: point => point.tasks[i]?.mean ?? null,
    text: point => withError(point.tasks[i]?.mean, point.tasks[i]?.error),
    more: point => lossText(point.tasks[i]),
  }));
}

function renderTable() {
  const all = [...columns, ...taskColumns()];
  const by = all.find(column => column.key === state.sort) ?? all[1];
  const rows = [...shown()].sort((a, b) => (state.rising ? 1 : -1) * compare(by.of(a), by.of(b)) || a.peak - b.peak);
  const heads = all.map(column => make("th", {
    scope: "col", class: column.type === "name" ? null : "number",
    "aria-sort": column === by ? (state.rising ? "ascending" : "descending") : "none",
  }, make("button", {
    type: "button", "data-sort": column.key,
    click: () => {
      choose({ sort: column.key, rising: column === by ? !state.rising : true });
      document.querySelector(`[data-sort="${CSS.escape(column.key)}"]`).focus();
    },
  }, column.name + (column === by ? (state.rising ? " ▲" : " ▼") : ""))));
  put("table", make("table", {},
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Compare"), make("th", { scope: "col" }, ""), heads)),
    make("tbody", {}, rows.map(point => make("tr", { "data-setting": point.setting },
      make("td", {}, ["A", "B"].map(side => pairButton(side, point))),
      make("td", { class: "star" }, placeMark(point)),
      all.map(column => make("td", { class: column.type ?? "number", title: column.more?.(point) ?? null }, column.text(point))))))));
  put("failed", [
    ...reasons("Without a result", model().failed),
    ...reasons("Dropped by the search", model().dropped),
  ]);
}

function placeMark(point) {
  return [point.isFrontier && "★", point.isBaseline && "base"].filter(Boolean).join(" ");
}

function lossText(figures) {
  return figures?.lossInterval
    ? `loss ${fixed(figures.loss, 2)} (${between(figures.lossInterval, 1)}), p ${chance(figures.p)}` : "";
}

// Trials of tasks without scores have memory and times alone, and no place above.
function renderUnscored() {
  const rows = data.models.flatMap(one => one.unscored.map(point => ({ model: one.name, ...point })));
  put("unscored", rows.length === 0 ? [] : [
    make("h3", {}, "Measured without a score"),
    make("table", {},
      make("thead", {}, make("tr", {}, ["Model", "Setting", "Peak", "Saved", "First token", "Later token"].map((name, i) =>
        make("th", { scope: "col", class: i < 2 ? null : "number" }, name)))),
      make("tbody", {}, rows.map(point => make("tr", {},
        make("td", {}, point.model), make("td", { class: "name" }, point.setting),
        [bytes(point.peak), fixed(point.saved, 1, " %"), milliseconds(point.ttft), milliseconds(point.tpot)].map(text =>
          make("td", { class: "number" }, text)))))),
  ]);
}

function reasons(title, trials) {
  return trials.length === 0 ? [] : [make("h3", {}, title), make("ul", {}, trials.map(trial =>
    make("li", {}, make("code", {}, trial.setting), ` ${trial.reason}`)))];
}

function pairButton(side, point) {
  const place = model().points.indexOf(point);
  const key = side.toLowerCase();
  return make("button", {
    type: "button", "aria-pressed": String(state[key] === place), "aria-label": `${point.setting} as ${side}`,
    click: () => {
      choose({ [key]: place, page: 0 });
      document.querySelector(`#table [aria-label="${CSS.escape(`${point.setting} as ${side}`)}"]`)?.focus();
    },
  }, side);
}

function compare(a, b) {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return typeof a === "string" ? (a < b ? -1 : a > b ? 1 : 0) : a - b;
}

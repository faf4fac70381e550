const pageSize = 20;

const sampleFilters = {
  all: ["all samples", () => true],
  differ: ["answers differ", row => row.a?.[0] !== row.b?.[0]],
  better: ["A scores higher", row => row.a && row.b && row.a[1] > row.b[1]],
  worse: ["B scores higher", row => row.a && row.b && row.b[1] > row.a[1]],
};

function renderSamples() {
  const points = model().points;
  const options = points.map((point, i) => [String(i), `${point.setting}${point.isBaseline ? " (baseline)" : ""}`]);
  put("pair",
    choice("A", "setting-a", options, String(state.a), value => choose({ a: Number(value), page: 0 })),
    choice("B", "setting-b", options, String(state.b), value => choose({ b: Number(value), page: 0 })),
    make("button", { type: "button", id: "swap", click: () => choose({ a: state.b, b: state.a }) }, "Swap"));
  renderTasks(points[state.a], points[state.b]);
  renderSampleRows(points[state.a], points[state.b]);
}

function renderTasks(a, b) {
  const rows = a.tasks.flatMap((task, i) => {
    const other = b.tasks[i];
    const parts = task.parts.map(([name, mean]) => [
      `${task.name}/${name}`, "", mean, other?.parts.find(part => part[0] === name)?.[1] ?? null,
    ]);
    return [[task.name, String(task.samples), task.mean, other?.mean ?? null], ...parts];
  });
  put("tasks", make("table", {},
    make("thead", {}, make("tr", {}, ["Task", "Samples", "A", "B", "A less B"].map((name, i) =>
      make("th", { scope: "col", class: i > 0 ? "number" : null }, name)))),
    make("tbody", {}, rows.map(([name, samples, left, right]) => make("tr", {},
      make("td", {}, name), make("td", { class: "number" }, samples), make("td", { class: "number" }, fixed(left, 2)),
      make("td", { class: "number" }, fixed(right, 2)),
      make("td", { class: "number" }, right === null || left === null ? "" : fixed(left - right, 2)))))));
}

function renderSampleRows(a, b) {
  // The page's tasks are those of all trials; those of another model's tasks would be empty here.
  const tasks = data.samples.tasks.map((task, i) => [i, task]).filter(([, task]) => a.tasks.some(own => own.name === task.name));
  if (tasks.length === 0 || tasks.every(([, task]) => task.samples.length === 0)) {
    for (const id of ["sample-controls", "sample-list", "pages"]) put(id);
    put("sample-count", "The run's samples are not in its folder.");
    return;
  }
  const [place, task] = tasks[Math.min(state.task, tasks.length - 1)];
  const answer = point => data.samples.answers[point.trial]?.[place] ?? {};
  const [left, right] = [answer(a), answer(b)];
  const rows = task.samples.map((sample, i) => ({ sample, a: left[i], b: right[i] })).filter(row => row.a || row.b)
    .filter(sampleFilters[state.samples][1]).filter(row => isFound(row, state.search.toLowerCase()));
  renderSampleControls(tasks, task, rows.length);
  const pages = Math.max(1, Math.ceil(rows.length / pageSize));
  state.page = Math.min(state.page, pages - 1);
  put("sample-list", make("table", {},
    make("thead", {}, make("tr", {}, ["Sample", "Prompt", "Reference", `A: ${a.setting}`, "Score", `B: ${b.setting}`, "Score"].map(name =>
      make("th", { scope: "col", class: name === "Score" ? "number" : null }, name)))),
    make("tbody", {}, rows.slice(state.page * pageSize, (state.page + 1) * pageSize).map(sampleRow))));
  put("pages",
    make("button", { type: "button", id: "before", disabled: state.page === 0, click: () => turn(-1) }, "Before"),
    make("span", {}, `page ${state.page + 1} of ${pages}`),
    make("button", { type: "button", id: "next", disabled: state.page + 1 >= pages, click: () => turn(1) }, "Next"));
}

function renderSampleControls(tasks, task, count) {
  const focused = document.activeElement?.id;
  put("sample-controls",
    choice("Task", "task", tasks.map(([, one], i) => [String(i), one.name]), String(Math.min(state.task, tasks.length - 1)),
      value => choose({ task: Number(value), page: 0 })),
    choice("Show", "which", Object.entries(sampleFilters).map(([key, [text]]) => [key, text]), state.samples,
      value => choose({ samples: value, page: 0 })),
    make("label", { for: "search" }, "Text has ", make("input", {
      type: "search", id: "search", value: state.search, input: event => choose({ search: event.target.value, page: 0 }),
    })));
  if (focused === "search") {
    const field = document.getElementById("search");
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
  const cut = task.samples.length < task.total ? `; this page has the first ${task.samples.length} of ${task.total}` : "";
  put("sample-count", `${count} of ${task.samples.length} samples${cut}. Texts are cut after ${data.samples.mostCharacters} characters; `
    + "samples/ has all.");
}

function sampleRow({ sample, a, b }) {
  return make("tr", {},
    make("td", { class: "text id" }, sample.id),
    make("td", { class: "text" }, prompt(sample)),
    make("td", { class: "text" }, (sample.references ?? []).join("\n")),
    ...[[a, b], [b, a]].flatMap(([own, other]) => [
      make("td", { class: "text" }, own ? own[0] : make("span", { class: "cut" }, "not measured")),
      make("td", { class: `number ${own && other && own[1] !== other[1] ? (own[1] > other[1] ? "good" : "bad") : ""}` }, scores(own)),
    ]));
}

function prompt(sample) {
  if (sample.head === null) return make("span", { class: "cut" }, counted(sample.tokens, "token"));
  return [
    sample.head, sample.tail === null ? null : [make("span", { class: "cut" }, ` … (${sample.tokens} tokens) … `), sample.tail],
  ].flat();
}

function scores(answer) {
  if (!answer) return "";
  const parts = Object.entries(answer[2] ?? {}).map(([name, score]) => make("div", { class: "cut" }, `${name} ${fixed(100 * score, 1)}`));
  return [fixed(100 * answer[1], 1), ...parts];
}

function isFound(row, text) {
  if (text === "") return true;
  return [row.sample.id, row.sample.head, row.sample.tail, ...(row.sample.references ?? []), row.a?.[0], row.b?.[0]]
    .some(one => one?.toLowerCase().includes(text));
}

function turn(pages) {
  choose({ page: state.page + pages });
  const button = document.getElementById(pages > 0 ? "next" : "before");
  (button.disabled ? document.getElementById(pages > 0 ? "before" : "next") : button).focus();
}

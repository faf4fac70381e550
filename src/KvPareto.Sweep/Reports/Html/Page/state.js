const data = JSON.parse(document.getElementById("data").textContent);
const models = data.models.filter(model => model.points.length > 0);

// What the user has chosen; everything that is shown follows from it.
const state = {
  model: 0, hidden: new Set(), text: "", frontierOnly: false, x: "peak", y: "score", sort: "peak", rising: true,
  a: 0, b: 0, task: 0, samples: "all", search: "", page: 0, phase: "peak",
};

// A column of the table and an axis of the chart.
const measures = {
  peak: { name: "Total peak memory", of: point => point.peak, text: bytes, lower: true },
  score: { name: "Score", of: point => point.score, text: value => fixed(value, 2), interval: point => point.interval },
  ttft: { name: "Time to the first token", of: point => point.ttft, text: milliseconds, lower: true },
  tpot: { name: "Time of a later token", of: point => point.tpot, text: milliseconds, lower: true },
  cache: { name: "KV cache at the peak", of: point => point.memory.peak[1], text: bytes, lower: true },
};

function model() {
  return models[state.model];
}

function measure(key) {
  if (!key.startsWith("task:")) return measures[key];
  const place = Number(key.slice(5));
  return {
    name: `Task ${model().points[0].tasks[place]?.name ?? ""}`, of: point => point.tasks[place]?.mean ?? null,
    text: value => fixed(value, 2),
  };
}

// The points that the filters leave, by rising peak.
function shown() {
  return model().points.filter(point =>
    (!state.frontierOnly || point.isFrontier)
    && point.setting.includes(state.text)
    && point.axes.every((value, axis) => !state.hidden.has(`${axis} ${value}`)));
}

function choose(settings) {
  Object.assign(state, settings);
  render();
}

// Starts with the baseline beside the smallest setting of the frontier that is not it.
function startPair() {
  const points = model().points;
  const baseline = Math.max(0, points.findIndex(point => point.isBaseline));
  const other = points.findIndex((point, i) => i !== baseline && point.isFrontier);
  Object.assign(state, { a: baseline, b: other < 0 ? Math.min(1, points.length - 1) : other, page: 0 });
}

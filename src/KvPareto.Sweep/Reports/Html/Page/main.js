const themes = ["auto", "light", "dark"];

// A page from disk may have no storage.
function remembered() {
  try {
    return localStorage.getItem("kvpareto-theme") ?? "auto";
  } catch {
    return "auto";
  }
}

function setTheme(theme) {
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  put("theme", `Theme: ${theme}`).dataset.theme = theme;
  try {
    localStorage.setItem("kvpareto-theme", theme);
  } catch {
    // Not remembered, then.
  }
}

function render() {
  unhint();
  if (models.length === 0) return;
  renderCount();
  renderChart();
  renderTable();
  renderSamples();
  renderMemory();
}

function rebuild() {
  renderFilters();
  render();
}

function start() {
  setTheme(themes.includes(remembered()) ? remembered() : "auto");
  document.getElementById("theme").addEventListener("click", event => {
    setTheme(themes[(themes.indexOf(event.currentTarget.dataset.theme) + 1) % themes.length]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(document.getElementById("theme").dataset.theme));
  put("title", data.run);
  put("summary", data.models.map(one => one.points.length === 0 && one.unscored.length > 0
    ? `${one.name}: ${counted(one.unscored.length, "setting")}, without a score`
    : `${one.name}: ${one.points.filter(point => point.isFrontier).length} of ${counted(one.points.length, "setting")} on the frontier, `
      + `hypervolume ${fixed(one.hypervolume, 1)} %`).join("; "));
  renderProvenance();
  renderUnscored();
  if (models.length === 0) {
    for (const id of ["frontier", "samples", "memory"]) {
      for (const part of document.querySelectorAll(`#${id}, nav [href="#${id}"]`)) part.hidden = true;
    }
    put("count", data.models.some(one => one.unscored.length > 0) ? "No trial has a score." : "No trial has a result.");
    put("failed", make("ul", {}, data.models.flatMap(one => [...one.failed, ...one.dropped]).map(
      trial => make("li", {}, make("code", {}, trial.setting), ` ${trial.reason}`))));
    return;
  }
  startPair();
  rebuild();
}

start();

const byNumber = new Intl.Collator("en", { numeric: true }).compare;

function renderFilters() {
  const parts = [];
  if (models.length > 1) {
    parts.push(choice("Model", "model", models.map((one, i) => [String(i), one.name]), String(state.model), value => {
      Object.assign(state, { model: Number(value), hidden: new Set(), task: 0 });
      startPair();
      rebuild();
    }));
  }
  parts.push(make("label", { for: "text" }, "Name has ", make("input", {
    type: "search", id: "text", value: state.text, input: event => choose({ text: event.target.value.trim() }),
  })));
  parts.push(make("label", {}, make("input", {
    type: "checkbox", id: "frontier-only", checked: state.frontierOnly, change: event => choose({ frontierOnly: event.target.checked }),
  }), " frontier only"));
  data.axes.forEach((name, axis) => {
    const values = [...new Set(model().points.map(point => point.axes[axis]))].sort(byNumber);
    if (values.length < 2) return;
    parts.push(make("fieldset", {}, make("legend", {}, name.replaceAll("_", " ")), values.map(value => make("label", {}, make("input", {
      type: "checkbox", checked: true, "data-axis": name, value,
      change: event => {
        if (event.target.checked) state.hidden.delete(`${axis} ${value}`);
        else state.hidden.add(`${axis} ${value}`);
        render();
      },
    }), ` ${value === "" ? "–" : value}`))));
  });
  parts.push(make("button", {
    type: "button", id: "reset", click: () => {
      Object.assign(state, { hidden: new Set(), text: "", frontierOnly: false });
      rebuild();
    },
  }, "Show all"));
  put("filters", parts).addEventListener("submit", event => event.preventDefault());
}

function renderCount() {
  const points = shown();
  put("count", `${points.length} of ${counted(model().points.length, "setting")} of ${model().name}`);
}

const categories = ["weights", "KV cache", "activations", "workspace"];
const phases = [["peak", "inference peak"], ["prefill", "prefill"], ["decode", "decoding"], ["load", "loading"]];

function renderMemory() {
  put("memory-controls", choice("Moment", "phase", phases, state.phase, value => choose({ phase: value })),
    categories.map((name, i) => make("span", {}, make("span", { class: `swatch c${i}` }), name)));
  const points = shown();
  const most = Math.max(1, ...points.map(point => total(point.memory[state.phase])));
  const [height, left, right] = [22, 300, 110];
  const width = 1100 - left - right;
  put("bars", points.length === 0 ? make("p", {}, "No setting is shown.") : draw("svg", {
    viewBox: `0 0 1100 ${height * points.length + 6}`, role: "img",
    "aria-label": `Memory at the ${phases.find(([key]) => key === state.phase)[1]}`,
  }, points.flatMap((point, row) => bar(point, row * height, height, left, width, most))));
}

function bar(point, top, height, left, width, most) {
  const parts = point.memory[state.phase];
  let from = left;
  const boxes = parts.map((size, i) => {
    const box = draw("rect", { class: `c${i}`, x: from, y: top + 4, width: width * size / most, height: height - 6 },
      draw("title", {}, `${categories[i]}: ${bytes(size)}`));
    from += width * size / most;
    return box;
  });
  return [
    draw("text", { x: left - 8, y: top + 16, "text-anchor": "end" }, point.setting + (point.isBaseline ? " (baseline)" : "")),
    ...boxes,
    draw("text", { x: from + 6, y: top + 16 }, total(parts) > 0 ? bytes(total(parts)) : "not reached"),
  ];
}

function renderProvenance() {
  const record = data.provenance;
  if (record === null) {
    put("record", make("p", {}, "run.json is not in the run's folder."));
    return;
  }
  const facts = [["name", record.name], ["begun", record.startedAt], ["seed", record.seed], ["baseline", record.baseline],
    ...Object.entries(record.host ?? {}), ["config digest", record.configDigest],
    ["template", record.template && JSON.stringify(record.template)],
    ...(record.models ?? []).map(model => [`model ${model.name}`, model.digest]),
    ...(record.tasks ?? []).map(task =>
      [`task ${task.name}${task.context ? ` at ${task.context.toLocaleString("en")}` : ""}`, task.digest])];
  put("record",
    make("dl", {}, facts.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) =>
      [make("dt", {}, name), make("dd", {}, String(value))])),
    make("h3", {}, "Config"), make("pre", { tabindex: 0, role: "region", "aria-label": "Config" }, record.config ?? ""),
    data.messages.length === 0 ? null : [make("h3", {}, "Messages"), make("ul", {}, data.messages.map(text => make("li", {}, text)))]);
}

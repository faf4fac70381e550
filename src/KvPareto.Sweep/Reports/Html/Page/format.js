const units = [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["B", 1]];

function bytes(value) {
  if (value === null) return "";
  const [name, size] = units.find(([, least]) => value >= 0.98 * least) ?? units.at(-1);
  const number = value / size;
  return `${round(number, size === 1 || number >= 100 ? 0 : number >= 10 ? 1 : 2)} ${name}`;
}

// Halves to the even digit, as in the tables of the command line.
function round(value, decimals) {
  return value.toLocaleString("en", {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false, roundingMode: "halfEven",
  });
}

function fixed(value, decimals, unit = "") {
  return value === null || value === undefined ? "" : round(value, decimals) + unit;
}

function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function milliseconds(value) {
  return value === null ? "" : `${round(value, value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

function chance(value) {
  return value === null || value === undefined ? "" : value < 0.001 ? "< 0.001" : round(value, 3);
}

function withError(mean, error) {
  return fixed(mean, 2) + (error === null || error === undefined ? "" : ` ± ${round(error, 2)}`);
}

function between(interval, decimals) {
  return interval ? `${round(interval[0], decimals)} – ${round(interval[1], decimals)}` : "";
}

function total(parts) {
  return parts.reduce((sum, part) => sum + part, 0);
}

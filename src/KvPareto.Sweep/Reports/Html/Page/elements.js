"use strict";

// Elements with text, never markup: what models and data say stays text.
function make(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function draw(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) element.append(child);
  return element;
}

function put(id, ...children) {
  const place = document.getElementById(id);
  place.replaceChildren(...children.flat().filter(child => child !== null && child !== undefined));
  return place;
}

// A list to choose from; options are [value, text].
function choice(label, id, options, value, change) {
  const list = make("select", { id, change: event => change(event.target.value) },
    options.map(([own, text]) => make("option", { value: own, selected: own === value }, text)));
  return make("label", { for: id }, label + " ", list);
}

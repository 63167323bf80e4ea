"use strict";
// The figures know one ink; where the page is dark, each of their colours has another.
const DARK = {
  "#1f2933": "#e4e7eb", "#0b6e4f": "#4cc38a", "#9aa5b1": "#7b8794", "#c05621": "#f0883e",
  "#616e7c": "#9fabb7", "#cbd2d9": "#333d47", "#f7f7f7": "#2b343d", "#7fb8a4": "#3c7d66",
  "#2166ac": "#5aa0e0", "#b35806": "#d9822b", "#7b3fa0": "#c08be0", "#a8690a": "#e0b04a",
  "#b42318": "#ff8a75", "#3b7d9a": "#6fc1e0", "#5b6b00": "#b3c74a",
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 40rem)");
const touch = matchMedia("(pointer: coarse)");
const plots = [...document.querySelectorAll(".plot")].map((place) => {
  const source = place.querySelector("script");
  const figure = JSON.parse(source.textContent);
  source.remove();
  return { place, figure };
});

function themed(value) {
  if (typeof value === "string") return DARK[value.toLowerCase()] ?? value;
  if (Array.isArray(value)) return value.map(themed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, themed(one)]));
}

// On a phone: smaller words, no scale of colours beside a map that names its numbers.
function fitted(figure) {
  const { data, layout } = structuredClone(figure);
  const font = { ...layout.font, size: 11 };
  const annotations = (layout.annotations ?? []).map((one) => ({
    ...one, font: { ...one.font, size: 8.5 },
  }));
  const margin = { ...layout.margin, l: Math.min(layout.margin.l, 44), r: 24 };
  const legend = { ...layout.legend, font: { size: 10 } };
  const found = { ...layout, font, annotations, margin, legend };
  if (layout.coloraxis) found.coloraxis = { ...layout.coloraxis, showscale: false };
  for (const one of data) {
    if (one.type === "parcoords") {
      one.labelfont.size = 10;
      one.tickfont.size = 8;
      found.margin = { ...margin, l: 50, r: 40 };
    }
  }
  return { data, layout: found };
}

function draw(isDark) {
  for (const { place, figure } of plots) {
    let shown = narrow.matches ? fitted(figure) : structuredClone(figure);
    if (isDark) shown = themed(shown);
    const config = { responsive: true, displayModeBar: false };
    // A finger scrolls the page; only a mouse draws a rectangle to zoom into.
    const dragmode = touch.matches ? false : "zoom";
    Plotly.react(place, shown.data, { ...shown.layout, autosize: true, dragmode }, config);
  }
}

async function copy(button) {
  const text = button.parentElement.querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    button.textContent = "press Ctrl-C";
  }
  setTimeout(() => { button.textContent = "copy"; }, 2000);
}

draw(dark.matches);
dark.addEventListener("change", () => draw(dark.matches));
narrow.addEventListener("change", () => draw(dark.matches));
addEventListener("beforeprint", () => draw(false));
addEventListener("afterprint", () => draw(dark.matches));
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", () => copy(button));
}

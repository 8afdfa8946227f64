"use strict";
// Draw every figure with the colours of the current scheme; redraw when the scheme changes.
// A page's own script, which follows, may call plots.draw and plots.also.
const plots = (() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    responsive: true,
    displaylogo: false,
    // The library offers to upload charts to its vendor; results stay where they are.
    plotlyServerURL: "",
    // On narrow screens the tools would lie over the legend.
    ...(matchMedia("(max-width: 860px)").matches ? { displayModeBar: false } : {}),
    modeBarButtonsToRemove: ["sendChartToCloud", "lasso2d", "select2d", "autoScale2d"],
  };
  const themed = (node, css) => {
    if (typeof node === "string" && /^\$[a-z-]+$/.test(node)) {
      return css.getPropertyValue("--" + node.slice(1)).trim();
    }
    if (Array.isArray(node)) return node.map((item) => themed(item, css));
    if (node && typeof node === "object") {
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, themed(item, css)]));
    }
    return node;
  };
  const draw = (id, figure) => {
    const colored = themed(figure, getComputedStyle(document.documentElement));
    Plotly.react(id, colored.data, colored.layout, config);
  };
  const others = [];
  const drawAll = () => {
    for (const [id, figure] of Object.entries(page.figures)) draw(id, figure);
    for (const other of others) other();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.addEventListener("DOMContentLoaded", drawAll);
  return { page, draw, also: (other) => others.push(other) };
})();

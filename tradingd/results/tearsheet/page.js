"use strict";
// Draw every figure with the colours of the current scheme; redraw when the scheme changes.
(() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    responsive: true,
    displaylogo: false,
    // The library offers to upload charts to its vendor; results stay where they are.
    plotlyServerURL: "",
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
  const choice = document.getElementById("symbol");
  const drawTrades = () => choice && draw("trades", page.trades[choice.value]);
  const drawAll = () => {
    for (const [id, figure] of Object.entries(page.figures)) draw(id, figure);
    drawTrades();
  };
  const log = document.getElementById("log");
  if (log) {
    log.addEventListener("click", () => {
      const pressed = log.getAttribute("aria-pressed") !== "true";
      log.setAttribute("aria-pressed", String(pressed));
      page.figures.equity.layout.yaxis.type = pressed ? "log" : "linear";
      draw("equity", page.figures.equity);
    });
  }
  if (choice) choice.addEventListener("change", drawTrades);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();

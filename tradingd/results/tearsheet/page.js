// The choice of a symbol, and equity on a logarithmic scale.
(() => {
  const { page, draw } = plots;
  const choice = document.getElementById("symbol");
  const drawTrades = () => choice && draw("trades", page.trades[choice.value]);
  plots.also(drawTrades);
  if (choice) choice.addEventListener("change", drawTrades);
  const log = document.getElementById("log");
  if (log) {
    log.addEventListener("click", () => {
      const pressed = log.getAttribute("aria-pressed") !== "true";
      log.setAttribute("aria-pressed", String(pressed));
      page.figures.equity.layout.yaxis.type = pressed ? "log" : "linear";
      draw("equity", page.figures.equity);
    });
  }
})();

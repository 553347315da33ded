// Draws the table beside a chart: first column = names, numeric columns = series. The table stays, folded.

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (cell) => {
  const value = cell?.dataset.value;
  return value === undefined || value === "" ? null : Number(value);
};

function readTable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const drawn = heads.map((cell, i) => ({ i, name: cell.dataset.name ?? cell.textContent.trim(), skip: cell.hasAttribute("data-skip") }))
    .filter(({ i, skip }) => i > 0 && !skip);
  const rows = [...table.tBodies[0].rows];
  return {
    names: rows.map((row) => row.cells[0].textContent.trim()),
    series: drawn.map(({ i, name }) => ({ name, values: rows.map((row) => number(row.cells[i])), texts: rows.map((row) => row.cells[i].textContent.trim()) })),
  };
}

function frame(figure) {
  const large = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125;
  const ink = token("--ink"), line = token("--line"), muted = token("--muted");
  const high = document.documentElement.dataset.contrast === "high";
  return {
    axis: { axisLabel: { color: muted, fontSize: large }, axisLine: { lineStyle: { color: line } }, splitLine: { lineStyle: { color: line, opacity: 0.7 } } },
    base: {
      color: high ? ["#ffe14d", "#62f59c", "#ff9d94", "#00e5ff", "#fff"] : ["#0e4a58", "#d98a00", "#4a90a4", "#a3201a", "#7a8a3a", "#6a5a8c"],
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: large, color: ink },
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      aria: { enabled: true, decal: { show: figure.hasAttribute("data-decal") || high } },
      tooltip: { renderMode: "richText", trigger: "axis", confine: true, backgroundColor: token("--surface"), borderColor: line, textStyle: { color: ink, fontSize: large } },
      legend: { type: "scroll", top: 0, left: 0, textStyle: { color: ink, fontSize: large } },
      grid: { left: 4, right: 16, top: 40, bottom: 4, containLabel: true },
    },
  };
}

const shown = (texts) => (_value, index) => texts[index];

function lines(kind, data, look, figure) {
  const across = figure.hasAttribute("data-across");
  const names = { type: "category", data: data.names, boundaryGap: kind === "bar", inverse: across, ...look.axis };
  const values = { type: "value", ...look.axis };
  return {
    ...look.base,
    legend: data.series.length > 1 ? look.base.legend : undefined,
    grid: { ...look.base.grid, top: data.series.length > 1 ? 40 : 12 },
    xAxis: across ? values : names,
    yAxis: across ? names : values,
    series: data.series.map((one) => ({
      name: one.name, type: kind, data: one.values, stack: figure.hasAttribute("data-stack") ? "all" : undefined,
      barMaxWidth: 28, symbolSize: 5, itemStyle: kind === "bar" ? { borderRadius: 2 } : undefined,
      tooltip: { valueFormatter: shown(one.texts) },
    })),
  };
}

function pie(data, look) {
  const [one] = data.series;
  return {
    ...look.base,
    tooltip: { ...look.base.tooltip, trigger: "item" },
    series: [{ type: "pie", radius: ["40%", "64%"], center: ["50%", "56%"], label: { color: token("--ink"), formatter: "{d}%", overflow: "none" }, labelLine: { length: 8, length2: 6 }, data: data.names.map((name, i) => ({ name, value: one.values[i] })) }],
  };
}

function heatmap(data, look) {
  const cells = data.series.flatMap((one, x) => one.values.map((value, y) => [x, y, value])).filter(([, , value]) => value !== null);
  const most = Math.max(1, ...cells.map(([, , value]) => value));
  return {
    ...look.base,
    legend: undefined,
    aria: { enabled: true },
    tooltip: { ...look.base.tooltip, trigger: "item" },
    grid: { ...look.base.grid, top: 12, bottom: 56 },
    xAxis: { type: "category", data: data.series.map((one) => one.name), ...look.axis },
    yAxis: { type: "category", data: data.names, inverse: true, ...look.axis },
    visualMap: { min: 0, max: most, orient: "horizontal", left: "center", bottom: 0, text: [String(most), "0"], textStyle: { color: token("--ink") }, inRange: { color: ["#e5eff0", "#4a90a4", "#0a343f"] } },
    series: [{ type: "heatmap", data: cells, label: { show: cells.length <= 120 } }],
  };
}

const KINDS = {
  bar: (data, look, figure) => lines("bar", data, look, figure),
  line: (data, look, figure) => lines("line", data, look, figure),
  pie,
  heatmap,
};

function draw(figure) {
  const table = figure.querySelector("table");
  const canvas = figure.querySelector(".chart-canvas");
  if (!table?.tBodies[0]?.rows.length || canvas.dataset.drawn) return;
  canvas.dataset.drawn = "yes";
  canvas.hidden = false;
  figure.querySelector("details").open = false;
  const chart = window.echarts.init(canvas, null, { locale: document.documentElement.lang === "en" ? "EN" : "ZH", renderer: "canvas" });
  chart.setOption(KINDS[figure.dataset.chart](readTable(table), frame(figure), figure));
  new ResizeObserver(() => chart.resize()).observe(canvas);
}

const drawAll = (root) => { for (const figure of root.querySelectorAll("[data-chart]")) draw(figure); };
drawAll(document);
document.addEventListener("htmx:afterSwap", ({ target }) => drawAll(target));

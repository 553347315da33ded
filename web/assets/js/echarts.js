// The four kinds of chart this house draws, and nothing else of ECharts.
import { BarChart, HeatmapChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { init, registerLocale, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import zh from "echarts/lib/i18n/langZH.js";
import en from "echarts/lib/i18n/langEN.js";

use([BarChart, LineChart, PieChart, HeatmapChart, AriaComponent, DatasetComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);
registerLocale("ZH", zh);
registerLocale("EN", en);
window.echarts = { init };

// How a chart is drawn by Plotly: into its place, at its width, with its words for those who cannot see it and a table of
// the same figures. Not here: what a chart shows.

const COLOURS = data.charts.colours;
const INK = "#1c2733",
  LINE = "#dde3e8";
let paper = null; // the charts' width in pixels while the page is printed
const esc = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;"); // Plotly reads tags in names
const broken = (text, width) =>
  esc(text)
    .split(" ")
    .reduce((lines, w) => {
      if (lines.length && (lines.at(-1) + " " + w).length <= width) lines[lines.length - 1] += " " + w;
      else lines.push(w);
      return lines;
    }, [])
    .join("<br>");

/** Draws one chart into #id, says it in words for those who cannot see it, and sets its table; empty: said in words. */
function draw(id, told, traces, layout, made) {
  put(`${id}-table`, made);
  const place = document.getElementById(`${id}-plot`);
  place.setAttribute("aria-label", told);
  if (typeof Plotly === "undefined") return;
  if (!traces.length) {
    Plotly.purge(place);
    place.replaceChildren(el("p", { class: "empty" }, told));
    return;
  }
  if (place.querySelector(".empty")) place.replaceChildren();
  const base = {
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: INK },
    separators: state.lang === VI ? ",." : ".,",
    paper_bgcolor: "#fff",
    plot_bgcolor: "#fff",
    height: 380,
    bargap: 0.25,
    showlegend: true,
    hovermode: "closest",
    dragmode: false,
    margin: { l: 10, r: 16, t: 24, b: 92 },
    legend: {
      orientation: "h",
      x: 0,
      y: 0,
      yref: "container",
      yanchor: "bottom",
      traceorder: "normal",
      font: { size: 12 },
    },
  };
  const axis = { automargin: true, gridcolor: LINE, linecolor: LINE, zeroline: false, fixedrange: true };
  // the width is given and not left to Plotly, whose own answer to a resized window fails on charts with long names
  layout = {
    ...base,
    width: paper ?? place.clientWidth,
    ...layout,
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
  };
  Plotly.react(place, traces, layout, { displayModeBar: false });
}

/** Whether a chart's place is too narrow for words side by side, as on a phone. */
const narrow = (id) => document.getElementById(`${id}-plot`).clientWidth < 480;

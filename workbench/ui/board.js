// The heatmap board: one crosshair over all squares, a readout below, a click or Enter opens the sentence.
const readout = () => element.querySelector(".hm-readout");
const grids = () => [...element.querySelectorAll(".hm-grid")];
const rowsOf = (grid) => grid.closest("figure").dataset.rows.split(",").map(Number);
const sentence = (index) => {
  const found = document.querySelector(`#wb-sentences [data-i="${index}"] .wb-text`);
  return found ? found.textContent.slice(0, 90) : "";
};
const valueOf = (grid, row, column) => {
  const figure = grid.closest("figure");
  const name = grid.children[row * Number(grid.dataset.n) + column]?.className || "";
  const level = Number(name.slice(1));
  const shown =
    name[0] === "q" && Number.isFinite(level) ? ((level - 10) / 100).toFixed(2)
    : name[0] === "d" ? (((level - 50) / 50) * Number(figure.dataset.scale)).toPrecision(2)
    : "–";
  return shown.replace("-", "\u2212");
};
const place = (grid, event) => {
  const box = grid.getBoundingClientRect();
  const count = Number(grid.dataset.n);
  const clamp = (share) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  return [clamp((event.clientY - box.top) / box.height), clamp((event.clientX - box.left) / box.width)];
};
const point = (grid, row, column) => {
  const rows = rowsOf(grid);
  const line = readout();
  if (line) line.replaceChildren();
  for (const other of document.querySelectorAll(".hm-grid")) {
    if (other.dataset.n !== grid.dataset.n) continue;
    other.classList.add("at");
    other.style.setProperty("--r", row);
    other.style.setProperty("--c", column);
    if (!line) continue;
    const label = document.createElement("b");
    label.textContent = other.closest("figure").dataset.label + " ";
    line.append(label, valueOf(other, row, column) + "   ");
  }
  if (line) line.append(document.createElement("br"), `${rows[row] + 1}: ${sentence(rows[row])}  ×  ${rows[column] + 1}: ${sentence(rows[column])}`);
};
element.addEventListener("pointermove", (event) => {
  const grid = event.target.closest(".hm-grid");
  if (grid) point(grid, ...place(grid, event));
});
element.addEventListener("pointerleave", () => {
  for (const grid of document.querySelectorAll(".hm-grid.at")) grid.classList.remove("at");
});
element.addEventListener("click", (event) => {
  const grid = event.target.closest(".hm-grid");
  if (grid) trigger("open_text", { index: rowsOf(grid)[place(grid, event)[0]] });
});
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
element.addEventListener("keydown", (event) => {
  const grid = event.target.closest(".hm-grid");
  if (!grid) return;
  const last = Number(grid.dataset.n) - 1;
  const at = [Number(grid.style.getPropertyValue("--r") || 0), Number(grid.style.getPropertyValue("--c") || 0)];
  if (event.key === "Enter") trigger("open_text", { index: rowsOf(grid)[at[0]] });
  else if (STEPS[event.key]) point(grid, ...at.map((now, axis) => Math.min(last, Math.max(0, now + STEPS[event.key][axis]))));
  else return;
  event.preventDefault();
});

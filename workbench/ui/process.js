// The five boxes of the classic process: a click on one, or Enter on it, opens it; the arrows walk.
element.addEventListener("click", (event) => {
  const box = event.target.closest("button[data-box]");
  if (!box) return;
  const opened = box.getAttribute("aria-expanded") === "true";
  for (const one of document.querySelectorAll("#wb-train-diagram button[data-box]")) {
    one.setAttribute("aria-expanded", String(one.dataset.box === box.dataset.box && !opened));
  }
  trigger("open_box", { box: box.dataset.box });
});
element.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const box = event.target.closest("button[data-box]");
  if (!step || !box) return;
  const boxes = [...element.querySelectorAll("button[data-box]")];
  boxes[boxes.indexOf(box) + step]?.focus();
  event.preventDefault();
});

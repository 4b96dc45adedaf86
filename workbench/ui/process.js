// The five boxes of the classic process: a click on one, or Enter on it, opens it; the arrows walk.
element.addEventListener("click", (event) => {
  const box = event.target.closest("button[data-box]");
  if (box) trigger("open_box", { box: box.dataset.box });
});
element.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const box = event.target.closest("button[data-box]");
  if (!step || !box) return;
  const boxes = [...element.querySelectorAll("button[data-box]")];
  boxes[boxes.indexOf(box) + step]?.focus();
  event.preventDefault();
});

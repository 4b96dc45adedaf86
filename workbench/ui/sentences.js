// A list of sentences: a click on one, or Enter on it, opens it; the arrows walk.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-i]");
  if (button) trigger("open_text", { index: Number(button.dataset.i) });
});
element.addEventListener("keydown", (event) => {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const button = event.target.closest(".wb-sentences button[data-i]");
  if (!step || !button) return;
  button[step]?.focus();
  event.preventDefault();
});

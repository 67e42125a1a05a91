// Of a view's pictures only the one that fits the screen is in the page: ids are theirs alone.
const narrow = matchMedia("(max-width: 899px)");
const views = [...document.querySelectorAll(".view")];
const value = document.getElementById("value");

function show() {
  const shown = value ? value.selectedIndex : 0;
  views.forEach((view, index) => {
    const board = view.querySelector(".board");
    view.hidden = index !== shown;
    if (view.hidden) {
      board.replaceChildren();
      return;
    }
    const template = view.querySelector(`template[data-screen=${narrow.matches ? "narrow" : "wide"}]`);
    board.replaceChildren(template.content.cloneNode(true));
    window.dbtChartHover.mount(board);
  });
}

narrow.addEventListener("change", show);
if (value) value.addEventListener("change", show);
show();

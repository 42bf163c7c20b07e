// Shows one frame of a moving picture at a time. Without this the last one stands.
for (const film of document.querySelectorAll(".film")) {
  const frames = [...film.querySelectorAll("img")];
  const slider = film.querySelector("input");
  const said = film.querySelector("output");
  const show = () => {
    frames.forEach((frame, place) => { frame.hidden = place !== Number(slider.value); });
    said.textContent = frames[slider.value].dataset.label;
    slider.setAttribute("aria-valuetext", said.textContent);
  };
  slider.addEventListener("input", show);
  film.querySelector(".controls").hidden = false;
  show();
}

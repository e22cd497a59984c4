function () {
  return window.studioDesk.value();
}

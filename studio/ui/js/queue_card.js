/*
 The card draws with code that an element of its own brings once a page: that is far more than an
 example and its state, which come anew with every label.
*/
export default function (component) {
  const code = (window.rationaleStudioQueue ??= {});
  let leave = null;
  const draw = () => {
    code.waiting = null;
    leave = code.draw(component);
  };
  if (code.draw) draw();
  else code.waiting = draw;
  return () => {
    if (code.waiting === draw) code.waiting = null;
    if (leave) leave();
  };
}

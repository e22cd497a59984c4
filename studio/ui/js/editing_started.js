/*
 A double click shows the list of labels at once, not a field that needs one more click. The editor
 is drawn a moment after this event.
*/
function (params) {
  let tries = 0;
  const open = function () {
    const editor = params.api.getCellEditorInstances()[0];
    tries += 1;
    if (editor && editor.eEditor && editor.eEditor.showPicker) {
      editor.eEditor.showPicker();
    } else if (tries < 20) {
      setTimeout(open, 25);
    }
  };
  setTimeout(open, 25);
}

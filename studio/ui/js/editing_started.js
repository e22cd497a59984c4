/* A double click shows the list of labels at once, not a field that needs one more click. */
function (params) {
  setTimeout(function () {
    const editor = params.api.getCellEditorInstances()[0];
    if (editor && editor.eEditor && editor.eEditor.showPicker) {
      editor.eEditor.showPicker();
    }
  }, 0);
}

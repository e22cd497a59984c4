/* A letter must not open the list of labels: the keys after it would go there. Ours never get here. */
function (params) {
  const event = params.event;
  return !params.editing && event.key.length === 1 && !event.ctrlKey && !event.metaKey;
}

/* Only our own stamp sends: it says that the log is worth a message. */
function (params) {
  return params.eventData.column.getColId() === "sent";
}

/* Sends what the card of the queue wrote down and could not send before its page was left. */
export default function ({ data, setStateValue }) {
  const STORE = "rationale-studio-queue";
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(STORE) || "[]");
    } catch (error) {
      return [];
    }
  };
  const timer = setTimeout(() => {
    const waiting = read().filter(
      (block) => block.who === data.who && block.log.some((entry) => entry.seq > (data.ack[block.instance] || 0)),
    );
    if (waiting.length && data.page !== "label") setStateValue("log", { blocks: waiting });
  }, 150);
  return () => clearTimeout(timer);
}

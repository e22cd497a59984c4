/*
 Sends what the card of the queue wrote down and could not send: its page was left, or the server went
 away. What is still there at a second look was not sent by the card itself.
*/
export default function ({ data, setStateValue }) {
  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem("rationale-studio-queue") || "[]");
    } catch (error) {
      return [];
    }
  };
  const isWaiting = (block) =>
    block.who === data.who && block.log.some((entry) => entry.seq > (data.ack[block.instance] || 0));
  let before = "";
  let times = 0;
  const look = () => {
    const blocks = read().filter(isWaiting);
    const now = JSON.stringify(blocks);
    if (blocks.length && now === before) setStateValue("log", { blocks, times: (times += 1) });
    before = now;
  };
  look();
  const timer = setInterval(look, 400);
  return () => clearInterval(timer);
}

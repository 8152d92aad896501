/* The screen through WMKS: the npm build (an ES module) or VMware's own wmks.min.js (a classic script beside jQuery). */

/* The npm build assigns to these two without declaring them, and its ERROR event dies of that (console.md 0). */
window.type = undefined;
window.innerType = undefined;

const script = (address) =>
  new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror: reject });
    document.head.append(element);
  });

async function load(files) {
  if (!files.at(-1).endsWith(".min.js")) return (await import(files[0])).default;
  for (const file of files) await script(file); // each needs the one before it
  return window.WMKS;
}

const SETTLED_MS = 200; // a window that is being dragged has a hundred sizes

/* The client looks at its box only when it is told to: what `fit` does when the box has another size. Ends by `disconnect`. */
function watched(box, fit) {
  let timer = 0;
  const observer = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(fit, SETTLED_MS);
  });
  observer.observe(box);
  return { disconnect: () => (clearTimeout(timer), observer.disconnect()) };
}

/* Connect and draw into `box`. Rejects when the client cannot be loaded. `on`: connected, size, closed, failed. */
export async function open(box, { address, vmx, files, on }) {
  const WMKS = await load(files);
  const { ConnectionState, Events, Position } = WMKS.CONST;
  /* Console proxies before vCloud Director 10.4 ask for the path of the VMX and talk text; later ones do neither. */
  const handshake = vmx ? { VCDProxyHandshakeVmxPath: vmx, enableUint8Utf8: true } : {};
  const wmks = WMKS.createWMKS(box.id, {
    rescale: true, changeResolution: true, position: Position.CENTER, enableVVC: false, disableTouch: true, ...handshake,
  });
  const focus = () => box.querySelector("canvas")?.focus({ preventScroll: true });
  wmks.register(Events.CONNECTION_STATE_CHANGE, (_event, { state, code, reason }) => {
    if (state === ConnectionState.CONNECTED) on.connected();
    if (state === ConnectionState.DISCONNECTED) on.closed(code, reason);
  });
  wmks.register(Events.ERROR, (_event, { errorType }) => on.failed(errorType));
  wmks.register(Events.REMOTE_SCREEN_SIZE_CHANGE, (_event, { width, height }) => on.size(width, height));
  wmks.connect(address);
  const watch = watched(box, () => wmks.updateScreen());
  return {
    focus,
    press: (keys) => wmks.sendKeyCodes([], keys.map(([scanCode]) => scanCode)),
    fit(whole) {
      wmks.setOption("position", whole ? Position.CENTER : Position.LEFT_TOP); // of one larger than its box all can be reached
      wmks.setOption("rescale", whole);
      wmks.updateScreen();
    },
    close() {
      watch.disconnect();
      wmks.disconnect();
      wmks.destroy();
    },
  };
}

/* The screen through noVNC, which is free software from end to end: the second client (CONSOLE_CLIENT=novnc). */

import { VcdChannel } from "./vcd_channel.js";

/* As `open` of wmks.js. */
export async function open(box, { address, vmx, files, on }) {
  const { default: RFB } = await import(files[0]);
  const channel = new VcdChannel(address, vmx);
  const rfb = new RFB(box, channel);
  rfb.scaleViewport = true;
  rfb.addEventListener("connect", () => {
    on.connected();
    const canvas = box.querySelector("canvas");
    on.size(canvas.width, canvas.height);
    new MutationObserver(() => on.size(canvas.width, canvas.height)).observe(canvas, { attributeFilter: ["width", "height"] });
  });
  let isOpen = true;
  rfb.addEventListener("disconnect", () => {
    isOpen = false;
    on.closed(...channel.end);
  });
  rfb.addEventListener("securityfailure", ({ detail }) => on.failed(detail.reason ?? "security"));
  return {
    focus: () => rfb.focus({ preventScroll: true }),
    press(keys) {
      for (const [, keysym] of keys) rfb.sendKey(keysym, null, true);
      for (const [, keysym] of keys.toReversed()) rfb.sendKey(keysym, null, false);
    },
    fit(whole) {
      rfb.scaleViewport = whole;
    },
    close: () => isOpen && rfb.disconnect(),
  };
}

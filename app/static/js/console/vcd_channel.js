/* A WebSocket as noVNC wants one, in front of a console proxy of vCloud Director (console.md 4.1, 4.2, 6).

   It turns the text frames of old proxies into bytes, answers their "connect info vmx" with the path, and where a proxy
   leaves out the RFB handshake it plays the server's part of it, for noVNC insists on one. */

const HELLO = "connect info vmx\n";
const VERSION = "RFB 003.008\n";
/* What a server says before ServerInit, each after so many bytes from the client (version, security type, ClientInit). */
const HANDSHAKE = [[12, [1, 1]], [1, [0, 0, 0, 0]], [1, []]];

const bytesOf = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const textOf = (bytes) => bytes.reduce((text, byte) => text + String.fromCharCode(byte), "");

export class VcdChannel {
  binaryType = "arraybuffer";
  onopen = () => {};
  onmessage = () => {};
  onclose = () => {};
  onerror = () => {};
  end = [1006, ""]; // how the socket was closed: code and reason
  #vmx;
  #socket;
  #take; // what the next message from the proxy goes to
  #handshake = []; // what is left of it when we play the server
  #typed = 0; // bytes that the client has sent into it
  #held = []; // what the proxy said meanwhile

  constructor(address, vmx) {
    this.#vmx = vmx;
    this.#take = vmx ? this.#answerHello : this.#begin;
    this.#socket = new WebSocket(address, vmx ? ["binary", "uint8utf8"] : ["binary"]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = (event) => this.onopen(event);
    this.#socket.onclose = (event) => {
      this.end = [event.code, event.reason];
      this.onclose(event);
    };
    this.#socket.onerror = (event) => this.onerror(event);
    this.#socket.onmessage = ({ data }) => this.#take(typeof data === "string" ? bytesOf(data) : new Uint8Array(data));
  }

  get protocol() {
    return this.#socket.protocol;
  }

  get readyState() {
    return this.#socket.readyState;
  }

  close(code, reason) {
    this.#socket.close(code, reason);
  }

  send(data) {
    const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
    if (this.#handshake.length) this.#playServer(bytes);
    else this.#socket.send(this.protocol === "uint8utf8" ? textOf(bytes) : bytes.slice());
  }

  #answerHello(bytes) {
    if (!textOf(bytes).startsWith(HELLO)) return this.close();
    /* The path is text in both framings; its letters need not be Latin ones. */
    this.#socket.send(this.protocol === "uint8utf8" ? this.#vmx : new TextEncoder().encode(this.#vmx));
    this.#take = this.#begin;
    if (bytes.length > HELLO.length) this.#begin(bytes.subarray(HELLO.length));
  }

  #begin(bytes) {
    this.#take = this.#pass;
    if (bytes.length === VERSION.length) return this.#pass(bytes);
    this.#handshake = [...HANDSHAKE];
    this.#held = [bytes];
    this.#take = (more) => this.#held.push(more);
    this.#say(bytesOf(VERSION));
  }

  #playServer(bytes) {
    this.#typed += bytes.length;
    while (this.#handshake.length && this.#typed >= this.#handshake[0][0]) {
      const [length, answer] = this.#handshake.shift();
      this.#typed -= length;
      if (answer.length) this.#say(Uint8Array.from(answer));
    }
    if (this.#handshake.length) return;
    this.#take = this.#pass;
    this.#held.forEach((one) => this.#say(one));
  }

  #pass(bytes) {
    this.onmessage({ data: bytes.slice().buffer });
  }

  /* Later: noVNC must not be entered again from its own send(). */
  #say(bytes) {
    queueMicrotask(() => this.#pass(bytes));
  }
}

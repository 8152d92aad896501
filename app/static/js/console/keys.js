/* Keys by name: their scan code (set 1, extended ones + 0x100; console.md 4.4) and their X keysym, for the two clients. */

const NAMED = {
  Escape: [1, 0xff1b], Backspace: [14, 0xff08], Tab: [15, 0xff09], Enter: [28, 0xff0d], Control: [29, 0xffe3],
  Shift: [42, 0xffe1], Alt: [56, 0xffe9], Space: [57, 0x20], PrintScreen: [311, 0xff61], ArrowUp: [328, 0xff52],
  ArrowDown: [336, 0xff54], Delete: [339, 0xffff], Meta: [347, 0xffeb],
  F1: [59, 0xffbe], F2: [60, 0xffbf], F3: [61, 0xffc0], F4: [62, 0xffc1], F5: [63, 0xffc2], F6: [64, 0xffc3],
  F7: [65, 0xffc4], F8: [66, 0xffc5], F9: [67, 0xffc6], F10: [68, 0xffc7], F11: [87, 0xffc8], F12: [88, 0xffc9],
};

/* Rows of an English keyboard: the code of the first key, what the keys give, what they give with Shift. */
const ROWS = [
  [2, "1234567890-=", "!@#$%^&*()_+"],
  [16, "qwertyuiop[]", "QWERTYUIOP{}"],
  [30, "asdfghjkl;'`", 'ASDFGHJKL:"~'],
  [43, "\\zxcvbnm,./", "|ZXCVBNM<>?"],
];
const CHARACTERS = new Map([["\n", [NAMED.Enter]], ["\t", [NAMED.Tab]], [" ", [NAMED.Space]]]);
for (const [first, plain, shifted] of ROWS) {
  for (const [place, character] of [...plain].entries()) {
    CHARACTERS.set(character, [[first + place, character.codePointAt(0)]]);
    CHARACTERS.set(shifted[place], [NAMED.Shift, [first + place, shifted.codePointAt(place)]]);
  }
}

/* The keys of "Control Alt Delete" or "Meta r", to be held down together: pairs of scan code and keysym. */
export const chord = (names) => names.split(" ").map((name) => NAMED[name] ?? CHARACTERS.get(name)[0]);

/* One chord for each character of the text; undefined for what an English keyboard has no key for. */
export const typing = (text) => [...text.replaceAll("\r\n", "\n")].map((character) => CHARACTERS.get(character));

"""From what a client sends about keys to what was typed.

Three ways in: set-1 scan codes (WMKS by default; the layout is the guest's: US), VMware's Unicode and
JavaScript key codes, and RFB's keysyms (noVNC). One way out: a character, or the name of a key.
"""

from __future__ import annotations

from vcdsim.console.wire import CAPS_LOCK, NUM_LOCK, SCROLL_LOCK

CTRL_ALT_DEL = "Ctrl+Alt+Del"
ENTER, BACKSPACE, TAB, ESCAPE, DELETE = "Enter", "Backspace", "Tab", "Escape", "Delete"
SHIFT, CTRL, ALT = "Shift", "Ctrl", "Alt"
_MODIFIERS = (SHIFT, CTRL, ALT)
_LOCKS = {"CapsLock": CAPS_LOCK, "NumLock": NUM_LOCK, "ScrollLock": SCROLL_LOCK}

#: First scan code of a row of keys, what they give, what they give with Shift.
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_LETTERS: dict[int, tuple[str, str]] = {
    first + place: pair
    for first, plain, shifted in _ROWS
    for place, pair in enumerate(zip(plain, shifted, strict=True))
}
_KEYPAD = {71 + place: letter for place, letter in enumerate("789-456+1230.")}
#: Scan codes of keys with a name; those above 256 are the extended ones.
_SCAN_NAMES = {
    1: ESCAPE,
    14: BACKSPACE,
    15: TAB,
    28: ENTER,
    284: ENTER,
    29: CTRL,
    285: CTRL,
    42: SHIFT,
    54: SHIFT,
    56: ALT,
    312: ALT,
    58: "CapsLock",
    69: "NumLock",
    70: "ScrollLock",
    327: "Home",
    328: "Up",
    329: "PageUp",
    331: "Left",
    333: "Right",
    335: "End",
    336: "Down",
    337: "PageDown",
    338: "Insert",
    339: DELETE,
}
#: The keypad without NumLock has the codes of the extended keys less 256; 5 does nothing.
_KEYPAD_NAMES = {code - 256: name for code, name in _SCAN_NAMES.items() if code > 326}
_KEYPAD_SIGNS = {55: "*", 309: "/", 74: "-", 78: "+"}
_JS_NAMES = {
    8: BACKSPACE,
    9: TAB,
    13: ENTER,
    16: SHIFT,
    17: CTRL,
    18: ALT,
    20: "CapsLock",
    27: ESCAPE,
    33: "PageUp",
    34: "PageDown",
    35: "End",
    36: "Home",
    37: "Left",
    38: "Up",
    39: "Right",
    40: "Down",
    45: "Insert",
    46: DELETE,
    144: "NumLock",
    145: "ScrollLock",
}
_CONTROLS = {8: BACKSPACE, 9: TAB, 10: ENTER, 13: ENTER, 27: ESCAPE, 127: DELETE}
_KEYSYM_NAMES = {
    0xFF08: BACKSPACE,
    0xFF09: TAB,
    0xFF0D: ENTER,
    0xFF8D: ENTER,
    0xFF1B: ESCAPE,
    0xFF50: "Home",
    0xFF51: "Left",
    0xFF52: "Up",
    0xFF53: "Right",
    0xFF54: "Down",
    0xFF55: "PageUp",
    0xFF56: "PageDown",
    0xFF57: "End",
    0xFF63: "Insert",
    0xFFFF: DELETE,
    0xFFE1: SHIFT,
    0xFFE2: SHIFT,
    0xFFE3: CTRL,
    0xFFE4: CTRL,
    0xFFE9: ALT,
    0xFFEA: ALT,
    0xFFE5: "CapsLock",
    0xFF7F: "NumLock",
    0xFF14: "ScrollLock",
}
_UNICODE_KEYSYMS = 0x01000000


class Keyboard:
    """Which modifiers are down and which locks are on. Each call gives what was typed, None for nothing."""

    def __init__(self) -> None:
        #: Bits as in the LED state.
        self.locks = 0
        self._down: set[str] = set()

    def scan(self, code: int, *, is_down: bool) -> str | None:
        """A key by its place."""
        if code in _KEYPAD:
            is_number = code in _KEYPAD_SIGNS or bool(self.locks & NUM_LOCK) != (SHIFT in self._down)
            return self._press(_KEYPAD[code] if is_number else _KEYPAD_NAMES.get(code), is_down=is_down)
        if code in _LETTERS:
            return self._press(self._letter(code), is_down=is_down)
        return self._press(_KEYPAD_SIGNS.get(code) or _SCAN_NAMES.get(code), is_down=is_down)

    def key(self, code: int, *, is_down: bool, is_js: bool) -> str | None:
        """A key as a character (Unicode), or as a JavaScript key code."""
        if is_js:
            return self._press(_JS_NAMES.get(code), is_down=is_down)
        return self._press(_CONTROLS.get(code) or _character(code), is_down=is_down)

    def keysym(self, symbol: int, *, is_down: bool) -> str | None:
        """A key as X11 names it; the client has applied Shift and Caps Lock itself."""
        is_latin = 0x20 <= symbol <= 0x7E or 0xA0 <= symbol <= 0xFF
        if is_latin or symbol > _UNICODE_KEYSYMS:
            return self._press(_character(symbol % _UNICODE_KEYSYMS), is_down=is_down)
        return self._press(_KEYSYM_NAMES.get(symbol), is_down=is_down)

    def _letter(self, code: int) -> str:
        plain, shifted = _LETTERS[code]
        is_shifted = SHIFT in self._down
        if plain.isalpha() and self.locks & CAPS_LOCK:
            is_shifted = not is_shifted
        return shifted if is_shifted else plain

    def _press(self, name: str | None, *, is_down: bool) -> str | None:
        if name in _MODIFIERS:
            (self._down.add if is_down else self._down.discard)(name)
            return None
        if name is None or not is_down:
            return None
        if name in _LOCKS:
            self.locks ^= _LOCKS[name]
            return None
        if {CTRL, ALT} <= self._down and name == DELETE:
            return CTRL_ALT_DEL
        return f"{CTRL}+{name.upper()}" if CTRL in self._down and len(name) == 1 else name


def _character(code: int) -> str | None:
    """The character, None for a number that is none or cannot be seen."""
    letter = chr(code) if code < 0x110000 else "\0"
    return letter if letter.isprintable() else None

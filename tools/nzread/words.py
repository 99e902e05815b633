"""Words that have codes of one byte (formats/bytes.md, Stream)."""

import re

from errors import require

CODES_MOST, LETTERS_MOST = 32, 32
FIRST_CODE = 128
END, CAPITAL = 26, 27
RUN = re.compile(rb"[A-Za-z]+")


class Words:
    def __init__(self, coder):
        """Reads the list."""
        self.code = {}  # by word
        count = coder.even(6)
        require(count <= CODES_MOST, "too many words")
        code = FIRST_CODE
        for _ in range(count):
            while code < 256 and coder.even(1):
                code += 1
            require(code < 256, "a word without a code")
            self.code[read_word(coder)] = code
            code += 1

    def shrink(self, text):
        """The text with codes in place of its words."""
        def replace(run):
            code = self.code.get(run.group())
            return run.group() if code is None else bytes([code])
        return RUN.sub(replace, text)

    def expand(self, codes):
        word = {code: word for word, code in self.code.items()}
        return b"".join(word.get(code, bytes([code])) for code in codes)


def read_word(coder):
    word = bytearray()
    capital = False
    while True:
        symbol = coder.even(5)
        if symbol == CAPITAL and not capital:
            capital = True
        elif symbol < END and len(word) < LETTERS_MOST:
            word.append(symbol + ord("A" if capital else "a"))
            capital = False
        else:
            require(symbol == END and not capital and len(word) > 1, "a malformed word")
            return bytes(word)

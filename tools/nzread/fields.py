"""The fields of ggml's blocks (formats/weights.md, Fields)."""

from collections import namedtuple

U8, I8, F16 = 1, 2, 16
Field = namedtuple("Field", "dtype at count")  # bytes before it in a block, elements
# minimum: the field that follows the first; spread: the quants whose sets tell their ratio.
Layout = namedtuple("Layout", "fields minimum spread")


def layout(*fields, minimum=None, spread=None):
    fields = [Field(*f) for f in fields]
    return Layout(fields, None if minimum is None else fields[minimum],
                  None if spread is None else fields[spread])


LAYOUTS = {
    66: layout((F16, 0, 1), (U8, 2, 16)),  # Q4_0
    67: layout((F16, 0, 1), (F16, 2, 1), (U8, 4, 16), minimum=1, spread=2),  # Q4_1
    70: layout((F16, 0, 1), (U8, 2, 4), (U8, 6, 16)),  # Q5_0
    71: layout((F16, 0, 1), (F16, 2, 1), (U8, 4, 4), (U8, 8, 16), minimum=1, spread=3),  # Q5_1
    72: layout((F16, 0, 1), (I8, 2, 32)),  # Q8_0
    73: layout((F16, 0, 1), (F16, 2, 1), (I8, 4, 32)),  # Q8_1
    74: layout((F16, 80, 1), (F16, 82, 1), (U8, 0, 16), (U8, 16, 64), minimum=1),  # Q2_K
    75: layout((F16, 108, 1), (U8, 96, 12), (U8, 0, 32), (U8, 32, 64)),  # Q3_K
    76: layout((F16, 0, 1), (F16, 2, 1), (U8, 4, 12), (U8, 16, 128), minimum=1),  # Q4_K
    77: layout((F16, 0, 1), (F16, 2, 1), (U8, 4, 12), (U8, 16, 32), (U8, 48, 128),
               minimum=1),  # Q5_K
    78: layout((F16, 208, 1), (I8, 192, 16), (U8, 0, 128), (U8, 128, 64)),  # Q6_K
    84: layout((F16, 0, 1), (U8, 2, 16)),  # IQ4_NL
    87: layout((F16, 0, 1), (U8, 2, 2), (U8, 4, 4), (U8, 8, 128)),  # IQ4_XS
    80: layout((F16, 0, 1), (U8, 2, 64)),  # IQ2_XXS
    81: layout((F16, 0, 1), (U8, 2, 64), (U8, 66, 8)),  # IQ2_XS
    86: layout((F16, 0, 1), (U8, 2, 64), (U8, 66, 8), (U8, 74, 8)),  # IQ2_S
    82: layout((F16, 0, 1), (U8, 2, 64), (U8, 66, 32)),  # IQ3_XXS
    85: layout((F16, 0, 1), (U8, 2, 64), (U8, 66, 8), (U8, 74, 32), (U8, 106, 4)),  # IQ3_S
    83: layout((F16, 0, 1), (U8, 2, 32), (U8, 34, 16)),  # IQ1_S
    93: layout((U8, 0, 32), (U8, 32, 16), (U8, 48, 8)),  # IQ1_M
    98: layout((F16, 52, 1), (U8, 0, 48), (U8, 48, 4)),  # TQ1_0
    99: layout((F16, 64, 1), (U8, 0, 64)),  # TQ2_0
    103: layout((U8, 0, 1), (U8, 1, 16)),  # MXFP4
}

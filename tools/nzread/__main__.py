"""nzread: unpacks an nzip archive, slowly, to be read beside formats/*.md.

    python3 tools/nzread [--base FILE] ARCHIVE >CONTENTS

It knows all methods but the deep engine, levels 5 to 9 of the bytes engine. The exit status is 0,
1 for an archive that breaks a rule, 3 for one that only needs what this reader does not know.
"""

import argparse
import sys

import archive
from errors import NotRead, Refused


def main():
    parser = argparse.ArgumentParser(prog="nzread", description="Unpacks an nzip archive.")
    parser.add_argument("archive")
    parser.add_argument("--base", help="the file that the archive was packed against")
    options = parser.parse_args()
    base = None
    if options.base:
        with open(options.base, "rb") as file:
            base = file.read()
    with open(options.archive, "rb") as file:
        data = file.read()
    try:
        for part in archive.contents(data, base):
            sys.stdout.buffer.write(part)
    except Refused as fault:
        where = "" if fault.offset is None else "at byte %d: " % fault.offset
        print("nzread: %s: %s%s" % (options.archive, where, fault.reason), file=sys.stderr)
        return 3 if isinstance(fault, NotRead) else 1
    return 0


sys.exit(main())

"""What a reader says instead of giving wrong bytes."""


class Refused(Exception):
    """The archive breaks a rule of its pages."""

    def __init__(self, reason, offset=None):
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class NotRead(Refused):
    """Nothing is wrong, but this reader does not know how."""


def require(holds, reason):
    if not holds:
        raise Refused(reason)

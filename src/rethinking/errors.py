"""The one exception that a person can act on."""


class UserError(Exception):
    """Something a person can put right: its message is one sentence with what, where and what would be right.

    The command line prints the message without a traceback; every other exception is a defect of ours.
    """

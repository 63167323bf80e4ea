"""What every package raises when the caller asks for something a rule forbids."""


class Refusal(ValueError):
    """One line for the caller: the rule, the value that broke it, and the way out.

    The command line prints it after `search: ` and exits with 2; nothing else is caught there.
    """

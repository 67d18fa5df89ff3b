class Refusal(Exception):
    """A command cannot do what it was asked to. The message says, in one line, what is wrong or what to do."""

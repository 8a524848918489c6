"""The one exception that is shown to the user as a sentence, without a traceback."""


class Problem(Exception):
    """Something that the user can do something about; the text says what happened and what helps."""
